// How a refresh token is written and read; holds no secret and no rule about what it is good for.
import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import { readUuid, writeUuid } from './uuids.js'

export interface RefreshClaims { userId: string, familyId: string, generation: number }

/** A key of the ring: `id` is 16 hex digits, `secret` 32 bytes, which as a KeyObject are made ready once, and not for every token. */
export interface RefreshSecret { id: string, secret: KeyObject }

const VERSION = 1
const BODY = 1 + 8 + 16 + 16 + 4
const LENGTH = BODY + 32
const LAST_GENERATION = 0xffffffff

/** The shape of every refresh token, for redaction. */
export const REFRESH_TOKEN_SHAPE = /A[Q-Za-f][\w-]{101}/g

/** `version | key id | user id | family id | generation | HMAC-SHA-256`, in base64url. Ids are UUIDs. */
export function writeRefreshToken (claims: RefreshClaims, key: RefreshSecret): string {
  const bytes = Buffer.alloc(LENGTH)
  bytes[0] = VERSION
  bytes.write(key.id, 1, 'hex')
  writeUuid(claims.userId, bytes, 9)
  writeUuid(claims.familyId, bytes, 25)
  bytes.writeUInt32BE(claims.generation, 41)
  authenticate(bytes, key.secret).copy(bytes, BODY)
  return bytes.toString('base64url')
}

/** The claims of an authentic token, or undefined. `findSecret` gets the key's id and returns the key if it is known. */
export function readRefreshToken (token: string, findSecret: (id: string) => KeyObject | undefined): RefreshClaims | undefined {
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length !== LENGTH || bytes[0] !== VERSION) return undefined
  // Node ignores stray characters and spare bits; one token has exactly one spelling.
  if (bytes.toString('base64url') !== token) return undefined
  const secret = findSecret(bytes.toString('hex', 1, 9))
  if (!secret || !timingSafeEqual(authenticate(bytes, secret), bytes.subarray(BODY))) return undefined
  const generation = bytes.readUInt32BE(41)
  if (generation === LAST_GENERATION) return undefined
  return { userId: readUuid(bytes, 9), familyId: readUuid(bytes, 25), generation }
}

function authenticate (bytes: Buffer, secret: KeyObject): Buffer {
  return createHmac('sha256', secret).update(bytes.subarray(0, BODY)).digest()
}
