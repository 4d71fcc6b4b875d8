// Every security event that there is, in one closed table, and how one is kept and told; holds no clock, no storage and no log.
import type { Method } from './factors.js'
import type { KeyKind } from './key-life-cycle.js'
import type { LetterKind } from './letters.js'
import { redactTokens } from './redaction.js'

/** How grave a thing is, as OCSF counts it: from 3 on the log warns of it. */
type Severity = 1 | 2 | 3 | 4

interface KindOfEvent {
  severity: Severity
  outcome: 'success' | 'failure'
  /** Whether anybody can make many of them, who proves nothing: then they may not take the room of all others. */
  isAnybodys?: true
  /** OCSF's class and activity; 99 is one that it has no number for. */
  ocsf: readonly [3001 | 3002 | 3004, number]
}

/** The name of every event, which is stable. docs/events.md says what each means. */
export const EVENTS = {
  'login.succeeded': { severity: 1, outcome: 'success', ocsf: [3002, 1] },
  'login.failed': { severity: 2, outcome: 'failure', isAnybodys: true, ocsf: [3002, 1] },
  'login.limited': { severity: 3, outcome: 'failure', isAnybodys: true, ocsf: [3002, 1] },
  'registration.succeeded': { severity: 1, outcome: 'success', isAnybodys: true, ocsf: [3001, 1] },
  'registration.repeated': { severity: 2, outcome: 'failure', isAnybodys: true, ocsf: [3001, 1] },
  'refresh.reused': { severity: 4, outcome: 'failure', ocsf: [3002, 99] },
  'refresh.repeated_elsewhere': { severity: 3, outcome: 'success', ocsf: [3002, 99] },
  'refresh.repeated_in_a_row': { severity: 3, outcome: 'success', ocsf: [3002, 99] },
  'refresh.ahead': { severity: 3, outcome: 'success', ocsf: [3002, 99] },
  'family.closed': { severity: 1, outcome: 'success', ocsf: [3002, 2] },
  'consent.given': { severity: 1, outcome: 'success', ocsf: [3002, 99] },
  'grant.opened': { severity: 1, outcome: 'success', ocsf: [3002, 1] },
  'code.replayed': { severity: 4, outcome: 'failure', ocsf: [3002, 99] },
  'password.changed': { severity: 1, outcome: 'success', ocsf: [3001, 3] },
  'password.change_failed': { severity: 2, outcome: 'failure', ocsf: [3001, 3] },
  'password.change_limited': { severity: 3, outcome: 'failure', ocsf: [3001, 3] },
  'password.reset_offered': { severity: 2, outcome: 'success', ocsf: [3001, 4] },
  'password.reset_asked': { severity: 2, outcome: 'success', isAnybodys: true, ocsf: [3001, 4] },
  'password.reset': { severity: 2, outcome: 'success', ocsf: [3001, 4] },
  'email.verified': { severity: 1, outcome: 'success', ocsf: [3001, 99] },
  'email.change_asked': { severity: 2, outcome: 'success', ocsf: [3001, 99] },
  'email.changed': { severity: 2, outcome: 'success', ocsf: [3001, 99] },
  'second_factor.added': { severity: 2, outcome: 'success', ocsf: [3001, 10] },
  'second_factor.removed': { severity: 3, outcome: 'success', ocsf: [3001, 11] },
  'second_factor.failed': { severity: 2, outcome: 'failure', ocsf: [3002, 1] },
  'second_factor.limited': { severity: 3, outcome: 'failure', ocsf: [3002, 1] },
  'recovery_codes.made': { severity: 2, outcome: 'success', ocsf: [3001, 99] },
  'recovery_codes.used': { severity: 3, outcome: 'success', ocsf: [3002, 99] },
  'user.added': { severity: 1, outcome: 'success', ocsf: [3001, 1] },
  'user.disabled': { severity: 2, outcome: 'success', ocsf: [3001, 5] },
  'user.enabled': { severity: 2, outcome: 'success', ocsf: [3001, 2] },
  'user.deleted': { severity: 2, outcome: 'success', ocsf: [3001, 6] },
  'user.roles_changed': { severity: 2, outcome: 'success', ocsf: [3001, 99] },
  'user.exported': { severity: 2, outcome: 'success', ocsf: [3001, 99] },
  'users.imported': { severity: 2, outcome: 'success', ocsf: [3004, 1] },
  'mail.failed': { severity: 3, outcome: 'failure', isAnybodys: true, ocsf: [3004, 99] },
  'limit.hit': { severity: 2, outcome: 'failure', isAnybodys: true, ocsf: [3002, 99] },
  'client.authentication_failed': { severity: 2, outcome: 'failure', isAnybodys: true, ocsf: [3002, 1] },
  'client.authentication_limited': { severity: 3, outcome: 'failure', isAnybodys: true, ocsf: [3002, 1] },
  'client.added': { severity: 1, outcome: 'success', ocsf: [3004, 1] },
  'client.updated': { severity: 1, outcome: 'success', ocsf: [3004, 3] },
  'client.secret_added': { severity: 1, outcome: 'success', ocsf: [3004, 3] },
  'client.secret_dropped': { severity: 1, outcome: 'success', ocsf: [3004, 3] },
  'client.removed': { severity: 2, outcome: 'success', ocsf: [3004, 4] },
  'keys.made': { severity: 1, outcome: 'success', ocsf: [3004, 1] },
  'keys.activated': { severity: 1, outcome: 'success', ocsf: [3004, 3] },
  'keys.retired': { severity: 1, outcome: 'success', ocsf: [3004, 3] },
  'keys.revoked': { severity: 3, outcome: 'success', ocsf: [3004, 3] },
  'keys.removed': { severity: 1, outcome: 'success', ocsf: [3004, 4] },
} as const satisfies Record<string, KindOfEvent>

