// Each way in which Signet closes families, as a user that is prepared and one request that is left to send; holds no check of what it did.
import type { LiveSignet, Pair } from './live-signet.js'

/** What is about to be closed. Tokens are access tokens, each of another family. */
export interface Closing {
  closes: string[]
  /** Of families of the same user that live on. */
  keeps: string[]
  request: { method: 'POST' | 'DELETE', path: string, body?: object, token?: string }
  /** What is answered when it is done; a 200 may hold a new pair. */
  status: number
}

/** The MAX_ACTIVE_TOKENS of the servers: one log-in more evicts the family that was used least recently. */
export const MAX_ACTIVE_TOKENS = 2

interface User { email: string, password: string, first: Pair, second: Pair }

export const WAYS_TO_CLOSE: Record<string, (signet: LiveSignet) => Promise<Closing>> = {
  'a log-out': async signet => {
    const { first, second } = await newUser(signet)
    return { closes: [first.access_token], keeps: [second.access_token], request: { method: 'POST', path: '/logout', token: first.access_token }, status: 204 }
  },
  'closing one': async signet => {
    const { first, second } = await newUser(signet)
    return { closes: [first.access_token], keeps: [second.access_token], request: { method: 'DELETE', path: `/tokens/${familyOf(first)}`, token: second.access_token }, status: 204 }
  },
  'revoking all': async signet => {
    const { first, second } = await newUser(signet)
    return { closes: [first.access_token, second.access_token], keeps: [], request: { method: 'POST', path: '/revoke-all-tokens', token: first.access_token }, status: 200 }
  },
  'a password change': async signet => {
    const { password, first, second } = await newUser(signet)
    const body = { current_password: password, new_password: `another ${password}` }
    return { closes: [first.access_token, second.access_token], keeps: [], request: { method: 'POST', path: '/change-password', body, token: first.access_token }, status: 200 }
  },
  'an eviction': async signet => {
    const { email, password, first, second } = await newUser(signet)
    return { closes: [first.access_token], keeps: [second.access_token], request: { method: 'POST', path: '/login', body: { email, password } }, status: 200 }
  },
  'a reuse': async signet => {
    const { first, second } = await newUser(signet)
    // The last one but one is answered with its successor for a while, the one before it never.
    const next = await signet.succeed('/refresh', { refresh_token: first.refresh_token }) as Pair
    const last = await signet.succeed('/refresh', { refresh_token: next.refresh_token }) as Pair
    return { closes: [last.access_token], keeps: [second.access_token], request: { method: 'POST', path: '/refresh', body: { refresh_token: first.refresh_token } }, status: 401 }
  },
}

/** Logged in on two devices, the first of which is the least recently used. */
async function newUser (signet: LiveSignet): Promise<User> {
  const { email, password, pair } = await signet.newUser()
  return { email, password, first: pair, second: await signet.succeed('/login', { email, password }) as Pair }
}

function familyOf ({ access_token: token }: Pair): string {
  return (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sid: string }).sid
}
