// Compiles each version of a TypeScript file once, for whichever process of the suite asks first, and keeps it beside the installed packages; holds no check.
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const CACHE = fileURLToPath(new URL('../node_modules/.cache/signet-tests/', import.meta.url))
const SALT = readFileSync(fileURLToPath(import.meta.url), 'utf8') + require('typescript/package.json').version

/** An import names the file that will be built; what there is, is its source. @type {import('node:module').ResolveHook} */
export const resolve = async (specifier, context, next) => {
  if (!specifier.startsWith('.') || !specifier.endsWith('.js') || !context.parentURL?.endsWith('.ts')) return await next(specifier, context)
  const source = new URL(specifier.replace(/js$/, 'ts'), context.parentURL)
  return existsSync(source) ? { url: source.href, format: 'module', shortCircuit: true } : await next(specifier, context)
}

/** @type {import('node:module').LoadHook} */
export const load = async (url, context, next) => {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return await next(url, context)
  return { format: 'module', source: compile(fileURLToPath(url)), shortCircuit: true }
}

/** The JavaScript of a TypeScript file. @param {string} path @returns {string} */
export function compile (path) {
  const text = readFileSync(path, 'utf8')
  const kept = join(CACHE, `${createHash('sha256').update(SALT).update(path).update('\0').update(text).digest('hex')}.js`)
  if (existsSync(kept)) return readFileSync(kept, 'utf8')
  const ts = require('typescript')
  const { outputText } = ts.transpileModule(text, {
    fileName: path,
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true, inlineSourceMap: true, inlineSources: true }
  })
  mkdirSync(CACHE, { recursive: true })
  // Another process may be at the same file: whoever comes last puts the same text in its place, whole.
  const draft = join(CACHE, randomUUID())
  writeFileSync(draft, outputText)
  renameSync(draft, kept)
  return outputText
}
