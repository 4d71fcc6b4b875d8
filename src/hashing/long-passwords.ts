// What is hashed of a password that bcrypt would not read whole; holds no bcrypt.
import { createHmac } from 'node:crypto'

const MAX_BYTES = 72
/** Changes never: hashes are stored. With a label of our own no hash that was stolen elsewhere matches. */
const LABEL = 'signet password longer than bcrypt reads'

/** Whether bcrypt reads the whole of it: it stops at a NUL, and after 72 bytes. */
export function isReadWhole (password: string): boolean {
  return Buffer.byteLength(password) <= MAX_BYTES && !password.includes('\0')
}

/** The HMAC-SHA-384 of a password, as 64 characters. */
export function digestOf (password: string): string {
  return createHmac('sha384', LABEL).update(password).digest('base64')
}
