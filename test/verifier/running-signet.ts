// A Signet that listens, and a user who is logged in there; holds no assertion.
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { start } from '../../src/server.js'
import { AT_ONCE, ask, settings } from '../server-process.js'

export const ISSUER = 'https://id.example'

export async function runningSignet (test: Test, env: Record<string, string> = {}) {
  const { app, stop } = await start(readConfig(settings(test, { ISSUER, AUDIENCE: 'orders', ...env })), AT_ONCE)
  test.teardown(stop)
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const account = { email: 'ada@example.com', password: 'correct horse battery' }
  const user = (await ask(`${url}/register`, account)).body as { id: string }
  const { access_token: token } = (await ask(`${url}/login`, account)).body as { access_token: string }
  return { url, user, token, options: { issuer: ISSUER, audience: 'orders', jwksUri: `${url}/.well-known/jwks.json` } }
}
