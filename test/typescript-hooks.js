// Compiles each version of a TypeScript file once, for whichever process of the suite asks first, and keeps it beside the installed packages; holds no check.
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const CACHE = fileURLToPath(new URL('../node_modules/.cache/signet-tests/', import.meta.url))
const SALT = readFileSync(fileURLToPath(import.meta.url), 'utf8') + require('typescript/package.json').version

/** @type {import('node:module').ResolveHook} */
export const resolve = (specifier, context, next) => next(sourceOf(specifier, context.parentURL) ?? specifier, context)

/** @type {import('node:module').LoadHook} */
export const load = (url, context, next) => {
  const path = url.startsWith('file:') ? fileURLToPath(url) : ''
  return path.endsWith('.ts') ? { format: 'module', source: compile(path), shortCircuit: true } : next(url, context)
}

/** An import names the file that will be built; what there is, is its source. @param {string} specifier @param {string | undefined} parent */
function sourceOf (specifier, parent = import.meta.url) {
  const isOurs = specifier.startsWith('file:') || (specifier.startsWith('.') && !parent.includes('/node_modules/'))
  if (!isOurs || !/\.js(\?|$)/.test(specifier)) return undefined
  const source = new URL(specifier.replace(/\.js(?=\?|$)/, '.ts'), parent)
  return existsSync(fileURLToPath(source)) ? source.href : undefined
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
