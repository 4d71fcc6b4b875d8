// Texts that only this authority can write or read again, by keys derived from the ring's refresh secrets; holds no secret and no meaning of a text.
import { createHmac, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { RefreshSecret } from './refresh-token.js'

/** What a text is for. One that was made for something is good for nothing else. */
export type Purpose = 'code' | 'decision' | 'log-out' | 'asked' | 'reset-password' | 'reset-by-mail' | 'verify-email' | 'change-email' | 'second-factor' | 'totp' | 'totp-seed' | 'add-passkey' | 'log-in-by-passkey'

/** A secret of the ring by its id, if it still counts. */
type FindSecret = (id: string) => KeyObject | undefined

const ALGORITHM = { alg: 'dir', enc: 'A256GCM' }
const KEY_BYTES = 32

/** A value as JSON in a JWE (RFC 7516; RFC 7518, sections 4.5 and 5.3), whose `kid` is the secret's id. */
export async function seal (purpose: Purpose, value: object, { id, secret }: RefreshSecret): Promise<string> {
  const { CompactEncrypt } = await import('jose')
  return await new CompactEncrypt(Buffer.from(JSON.stringify(value))).setProtectedHeader({ ...ALGORITHM, kid: id }).encrypt(keyFor(purpose, secret))
}

/** What was sealed for a purpose, in its one spelling; undefined of anything else. */
export async function open (purpose: Purpose, sealed: string, findSecret: FindSecret): Promise<unknown> {
  if (!sealed.split('.').every(isWrittenSo)) return undefined
  const { compactDecrypt, decodeProtectedHeader } = await import('jose')
  try {
    const secret = findSecret(String(decodeProtectedHeader(sealed).kid))
    if (!secret) return undefined
    const { plaintext } = await compactDecrypt(sealed, keyFor(purpose, secret), { keyManagementAlgorithms: [ALGORITHM.alg], contentEncryptionAlgorithms: [ALGORITHM.enc] })
    return JSON.parse(Buffer.from(plaintext).toString())
  } catch {
    return undefined
  }
}

/** An instant, in milliseconds, that belongs to a text for a purpose: it is written in the open, and nobody else can write it. */
export function stamp (purpose: Purpose, text: string, at: number, { id, secret }: RefreshSecret): string {
  return `${at}.${id}.${macOf(purpose, text, at, secret).toString('base64url')}`
}

/** The instant of a stamp of this text for a purpose, in its one spelling; undefined of any other. */
export function readStamp (purpose: Purpose, text: string, stamped: string, findSecret: FindSecret): number | undefined {
  const [, at, id] = /^(0|[1-9]\d{0,15})\.([\da-f]{16})\.[\w-]{43}$/.exec(stamped) ?? []
  const secret = id === undefined ? undefined : findSecret(id)
  // As texts, for Node reads one MAC from more than one.
  if (!secret || !timingSafeEqual(Buffer.from(stamp(purpose, text, Number(at), { id: id!, secret })), Buffer.from(stamped))) return undefined
  return Number(at)
}

// Whoever decodes ignores stray characters and spare bits.
function isWrittenSo (part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}

function macOf (purpose: Purpose, text: string, at: number, secret: KeyObject): Buffer {
  return createHmac('sha256', keyFor(purpose, secret)).update(`${at} ${text}`).digest()
}

/** RFC 5869. */
function keyFor (purpose: Purpose, secret: KeyObject): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `signet ${purpose}`, KEY_BYTES))
}
