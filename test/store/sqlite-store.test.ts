// The embedded store keeps the contract, over files and several connections, and says when it cannot serve.
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import Database from 'libsql'
import t, { type Test } from 'tap'
import { AuthError } from '../../src/errors.js'
import { openStore } from '../../src/store/open-store.js'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import { ask, run, settings, withRing } from '../server-process.js'
import { proveAccounts } from './account-contract.js'
import { newClient, proveClients } from './client-contract.js'
import { proveEvents } from './event-contract.js'
import { proveFactors } from './factor-contract.js'
import { newFamily, newUser, proveStore } from './store-contract.js'

for (const prove of [proveStore, proveAccounts, proveClients, proveEvents, proveFactors]) {
  prove(async t => {
    const path = join(t.testdir(), 'data', 'signet.db')
    return [new SqliteStore(path), new SqliteStore(path), new SqliteStore(path)]
  })
}

const closing = { at: 5000, countsAfter: 0 }
const unavailable = { name: 'Error', code: 'unavailable', status: 503, retryAfter: 1 }
const LOST = 'A file of the store was replaced or removed while it was in use; restart Signet to use what is there.'

t.test('what was written is there after the file is opened again', async t => {
  const url = `file:${join(t.testdir(), 'signet.db')}`
  const store = await openStore(url)
  const user = newUser()
  await store.insertUser(user)
  await store.close()
  const again = await openStore(url)
  t.teardown(async () => { await again.close() })
  t.strictSame(await again.findUser(user.id), user)
})

t.test('a store that is closed is whole in its one file', async t => {
  const folder = t.testdir()
  const [path, copy] = [join(folder, 'signet.db'), join(folder, 'copy.db')]
  const users = Array.from({ length: 20 }, newUser)
  const store = await openStore(`file:${path}`)
  for (const user of users) await store.insertUser(user)
  await store.close()
  copyFileSync(path, copy)
  const copied = await openStore(`file:${copy}`)
  t.teardown(async () => { await copied.close() })
  t.strictSame(await Promise.all(users.map(async ({ id }) => await copied.findUser(id))), users)
})

t.test('a store whose file is read by somebody, or gone, is closed all the same', async t => {
  const folder = t.testdir()
  const path = join(folder, 'signet.db')
  const store = await openStore(`file:${path}`)
  const user = newUser()
  await store.insertUser(user)
  const reader = new Database(path)
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM users').get([])
  await store.insertUser(newUser())
  await store.close()
  reader.exec('COMMIT')
  reader.close()
  const again = await openStore(`file:${path}`)
  t.strictSame(await again.findUser(user.id), user)
  for (const file of readdirSync(folder)) rmSync(join(folder, file))
  await again.close()
})

/** A file as it was before failures were counted, with one user. */
function oldFile (path: string) {
  const user = { ...newUser(), families: [newFamily()] }
  const [family] = user.families
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path)
  database.exec("CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, password_hash TEXT NOT NULL, created_at INTEGER NOT NULL, families TEXT NOT NULL DEFAULT '{}') STRICT")
  database.prepare('INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)').run(user.id, user.email, user.name, user.passwordHash, user.createdAt,
    JSON.stringify({ [family!.id]: { g: family!.generation, c: family!.createdAt, a: family!.advancedAt, u: family!.userAgent, i: family!.ip } }))
  database.close()
  return user
}

t.test('a file of before failures were counted goes on as it is, and counts them from now on', async t => {
  const path = join(t.testdir(), 'signet.db')
  const user = oldFile(path)
  const stores = [new SqliteStore(path), new SqliteStore(path)] as const
  t.teardown(async () => { for (const store of stores) await store.close() })
  t.strictSame(await stores[0].findUser(user.id), user)
  for (const store of stores) await store.takeGuess({ userId: user.id, count: { by: 'stranger' }, max: 2, maxDevices: 1, now: 5000, window: 1000 })
  t.strictSame(await stores[1].listUsers('', 10), [{ ...user, failed: { since: 5000, known: 0, stranger: 2 } }])
  t.ok(await stores[0].insertClient(newClient()), 'and it keeps clients')
})

t.test('servers that start at once on a file of before all serve', async t => {
  const env = await withRing(settings(t))
  const user = oldFile(env['DATABASE_URL']!.slice('file:'.length))
  const urls = await Promise.all(Array.from({ length: 2 }, async () => await run(t, { ...env, LOG_LEVEL: 'info' }).ready()))
  for (const url of urls) t.match(await ask(`${url}/login`, { email: user.email, password: 'wrong' }), { status: 401 })
  const store = new SqliteStore(env['DATABASE_URL']!.slice('file:'.length))
  t.teardown(async () => { await store.close() })
  t.match(await store.findUser(user.id), { ...user, failed: { stranger: 2 } })
})

