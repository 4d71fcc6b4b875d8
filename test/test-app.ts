// A whole application over real parts for the tests of the edge; holds no assertion and no double.
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp, type AppParts } from '../src/app.js'
import { readConfig } from '../src/config.js'
import { Connections } from '../src/http/edge/connections.js'
import { sharedHasher } from './hashing/shared-hasher.js'
import { copyRing, openRing } from './keyring/rings.js'
import { workingFolder } from './working-folder.js'
import { openStore } from '../src/store/open-store.js'

export const PASSWORD = 'correct horse battery'
export const EMAIL = 'ada@example.com'

export interface Pair { access_token: string, token_type: string, expires_in: number, refresh_token: string, device_token: string, refresh_token_expires_in: number }

/** Builds the application with settings over its defaults for tests, and other parts where they are given. */
export async function testApp (t: Test, env: Record<string, string> = {}, parts: Partial<AppParts> = {}) {
  const folder = workingFolder(t)
  const config = readConfig({ BCRYPT_COST: '4', RATE_LIMIT: 'off', ...env })
  await copyRing(join(folder, 'keys'), Date.now())
  const keyRing = await openRing({ folder: join(folder, 'keys') })
  const store = await openStore(`file:${join(folder, 'signet.db')}`)
  const hasher = sharedHasher({ cost: config.BCRYPT_COST, queue: config.HASH_QUEUE })
  const clock = { now: Date.now() }
  const connections = new Connections({ max: 1000, keepAlive: 30_000 })
  const lines: string[] = []
  const app = await buildApp({ config, store, keyRing, hasher, clock: () => clock.now, log: { write: line => { lines.push(line) } }, connections, ...parts })
  t.teardown(async () => {
    await app.close()
    await store.close()
  })
  return { app, clock, lines, store, keyRing, config, folder, ...clientOf(app) }
}

function clientOf (app: FastifyInstance) {
  const post = async (url: string, body: unknown, headers: Record<string, string> = {}) => await app.inject({ method: 'POST', url, payload: body as object, headers })
  const call = async (method: 'GET' | 'POST' | 'DELETE', url: string, token: string) => await app.inject({ method, url, headers: { authorization: `Bearer ${token}` } })
  const register = async (email = EMAIL) => await post('/register', { email, password: PASSWORD })
  const login = async (email = EMAIL, password = PASSWORD): Promise<Pair> => (await post('/login', { email, password })).json<Pair>()
  return { post, call, register, login }
}

/** A problem document's body as it must be, but for its request id. */
export function problem (status: number, title: string, code: string, detail: string, errors?: object[]) {
  return { type: 'about:blank', title, status, detail, code, request_id: /^[\da-f-]{36}$/, ...(errors && { errors }) }
}
