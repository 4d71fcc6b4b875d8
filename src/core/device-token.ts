// How a device token is written and read: what shows that somebody logged in to an account from this device before; holds no secret and no limit.
import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import { isWithin } from './recent-counts.js'
import type { RefreshSecret } from './refresh-token.js'
import { readUuid, writeUuid } from './uuids.js'

/** `deviceId` is the id of the family that the log-in opened, a UUID, alive or not. */
export interface DeviceClaims { userId: string, deviceId: string }

/** How long one is taken, in milliseconds. */
export const DEVICE_TOKEN_LIFE = 90 * 86_400_000

/** As many people as may share a browser, and one after the other be known by it. */
export const MAX_KEPT = 4
const VERSION = 2
const BODY = 1 + 8 + 16 + 16 + 5
const LENGTH = BODY + 32
const SPELLED = LENGTH / 3 * 4
/** So that no MAC of another kind under the same secret is one of these. */
const LABEL = 'signet device'

/** The shape of every device token, for redaction. */
export const DEVICE_TOKEN_SHAPE = /A[g-v][\w-]{102}/g

/** `version | key id | user id | device id | seconds | HMAC-SHA-256`, in base64url. `now` in milliseconds. */
export function writeDeviceToken ({ userId, deviceId }: DeviceClaims, now: number, { id, secret }: RefreshSecret): string {
  const bytes = Buffer.alloc(LENGTH)
  bytes[0] = VERSION
  bytes.write(id, 1, 'hex')
  writeUuid(userId, bytes, 9)
  writeUuid(deviceId, bytes, 25)
  bytes.writeUIntBE(Math.floor(now / 1000), 41, 5)
  authenticate(bytes, secret).copy(bytes, BODY)
  return bytes.toString('base64url')
}

/** What an authentic token says within its life, or undefined. `findSecret` gets the key's id and returns the key if it is known. `now` in milliseconds. */
export function readDeviceToken (token: string, now: number, findSecret: (id: string) => KeyObject | undefined): DeviceClaims | undefined {
  // First of all, for it may be as long as a request.
  if (token.length !== SPELLED) return undefined
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length !== LENGTH || bytes[0] !== VERSION) return undefined
  // Node takes the letters of plain base64 as well; one token has exactly one spelling.
  if (bytes.toString('base64url') !== token) return undefined
  const secret = findSecret(bytes.toString('hex', 1, 9))
  if (!secret || !timingSafeEqual(authenticate(bytes, secret), bytes.subarray(BODY))) return undefined
  if (!isWithin(DEVICE_TOKEN_LIFE, bytes.readUIntBE(41, 5) * 1000, now)) return undefined
  return { userId: readUuid(bytes, 9), deviceId: readUuid(bytes, 25) }
}

/** The newest of a browser's device tokens and those that it has of other users, of so many at most as one may keep. */
export function keepDeviceTokens (newest: string, others: string[]): string[] {
  return [newest, ...deviceTokensOfOthers(userOf(newest), others)].slice(0, MAX_KEPT)
}

/** Those of a browser's device tokens that are not this user's. */
export function deviceTokensOfOthers (userId: string, tokens: string[]): string[] {
  return tokens.filter(token => token.length === SPELLED && userOf(token) !== userId)
}

/** Whose a token says that it is. */
function userOf (token: string): string {
  return readUuid(Buffer.from(token, 'base64url'), 9)
}

function authenticate (bytes: Buffer, secret: KeyObject): Buffer {
  return createHmac('sha256', secret).update(LABEL).update(bytes.subarray(0, BODY)).digest()
}
