// The codes of an authenticator app (RFC 6238), and how the app is given its seed; holds no seed and no clock.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { base32 } from './base32.js'

const STEP_MS = 30_000
const DIGITS = 6
/** As long as what HMAC-SHA-1 puts out (RFC 4226, section 4, R6). */
const SEED_BYTES = 20
/** So many steps may a clock be behind, or ahead, and a person be slow (RFC 6238, section 5.2). */
const DRIFT = 1
/** RFC 4648, section 6. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** For one app of one user. */
export function newSeed (): Buffer {
  return randomBytes(SEED_BYTES)
}

/** The time step of an instant, in milliseconds (section 4.2). */
export function stepAt (now: number): number {
  return Math.floor(now / STEP_MS)
}

/** The code of a time step (RFC 4226, section 5.3). */
export function codeAt (seed: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', seed).update(counter).digest()
  const number = mac.readUInt32BE(mac.at(-1)! & 0xf) & 0x7fffffff
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0')
}

/** The time step that a code, as a person typed it, is of; undefined where it is of none that is near and after `lastStep`. `now` in milliseconds. */
export function stepOf (typed: string, seed: Uint8Array, lastStep: number, now: number): number | undefined {
  if (!isCode(typed)) return undefined
  const code = bare(typed)
  const steps = Array.from({ length: 2 * DRIFT + 1 }, (_, at) => stepAt(now) - DRIFT + at)
  // Each is looked at, whichever it is.
  const found = steps.filter(step => timingSafeEqual(Buffer.from(codeAt(seed, step)), Buffer.from(code)))
  return found.find(step => step > lastStep)
}

/** Whether a text, as a person typed it, has the form of a code. */
export function isCode (typed: string): boolean {
  return /^\d{6}$/.test(bare(typed))
}

function bare (typed: string): string {
  return typed.replace(/[\s-]/g, '')
}

/** The seed as a person types it where no picture can be taken. */
export function writeSecret (seed: Uint8Array): string {
  return base32(seed, ALPHABET)
}

/** What an app reads from a picture: for whom the seed is, where it is used, and how. */
export function uriOf (seed: Uint8Array, { email, issuer }: { email: string, issuer: string }): string {
  const host = encodeURIComponent(new URL(issuer).hostname)
  return `otpauth://totp/${host}:${encodeURIComponent(email)}?secret=${writeSecret(seed)}&issuer=${host}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_MS / 1000}`
}
