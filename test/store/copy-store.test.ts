// Copying a store: whole, once, resumable, and never over what is there.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { firstIdAt, type KeptEvent } from '../../src/core/events.js'
import type { Factors } from '../../src/core/factors.js'
import { copyStore, type Copying } from '../../src/store/copy-store.js'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import type { Store, User } from '../../src/store/store.js'
import { newClient } from './client-contract.js'
import { newFamily, newUser } from './store-contract.js'

const GRANT = { clientId: 'client', scope: 'openid read', audience: ['a', 'b'], authenticatedAt: 900 }

function open (t: Test) {
  const folder = t.testdir()
  const opened = (name: string) => {
    const store = new SqliteStore(join(folder, name))
    t.teardown(async () => { await store.close() })
    return store
  }
  const [from, to] = [opened('from.db'), opened('to.db')]
  const copyAll = async (change: Partial<Copying> = {}) => await copyStore({ from, to, strangers: 'refuse', progress: () => {}, ...change })
  /** What is reported of the users. */
  const copy = async (change: Partial<Copying> = {}) => {
    const { clients: _, events: __, ...users } = await copyAll(change)
    return users
  }
  return { from, to, opened, copy, copyAll }
}

async function fill (store: Store, count: number): Promise<User[]> {
  const users = Array.from({ length: count }, newUser).sort((one, other) => one.id < other.id ? -1 : 1)
  for (const user of users) await store.insertUser(user)
  return users
}

t.test('users arrive whole, with all their families, for a clock that is wrong when they are copied must cost nobody a log-in', async t => {
  const { from, to, copy } = open(t)
  const user = { ...newUser(), name: '$name', families: [newFamily(0), newFamily(3000), { ...newFamily(1000), grant: GRANT }, { ...newFamily(2000), rotatedBy: '::1 0123abcd', repeats: { at: 7, running: 2 } }], failed: { since: 1000, known: 1, stranger: 2 }, closed: [{ id: 'closed', serial: 5, at: 7000 }, { id: 'granted', at: 7000 }] }
  await from.insertUser(user)
  t.strictSame(await copy(), { users: 1, copied: 1, missing: [], differing: [] })
  t.strictSame(await to.listUsers('', 10), [user])
})

t.test('what an operator did to a user is carried: roles, a disabling, and a deletion, of which the closings are left; and what differs in it is said', async t => {
  const { from, to, copy } = open(t)
  const users = [{ ...newUser(), roles: ['admin', 'staff'] }, { ...newUser(), disabledAt: 1000 }, { ...newUser(), deletedAt: 1000, closed: [{ id: 'closed', serial: 5, at: 1000 }] }].sort((one, other) => one.id < other.id ? -1 : 1)
  for (const user of users) await from.insertUser(user)
  t.strictSame(await copy(), { users: 3, copied: 3, missing: [], differing: [] })
  t.strictSame(await to.listUsers('', 10), users)
  const differing = [{ roles: ['admin'] }, { disabledAt: 1 }, { deletedAt: 1 }].map(change => ({ ...newUser(), ...change }))
  for (const user of differing) {
    await from.insertUser(user)
    await to.insertUser({ ...newUser(), id: user.id, email: user.email })
  }
  t.strictSame(new Set((await copy()).differing), new Set(differing.map(({ id }) => id)))
})

t.test('what a user has beside the password is carried, and what differs in it is said', async t => {
  const { from, to, copy } = open(t)
  const passkey = { id: 'id', publicKey: 'key', counter: 3, transports: ['internal'], name: 'phone', addedAt: 11, lastUsedAt: null, isBackedUp: true }
  const factors = { version: 2, totp: { seed: 'sealed', addedAt: 10, lastStep: 7 }, passkeys: [passkey], recoveryCodes: ['one', 'two'], spent: [{ id: 'challenge', until: 99 }] }
  const user = { ...newUser(), factors }
  await from.insertUser(user)
  t.strictSame(await copy(), { users: 1, copied: 1, missing: [], differing: [] })
  t.strictSame(await to.listUsers('', 10), [user])
  const differing = [{ version: 3 }, { totp: { ...factors.totp, lastStep: 8 } }, { recoveryCodes: ['one'] }, { spent: [] }, { passkeys: [{ ...passkey, id: 'other', counter: 4 }] }]
  const others = differing.map((change, at): [User, Partial<Factors>] => [{ ...newUser(), factors: { ...factors, passkeys: [{ ...passkey, id: `of ${at}` }] } }, change])
  for (const [other, change] of others) {
    await from.insertUser(other)
    await to.insertUser({ ...other, factors: { ...other.factors!, ...change } })
  }
  t.strictSame((await copy()).differing.sort(), others.map(([{ id }]) => id).sort())
})