/** Begins to write to a file in a thread of its own, and ends it after so many milliseconds. */
async function holdFor (t: Test, path: string, milliseconds: number): Promise<void> {
  const worker = new Worker(`
    const { parentPort, workerData: { driver, path, milliseconds } } = require('node:worker_threads')
    const database = new (require(driver))(path)
    database.exec('BEGIN IMMEDIATE')
    parentPort.postMessage('held')
    setTimeout(() => { database.exec('ROLLBACK'); database.close() }, milliseconds)`, { eval: true, workerData: { driver: resolve('node_modules/libsql'), path, milliseconds } })
  t.teardown(async () => { await worker.terminate() })
  await once(worker, 'message')
}

t.test('a file of before that another server begins to open is waited for, but not for ever', async t => {
  const path = join(t.testdir(), 'signet.db')
  const user = oldFile(path)
  await holdFor(t, path, 3_600_000)
  t.throws(() => new SqliteStore(path), { code: 'SQLITE_BUSY' })
  const other = join(t.testdirName, 'other.db')
  oldFile(other)
  await holdFor(t, other, 100)
  const store = new SqliteStore(other)
  t.teardown(async () => { await store.close() })
  t.notOk(await store.findUser(user.id))
})

t.test('a store that is closed answers unavailable', async t => {
  const store = new SqliteStore(join(t.testdir(), 'signet.db'))
  await store.close()
  await t.rejects(store.ping(), { message: 'The store does not answer.', cause: unavailable })
  await t.rejects(store.findUser('x'), unavailable)
  await t.rejects(store.insertUser(newUser()), unavailable)
  await t.rejects(store.findClient('x'), unavailable)
  await t.rejects(store.insertClient(newClient()), unavailable)
  await t.rejects(store.closeAllFamilies({ userId: 'x', live: { createdAfter: 0, advancedAfter: 0 }, closing }), unavailable)
})

t.test('a write that waits when the store is closed is committed', async t => {
  const path = join(t.testdir(), 'signet.db')
  const store = new SqliteStore(path)
  const user = newUser()
  const waiting = store.insertUser(user)
  await store.close()
  t.equal(await waiting, 'inserted')
  const again = new SqliteStore(path)
  t.teardown(async () => { await again.close() })
  t.ok(await again.findUser(user.id))
})

/** A store whose file another process has begun to write to. */
function openHeld (t: Test) {
  const path = join(t.testdir(), 'signet.db')
  const store = new SqliteStore(path)
  const other = new Database(path)
  t.teardown(async () => {
    other.close()
    await store.close()
  })
  other.exec('BEGIN IMMEDIATE')
  return { store, other }
}

t.test('while another process holds the file, a write answers unavailable, changes nothing, and works again after', async t => {
  const { store, other } = openHeld(t)
  const user = newUser()
  await t.rejects(store.insertUser(user), unavailable)
  other.exec('ROLLBACK')
  t.equal(await store.findUser(user.id), undefined)
  t.equal(await store.insertUser(user), 'inserted')
})

t.test('one write that fails takes no other with it', async t => {
  const store = new SqliteStore(join(t.testdir(), 'signet.db'))
  t.teardown(async () => { await store.close() })
  const user = newUser()
  const [bad, good] = await Promise.allSettled([store.insertUser({ ...newUser(), passwordHash: null as unknown as string }), store.insertUser(user)])
  t.equal(bad.status, 'rejected')
  t.match((bad as PromiseRejectedResult).reason, unavailable)
  t.ok((bad as PromiseRejectedResult).reason instanceof AuthError)
  t.strictSame(good, { status: 'fulfilled', value: 'inserted' })
  t.ok(await store.findUser(user.id))
  const factors = { version: 1, passkeys: [{ id: null as unknown as string, publicKey: '', counter: 0, transports: [], name: '', addedAt: 0, lastUsedAt: null, isBackedUp: false }], recoveryCodes: [], spent: [] }
  await t.rejects(store.changeFactors({ userId: user.id, from: 0, factors }), unavailable)
})

t.test('a path that cannot be a file is refused with a sentence', async t => {
  const path = join(t.testdir({ folder: {} }), 'folder')
  await t.rejects(openStore(`file:${path}`), { message: /^The store file:.*folder cannot be opened: / })
})

t.test('a row stays small however often it refreshes', async t => {
  const path = join(t.testdir(), 'signet.db')
  const store = new SqliteStore(path)
  t.teardown(async () => { await store.close() })
  const [user, family] = [newUser(), newFamily()]
  const live = { createdAfter: 0, advancedAfter: 0 }
  await store.insertUser(user)
  await store.openFamily({ userId: user.id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, roles: [], family, live, limit: 1, policy: 'evict', closing })
  for (let from = 0; from < 500; from++) await store.advanceFamily({ userId: user.id, familyId: family.id, from, to: from + 1, now: 2000, by: '::1 0123abcd', live })
  t.strictSame((await store.findUser(user.id))?.families, [{ ...family, generation: 500, advancedAt: 2000, rotatedBy: '::1 0123abcd' }])
  t.ok(statSync(path).size < 100_000)
})

