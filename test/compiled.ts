// The code as plain JavaScript, as operators run it: what a test starts as a process of its own waits for no loader, and for no runner of tests. Holds no test.
import { execFileSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { sourceFiles } from '../scripts/source-files.js'
import type { Command } from './program.js'
import { compile } from './typescript-hooks.js'

const CACHE = resolve('node_modules/.cache/signet-compiled')
const PLACES = ['src', 'scripts']
const BUNDLE = 'rolldown.config.js'

let folder: string | undefined

/** The path of a file of src/ as JavaScript, or of the program that is made of a script, beside all others; whichever process of the suite asks first compiles them. */
export function compiled (path: string): string {
  folder ??= compileAll()
  return join(folder, path.replace(/^scripts\//, 'signet/').replace(/\.ts$/, '.js'))
}

/** What starts the server as `npm start` does, as the one program that is made of all. */
export const SERVER_PROGRAM = 'signet/server.js'

/** What starts a program in Node.js and nothing else: the runner of the tests would add itself to every Node.js that they start, by this variable. */
export function plainNode (path: string, ...nodeArgs: string[]): Command {
  return ['env', '-u', 'NODE_OPTIONS', process.execPath, ...nodeArgs, compiled(path)]
}

function compileAll (): string {
  const files = PLACES.flatMap(sourceFiles)
  const digest = createHash('sha256')
  for (const file of [...files, 'package-lock.json', BUNDLE]) digest.update(file).update('\0').update(readFileSync(file)).update('\0')
  const whole = join(CACHE, digest.digest('hex'))
  if (!existsSync(whole)) makeWhole(files, whole)
  return whole
}

/** Another process may be at it at the same time: the first to be ready puts it in its place. */
function makeWhole (files: string[], whole: string): void {
  const draft = join(CACHE, randomUUID())
  for (const file of files) {
    mkdirSync(dirname(join(draft, file)), { recursive: true })
    if (file.endsWith('.ts')) writeFileSync(join(draft, file.replace(/ts$/, 'js')), compile(resolve(file)))
    else copyFileSync(file, join(draft, file))
  }
  execFileSync(process.execPath, [resolve('node_modules/rolldown/bin/cli.mjs'), '--config', resolve(BUNDLE)], { cwd: draft })
  try {
    renameSync(draft, whole)
  } catch (error) {
    if (!existsSync(whole)) throw error
    rmSync(draft, { recursive: true })
  }
}
