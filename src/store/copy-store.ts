// Copies the users of one store, with their families and closings, the leases of places and the clients into another, and verifies each user and client; holds no adapter's detail and no clock.
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Client } from '../core/client.js'
import type { Factors } from '../core/factors.js'
import type { Store, User } from './store.js'

export interface Copying {
  from: Store
  to: Store
  /** What happens where `to` holds users or clients that `from` does not. */
  strangers: 'refuse' | 'merge'
  /** Told after every batch how many users of `from` are dealt with. */
  progress: (users: number) => void
}

export interface CopyReport {
  /** Those of `from`. */
  users: number
  /** Those of them that this copy wrote. */
  copied: number
  /** Ids of those that `to` lacks: another user of it has their address. */
  missing: string[]
  /** Ids of those that `to` holds with another content, which it keeps. */
  differing: string[]
  clients: ClientReport
}

export interface ClientReport {
  /** Those of `from`. */
  count: number
  /** Those of them that this copy wrote. */
  copied: number
  /** Ids of those that `to` does not hold as `from` does. */
  differing: string[]
}

/** The next of what a store has, in the order of ids. */
type List<Entry> = (after: string, limit: number) => Promise<Entry[]>

const BATCH = 100

/**
 * Writes only what is missing, so that a copy that was interrupted is resumed by the next, and one that is complete changes nothing.
 * Nobody may use `from` meanwhile. Rejects before the first write if `to` holds strangers that are refused, and with `unavailable` if
 * a store cannot be reached.
 */
export async function copyStore ({ from, to, strangers, progress }: Copying): Promise<CopyReport> {
  if (strangers === 'refuse') await refuseStrangers(from, to)
  // Before the users, whose families may be of one.
  const copiedClients = await copyMissingClients(from, to)
  const carry = await hasOtherLists(from, to) ? withoutPlaces : (user: User) => user
  const copied = await copyMissing(from, to, carry, progress)
  // After the users, so that every place that one of them has is leased.
  if (carry !== withoutPlaces) for (const list of await from.statusLists()) await to.keepStatusList(list)
  return { copied, ...await verify(from, to, carry), clients: { copied: copiedClients, ...await verifyClients(from, to) } }
}

/** Whether the lists of the two differ under one number. Then a place in one is another's in the other. */
async function hasOtherLists (from: Store, to: Store): Promise<boolean> {
  const [sources, destinations] = [await from.statusLists(), await to.statusLists()]
  return sources.some(({ list, key }) => destinations.some(other => other.list === list && other.key !== key))
}

/** Its families get their places with their next refresh. */
function withoutPlaces ({ closed: _, ...user }: User): User {
  return { ...user, families: user.families.map(({ serial: _, ...family }) => family) }
}

async function refuseStrangers (from: Store, to: Store): Promise<void> {
  for await (const [source] of usersOf(from, to)) {
    if (!source) throw new Error('The destination holds users that the source does not.')
  }
  for await (const [source] of clientsOf(from, to)) {
    if (!source) throw new Error('The destination holds clients that the source does not.')
  }
}

async function copyMissingClients (from: Store, to: Store): Promise<number> {
  let copied = 0
  for await (const [source, destination] of clientsOf(from, to)) {
    if (source && !destination && await to.insertClient(source)) copied++
  }
  return copied
}

async function verifyClients (from: Store, to: Store): Promise<Omit<ClientReport, 'copied'>> {
  const report = { count: 0, differing: [] as string[] }
  for await (const [source, destination] of clientsOf(from, to)) {
    if (!source) continue
    report.count++
    if (!isDeepStrictEqual(source, destination)) report.differing.push(source.id)
  }
  return report
}

async function copyMissing (from: Store, to: Store, carry: (user: User) => User, progress: (users: number) => void): Promise<number> {
  let [seen, copied] = [0, 0]
  let batch: User[] = []
  const flush = async () => {
    const outcomes = await Promise.all(batch.map(async user => await to.insertUser(user)))
    copied += outcomes.filter(outcome => outcome === 'inserted').length
    batch = []
    progress(seen)
  }
  for await (const [source, destination] of usersOf(from, to)) {
    if (!source) continue
    seen++
    if (!destination) batch.push(carry(source))
    if (batch.length === BATCH) await flush()
  }
  await flush()
  return copied
}

