// `npm run build`: compiles what has changed since it was last run, and says so; silent where nothing has. Holds no setting of the compiler's.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { sourceFiles } from './source-files.js'

const SOURCES = ['src', 'scripts', 'bench']
const BUILT = ['dist', 'src/verifier/dist']
/** Of which the compiler makes nothing, and which a server reads as they are. */
const asTheyAre = () => ['src/browser', ...readdirSync('src/client').filter(name => name.endsWith('.js')).map(name => `src/client/${name}`), 'src/services/common-passwords.txt', 'src/mail/templates']
/** Of what the last build was made, and what it made; not there while one is under way, nor after one that did not end well. */
const STAMP = 'dist/.built'
const LOCK = 'dist/.lock'
/** From which a server may still load: the bundler takes out of it what is older than the last build. */
const BUNDLED = ['dist/signet', 'dist/.made']
const COMPILER = 'node_modules/typescript/bin/tsc'
const BUNDLER = 'node_modules/rolldown/bin/cli.mjs'
const BUNDLE = 'rolldown.config.js'
const LOCKED = 'package-lock.json'
/** Another command that compiles gets this long. */
const PATIENCE_MS = 120_000

/** Each file of which a build is made, with its size and time: the sources, and the compiler, where it is there. Which packages are meant by what it says, for npm writes it anew as it was. */
function madeOf () {
  return [`${LOCKED}\t${createHash('sha256').update(readFileSync(LOCKED)).digest('hex')}`,
    ...[...SOURCES.flatMap(sourceFiles), 'tsconfig.json', BUNDLE, ...[COMPILER].filter(existsSync)].map(path => `${path}\t${statSync(path).size} ${statSync(path).mtimeMs}`)]
}

/** Each file that was built, with its size. Names with a dot are notes of the builder's. */
function made () {
  return BUILT.filter(existsSync).flatMap(folder => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => !name.startsWith('.')).map(name => join(folder, name)).sort())
    .map(path => `${path}\t${statSync(path).size}`)
}

function lastBuild () {
  const [before = '', result = ''] = existsSync(STAMP) ? readFileSync(STAMP, 'utf8').split('\n\n') : []
  return { sources: before.split('\n'), isThere: before !== '' && result === made().join('\n') }
}

/** A build outlives its compiler, which no production needs. */
function isCurrent () {
  const { sources, isThere } = lastBuild()
  return isThere && sources.filter(line => existsSync(COMPILER) || !line.startsWith(COMPILER)).join('\n') === madeOf().join('\n')
}

/** What was built of a source that is gone would be loaded, or served, for ever; and the compiler does not see what was taken away, or half written, of its work. */
function canBeginThere () {
  const { sources, isThere } = lastBuild()
  return isThere && sources.every(line => existsSync(line.split('\t', 1)[0] ?? ''))
}

/** The compiler looks into those files alone that are newer than its notes, which what came from an archive, a copy or a clock that went back is not. */
function ageNotes () {
  for (const name of readdirSync('dist')) if (name.endsWith('.tsbuildinfo')) utimesSync(join('dist', name), 0, 0)
}

function removeAll () {
  const entries = BUILT.filter(existsSync).flatMap(folder => readdirSync(folder).map(name => join(folder, name)))
  for (const path of entries) if (path !== LOCK && !BUNDLED.includes(path)) rmSync(path, { recursive: true })
}

/** Compiles; returns the exit code. */
function build () {
  const began = performance.now()
  const sources = madeOf()
  const isFurther = canBeginThere()
  process.stdout.write(isFurther ? 'Compiling what has changed…\n' : 'Compiling Signet…\n')
  rmSync(STAMP, { force: true })
  if (isFurther) ageNotes()
  else removeAll()
  const compiler = spawnSync(process.execPath, [COMPILER, '-b', 'tsconfig.json', 'src/verifier'], { stdio: 'inherit' })
  if (compiler.status !== 0) return 1
  for (const path of asTheyAre()) cpSync(path, join('dist', path), { recursive: true })
  const bundler = spawnSync(process.execPath, [resolve(BUNDLER), '--config', resolve(BUNDLE)], { cwd: 'dist', stdio: ['ignore', 'ignore', 'inherit'] })
  if (bundler.status !== 0) return 1
  writeFileSync(STAMP, `${sources.join('\n')}\n\n${made().join('\n')}`)
  process.stdout.write(`Compiled in ${((performance.now() - began) / 1000).toFixed(1)} s.\n`)
  return 0
}

/** Builds where nobody has meanwhile. SQLite's lock is the kernel's: it ends with the process. */
async function buildAlone () {
  mkdirSync('dist', { recursive: true })
  const { default: Database } = await import('libsql')
  const lock = new Database(LOCK, { timeout: PATIENCE_MS })
  lock.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE')
  return isCurrent() ? 0 : build()
}

function refuse () {
  process.stderr.write('What has changed cannot be compiled, for the compiler is not installed. Run `npm ci && npm run build`.\n')
  return 1
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
try {
  if (!isCurrent()) process.exitCode = existsSync(COMPILER) ? await buildAlone() : refuse()
} catch (error) {
  process.stderr.write(`What has changed cannot be compiled: ${/** @type {Error} */ (error).message}. Run \`npm run build\` as a user who may write to the folder dist.\n`)
  process.exitCode = 1
}
