// An authority that does what a test tells it to, and the tokens it signs; holds no assertion.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import type { Test } from 'tap'
import { createVerifier, type VerifierOptions } from '../../src/verifier/verifier.js'

export const NOW = 1_800_000_000_000
export const SECONDS = NOW / 1000
export const AUDIENCE = 'orders'

export interface SigningKey { privateKey: CryptoKey, publicKey: CryptoKey, jwk: JWK & { kid: string } }

export async function newKey (kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  return { privateKey, publicKey, jwk: { ...await exportJWK(publicKey), kid, use: 'sig', alg: 'RS256' } }
}

/** Keys are costly to make; tests need not differ in them. */
const KEYS = await Promise.all(['one', 'two', 'three'].map(async kid => await newKey(kid)))

/** An authority that publishes the key `one` for 300 s, and a verifier of its tokens whose clock is the test's. */
export async function authority (test: Test, options: Partial<VerifierOptions> = {}) {
  const [one, two, three] = KEYS as [SigningKey, SigningKey, SigningKey]
  const serveKeys: RequestListener = (_request, response) => { response.writeHead(200, stub.headers).end(JSON.stringify({ keys: stub.published })) }
  const stub = { published: [one.jwk] as unknown[], headers: { 'cache-control': 'public, max-age=300' } as Record<string, string>, answer: serveKeys, serveKeys, answerList: unknownList, asked: [] as string[], now: NOW }
  const server = createServer((request, response) => {
    stub.asked.push(request.url!)
    const answer = request.url!.startsWith('/status-lists/') ? stub.answerList : stub.answer
    answer(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  test.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const claims = { iss: issuer, aud: AUDIENCE, sub: 'user', client_id: 'web', sid: 'login', jti: 'id', iat: SECONDS, exp: SECONDS + 100_000, auth_time: SECONDS - 60 }
  const sign = async (key = one, more: object = {}, header: object = {}) =>
    await new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: key.jwk.kid, ...header }).sign(key.privateKey)
  const { verify } = createVerifier({ issuer, audience: AUDIENCE, now: () => stub.now, ...options })
  /** `good`, or the code of the refusal. */
  const judge = async (token: string) => await verify(token).then(() => 'good', (error: { code: string }) => error.code)
  return Object.assign(stub, { issuer, claims, sign, verify, judge, one, two, three })
}

const unknownList: RequestListener = (_request, response) => { response.writeHead(404).end() }
export const down: RequestListener = request => { request.socket.destroy() }
export const hang: RequestListener = () => {}

/** Waits, two seconds at most, for what happens in the background. */
export async function until (isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries === 200) throw new Error('it does not happen')
    await delay(10)
  }
}
