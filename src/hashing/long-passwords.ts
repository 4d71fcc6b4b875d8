// What is hashed of a password that bcrypt would not read whole, and how the stored hash says so; holds no bcrypt.
import { createHmac } from 'node:crypto'

const MAX_BYTES = 72
/** Changes never: hashes are stored. With a label of our own no hash that was stolen elsewhere matches. */
const LABEL = 'signet password longer than bcrypt reads'
const MARK = '$hmac-sha384'

/** A bcrypt hash, and whether it is that of a digest. */
export interface StoredHash { bcrypt: string, isOfDigest: boolean }

/** Whether bcrypt reads the whole of it: it stops at a NUL, and after 72 bytes. */
export function isReadWhole (password: string): boolean {
  return Buffer.byteLength(password) <= MAX_BYTES && !password.includes('\0')
}

/** The HMAC-SHA-384 of a password, as 64 characters. */
export function digestOf (password: string): string {
  return createHmac('sha384', LABEL).update(password).digest('base64')
}

export function writeStored ({ bcrypt, isOfDigest }: StoredHash): string {
  return isOfDigest ? `${MARK}${bcrypt}` : bcrypt
}

export function readStored (hash: string): StoredHash {
  return hash.startsWith(MARK) ? { bcrypt: hash.slice(MARK.length), isOfDigest: true } : { bcrypt: hash, isOfDigest: false }
}
