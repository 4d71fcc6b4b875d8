// What a passkey has to sign (W3C Web Authentication, section 13.4.3): how a challenge is written, and whether it is good; holds no secret, no storage, and nothing of what is signed.
import type { KeyObject } from 'node:crypto'
import type { Spent } from './factors.js'
import type { RefreshSecret } from './refresh-token.js'
import { readStamp, stamp } from './seals.js'

/** What a challenge is for. One that was made for something is good for nothing else. */
export type ChallengePurpose = 'add-passkey' | 'log-in-by-passkey'

/** How long one is good, in milliseconds: as long as somebody may look for the device that has the passkey. */
export const CHALLENGE_LIFE_MS = 300_000
/** Of the random part. */
export const CHALLENGE_BYTES = 16

const CHALLENGE = /^([\w-]{22})\.(.+)$/
/** No challenge is half as long. */
const MAX_LENGTH = 300

/**
 * A challenge in base64url: `random . expiry . key id . HMAC-SHA-256`, so that nothing of it is kept until it is used. `whose` is who alone may use it, '' anybody; `random` has
 * `CHALLENGE_BYTES`; `now` in milliseconds.
 */
export function writeChallenge (purpose: ChallengePurpose, whose: string, random: Buffer, now: number, secret: RefreshSecret): string {
  const id = random.toString('base64url')
  return Buffer.from(`${id}.${stamp(purpose, textOf(id, whose), now + CHALLENGE_LIFE_MS, secret)}`).toString('base64url')
}

/** What is kept of a challenge so that it is used once; undefined of one that is not good, or not good any more, for this purpose and for whoever uses it. `now` in milliseconds. */
export function readChallenge (purpose: ChallengePurpose, whose: string, challenge: string, now: number, findSecret: (id: string) => KeyObject | undefined): Spent | undefined {
  if (challenge.length > MAX_LENGTH) return undefined
  const [, id = '', stamped = ''] = CHALLENGE.exec(Buffer.from(challenge, 'base64url').toString()) ?? []
  const until = readStamp(purpose, textOf(id, whose), stamped, findSecret)
  return until !== undefined && now < until ? { id, until } : undefined
}

function textOf (id: string, whose: string): string {
  return `${id} ${whose}`
}
