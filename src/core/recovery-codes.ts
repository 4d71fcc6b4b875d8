// The codes that let somebody in who has lost what made the others: how they are made, read and kept; holds no code and no storage.
import { createHash, randomBytes } from 'node:crypto'
import { base32 } from './base32.js'

export const RECOVERY_CODES = 10
/** 120 bits: nobody finds one by trying, so that they need no slow hash, and no limit that somebody else could use up. */
const BYTES = 15
/** Crockford's, in which no two letters look alike. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const GROUP = /.{4}(?=.)/g

/** As many as somebody gets at a time, in groups of four letters. */
export function newRecoveryCodes (): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => base32(randomBytes(BYTES), ALPHABET).replace(GROUP, '$&-'))
}

/** What is kept of a code, as a person typed it: SHA-256, in base64url. Case, dashes and blanks do not matter, nor which of two letters that look alike it was. */
export function digestOfRecoveryCode (typed: string): string {
  const letters = typed.toLowerCase().replace(/[\s-]/g, '').replace(/[il]/g, '1').replace(/o/g, '0')
  return createHash('sha256').update(letters).digest('base64url')
}
