// A Signet that listens, and a user who is logged in there; holds no assertion.
import type { Test } from 'tap'
import { ask, serve } from '../server-process.js'

export const ISSUER = 'https://id.example'

export async function runningSignet (test: Test, env: Record<string, string> = {}) {
  const { url } = await serve(test, { ISSUER, AUDIENCE: 'orders', ...env })
  const account = { email: 'ada@example.com', password: 'correct horse battery' }
  const user = (await ask(`${url}/register`, account)).body as { id: string }
  const { access_token: token } = (await ask(`${url}/login`, account)).body as { access_token: string }
  return { url, user, token, options: { issuer: ISSUER, audience: 'orders', jwksUri: `${url}/.well-known/jwks.json` } }
}