async function verify (from: Store, to: Store, carry: (user: User) => User): Promise<Omit<CopyReport, 'copied' | 'clients'>> {
  const report = { users: 0, missing: [] as string[], differing: [] as string[] }
  for await (const [source, destination] of usersOf(from, to)) {
    if (!source) continue
    report.users++
    if (!destination) report.missing.push(source.id)
    else if (digest(carry(source)) !== digest(destination)) report.differing.push(source.id)
  }
  return report
}

function usersOf (from: Store, to: Store): AsyncGenerator<[User | undefined, User | undefined]> {
  return pairs(async (...page) => await from.listUsers(...page), async (...page) => await to.listUsers(...page))
}

function clientsOf (from: Store, to: Store): AsyncGenerator<[Client | undefined, Client | undefined]> {
  return pairs(async (...page) => await from.listClients(...page), async (...page) => await to.listClients(...page))
}

/** The entries of both in the order of their ids; those of one id together. What is inserted meanwhile lies behind and is not seen. */
async function * pairs<Entry extends { id: string }> (from: List<Entry>, to: List<Entry>): AsyncGenerator<[Entry | undefined, Entry | undefined]> {
  const [sources, destinations] = [walk(from), walk(to)]
  let [source, destination] = [await next(sources), await next(destinations)]
  while (source ?? destination) {
    const [one, other]: [Entry | undefined, Entry | undefined] = [isFirst(source, destination) ? source : undefined, isFirst(destination, source) ? destination : undefined]
    yield [one, other]
    if (one) source = await next(sources)
    if (other) destination = await next(destinations)
  }
}

function isFirst (entry: { id: string } | undefined, other: { id: string } | undefined): boolean {
  return entry !== undefined && (other === undefined || entry.id <= other.id)
}

async function next<Entry> (entries: AsyncGenerator<Entry, undefined>): Promise<Entry | undefined> {
  return (await entries.next()).value
}

async function * walk<Entry extends { id: string }> (list: List<Entry>): AsyncGenerator<Entry, undefined> {
  let after = ''
  for (;;) {
    const page = await list(after, BATCH)
    yield * page
    if (page.length < BATCH) return
    after = page.at(-1)!.id
  }
}

/** Member by member, for one store keeps them in another order than the other. */
function listOfFactors ({ version, totp, passkeys, recoveryCodes, spent }: Factors): unknown[] {
  return [
    version, totp && [totp.seed, totp.addedAt, totp.lastStep], recoveryCodes, spent.map(({ id, until }) => [id, until]),
    passkeys.map(({ id, publicKey, counter, transports, name, addedAt, lastUsedAt, isBackedUp }) => [id, publicKey, counter, transports, name, addedAt, lastUsedAt, isBackedUp]),
  ]
}

function digest ({ id, email, name, passwordHash, createdAt, families: unsorted, closed = [], roles, disabledAt, deletedAt, emailVerified, factors, lastDisabledAt }: User): string {
  const families = unsorted
    .map(({ id, generation, createdAt, advancedAt, userAgent, ip, rotatedBy, repeats, serial, grant, amr }) => [id, generation, createdAt, advancedAt, userAgent, ip, rotatedBy, repeats?.at, repeats?.running, serial, grant?.clientId, grant?.scope, grant?.audience, grant?.authenticatedAt, grant?.amr, amr])
    .sort(([one], [other]) => String(one) < String(other) ? -1 : 1)
  const closings = closed.map(({ id, serial, at }) => [id, serial, at])
  return createHash('sha256').update(JSON.stringify([id, email, name, passwordHash, createdAt, families, closings, roles, disabledAt, deletedAt, emailVerified, factors && listOfFactors(factors), lastDisabledAt])).digest('hex')
}
