// What the keys of a client must be, with which it signs who it is (private_key_jwt); holds no signature and fetches nothing.
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

const MAX_KEYS = 16
const MAX_KID = 300
/** Bits: RFC 7518, section 3.3, and what a verification may cost. */
const MODULUS = { least: 2048, most: 8192 }
/** Private members of RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Which keys there may be, and what each may sign with. */
const KINDS = [
  { kty: 'RSA', crv: undefined, algorithms: ['RS256', 'PS256'] },
  { kty: 'EC', crv: 'P-256', algorithms: ['ES256'] },
  { kty: 'OKP', crv: 'Ed25519', algorithms: ['EdDSA', 'Ed25519'] },
]

/** All that a client may sign with. */
export const ALGORITHMS = KINDS.flatMap(({ algorithms }) => algorithms)

/** A JWKS (RFC 7517, section 5) of public keys as it is kept, with what a verification needs of each and no more; or why it cannot be, as a sentence. */
export function readKeySet (jwks: unknown): { keys: object[] } | string {
  const keys = (jwks as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys)) return 'It must be a JWKS, an object with a list `keys` (RFC 7517, section 5).'
  if (keys.length === 0 || keys.length > MAX_KEYS) return `It must have from 1 to ${MAX_KEYS} keys.`
  const read = keys.map(readKey)
  const at = read.findIndex(key => typeof key === 'string')
  return at === -1 ? { keys: read as object[] } : `Key ${at + 1} ${read[at] as string}.`
}

function readKey (key: unknown): object | string {
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return 'is no JWK'
  const { kty, crv, kid, use, alg, ...members } = key as JsonWebKey
  if (PRIVATE.some(member => member in members)) return 'is private, or a secret: give the public one, and make another, for this one has been shown'
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID)) return `has a kid that is no text of at most ${MAX_KID} characters`
  if (use !== undefined && use !== 'sig') return 'is not for signatures'
  const kind = KINDS.find(kind => kind.kty === kty && kind.crv === crv)
  if (!kind) return 'is neither RSA nor EC P-256 nor Ed25519'
  if (alg !== undefined && !kind.algorithms.includes(alg as string)) return `has an alg that is not ${kind.algorithms.join(' or ')}`
  const read = asKey(key as JsonWebKey)
  if (!read) return 'cannot be read'
  const { modulusLength = MODULUS.least, publicExponent = 3n } = read.asymmetricKeyDetails!
  if (publicExponent < 3n) return 'has an exponent by which anybody could sign'
  if (modulusLength < MODULUS.least || modulusLength > MODULUS.most) return `has ${modulusLength} bits; it must have from ${MODULUS.least} to ${MODULUS.most}`
  // As it is written out anew it has one spelling, and nothing that nobody looks at.
  return { ...read.export({ format: 'jwk' }), ...(kid !== undefined && { kid }), ...(alg !== undefined && { alg }), use: 'sig' }
}

function asKey (key: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}
