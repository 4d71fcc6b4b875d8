// Assertions by which a client proves with a key of its own who it is (private_key_jwt: RFC 7523, section 3; OpenID Connect Core 1.0, section 9); holds no HTTP and no client.
import { hash } from 'node:crypto'
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose'
import type { Client } from '../core/client.js'
import { ALGORITHMS } from '../core/client-keys.js'
import { RecentMap } from '../core/recent-map.js'

/** No assertion may be good for longer than this, for each has to be remembered until it has expired; an hour is what libraries give one at most. Seconds. */
const MAX_LIFE = 3_600
const CLOCKS = 10
const FETCH_MS = 3_000
/** A key that is not among those that were fetched may be new; so often is that looked up, whoever says it. */
const COOLDOWN_MS = 3_000
const MAX_KEYS_BYTES = 64 * 1024
/** How many assertions, and how many addresses of keys, are remembered at once. */
const REMEMBERED = 100_000
const KEY_SETS = 100

export class ClientAssertions {
  readonly #audiences: string[]
  /** When each that was presented expires, in seconds, by a digest of client and `jti`, which may be long. */
  readonly #seen = new Map<string, number>()
  readonly #keySets = new RecentMap<JWTVerifyGetKey>(KEY_SETS)

  /** `audiences` are whom an assertion may be meant for: the issuer, and the endpoints. */
  constructor (audiences: string[]) {
    this.#audiences = audiences
  }

  /** Whether an assertion is the client's, made for this authority, and presented for the first time. `now` in milliseconds. */
  async isOf (client: Client, assertion: string, now: number): Promise<boolean> {
    try {
      const payload = await verify(assertion, await this.#keysOf(client), {
        algorithms: ALGORITHMS, issuer: client.id, subject: client.id, audience: this.#audiences, requiredClaims: ['exp', 'jti'], currentDate: new Date(now), clockTolerance: CLOCKS,
      })
      // Meant for nobody else beside: whoever that is could present it here (RFC 7523bis, section 3).
      return [payload.aud].flat().length === 1 && payload.exp! <= now / 1000 + MAX_LIFE + CLOCKS && typeof payload.jti === 'string' && this.#isFirst(hash('sha256', `${client.id} ${payload.jti}`, 'base64url'), payload.exp!, now)
    } catch {
      return false
    }
  }

  #isFirst (key: string, expiresAt: number, now: number): boolean {
    if (this.#seen.has(key)) return false
    for (const [other, end] of this.#seen) {
      // In the order in which they came, which is nearly that in which they end.
      if (end + CLOCKS > now / 1000 && this.#seen.size < REMEMBERED) break
      this.#seen.delete(other)
    }
    this.#seen.set(key, expiresAt)
    return true
  }

  async #keysOf ({ jwks, jwksUri }: Client): Promise<JWTVerifyGetKey> {
    const { createLocalJWKSet, createRemoteJWKSet, customFetch } = await import('jose')
    if (!jwksUri) return createLocalJWKSet(jwks as Parameters<typeof createLocalJWKSet>[0])
    const known = this.#keySets.get(jwksUri) ?? createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: FETCH_MS, cooldownDuration: COOLDOWN_MS, [customFetch]: fetchKeys })
    this.#keySets.set(jwksUri, known)
    return known
  }
}

/** The claims of what one of these keys signed. Throws of anything else. */
async function verify (assertion: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  const { jwtVerify, errors } = await import('jose')
  try {
    return (await jwtVerify(assertion, keys, options)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    // It does not say which key it is by (RFC 7515, section 4.1.4).
    const payloads: JWTPayload[] = []
    for await (const key of error) await jwtVerify(assertion, key, options).then(({ payload }) => payloads.push(payload), () => {})
    if (!payloads[0]) throw error
    return payloads[0]
  }
}

/** What an address of keys answers, which is not followed elsewhere, and of which no more is read than keys need. */
async function fetchKeys (url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...options, redirect: 'error' })
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > MAX_KEYS_BYTES) throw new Error('the keys are longer than keys are')
    parts.push(part)
  }
  return new Response(Buffer.concat(parts), { status: response.status, headers: response.headers })
}
