// The right to set another password once: how it is written, and whether it is good; holds no secret and no storage.
import type { KeyObject } from 'node:crypto'
import type { RefreshSecret } from './refresh-token.js'
import { readStamp, stamp } from './seals.js'

/** Whose password it is, and the hash that it has: with another the token is good for nothing, so it works once, and nothing of it is kept. */
interface Holder { id: string, passwordHash: string }

const TOKEN = /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.(.+)$/

/** `user id . expiry . key id . HMAC-SHA-256`. `expiresAt` in milliseconds. */
export function writeResetToken (holder: Holder, expiresAt: number, secret: RefreshSecret): string {
  return `${holder.id}.${stamp('reset-password', textOf(holder), expiresAt, secret)}`
}

/** Whom a token names, who may be anybody as long as it was not looked whether it is good. */
export function userOfResetToken (token: string): string | undefined {
  return TOKEN.exec(token)?.[1]
}

/** Whether it is this user's, of the password that is kept now, and has not expired. `now` in milliseconds. */
export function isResetTokenOf (holder: Holder, token: string, now: number, findSecret: (id: string) => KeyObject | undefined): boolean {
  const [, id, stamped = ''] = TOKEN.exec(token) ?? []
  const expiresAt = readStamp('reset-password', textOf(holder), stamped, findSecret)
  return id === holder.id && expiresAt !== undefined && now < expiresAt
}

function textOf ({ id, passwordHash }: Holder): string {
  return `${id} ${passwordHash}`
}
