// The code as plain JavaScript, for tests that start it many times and cannot wait for a compiler each; holds no test.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import ts from 'typescript'

const OPTIONS: ts.CompilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true }

/** Compiles src/ and scripts/ into a folder of the test's and returns it. */
export function compileFor (test: Test): string {
  const folder = join(test.testdir(), 'compiled')
  for (const place of ['src', 'scripts']) {
    cpSync(place, join(folder, place), { recursive: true, filter: path => !path.endsWith('.ts') })
    for (const name of readdirSync(place, { recursive: true }).map(String).filter(name => name.endsWith('.ts'))) compileFile(join(place, name), join(folder, place, name))
  }
  return folder
}

function compileFile (path: string, target: string): void {
  writeFileSync(target.replace(/ts$/, 'js'), ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions: OPTIONS, fileName: path }).outputText)
}
