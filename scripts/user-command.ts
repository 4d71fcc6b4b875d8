// What the commands on users share: how a user is named, found and told, and the link that sets a password; holds no command and no rule of an account.
import { closingRetention, familyLimits, type Config } from '../src/config.js'
import { closingAt, type ClosingTime } from '../src/core/closings.js'
import { spellingsOf } from '../src/core/credentials.js'
import type { Cause, SecurityEvent } from '../src/core/events.js'
import { expiresAt, liveAfter, liveFamilies, type Family, type LiveAfter } from '../src/core/families.js'
import { writeLinkToken } from '../src/core/link-token.js'
import { normaliseRoles } from '../src/core/roles.js'
import { isUuid } from '../src/core/uuids.js'
import { addressBelow } from '../src/http/edge/issuer.js'
import { readRing } from '../src/keyring/key-ring.js'
import { ringPlace } from '../src/keyring/ring-files.js'
import type { Store, User } from '../src/store/store.js'
import { actAsOwner, formatDuration, formatInstant, formatTable, refuse, toInstant, toMilliseconds, WrongUse, type Answer, type Given, type Options } from './command.js'
import { recordAsOperator } from './operator-events.js'
import { runStoreCommand, type StoreForm, type StoreInvocation } from './store-command.js'

export type Invocation = StoreInvocation

export const CHANGING: Options = { 'dry-run': { type: 'boolean' } }
export const VALID: Options = { valid: { type: 'string' } }
export const ROLES: Options = { role: { type: 'string', multiple: true } }

const SETTINGS = ['ACCESS_TOKEN_TTL', 'REFRESH_TOKEN_IDLE_TTL', 'REFRESH_TOKEN_TTL'] as const
/** What a link is made of. */
export const LINK_SETTINGS = ['ISSUER', 'HOST', 'PORT', 'TLS_CERT_FILE', 'TLS_KEY_FILE', 'ACCOUNT_PAGE', 'KEYS_DIR', 'KEYS_PASSPHRASE_FILE'] as const
const VALID_SECONDS = { fallback: 900, least: 60, most: 86_400 }

/** Runs a command, and sets the exit code of the process: 0 done, 1 refused, 2 wrong use. */
export async function runUserCommand (form: Pick<StoreForm, 'help' | 'options' | 'takes'> & { settings?: ReadonlyArray<keyof Config> }, act: (invocation: Invocation) => Promise<Answer>): Promise<void> {
  await runStoreCommand({ ...form, of: 'user', spell: args => args, settings: [...SETTINGS, ...form.settings ?? []] }, act)
}

/** What is done with the user who is named, or the answer that there is none. */
export async function withUser ({ ids, openStore }: Invocation, act: (user: User, store: Store) => Promise<Answer> | Answer): Promise<Answer> {
  const store = await openStore('must be there')
  const user = await findUser(store, ids[0]!)
  return user ? await act(user, store) : refuse('unknown_user', 'There is no such user; users:list shows those there are.')
}

/** A user by id, or by address as a log-in finds it. */
export async function findUser (store: Store, named: string): Promise<User | undefined> {
  const id = idNamed(named)
  return id === undefined ? await findByAddress(store, named) : await store.findUser(id)
}

/** The id that names a user; undefined where it is an address. */
export function idNamed (named: string): string | undefined {
  const inLowerCase = named.toLowerCase()
  return isUuid(inLowerCase) ? inLowerCase : undefined
}

/** A user by address, as a log-in finds it. */
export async function findByAddress (store: Store, named: string): Promise<User | undefined> {
  for (const spelling of spellingsOf(named)) {
    const user = await store.findUserByEmail(spelling)
    if (user) return user
  }
  return undefined
}

/** When families are closed by a command, and which of them live. */
export function closingOf ({ config, now }: Invocation): { closing: ClosingTime, live: LiveAfter } {
  return { closing: closingAt(now, closingRetention(config)), live: liveAfter(now, familyLimits(config)) }
}

/** The roles that the flags name; undefined where they name none. */
export function rolesOf ({ flags }: Given): ReturnType<typeof normaliseRoles> | undefined {
  return flags['role'] === undefined ? undefined : normaliseRoles([flags['role']].flat().map(String))
}

/** What is told of a user in a line. Instants as in ISO 8601. */
export function summaryOf (user: User, { config, now }: Invocation) {
  return {
    id: user.id, email: user.email, name: user.name, roles: user.roles, created_at: toInstant(user.createdAt), disabled_at: user.disabledAt === undefined ? null : toInstant(user.disabledAt),
    devices: liveFamilies(user.families, now, familyLimits(config)).length,
  }
}

/** The second factors of a user, but for what passes. */
export function factorsOf ({ factors }: User) {
  return {
    totp: factors?.totp ? { added_at: toInstant(factors.totp.addedAt) } : null,
    passkeys: (factors?.passkeys ?? []).map(({ id, name, addedAt, lastUsedAt, isBackedUp }) => ({ id, name, added_at: toInstant(addedAt), last_used_at: lastUsedAt === null ? null : toInstant(lastUsedAt), is_backed_up: isBackedUp })),
    recovery_codes: factors?.recoveryCodes.length ?? 0,
  }
}

/** The same to a person. */
function describeFactors (user: User): string {
  const { totp, passkeys, recovery_codes: codes } = factorsOf(user)
  const names = [...totp ? ['authenticator app'] : [], ...passkeys.map(({ name }) => `passkey ${name}`)]
  return names.length === 0 ? 'none' : `${names.join(', ')}; recovery codes left: ${codes}`
}

