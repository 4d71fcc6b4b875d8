// What an e-mail address, a password and a name must be; holds no hash and no storage.
import { COMMON_PASSWORDS } from './common-passwords.js'

/** bcrypt reads no further than this; more is refused, never cut. */
const PASSWORD_MAX_BYTES = 72
const EMAIL_MAX_LENGTH = 254
const NAME_MAX_LENGTH = 100
const PLAUSIBLE_EMAIL = /^[^\s@\p{C}]{1,64}@(?:[^\s@.\p{C}]+\.)+[^\s@.\p{C}]{2,}$/u
const CONTROL = /[\p{Cc}\p{Cs}]/u

/** The address trimmed and lower-cased, or undefined if it cannot be one (RFC 5321, section 4.5.3.1, for the lengths). */
export function normaliseEmail (email: string): string | undefined {
  const normalised = email.trim().normalize('NFC').toLowerCase()
  return normalised.length <= EMAIL_MAX_LENGTH && PLAUSIBLE_EMAIL.test(normalised) ? normalised : undefined
}

/** The name trimmed, or undefined if it is empty, too long or not text. */
export function normaliseName (name: string): string | undefined {
  const normalised = name.trim().normalize('NFC')
  return normalised.length > 0 && normalised.length <= NAME_MAX_LENGTH && !CONTROL.test(normalised) ? normalised : undefined
}

/** One spelling for what every keyboard types (NIST SP 800-63B, section 3.1.1.2). */
export function normalisePassword (password: string): string {
  return password.normalize('NFKC')
}

/** Whether bcrypt would read the whole of it; `password` normalised. */
export function fitsBcrypt (password: string): boolean {
  return Buffer.byteLength(password) <= PASSWORD_MAX_BYTES && !/[\0\p{Cs}]/u.test(password)
}

/** Why a new password is refused, as a sentence, or undefined; `password` normalised. No composition rules (NIST SP 800-63B). */
export function passwordWeakness (password: string, email: string, minimumLength: number): string | undefined {
  if ([...password].length < minimumLength) return `A password has at least ${minimumLength} characters.`
  if (!fitsBcrypt(password)) return `A password has at most ${PASSWORD_MAX_BYTES} bytes of text; letters beyond ASCII take more than one each.`
  const folded = password.toLowerCase()
  if (COMMON_PASSWORDS.has(folded)) return 'This password is one of the most common ones; choose another.'
  if (folded === email) return 'A password must differ from the e-mail address.'
  return undefined
}
