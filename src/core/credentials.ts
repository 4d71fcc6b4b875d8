// What an e-mail address, a password and a name must be; holds no hash and no storage.
import { domainToASCII, domainToUnicode } from 'node:url'

/** The most code points of what is typed. */
export const EMAIL_MAX_LENGTH = 254
export const NAME_MAX_LENGTH = 100
export const PASSWORD_MAX_LENGTH = 256
/** From here on a password is taken whatever it is made of (ASVS 5.0, 6.2.9). */
const LONG = 64

/** What nothing is seen of: blanks, controls, what a font may leave out, and letters that are drawn as a blank. */
const INVISIBLE = /[\s\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u{16FE4}\u{1D159}\u2800\u{13441}\u{13442}]/u
/** What ends a line, or bends the text around it. */
const UNRULY = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u
const LOCAL_PART = /^[^@\p{C}]{1,64}$/u
/** The lengths of RFC 1035, section 2.3.4; what ends in a number is an IPv4 address. */
const DOMAIN = /^(?:(?!-)[a-z\d_-]{1,63}(?<!-)\.)+(?!-|\d+$)[a-z\d-]{2,63}(?<!-)$/
/** Node takes a domain for a part of a URL, in which other characters of ASCII have a meaning or are left out. */
const NO_DOMAIN = /(?![\w.-])\p{ASCII}/u
/** The two that join letters, which the domains of some scripts need; UTS #46 says where. */
const JOINERS = /[\u200C\u200D]/g
const OLD_EMAIL = /^[^\s@\p{C}]{1,64}@(?:[^\s@.\p{C}]+\.)+[^\s@.\p{C}]{2,}$/u

/**
 * The one spelling of an address, or undefined if it cannot be one: without outer blanks, the local part in lower case and composed
 * (NFC), the domain as DNS has it, in ASCII (UTS #46). The lengths are those of RFC 5321, section 4.5.3.1.
 */
export function normaliseEmail (email: string): string | undefined {
  const [typedLocal = '', typedDomain = '', ...rest] = email.trim().split('@')
  const [local, domain] = [lowerCase(typedLocal), normaliseDomain(typedDomain)]
  if (rest.length > 0 || !LOCAL_PART.test(local) || INVISIBLE.test(local) || domain === undefined) return undefined
  const normalised = `${local}@${domain}`
  return normalised.length <= EMAIL_MAX_LENGTH ? normalised : undefined
}

// Composed before, for case is of whole letters, and after, for some letters can be composed in lower case alone.
function lowerCase (text: string): string {
  return text.normalize('NFC').toLowerCase().normalize('NFC')
}

function normaliseDomain (domain: string): string | undefined {
  // Composed first, for UTS #46 maps some marks before it looks at their order, and a composed letter may be made of an ASCII one. Of the
  // capital sharp S its editions differ, and so do versions of Node: it is the small one in capitals, since Unicode 15.1 here as well.
  const composed = domain.normalize('NFC').replaceAll('\u1E9E', '\u00DF')
  if (NO_DOMAIN.test(composed) || hidesSomething(composed)) return undefined
  const ascii = domainToASCII(composed)
  const unicode = domainToUnicode(ascii)
  // A label that says it is one of Unicode must be, the only one, and nothing of it invisible.
  const isReadable = domainToASCII(unicode) === ascii && !/(?:^|\.)xn--/.test(unicode) && !hidesSomething(unicode)
  return DOMAIN.test(ascii) && isReadable ? ascii : undefined
}

function hidesSomething (domain: string): boolean {
  return INVISIBLE.test(domain.replace(JOINERS, ''))
}

/** Every spelling under which the account of an address may be kept: first the one that was made of what is typed before there was one for each address. */
export function spellingsOf (email: string): string[] {
  const normalised = normaliseEmail(email)
  return [...new Set([spellAsBefore(email), normalised && withUnicodeDomain(normalised), normalised])].filter(spelling => spelling !== undefined)
}

function spellAsBefore (email: string): string | undefined {
  const spelling = email.trim().normalize('NFC').toLowerCase()
  return spelling.length <= EMAIL_MAX_LENGTH && OLD_EMAIL.test(spelling) ? spelling : undefined
}

function withUnicodeDomain (email: string): string {
  const [local, domain] = email.split('@') as [string, string]
  return `${local}@${domainToUnicode(domain)}`
}

/** The name trimmed and composed, or undefined if nothing is seen of it, it is too long, in code points, or it would bend the text around it. */
export function normaliseName (name: string, maxLength = NAME_MAX_LENGTH): string | undefined {
  const normalised = name.trim().normalize('NFC')
  // Some letters become three, and whoever has a name must be able to give it again.
  const isRefused = visibleCharacters(normalised).length === 0 || lengthOf(normalised) > maxLength || UNRULY.test(normalised)
  return isRefused ? undefined : normalised
}

/** Whether it is Unicode text, with no half of a character in it. */
export function isText (text: string): boolean {
  return !/\p{Cs}/u.test(text)
}

/** One spelling for what every keyboard types (NIST SP 800-63B, section 3.1.1.2). */
export function normalisePassword (password: string): string {
  return password.normalize('NFKC')
}

/** Every spelling under which another system may have hashed what is typed: first the normalised one, which is hashed here. */
export function passwordSpellings (password: string): [string, ...string[]] {
  const normalised = normalisePassword(password)
  return normalised === password ? [normalised] : [normalised, password]
}

/** What a new password must be, and which are common: lower-case ones are asked for. */
export interface PasswordRules { minLength: number, isCommon: (password: string) => boolean }

/** Why a new password is refused, as a sentence, or undefined; `password` as it was typed. No composition rules (NIST SP 800-63B). */
export function passwordWeakness (password: string, email: string, { minLength, isCommon }: PasswordRules): string | undefined {
  const normalised = normalisePassword(password)
  // Some letters become eighteen, and some are composed of four.
  if (Math.min(lengthOf(password), lengthOf(normalised)) < minLength) return `A password has at least ${minLength} characters.`
  const folded = normalised.toLowerCase()
  if (isCommon(folded)) return 'This password is one of the most common ones; choose another.'
  if (lengthOf(normalised) < LONG && new Set(visibleCharacters(folded)).size < 2) return 'A password must not be one character over and over.'
  if ([password, normalised].flatMap(spellingsOf).some(spelling => spellingsOf(email).includes(spelling))) return 'A password must differ from the e-mail address.'
  return undefined
}

function visibleCharacters (text: string): string[] {
  return [...text].filter(character => !INVISIBLE.test(character))
}

/** In code points. */
function lengthOf (text: string): number {
  return [...text].length
}
