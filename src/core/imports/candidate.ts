// What becomes of what a file says of a user: one that can be kept, or why not; holds no format and no store.
import { createHash } from 'node:crypto'
import { normaliseEmail, normaliseName } from '../credentials.js'
import { writePasswordHash, type HashRefusal, type PasswordHash } from '../password-hashes.js'
import { normaliseRoles } from '../roles.js'
import { isUuid } from '../uuids.js'

/** A user as a file tells of it, by whichever names. */
export interface Told {
  id: unknown
  email: unknown
  emailVerified: unknown
  name: unknown
  hash: PasswordHash | HashRefusal | 'hash_parameters_missing' | 'password_missing'
  roles?: unknown
  createdAt: unknown
  isDisabled: boolean
}

/** Why an entry is no user that can be kept. */
export type Refusal = Exclude<Told['hash'], PasswordHash> | 'not_a_user' | 'deleted' | 'member_unknown' | 'id_invalid' | 'email_missing' | 'email_invalid' | 'email_verified_invalid' | 'name_invalid' | 'roles_invalid' | 'created_at_invalid'

/** A user to be kept. `typed` is the address as the file has it; `passwordHash` is empty where there is none that can be verified, and `id` undefined where the file has none. */
export interface Candidate {
  id: string | undefined
  email: string
  typed: string
  emailVerified: boolean | undefined
  name: string | null
  passwordHash: string
  roles: string[]
  createdAt: number
  isDisabled: boolean
}

export interface Terms {
  /** What makes ids that are no UUIDs differ from those of another source. */
  source: string
  /** Milliseconds. */
  now: number
  /** What happens to those whose password cannot be verified. */
  withoutPassword: 'refuse' | 'take'
}

/** Of the ids that Signet derives (RFC 9562, section 5.5). Changes never: it is how an import is gone on with. */
const NAMESPACE = Buffer.from('5b1f0f6ea9c64f4b8d0c3f6a1c9e7d24', 'hex')
const MAX_ID_LENGTH = 255
/** A date and a time, as RFC 3339 has them or PostgreSQL; without a zone it is UTC. */
const INSTANT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d(?::?\d\d)?)?$/
/** For a clock that is behind. */
const A_DAY_MS = 86_400_000

/** The user to be kept, or the first reason against it. */
export function judge (told: Told, { source, now, withoutPassword }: Terms): Candidate | Refusal {
  const { hash, isDisabled } = told
  if (isMissing(told.email)) return 'email_missing'
  const email = typeof told.email === 'string' ? normaliseEmail(told.email) : undefined
  if (email === undefined) return 'email_invalid'
  const id = readId(told.id, source)
  if (id === 'invalid') return 'id_invalid'
  const emailVerified = told.emailVerified ?? undefined
  if (emailVerified !== undefined && typeof emailVerified !== 'boolean') return 'email_verified_invalid'
  const name = readName(told.name)
  if (name === undefined) return 'name_invalid'
  const roles = readRoles(told.roles)
  if (!roles) return 'roles_invalid'
  const createdAt = isMissing(told.createdAt) ? now : readInstant(told.createdAt, now)
  if (createdAt === undefined) return 'created_at_invalid'
  if (typeof hash === 'string' && withoutPassword === 'refuse') return hash
  return { id, email, typed: told.email as string, emailVerified, name, passwordHash: typeof hash === 'string' ? '' : writePasswordHash(hash), roles, createdAt, isDisabled }
}

/** The instant of a text, or of milliseconds since the epoch; undefined if it is none. */
export function readInstant (value: unknown, now: number): number | undefined {
  const [, date, time, zone = 'Z'] = INSTANT.exec(String(value)) ?? []
  const instant = /^\d{1,15}$/.test(String(value)) ? Number(value) : Date.parse(`${date}T${time}${zone.length === 3 ? `${zone}:00` : zone}`)
  return Number.isNaN(instant) || instant < 0 || instant > now + A_DAY_MS ? undefined : instant
}

export function isMissing (value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** A UUID is kept; of every other id one is made, always the same. */
function readId (id: unknown, source: string): string | undefined | 'invalid' {
  if (isMissing(id)) return undefined
  if ((typeof id !== 'string' && !Number.isSafeInteger(id)) || String(id).length > MAX_ID_LENGTH) return 'invalid'
  const inLowerCase = String(id).toLowerCase()
  return isUuid(inLowerCase) ? inLowerCase : deriveId(`${source}:${String(id)}`)
}

/** The UUID of a name (RFC 9562, section 5.5). */
function deriveId (name: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0F) | 0x50
  bytes[8] = (bytes[8]! & 0x3F) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Null where there is none, undefined if it cannot be one. */
function readName (name: unknown): string | null | undefined {
  if (isMissing(name) || (typeof name === 'string' && name.trim() === '')) return null
  return typeof name === 'string' ? normaliseName(name) : undefined
}

function readRoles (roles: unknown): string[] | undefined {
  const names = roles ?? []
  if (!Array.isArray(names) || names.some(name => typeof name !== 'string')) return undefined
  const verdict = normaliseRoles(names as string[])
  return 'roles' in verdict ? verdict.roles : undefined
}
