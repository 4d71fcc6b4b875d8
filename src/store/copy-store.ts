// Copies the users of one store, with their families and closings, and the leases of places into another, and verifies each user; holds no adapter's detail and no clock.
import { createHash } from 'node:crypto'
import type { Store, User } from './store.js'

export interface Copying {
  from: Store
  to: Store
  /** What happens where `to` holds users that `from` does not. */
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
}

const BATCH = 100

/**
 * Writes only what is missing, so that a copy that was interrupted is resumed by the next, and one that is complete changes nothing.
 * Nobody may use `from` meanwhile. Rejects before the first write if `to` holds strangers that are refused, and with `unavailable` if
 * a store cannot be reached.
 */
export async function copyStore ({ from, to, strangers, progress }: Copying): Promise<CopyReport> {
  if (strangers === 'refuse') await refuseStrangers(from, to)
  const carry = await hasOtherLists(from, to) ? withoutPlaces : (user: User) => user
  const copied = await copyMissing(from, to, carry, progress)
  // After the users, so that every place that one of them has is leased.
  if (carry !== withoutPlaces) for (const list of await from.statusLists()) await to.keepStatusList(list)
  return { copied, ...await verify(from, to, carry) }
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
  for await (const [source] of pairs(from, to)) {
    if (!source) throw new Error('The destination holds users that the source does not.')
  }
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
  for await (const [source, destination] of pairs(from, to)) {
    if (!source) continue
    seen++
    if (!destination) batch.push(carry(source))
    if (batch.length === BATCH) await flush()
  }
  await flush()
  return copied
}

async function verify (from: Store, to: Store, carry: (user: User) => User): Promise<Omit<CopyReport, 'copied'>> {
  const report = { users: 0, missing: [] as string[], differing: [] as string[] }
  for await (const [source, destination] of pairs(from, to)) {
    if (!source) continue
    report.users++
    if (!destination) report.missing.push(source.id)
    else if (digest(carry(source)) !== digest(destination)) report.differing.push(source.id)
  }
  return report
}

/** The users of both in the order of their ids; those of one id together. What is inserted meanwhile lies behind and is not seen. */
async function * pairs (from: Store, to: Store): AsyncGenerator<[User | undefined, User | undefined]> {
  const [sources, destinations] = [walk(from), walk(to)]
  let [source, destination] = [await next(sources), await next(destinations)]
  while (source ?? destination) {
    const [one, other]: [User | undefined, User | undefined] = [isFirst(source, destination) ? source : undefined, isFirst(destination, source) ? destination : undefined]
    yield [one, other]
    if (one) source = await next(sources)
    if (other) destination = await next(destinations)
  }
}

function isFirst (user: User | undefined, other: User | undefined): boolean {
  return user !== undefined && (other === undefined || user.id <= other.id)
}

async function next (users: AsyncGenerator<User, undefined>): Promise<User | undefined> {
  return (await users.next()).value
}

async function * walk (store: Store): AsyncGenerator<User, undefined> {
  let after = ''
  for (;;) {
    const page = await store.listUsers(after, BATCH)
    yield * page
    if (page.length < BATCH) return
    after = page.at(-1)!.id
  }
}

function digest ({ id, email, name, passwordHash, createdAt, families: unsorted, closed = [] }: User): string {
  const families = unsorted
    .map(({ id, generation, createdAt, advancedAt, userAgent, ip, rotatedBy, repeats, serial, grant }) => [id, generation, createdAt, advancedAt, userAgent, ip, rotatedBy, repeats?.at, repeats?.running, serial, grant?.clientId, grant?.scope, grant?.audience, grant?.authenticatedAt])
    .sort(([one], [other]) => String(one) < String(other) ? -1 : 1)
  const closings = closed.map(({ id, serial, at }) => [id, serial, at])
  return createHash('sha256').update(JSON.stringify([id, email, name, passwordHash, createdAt, families, closings])).digest('hex')
}
