// Compact JWS as an authority and as an attacker write them, member by member, which no library would; holds no claim and no verdict.
import { createHmac, generateKeyPairSync, sign, constants, type KeyObject } from 'node:crypto'

export interface Jws { header: Record<string, unknown>, claims: Record<string, unknown>, signer: Signer }
export type Signer = (input: string) => Buffer

export const ATTACKER_KEY_ID = 'attacker'

const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** The attacker's public key under an id of the attacker's choice (RFC 7517, section 4). */
export function attackerJwk (id: string): object {
  return { ...attacker.publicKey.export({ format: 'jwk' }), kid: id, use: 'sig', alg: 'RS256' }
}

export function signAsAttacker (input: string): Buffer {
  return rsa('sha256', attacker.privateKey)(input)
}

/** A compact JWS (RFC 7515, section 7.1); a member that is undefined is left out. */
export function writeJws ({ header, claims, signer }: Jws): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${signer(input).toString('base64url')}`
}

export function encode (part: object | string | null): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

export function rsa (digest: string, key: KeyObject): Signer {
  return input => sign(digest, Buffer.from(input), key)
}

export function pss (key: KeyObject): Signer {
  return input => sign('sha256', Buffer.from(input), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
}

export function hmac (secret: string | Buffer): Signer {
  return input => createHmac('sha256', secret).update(input).digest()
}

/** One bit in the middle: the last characters of base64url may hold spare ones. */
export function damage (signature: string): string {
  const bytes = Buffer.from(signature, 'base64url')
  bytes[bytes.length >> 1]! ^= 1
  return bytes.toString('base64url')
}