t.test('of a user who is deleted nothing personal is in the files, not even in room that is free', async t => {
  const folder = t.testdir()
  const store = new SqliteStore(join(folder, 'signet.db'))
  t.teardown(async () => { await store.close() })
  const personal = ['mail', 'name', 'hash', 'agent'].map(what => `personal-${what}`)
  const [email, name, passwordHash, userAgent] = personal as [string, string, string, string]
  // Many more, so that pages are cut, joined and left.
  const users = Array.from({ length: 400 }, (_, at) => ({ ...newUser(), email: `${email}-${at}`, name, passwordHash, families: [{ ...newFamily(), userAgent }] }))
  await store.insertUsers(users)
  await store.insertEvents(users.map(({ id: userId }, at) => ({ id: `event-${at}`, at, kind: 'login.succeeded' as const, userId, userAgent })))
  for (const { id: userId } of users) await store.deleteUser({ userId, closing })
  for (const { id } of users) await store.dropEventsOf(id)
  const kept = readdirSync(folder).map(file => readFileSync(join(folder, file), 'latin1')).join('')
  t.strictSame(personal.map(text => kept.split(text).length - 1), [0, 0, 0, 0])
})

t.test('a server that is killed between a deletion and what it takes along leaves the next one nothing personal', async t => {
  const folder = t.testdir({ left: {} })
  const store = new SqliteStore(join(folder, 'signet.db'))
  t.teardown(async () => { await store.close() })
  const user = { ...newUser(), email: 'personal-mail' }
  await store.insertUser(user)
  await store.insertEvents([{ id: 'event', at: 1, kind: 'login.succeeded', userId: user.id, userAgent: 'personal-agent' }])
  await store.dropEventsOf('nobody')
  await store.deleteUser({ userId: user.id, closing })
  for (const file of ['signet.db', 'signet.db-wal']) copyFileSync(join(folder, file), join(folder, 'left', file))
  const next = new SqliteStore(join(folder, 'left', 'signet.db'))
  t.teardown(async () => { await next.close() })
  const found = () => readdirSync(join(folder, 'left')).flatMap(file => readFileSync(join(folder, 'left', file), 'latin1').match(/personal-\w+/g) ?? []).sort()
  t.strictSame([...new Set(found())], ['personal-agent', 'personal-mail'])
  t.equal(await next.dropDeleted(0), 0)
  t.strictSame(found(), [])
})

t.test('whatever the umask, nobody else may read the file or those beside it; one that others could read is closed to them', async t => {
  const umask = process.umask(0)
  t.teardown(() => process.umask(umask))
  const folder = join(t.testdir(), 'data')
  const modes = () => readdirSync(folder).sort().map(name => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)])
  const all = ['signet.db', 'signet.db-shm', 'signet.db-wal'].map(name => [name, '600'])
  const path = join(folder, 'signet.db')
  const first = new SqliteStore(path)
  await first.insertUser(newUser())
  t.strictSame(modes(), all)
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644)
  const second = new SqliteStore(path)
  t.strictSame(modes(), all)
  for (const store of [first, second]) await store.close()
})

t.test('a file that is replaced or removed under a server is a fault that its readiness names, and nothing is promised that nobody would find', async t => {
  const path = join(t.testdir(), 'signet.db')
  const store = new SqliteStore(path)
  t.teardown(async () => { await store.close() })
  await store.ping()
  copyFileSync(path, `${path}-copy`)
  const fault = { message: LOST }
  renameSync(path, `${path}-old`)
  await t.rejects(store.ping(), fault)
  await t.rejects(store.closeAllFamilies({ userId: 'nobody', live: { createdAfter: 0, advancedAfter: 0 }, closing }), unavailable)
  renameSync(`${path}-copy`, path)
  await t.rejects(store.ping(), fault)
  rmSync(path)
  renameSync(`${path}-old`, path)
  await t.resolves(store.ping())
})

t.test('so is one beside it, which has what was written last, through a link to the file too', async t => {
  const folder = t.testdir()
  const path = join(folder, 'signet.db')
  symlinkSync('kept.db', path)
  const store = new SqliteStore(path)
  t.teardown(async () => { await store.close() })
  for (const beside of ['kept.db-wal', 'kept.db-shm'].map(name => join(folder, name))) {
    await t.resolves(store.ping())
    renameSync(beside, `${beside}-old`)
    await t.rejects(store.ping(), { message: LOST })
    await t.rejects(store.closeAllFamilies({ userId: 'nobody', live: { createdAfter: 0, advancedAfter: 0 }, closing }), unavailable)
    renameSync(`${beside}-old`, beside)
  }
  await t.resolves(store.ping())
})

t.test('a folder that cannot be looked into any more is said in a sentence that names no file', async t => {
  const folder = join(t.testdir(), 'data')
  const store = new SqliteStore(join(folder, 'signet.db'))
  t.teardown(async () => { await store.close() })
  renameSync(folder, `${folder}-old`)
  writeFileSync(folder, '')
  await t.rejects(store.ping(), { message: 'The store takes no writes.', cause: unavailable })
})

t.test('a file that takes no writes is a fault, and none once it does again', async t => {
  const { store, other } = openHeld(t)
  await t.rejects(store.ping(), { message: 'The store takes no writes.', cause: unavailable })
  other.exec('ROLLBACK')
  await t.resolves(store.ping())
})