t.test('security events are carried, each once however often the store is copied, and of a user who is deleted none but the one that says so', async t => {
  const { from, to, copyAll } = open(t)
  const deleted = { ...newUser(), deletedAt: 1000 }
  await to.insertUser(deleted)
  const events = Array.from({ length: 1_000 }, (_, at): KeptEvent => ({ id: firstIdAt(at), at, kind: 'login.succeeded', userId: 'a', ip: '::1', details: { generation: at } }))
  await from.insertEvents(events)
  t.equal((await copyAll({ strangers: 'merge' })).events, 1_000)
  const newest: KeptEvent = { id: firstIdAt(1_000), at: 1_000, kind: 'user.deleted', userId: deleted.id }
  await from.insertEvents([newest, { ...newest, id: firstIdAt(1_001), kind: 'login.failed' }])
  t.equal((await copyAll({ strangers: 'merge' })).events, 1_002)
  t.strictSame(await to.listEvents({ limit: 2_000 }), [newest, ...events.reverse()])
})

t.test('a family that differs in anything is said', async t => {
  const { from, to, copy } = open(t)
  const family = { ...newFamily(2000), rotatedBy: '::1 0123abcd', repeats: { at: 7, running: 2 }, grant: GRANT }
  const changes = [{ generation: 1 }, { createdAt: 1 }, { advancedAt: 1 }, { userAgent: null }, { ip: '::2' }, { rotatedBy: undefined }, { repeats: undefined }, { repeats: { at: 7, running: 1 } }, { repeats: { at: 6, running: 2 } }, { serial: 1 }, { grant: undefined }, ...[{ clientId: 'another' }, { scope: 'openid' }, { audience: ['a'] }, { audience: ['b', 'a'] }, { authenticatedAt: 1 }].map(change => ({ grant: { ...GRANT, ...change } }))]
  const users = changes.map(() => ({ ...newUser(), families: [family] }))
  for (const [at, user] of users.entries()) {
    await from.insertUser(user)
    await to.insertUser({ ...user, families: [{ ...family, ...changes[at] }] })
  }
  t.strictSame(new Set((await copy()).differing), new Set(users.map(({ id }) => id)))
})

t.test('a copy goes in batches, and once it is complete another changes nothing', async t => {
  const { from, to, copy } = open(t)
  const users = await fill(from, 250)
  const told: number[] = []
  t.strictSame(await copy({ progress: count => { told.push(count) } }), { users: 250, copied: 250, missing: [], differing: [] })
  t.strictSame(told, [100, 200, 250])
  t.strictSame(await copy(), { users: 250, copied: 0, missing: [], differing: [] })
  t.strictSame(await to.listUsers('', 1000), users)
})

t.test('a copy that was interrupted is resumed by the next', async t => {
  const { from, opened, copy } = open(t)
  const users = await fill(from, 250)
  const broken = opened('broken.db')
  await t.rejects(copy({ to: broken, progress: () => { void broken.close() } }), { code: 'unavailable' })
  const again = opened('broken.db')
  t.equal((await again.listUsers('', 1000)).length, 100)
  t.strictSame(await copy({ to: again }), { users: 250, copied: 150, missing: [], differing: [] })
  t.strictSame(await again.listUsers('', 1000), users)
})

t.test('nothing is written beside strangers, unless told so', async t => {
  const { from, to, copy } = open(t)
  const users = await fill(from, 3)
  const [stranger] = await fill(to, 1)
  await t.rejects(copy(), { message: 'The destination holds users that the source does not.' })
  t.strictSame(await to.listUsers('', 10), [stranger])
  t.strictSame(await copy({ strangers: 'merge' }), { users: 3, copied: 3, missing: [], differing: [] })
  t.strictSame(new Set(await to.listUsers('', 10)), new Set([...users, stranger]))
})

t.test('what the destination has of a user is never overwritten, but said', async t => {
  const { from, to, copy } = open(t)
  const [changed, taken] = await fill(from, 2)
  const other = { ...newUser(), email: taken!.email }
  await to.insertUser({ ...changed!, passwordHash: 'newer' })
  await to.insertUser(other)
  t.strictSame(await copy({ strangers: 'merge' }), { users: 2, copied: 0, missing: [taken!.id], differing: [changed!.id] })
  t.strictSame(new Set(await to.listUsers('', 10)), new Set([{ ...changed, passwordHash: 'newer' }, other]))
})

