// `npm run build`: compiles what has changed since it was last run, and says so; silent where nothing has. Holds no setting of the compiler's.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

const SOURCES = ['src', 'scripts', 'bench']
/** Of which the compiler makes nothing, and which a server reads as they are. */
const AS_THEY_ARE = ['src/browser', 'src/client/client.js', 'src/services/common-passwords.txt']
const STAMP = 'dist/.built'
const COMPILER = 'node_modules/typescript/bin/tsc'
const BUNDLER = 'node_modules/rolldown/bin/cli.mjs'
const BUNDLE = 'rolldown.config.js'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** Every file below a folder but what was built there. @param {string} folder @returns {string[]} */
function filesBelow (folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name)).filter(path => !/^src\/\w+\/dist\//.test(path)).sort()
}

/** What the build is made of: each file's name, size and time, and the compiler. */
function fingerprint () {
  const files = [...SOURCES.flatMap(filesBelow), 'tsconfig.json', BUNDLE, 'package-lock.json', COMPILER]
  return files.map(path => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}\n`).join('')
}

/** What an earlier build made of a source that is gone would be loaded, or served, for ever. */
function removeStrays () {
  for (const path of SOURCES.map(place => join('dist', place)).filter(existsSync).flatMap(filesBelow)) {
    const source = path.slice('dist/'.length).replace(/\.d\.ts$|\.js$/, '')
    if (!['.ts', '.js', ''].some(extension => existsSync(source + extension))) rmSync(path)
  }
}

/** Compiles; returns the compiler's exit code. */
function build () {
  const began = performance.now()
  process.stdout.write(existsSync(STAMP) ? 'Compiling what has changed…\n' : 'Compiling Signet for the first time…\n')
  const compiler = spawnSync(process.execPath, [COMPILER, '-b', 'tsconfig.json', 'src/verifier'], { stdio: 'inherit' })
  if (compiler.status !== 0) return compiler.status ?? 1
  for (const path of AS_THEY_ARE) cpSync(path, join('dist', path), { recursive: true })
  removeStrays()
  const bundler = spawnSync(process.execPath, [resolve(BUNDLER), '--config', resolve(BUNDLE)], { cwd: 'dist', stdio: ['ignore', 'ignore', 'inherit'] })
  if (bundler.status !== 0) return bundler.status ?? 1
  process.stdout.write(`Compiled in ${((performance.now() - began) / 1000).toFixed(1)} s.\n`)
  return 0
}

mkdirSync('dist', { recursive: true })
const now = fingerprint()
if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== now) {
  process.exitCode = build()
  if (process.exitCode === 0) writeFileSync(STAMP, now)
}
