// A server, or a script, as a process of its own for the tests; holds no assertion.
import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import { readConfig } from '../src/config.js'
import { start } from '../src/server.js'
import { plainNode, SERVER_PROGRAM } from './compiled.js'
import { copyRing } from './keyring/rings.js'
import { startProgram, type Command, type Program } from './program.js'
import { workingFolder } from './working-folder.js'

/** How a server in the process of a test ends: it waits for no proxy to notice. Milliseconds. */
export const AT_ONCE = { linger: 0, settle: 0, patience: 2_000 }

/** The command that starts a server, whatever folder and environment it is given. */
export const SERVER = plainNode(SERVER_PROGRAM)

/** The same from its source, as the suite runs its own files: it starts slowly, and what it runs is in the coverage. */
export const MEASURED: Command = [process.execPath, ...process.execArgv.map(arg => arg.replace(/^--import=\.\//, `--import=${pathToFileURL('./').href}`)), resolve('src/server.ts')]

/** Settings that a test can run on, over files of its own. */
export function settings (test: Test, env: Record<string, string> = {}): Record<string, string> & { KEYS_DIR: string } {
  const folder = workingFolder(test)
  return { PORT: '0', BCRYPT_COST: '4', HASH_THREADS: '1', LOG_LEVEL: 'fatal', DATABASE_URL: `file:${folder}/data/signet.db`, KEYS_DIR: join(folder, 'keys'), ...env }
}

/** The same, with a ring where they say it is: to make one takes most of a start. */
export async function withRing<Settings extends { KEYS_DIR: string }> (settings: Settings): Promise<Settings> {
  await copyRing(settings.KEYS_DIR, Date.now())
  return settings
}

/** A server in the process of the test, until that ends, for tests whose rule is not its process. */
export async function serve (test: Test, env: Record<string, string> = {}): Promise<{ url: string, databaseUrl: string, keys: string }> {
  const config = readConfig(await withRing(settings(test, env)))
  const { app, stop } = await start(config, AT_ONCE)
  test.teardown(stop)
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, databaseUrl: config.DATABASE_URL, keys: config.KEYS_DIR }
}

export interface Answer { status: number, retryAfter: string | null, body: unknown }

/** Asks a server that listens; a body is sent as JSON. */
export async function ask (url: string, body?: object, token = '', method = body ? 'POST' : 'GET'): Promise<Answer> {
  const headers = { ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) }
  const response = await fetch(url, { method, headers, body: body ? JSON.stringify(body) : null })
  const text = await response.text()
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: text === '' ? undefined : JSON.parse(text) }
}

/** Runs the server, or another program, until the test ends. */
export function run (test: Test, env: Record<string, string>, command: Command = SERVER): Program {
  mkdirSync(test.testdirName, { recursive: true })
  const program = startProgram(command, { cwd: test.testdirName, env })
  test.teardown(() => program.child.kill('SIGKILL'))
  return program
}