/** A log-in, or what a client was let do, as an operator is told of it. */
export function deviceOf (family: Family, { config, now }: Invocation) {
  return {
    id: family.id, created_at: toInstant(family.createdAt), last_used_at: toInstant(family.advancedAt), expires_at: toInstant(expiresAt(family, now, familyLimits(config))), user_agent: family.userAgent, ip: family.ip,
    client: family.grant ? { id: family.grant.clientId, scope: family.grant.scope, audience: family.grant.audience, authenticated_at: toInstant(family.grant.authenticatedAt) } : null,
  }
}

/** A user to a person, with the log-ins that live. */
export function describe (user: User, invocation: Invocation): string {
  const { config, now } = invocation
  const live = liveFamilies(user.families, now, familyLimits(config)).map(family => deviceOf(family, invocation))
  const facts = [
    ['id', user.id], ['e-mail address', user.email], ['name', user.name ?? 'none'], ['roles', user.roles.join(' ') || 'none'], ['second factors', describeFactors(user)], ['since', formatInstant(user.createdAt)],
    ...user.disabledAt === undefined ? [] : [['disabled since', formatInstant(user.disabledAt)]],
  ]
  const rows = live.map(({ id, last_used_at: at, ip, user_agent: agent, client }) => [id, formatInstant(Date.parse(at)), ip, client ? `client ${client.id}` : agent ?? ''])
  return [formatTable(facts), live.length === 0 ? '  signed in nowhere' : formatTable([['DEVICE', 'LAST USED', 'ADDRESS', 'WHAT'], ...rows])].join('\n')
}

/** Records what an operator did to a user, and how many devices were signed out by it, if any were. */
export async function recordOf (store: Store, event: Omit<SecurityEvent, 'at' | 'by'>, closed?: { cause: Cause, count: number }): Promise<void> {
  await recordAsOperator(store, event)
  if (closed && closed.count > 0) await recordAsOperator(store, { kind: 'family.closed', userId: event.userId, details: closed })
}

/** An answer that says what was done to a user, or would be, and what follows. */
export function report ({ flags, place }: Invocation, { id, email }: Pick<User, 'id' | 'email'>, done: string, follows: string[], more: object = {}): Answer {
  const isRehearsal = flags['dry-run'] === true
  const heading = isRehearsal ? `Nothing was changed in ${place}. It would be: ${done}` : `${done} In ${place}:`
  return { code: 0, text: [heading, `  ${id}  ${email}`, ...follows].join('\n'), json: { done: !isRehearsal, dry_run: isRehearsal, user_id: id, email, ...more } }
}

/** An answer that there was nothing to do. */
export function unchanged ({ flags }: Invocation, { id, email }: User, sentence: string): Answer {
  return { code: 0, text: `Nothing changes: ${sentence}`, json: { done: false, dry_run: flags['dry-run'] === true, unchanged: true, user_id: id, email } }
}

/** What it means that so many devices are signed out. */
export function signedOut (count: number, { config }: Invocation): string {
  if (count === 0) return 'No device was signed in.'
  const [what, whose] = count === 1 ? ['One device is', 'its'] : [`${count} devices are`, 'their']
  return `${what} signed out: Signet refuses ${whose} tokens at once, services that look at the status list within seconds, and any other when they expire, at most ${formatDuration(config.ACCESS_TOKEN_TTL * 1000)} on (ACCESS_TOKEN_TTL).`
}

/** What a user sets a password by: a link where there is a page for it, and the token that is in it. */
export interface ResetLink { token: string, link: string | null, expires_at: string }

/** What makes links to set a password. Read before the store is opened, as the owner of the ring where root runs the command. Throws a sentence if there is no key ring. */
export async function readLinks ({ config, flags, now }: Invocation): Promise<(user: User) => ResetLink> {
  const expires = now + secondsOf(flags['valid']) * 1000
  const place = await ringPlace(config.KEYS_DIR, config.KEYS_PASSPHRASE_FILE)
  actAsOwner(place.folder)
  const ring = await readRing(place)
  if (!ring) throw new Error(`There is no key ring in ${place.folder}, with which the link is made: KEYS_DIR names another, or there is none yet.`)
  return user => {
    const token = writeLinkToken('reset-password', user, expires, ring.parts.activeSecret)
    const hasPage = config.ACCOUNT_PAGE && config.ISSUER !== ''
    return { token, link: hasPage ? `${addressBelow(config.ISSUER, '/account')}#reset-password=${token}` : null, expires_at: toInstant(expires) }
  }
}

/** What a person does with a link. */
export function describeLink ({ token, link, expires_at: at }: ResetLink): string[] {
  const what = link === null ? 'This token for POST /reset-password' : 'This link'
  return [`${what} sets a password, once, until ${formatInstant(Date.parse(at))}. Whoever has it can, so give it to that person alone:`, `  ${link ?? token}`]
}

/** Seconds, or with a unit as in a setting. */
function secondsOf (valid: Given['flags'][string]): number {
  if (valid === undefined) return VALID_SECONDS.fallback
  const seconds = /^\d{1,6}$/.test(String(valid)) ? Number(valid) : (toMilliseconds(String(valid)) ?? NaN) / 1000
  if (!(seconds >= VALID_SECONDS.least && seconds <= VALID_SECONDS.most)) throw new WrongUse('The option --valid is from 1m to 24h.')
  return seconds
}
