// A server, or a script, as a process of its own for the tests; holds no assertion.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'

/** How a server in the process of a test ends: it waits for no proxy to notice. Milliseconds. */
export const AT_ONCE = { linger: 0, settle: 0, patience: 2_000 }

/** What the suite's own processes are started with, good in any folder. */
const NODE_ARGS = process.execArgv.map(arg => arg.replace(/^--import=\.\//, `--import=${pathToFileURL('./').href}`))

/** The command that starts a server from its source, whatever folder and environment it is given. */
export const SERVER: [string, ...string[]] = [process.execPath, ...NODE_ARGS, resolve('src/server.ts')]

/** Settings that a test can run on, over files of its own. */
export function settings (test: Test, env: Record<string, string> = {}): Record<string, string> & { KEYS_DIR: string } {
  const folder = test.testdir()
  return { PORT: '0', BCRYPT_COST: '4', HASH_THREADS: '1', LOG_LEVEL: 'fatal', DATABASE_URL: `file:${folder}/data/signet.db`, KEYS_DIR: join(folder, 'keys'), ...env }
}

export interface Answer { status: number, retryAfter: string | null, body: unknown }

/** Asks a server that listens; a body is sent as JSON. */
export async function ask (url: string, body?: object, token = '', method = body ? 'POST' : 'GET'): Promise<Answer> {
  const headers = { ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) }
  const response = await fetch(url, { method, headers, body: body ? JSON.stringify(body) : null })
  const text = await response.text()
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: text === '' ? undefined : JSON.parse(text) }
}

/** Runs `node src/server.ts` as its own process, as the suite runs its files. */
export function run (test: Test, env: Record<string, string>, script = 'src/server.ts', args: string[] = []) {
  const { PATH = '', NODE_V8_COVERAGE } = process.env
  mkdirSync(test.testdirName, { recursive: true })
  const child = spawn(process.execPath, [...NODE_ARGS, resolve(script), ...args], { cwd: test.testdirName, env: { PATH, ...(NODE_V8_COVERAGE && { NODE_V8_COVERAGE }), ...env } })
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => { output.out += String(chunk) })
  child.stderr.on('data', chunk => { output.err += String(chunk) })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
  test.teardown(() => child.kill('SIGKILL'))
  return { child, ended, ready: async () => await readyUrl(child, output), output }
}

/** Runs the server of a folder that `compileFor` made: it starts sooner, and is Node.js and nothing else. */
export function startCompiled (test: Test, folder: string, env: Record<string, string>) {
  const { PATH = '' } = process.env
  // The runner of the tests adds itself to every Node.js that they start, by this variable.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, join(folder, 'src/server.js')], { cwd: test.testdirName, env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const output = { out: '' }
  child.stdout.on('data', chunk => { output.out += String(chunk) })
  test.teardown(() => child.kill('SIGKILL'))
  return { child, ready: async () => await readyUrl(child, output) }
}

/** Where a server listens, once it says so. Throws what it says instead when it ends. */
async function readyUrl (child: ChildProcess, output: { out: string, err?: string }): Promise<string> {
  const ended = once(child, 'close').then(() => { throw new Error(output.err) })
  while (!/ready: https?:/.test(output.out)) await Promise.race([once(child.stdout!, 'data'), ended])
  ended.catch(() => {})
  return /ready: (https?:\/\/[^\s"/,]+)/.exec(output.out)![1]!
}
