// The code as plain JavaScript, for tests that start it many times and cannot wait for a compiler each; holds no test.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import ts from 'typescript'

const OPTIONS: ts.CompilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true }

/** Compiles src/ and scripts/ into a folder of the test's and returns it. */
export function compileFor (test: Test): string {
  const folder = join(test.testdir(), 'compiled')
  for (const place of ['src', 'scripts']) {
    for (const name of readdirSync(place, { recursive: true }).map(String)) compileFile(join(place, name), folder)
  }
  return folder
}

function compileFile (path: string, folder: string): void {
  const target = join(folder, path)
  if (path.endsWith('.js')) cpSync(path, target)
  if (!path.endsWith('.ts')) return
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target.replace(/ts$/, 'js'), ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions: OPTIONS, fileName: path }).outputText)
}
