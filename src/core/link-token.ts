// The right to do one thing to an account, as a link carries it: how it is written, and whether it is good; holds no secret and no storage.
import type { KeyObject } from 'node:crypto'
import type { RefreshSecret } from './refresh-token.js'
import { readStamp, stamp } from './seals.js'

/** What it is the right to; a password is reset by what an operator gave to somebody, or by what was sent to the address. */
export type LinkPurpose = 'reset-password' | 'reset-by-mail' | 'verify-email' | 'change-email'

/** Whose account it is, and what it is like: with another address or hash, or once it was disabled, the token is good for nothing, so it works once, and nothing of it is kept. */
export interface Holder { id: string, email: string, passwordHash: string, lastDisabledAt?: number }

type FindSecret = (id: string) => KeyObject | undefined

const TOKEN = /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.(?:([\w-]+)~)?(.+)$/

/** The shape of every token, for redaction. */
export const LINK_TOKEN_SHAPE = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\.(?:[\w-]+~)?\d{1,16}\.[\da-f]{16}\.[\w-]{43}/g

/** The longest: an address of 254 characters takes four bytes for each at most. */
export const LINK_TOKEN_MAX_LENGTH = 1_500

/** `user id . new address ~ expiry . key id . HMAC-SHA-256`; the new address in base64url, of a change alone. `expiresAt` in milliseconds. */
export function writeLinkToken (purpose: LinkPurpose, holder: Holder, expiresAt: number, secret: RefreshSecret, newEmail?: string): string {
  const change = newEmail === undefined ? '' : `${Buffer.from(newEmail).toString('base64url')}~`
  return `${holder.id}.${change}${stamp(purpose, textOf(purpose, holder, newEmail), expiresAt, secret)}`
}

/** Whom a token names, and the new address of a change, which may be anything as long as it was not looked whether the token is good. */
export function readLinkToken (token: string): { id: string, newEmail: string | undefined } | undefined {
  const [, id, change] = TOKEN.exec(token) ?? []
  return id === undefined ? undefined : { id, newEmail: change === undefined ? undefined : Buffer.from(change, 'base64url').toString() }
}

/** Whether it is this user's for a purpose, of what the account is like now, and has not expired. `now` in milliseconds. */
export function isLinkTokenOf (purpose: LinkPurpose, holder: Holder, token: string, now: number, findSecret: FindSecret): boolean {
  const [, , change, stamped = ''] = TOKEN.exec(token) ?? []
  const { id, newEmail } = readLinkToken(token) ?? {}
  const isSpelledSo = change === (newEmail === undefined ? undefined : Buffer.from(newEmail).toString('base64url'))
  const expiresAt = readStamp(purpose, textOf(purpose, holder, newEmail), stamped, findSecret)
  return isSpelledSo && id === holder.id && expiresAt !== undefined && now < expiresAt
}

// No member holds a line break. Whoever proves an address need not have the password of then: it may be hashed anew by a log-in meanwhile.
function textOf (purpose: LinkPurpose, { id, email, passwordHash, lastDisabledAt = 0 }: Holder, newEmail = ''): string {
  return [id, email, purpose === 'verify-email' ? '' : passwordHash, lastDisabledAt, newEmail].join('\n')
}