export type EventKind = keyof typeof EVENTS
export const EVENT_KINDS = Object.keys(EVENTS) as EventKind[]

/** Why a family was closed. */
export const CAUSES = [
  'logout', 'client_logout', 'revoked', 'revoked_all', 'replaced', 'evicted', 'password_changed', 'password_reset', 'guesses_spent', 'reused', 'client_revoked', 'code_replayed',
  'disabled', 'deleted', 'roles_changed', 'operator', 'second_factor_changed',
] as const
export type Cause = typeof CAUSES[number]

/** What an event may say beside who, what and where: short words and numbers, and nothing that somebody typed. */
export interface EventDetails {
  /** Of `family.closed`, and how many at once where they are not told one by one. */
  cause?: Cause
  count?: number
  /** Why a log-in failed, or a mail. */
  reason?: 'unknown_address' | 'wrong_password' | 'disabled' | 'email_not_verified' | 'too_many_devices' | 'too_many_closings' | 'unknown_passkey' | 'wrong_passkey' | 'copied_passkey' | 'dropped' | 'refused' | 'given_up'
  /** Of a log-in: whether nothing that came with it shows that the user logged in there before; and how the user proved who it is (RFC 8176, section 2), with blanks between. */
  is_new_device?: boolean
  methods?: string
  /** Which second factor. */
  method?: Method
  /** Which mail. */
  mail?: LetterKind
  /** Of a refresh token, and what the store had of its family. */
  generation?: number
  stored_generation?: number
  /** The address that rotated it. */
  rotated_from?: string
  /** So many running. */
  rotations?: number
  /** Which limit of an address. */
  limit?: string
  /** What a user let a client do (RFC 6749, section 3.3). */
  scope?: string
  /** A key of the ring, and what it makes. */
  key?: string
  key_kind?: KeyKind
  /** The names of what was changed, or is new. */
  changed?: string
}

/** Something that an operator must be able to see afterwards. `at` in milliseconds since the epoch. */
export interface SecurityEvent {
  kind: EventKind
  at: number
  /** Whose account; never an address that somebody typed, which may be nobody's, or a password. */
  userId?: string | undefined
  clientId?: string | undefined
  familyId?: string | undefined
  /** Where the request came from. */
  ip?: string | undefined
  userAgent?: string | null | undefined
  /** Which operator did it, and by which command. */
  by?: string | undefined
  details?: EventDetails | undefined
}

/** An event as it is kept: what it does not say is not there. `id` is a UUID whose order is that of time (RFC 9562, section 5.7). */
export interface KeptEvent {
  id: string
  at: number
  kind: EventKind
  userId?: string
  clientId?: string
  familyId?: string
  ip?: string
  userAgent?: string
  by?: string
  details?: EventDetails
}

/** Takes an event; it never throws, and nobody waits for it. */
export type RecordEvent = (event: SecurityEvent) => void

/** Which events are listed: the newest first. */
export interface EventQuery {
  userId?: string | undefined
  kinds?: EventKind[] | undefined
  /** From this instant on, in milliseconds. */
  since?: number | undefined
  /** The id of an event: those before it. */
  before?: string | undefined
  limit: number
}

/** No text of an event is longer, in UTF-16 units. */
const TEXT_MAX_LENGTH = 300
const TEXTS = ['userId', 'clientId', 'familyId', 'ip', 'userAgent', 'by'] as const

/** An event as it is kept, under this id: its text bounded, well-formed, and without anything of a token's shape. */
export function toKept (event: SecurityEvent, id: string): KeptEvent {
  const { kind, at, details } = event
  const kept: KeptEvent = { id, at, kind }
  for (const name of TEXTS) {
    const text = event[name]
    if (text !== undefined && text !== null) kept[name] = bounded(text)
  }
  if (details) kept.details = Object.fromEntries(Object.entries(details).map(([name, value]) => [name, typeof value === 'string' ? bounded(value) : value]))
  return kept
}

function bounded (text: string): string {
  return redactTokens(Buffer.from(text).toString()).slice(0, TEXT_MAX_LENGTH)
}

/** The id of an event at an instant, in milliseconds; of one instant they are in the order of `sequence`, of which twelve bits count. `random` is eight bytes. */
export function eventId (at: number, sequence: number, random: Uint8Array): string {
  const tail = Buffer.from(random)
  tail[0] = 0x80 | (tail[0]! & 0x3f)
  const hex = `${hexOf(at)}7${(sequence & 0xfff).toString(16).padStart(3, '0')}${tail.toString('hex')}`
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The id beyond which all ids of events from this instant on are, in milliseconds. */
export function firstIdAt (at: number): string {
  const hex = hexOf(at)
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}

// 48 bits, which are good until the year 10889.
function hexOf (at: number): string {
  return Math.min(Math.max(0, Math.floor(at)), 2 ** 48 - 1).toString(16).padStart(12, '0')
}

/** How the log tells of it. */
export function levelOf (kind: EventKind): 'info' | 'warn' {
  return EVENTS[kind].severity >= 3 ? 'warn' : 'info'
}

/** Whether anybody can make many of these. */
export function isAnybodys (kind: EventKind): boolean {
  return 'isAnybodys' in EVENTS[kind]
}

/** An event as machines are told of it. */
export function describeEvent ({ id, at, kind, userId, clientId, familyId, ip, userAgent, by, details }: KeptEvent): object {
  const members = { id, at: new Date(at).toISOString(), kind, user_id: userId, client_id: clientId, family_id: familyId, ip, user_agent: userAgent, by, details }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