t.test('what was got wrong since is no difference', async t => {
  const { from, to, copy } = open(t)
  const [user] = await fill(from, 1)
  await to.insertUser({ ...user!, failed: { since: 1000, known: 1, stranger: 2 } })
  t.strictSame(await copy(), { users: 1, copied: 0, missing: [], differing: [] })
})

t.test('families count whatever their order', async t => {
  const { from, to, copy } = open(t)
  const [one, other] = [newFamily(1000), newFamily(2000)]
  const user = { ...newUser(), families: [one, other] }
  await from.insertUser(user)
  await to.insertUser({ ...user, families: [other, one] })
  t.strictSame(await copy(), { users: 1, copied: 0, missing: [], differing: [] })
})

t.test('the leases of places arrive, and closings that differ are said', async t => {
  const { from, to, copy } = open(t)
  const [one, other] = await fill(from, 2)
  await from.insertUser({ ...newUser(), families: [{ ...newFamily(), serial: 300 }] })
  for (const list of [0, 1]) await from.keepStatusList({ list, key: `key ${list}`, leased: 512, leasedAt: 1000 + list })
  const closed = { id: 'closed', serial: 5, at: 7000 }
  await to.insertUser({ ...one!, closed: [closed] })
  t.match(await copy(), { users: 3, copied: 2, differing: [one!.id] })
  t.strictSame(await to.statusLists(), await from.statusLists())
  t.strictSame(await to.findUser(other!.id), other)
})

t.test('into a store with lists of its own families come without their places, which they get anew', async t => {
  const { from, to, copy } = open(t)
  const family = { ...newFamily(), serial: 300 }
  const user = { ...newUser(), families: [family], closed: [{ id: 'closed', serial: 5, at: 7000 }] }
  await from.insertUser(user)
  await from.keepStatusList({ list: 0, key: 'key', leased: 512, leasedAt: 1000 })
  await to.keepStatusList({ list: 0, key: 'another', leased: 256, leasedAt: 1000 })
  t.strictSame(await copy({ strangers: 'merge' }), { users: 1, copied: 1, missing: [], differing: [] })
  const { serial: _, ...unplaced } = family
  const { closed: __, ...rest } = user
  t.strictSame(await to.findUser(user.id), { ...rest, families: [unplaced] })
  t.strictSame(await to.statusLists(), [{ list: 0, key: 'another', leased: 256, leasedAt: 1000 }])
  t.strictSame(await copy({ strangers: 'merge' }), { users: 1, copied: 0, missing: [], differing: [] })
})

t.test('clients arrive whole, once, and those of the destination are left as they are', async t => {
  const { from, to, copyAll } = open(t)
  const clients = Array.from({ length: 120 }, newClient).sort((one, other) => one.id < other.id ? -1 : 1)
  for (const client of clients) await from.insertClient(client)
  const users = { users: 0, copied: 0, missing: [], differing: [] }
  t.strictSame(await copyAll(), { ...users, events: 0, clients: { count: 120, copied: 120, differing: [] } })
  t.strictSame(await to.listClients('', 1000), clients)
  t.strictSame(await copyAll(), { ...users, events: 0, clients: { count: 120, copied: 0, differing: [] } })
  await to.replaceClient({ ...clients[7]!, version: 2, name: 'Another' }, 1)
  t.strictSame(await copyAll(), { ...users, events: 0, clients: { count: 120, copied: 0, differing: [clients[7]!.id] } })
  t.match(await to.findClient(clients[7]!.id), { version: 2, name: 'Another' })
})

t.test('nothing is written beside clients that the source does not have, unless told so', async t => {
  const { from, to, copyAll } = open(t)
  await fill(from, 2)
  await from.insertClient(newClient())
  const stranger = newClient()
  await to.insertClient(stranger)
  await t.rejects(copyAll(), { message: 'The destination holds clients that the source does not.' })
  t.strictSame([await to.listUsers('', 10), await to.listClients('', 10)], [[], [stranger]])
  t.match(await copyAll({ strangers: 'merge' }), { copied: 2, clients: { count: 1, copied: 1, differing: [] } })
  t.equal((await to.listClients('', 10)).length, 2)
})
