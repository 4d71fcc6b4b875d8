// One fetch of a JWKS and what is taken from it; holds no rule of when to fetch and keeps nothing.
import { importJWK, type CryptoKey } from 'jose'
import { get, textOf, type GetRequest } from './bounded-get.js'

/** Keys by their ids, and for how long their authority says that they may be kept, in seconds; undefined where it does not say. */
export interface KeySet { keys: Map<string, CryptoKey>, maxAge: number | undefined }

/** Bytes; far more keys than an authority has. */
const MAX_LENGTH = 64 * 1024
/** RFC 7518, section 3.3: bits. */
const MIN_MODULUS_LENGTH = 2048

/** Fetches a JWKS (RFC 7517, section 5). Throws, saying why, if no key can be had from the answer. */
export async function fetchKeySet (request: GetRequest): Promise<KeySet> {
  const { uri } = request
  const answer = await get(request, { accept: 'application/json' }, MAX_LENGTH)
  const keys = await readKeys(textOf(answer, uri))
  if (keys.size === 0) throw new Error(`${uri} holds no RSA key for RS256 signatures`)
  return { keys, maxAge: readMaxAge(answer.headers) }
}

// One bad entry costs that entry alone.
async function readKeys (text: string): Promise<Map<string, CryptoKey>> {
  const set = JSON.parse(text) as { keys?: unknown } | null
  if (!Array.isArray(set?.keys)) throw new Error('the answer is not a JWKS')
  const read = await Promise.allSettled(set.keys.map(readKey))
  return new Map(read.flatMap(result => result.status === 'fulfilled' ? [result.value] : []))
}

async function readKey (jwk: Record<string, unknown>): Promise<[id: string, key: CryptoKey]> {
  const { kty, use, alg, kid, n, e } = jwk
  if (kty !== 'RSA' || use !== 'sig' || alg !== 'RS256' || typeof kid !== 'string') throw new Error('not a key for RS256 signatures')
  const key = await importJWK({ kty, n, e } as { kty: string, n: string, e: string }, alg) as CryptoKey
  if ((key.algorithm as unknown as { modulusLength: number }).modulusLength < MIN_MODULUS_LENGTH) throw new Error('too short')
  return [kid, key]
}

/** RFC 9111, sections 4.2.1 and 4.2.3: what a cache on the way has used up of it does not count. */
function readMaxAge (headers: Headers): number | undefined {
  const maxAge = /(?:^|[\s,])max-age="?(\d+)/i.exec(headers.get('cache-control') ?? '')?.[1]
  return maxAge === undefined ? undefined : Number(maxAge) - Number(/^\d+$/.exec(headers.get('age') ?? '')?.[0] ?? 0)
}
