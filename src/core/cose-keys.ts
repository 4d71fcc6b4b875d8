// Which public keys of authenticators can verify anything (RFC 9053, sections 2 and 7; RFC 8230, section 4); holds no key.
import { createPublicKey, type JsonWebKey } from 'node:crypto'

/** A key as COSE has it (RFC 9052, section 7), by its labels. */
type CoseKey = Map<number, unknown>

/** Of an algorithm: the labels that say which type of key and which curve it wants (W3C Web Authentication, Level 3, section 5.8.5), and the key as a JWK. */
interface KindOfKey { type: number, curve?: number, toJwk: (key: CoseKey) => JsonWebKey }

const [TYPE, ALGORITHM] = [1, 3]
const CURVE = -1
const KINDS = new Map<unknown, KindOfKey>([
  [-7, { type: 2, curve: 1, toJwk: key => ({ kty: 'EC', crv: 'P-256', x: text(key, -2), y: text(key, -3) }) }],
  [-257, { type: 3, toJwk: key => ({ kty: 'RSA', n: text(key, -1), e: text(key, -2) }) }],
  [-8, { type: 1, curve: 6, toJwk: key => ({ kty: 'OKP', crv: 'Ed25519', x: text(key, -2) }) }],
])

/** ES256, RS256 and EdDSA, each of which some authenticators have alone. */
export const ALGORITHMS = [...KINDS.keys()] as number[]

/** Below, a key of RSA can be broken; beyond, it is dear to verify by. */
const RSA_BITS = { min: 2_048, max: 4_096 }

/** Whether a key is whole and of the kind that its algorithm wants. */
export function isUsableKey (key: CoseKey): boolean {
  const kind = KINDS.get(key.get(ALGORITHM))
  if (!kind || key.get(TYPE) !== kind.type || (kind.curve !== undefined && key.get(CURVE) !== kind.curve)) return false
  try {
    const { modulusLength: bits = RSA_BITS.min } = createPublicKey({ format: 'jwk', key: kind.toJwk(key) }).asymmetricKeyDetails!
    return bits >= RSA_BITS.min && bits <= RSA_BITS.max
  } catch {
    return false
  }
}

function text (key: CoseKey, label: number): string {
  return Buffer.from(key.get(label) as Uint8Array).toString('base64url')
}
