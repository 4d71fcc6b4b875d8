// MongoDB keeps the contract over real connections, in as few commands as it can, and serves only with its index.
import { setTimeout as pause } from 'node:timers/promises'
import mongoose from 'mongoose'
import t, { type Test } from 'tap'
import { mongoClient, MongoStore } from '../../src/store/mongo-store.js'
import { openStore } from '../../src/store/open-store.js'
import type { Store } from '../../src/store/store.js'
import { proveAccounts } from './account-contract.js'
import { newClient, proveClients } from './client-contract.js'
import { proveEvents } from './event-contract.js'
import { LONG_MS, freshDatabase, openFor, withMongoDb } from './mongo-server.js'
import { MongoProxy } from './mongo-proxy.js'
import { proveFactors } from './factor-contract.js'
import { newFamily, newUser, proveStore } from './store-contract.js'

const live = { createdAfter: 0, advancedAfter: 0 }
const closing = { at: 5000, countsAfter: 0 }

async function connect (t: Test, url: string) {
  const client = await mongoose.mongo.MongoClient.connect(url)
  t.teardown(async () => { await client.close() })
  return client.db().collection<{ _id: string, email: string }>('users')
}

async function untilReady (store: Store): Promise<void> {
  for (let tries = 0; tries < 20 && !await store.ping().then(() => true, () => false); tries++) await pause(100)
}

/** A URL whose client tells of its commands. */
function monitored (url: string, options = ''): string {
  return `${url}?monitorCommands=true${options}`
}

withMongoDb(server => {
  for (const prove of [proveStore, proveAccounts, proveClients, proveEvents, proveFactors]) {
    prove(async t => {
      const url = freshDatabase(t, server)
      return [await openStore(url), await openStore(url), await openStore(url)]
    })
  }

  t.test('what the driver cannot write is not taken for what is there', async t => {
    const store = await openFor(t, freshDatabase(t, server))
    const client = newClient()
    await t.rejects(store.insertClient({ ...client, jwks: { keys: [{ 'a\0b': 1 }] } }), { code: 'unavailable' })
    t.equal(await store.findClient(client.id), undefined)
    const user = newUser()
    await t.rejects(store.insertUsers([{ ...user, failed: { 'a\0b': 1 } as never }]), { code: 'unavailable' })
    await t.rejects(store.changeFactors({ userId: user.id, from: 0, factors: { 'a\0b': 1 } as never }), { code: 'unavailable' })
    t.equal(await store.findUser(user.id), undefined)
  })

  t.test('an event that the driver cannot write is not taken for one that is there', async t => {
    const store = await openFor(t, freshDatabase(t, server))
    await t.rejects(store.insertEvents([{ id: 'a', at: 1, kind: 'limit.hit', details: { 'a\0b': 1 } as object }]), { code: 'unavailable' })
    t.strictSame(await store.listEvents({ limit: 10 }), [])
  })

  t.test('each operation is one command, with the write concern of its promise, on the primary', async t => {
    const client = mongoClient(monitored(freshDatabase(t, server)))
    const store = new MongoStore(() => client)
    t.teardown(async () => { await store.close() })
    const [user, family] = [newUser(), newFamily()]
    await store.insertUser(user)
    const commands: Array<Record<string, unknown>> = []
    client.on('commandStarted', ({ commandName, command }) => { commands.push({ commandName, writeConcern: command['writeConcern'], readPreference: command['$readPreference'] }) })
    const taken = async (operation: () => Promise<unknown>) => {
      await operation()
      return commands.splice(0)
    }
    const write = (commandName: string, writeConcern: object) => [{ commandName, writeConcern: { ...writeConcern }, readPreference: undefined }]
    const durable = { w: 'majority', j: true }
    t.match(await taken(async () => await store.insertUser(newUser())), write('insert', durable))
    t.match(await taken(async () => await store.insertUsers([newUser(), newUser()])), write('insert', durable))
    t.match(await taken(async () => await store.openFamily({ userId: user.id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, roles: [], family, live, limit: 3, policy: 'evict', closing })), write('update', durable))
    t.match(await taken(async () => await store.advanceFamily({ userId: user.id, familyId: family.id, from: 0, to: 1, now: 2000, by: '::1 0123abcd', live })), write('findAndModify', { w: 1, j: false }))
    t.match(await taken(async () => await store.noteRepeat({ userId: user.id, familyId: family.id, generation: 1, running: 1 })), write('update', { w: 1, j: false }))
    t.match(await taken(async () => await store.changePassword({ userId: user.id, verifiedHash: user.passwordHash, passwordHash: 'new', callerId: family.id, live, family, closing })), write('update', durable))
    t.match(await taken(async () => await store.takeGuess({ userId: user.id, count: { by: 'known' }, max: 1, maxDevices: 1, now: 1, window: 1 })), write('findAndModify', { w: 1, j: false }))
    t.match(await taken(async () => { await store.giveBackGuess({ userId: user.id, count: { by: 'known' }, since: 1 }) }), write('update', { w: 1, j: false }))
    t.match(await taken(async () => await store.closeFamily({ userId: user.id, familyId: family.id, closing })), write('update', durable))
    t.match(await taken(async () => await store.closeAllFamilies({ userId: user.id, live, closing })), write('findAndModify', durable))
    const current = { userId: user.id, email: user.email, verifiedHash: 'new', passwordHash: 'newer', closing }
    t.match(await taken(async () => await store.resetPassword(current)), write('update', durable))
    t.match(await taken(async () => await store.verifyEmail({ userId: user.id, email: user.email })), write('update', durable))
    t.match(await taken(async () => await store.changeEmail({ userId: user.id, from: user.email, to: user.email, verifiedHash: 'newer' })), write('update', durable))
    t.match(await taken(async () => await store.disableUser({ userId: user.id, live, closing })), write('findAndModify', durable))
    t.match(await taken(async () => await store.enableUser(user.id)), write('update', durable))
    t.match(await taken(async () => await store.setRoles({ userId: user.id, roles: ['admin'] })), write('update', durable))
    t.match(await taken(async () => await store.setRoles({ userId: user.id, roles: [], closes: { live, closing } })), write('findAndModify', durable))
    const registered = newClient()
    t.match(await taken(async () => await store.insertClient(registered)), write('insert', durable))
    t.match(await taken(async () => await store.replaceClient({ ...registered, version: 2 }, 1)), write('update', durable))
    t.match(await taken(async () => await store.removeClient(registered.id)), write('delete', durable))
    t.match(await taken(async () => await store.deleteUser({ userId: user.id, closing })), write('update', durable))
    t.match((await taken(async () => await store.dropDeleted(9000))).slice(-1), write('delete', durable))
    const finds = [...await taken(async () => await store.findUser(user.id)), ...await taken(async () => await store.findUserByEmail(user.email)), ...await taken(async () => await store.findClient(registered.id))]
    t.strictSame(finds.map(({ commandName, readPreference }) => [commandName, (readPreference as { mode?: string } | undefined)?.mode ?? 'primary']), Array.from({ length: 3 }, () => ['find', 'primary']))
  })

  t.test('a refresh asks for one round trip even where the URL prefers secondaries and less of a promise', async t => {
    const client = mongoClient(monitored(freshDatabase(t, server), '&readPreference=secondaryPreferred&w=1'))
    const store = new MongoStore(() => client)
    t.teardown(async () => { await store.close() })
    const modes: unknown[] = []
    const concerns: unknown[] = []
    client.on('commandStarted', ({ command, commandName }) => {
      if (commandName === 'find') modes.push(command['$readPreference']?.mode ?? 'primary')
      if (commandName === 'insert') concerns.push(command['writeConcern'].w)
    })
    const user = newUser()
    await store.insertUser(user)
    await store.findUser(user.id)
    t.strictSame([modes, concerns], [['primary'], ['majority']])
  })

  t.test('places and closings are read on the primary, too, whatever the URL prefers, and all users some thousands at a time', async t => {
    const url = freshDatabase(t, server)
    const client = mongoClient(monitored(url, '&readPreference=secondaryPreferred'))
    const store = new MongoStore(() => client)
    t.teardown(async () => { await store.close() })
    await untilReady(store)
    const users = Array.from({ length: 10_001 }, (_, index) => ({ _id: `${index}`, email: `${index}@example.com`, families: [{ id: `family ${index}`, serial: index }] }))
    await (await connect(t, url)).insertMany(users)
    const reads: unknown[] = []
    client.on('commandStarted', ({ commandName, command }) => { if (['find', 'aggregate'].includes(commandName)) reads.push([commandName, command['$readPreference']?.mode ?? 'primary']) })
    t.equal(await store.highestSerial(), 10_000)
    t.strictSame(reads.splice(0), Array.from({ length: 4 }, () => ['aggregate', 'primary']))
    t.equal(await store.numberFamily('7', 'family 7', 70_000), 7)
    reads.length = 0
    t.strictSame((await store.searchUsers({ emailPart: '999' }, '', 100)).length, 19, 'beyond the first page')
    t.strictSame(reads.splice(0), Array.from({ length: 6 }, () => ['find', 'primary']))
    await store.listClosings({ closedAfter: 0, userId: '' }, 1)
    await store.statusLists()
    t.strictSame(reads, Array.from({ length: 2 }, () => ['find', 'primary']))
  })

  t.test('a document of before there were roles is a user without any, and goes on as it is', async t => {
    const url = freshDatabase(t, server)
    const store = await openFor(t, url)
    const family = newFamily()
    const { id, roles, ...user } = { ...newUser(), families: [family] }
    await (await connect(t, url)).insertOne({ _id: id, ...user } as never)
    t.strictSame(await store.findUser(id), { id, ...user, roles })
    t.strictSame(await store.advanceFamily({ userId: id, familyId: family.id, from: 0, to: 1, now: 2000, by: '::1 0123abcd', live }), { family: { ...family, generation: 1, advancedAt: 2000, rotatedBy: '::1 0123abcd' }, roles: [] })
    t.equal(await store.openFamily({ userId: id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, roles, family: newFamily(), live, limit: 3, policy: 'evict', closing }), 'opened')
    t.strictSame((await store.searchUsers({ isDisabled: false }, '', 10)).map(found => found.id), [id])
  })

  t.test('an object never becomes part of a filter', async t => {
    const store = await openFor(t, freshDatabase(t, server))
    const user = { ...newUser(), families: [newFamily()] }
    await store.insertUser(user)
    const any = { $gt: '' } as unknown as string
    const attempts: Array<() => Promise<unknown>> = [
      async () => await store.insertUser({ ...newUser(), email: any }),
      async () => await store.insertUser({ ...newUser(), admin: true } as never),
    ]
    for (const attempt of attempts) await t.rejects(attempt(), { code: 'unavailable' })
    t.strictSame([await store.findUser(any), await store.findUserByEmail(any)], [undefined, undefined])
    const advance = { userId: user.id, familyId: user.families[0]!.id, from: 0, to: 1, now: 2, by: '::1 0123abcd', live }
    for (const change of [{ userId: any }, { familyId: any }, { from: any as never }]) t.equal(await store.advanceFamily({ ...advance, ...change }), undefined)
    const note = { userId: user.id, familyId: user.families[0]!.id, generation: 0, running: 1 }
    for (const change of [{ userId: any }, { familyId: any }, { generation: any as never }]) t.equal(await store.noteRepeat({ ...note, ...change }), false)
    t.equal(await store.takeGuess({ userId: any, count: { by: 'known' }, max: 1, maxDevices: 1, now: 1, window: 1 }), undefined)
    for (const change of [{ userId: any }, { since: any as never }]) await store.giveBackGuess({ userId: user.id, count: { by: 'known' }, since: 1, ...change })
    for (const change of [{ userId: any }, { familyId: any }]) t.equal(await store.closeFamily({ userId: user.id, familyId: user.families[0]!.id, closing, ...change }), false)
    t.equal(await store.closeAllFamilies({ userId: any, live, closing }), 0)
    const change = { userId: user.id, verifiedHash: user.passwordHash, passwordHash: 'new', callerId: user.families[0]!.id, live, family: newFamily(), closing }
    for (const other of [{ userId: any }, { verifiedHash: any }, { callerId: any }]) t.equal(await store.changePassword({ ...change, ...other }), false)
    const opening = { userId: user.id, verifiedHash: user.passwordHash, passwordHash: 'new', roles: [], family: newFamily(), live, limit: 3, policy: 'evict' as const, closing }
    for (const other of [{ userId: any }, { verifiedHash: any }]) t.equal(await store.openFamily({ ...opening, ...other }), 'stale')
    for (const other of [{ userId: any }, { email: any }, { verifiedHash: any }]) t.equal(await store.resetPassword({ userId: user.id, email: user.email, verifiedHash: user.passwordHash, passwordHash: 'new', closing, ...other }), false)
    for (const other of [{ userId: any }, { email: any }]) t.equal(await store.verifyEmail({ userId: user.id, email: user.email, ...other }), false)
    for (const other of [{ userId: any }, { from: any }, { verifiedHash: any }]) t.equal(await store.changeEmail({ userId: user.id, from: user.email, to: 'new@example.com', verifiedHash: user.passwordHash, ...other }), 'stale')
    t.equal(await store.disableUser({ userId: any, live, closing }), undefined)
    t.equal(await store.enableUser(any), false)
    for (const other of [{ userId: any }, { proof: { verifiedHash: any, callerId: user.families[0]!.id, live } }, { proof: { verifiedHash: user.passwordHash, callerId: any, live } }]) t.equal(await store.deleteUser({ userId: user.id, closing, ...other }), false)
    for (const closes of [undefined, { live, closing }]) t.equal(await store.setRoles({ userId: any, roles: [], closes }), undefined)
    for (const [userId, familyId] of [[any, user.families[0]!.id], [user.id, any]] as const) t.equal(await store.numberFamily(userId, familyId, 1), undefined)
    t.strictSame(await store.listUsers('', 10), [user])
  })

  t.test('the indexes on the address, on the last closing, on the deletion and on the passkeys are made at start', async t => {
    const url = freshDatabase(t, server)
    const store = await openFor(t, url)
    await store.ping()
    const indexes = await (await connect(t, url)).listIndexes().toArray()
    t.strictSame(new Set(indexes.map(({ key, unique }) => [key, unique ?? false])), new Set([[{ _id: 1 }, false], [{ email: 1 }, true], [{ closedAt: 1 }, false], [{ deletedAt: 1 }, false], [{ 'factors.passkeys.id': 1 }, true]]))
  })

  t.test('a server whose addresses cannot be unique does not serve', async t => {
    const url = freshDatabase(t, server)
    const users = await connect(t, url)
    await users.insertMany([{ ...newUser(), _id: '1', email: 'ada@example.com' }, { ...newUser(), _id: '2', email: 'ada@example.com' }])
    const store = await openFor(t, url)
    await t.rejects(store.ping(), { message: 'The store lacks its unique index on the e-mail address.', cause: { cause: { cause: { name: 'MongoServerError' } } } })
    await t.rejects(store.insertUsers([newUser()]), { code: 'unavailable', retryAfter: 1 })
    await t.rejects(store.insertUser(newUser()), { code: 'unavailable', retryAfter: 1 })
    await users.deleteOne({ _id: '2' })
    await store.ping()
    t.equal(await store.insertUser(newUser()), 'inserted')
  })

  t.test('a store that loses its index says so', async t => {
    const url = freshDatabase(t, server)
    const store = await openFor(t, url)
    await store.ping()
    const users = await connect(t, url)
    await users.dropIndex('email_1')
    await t.rejects(store.ping(), { message: 'The store lacks its unique index on the e-mail address.' })
  })

  t.test('nobody waits long for a store that cannot be prepared, and the next who asks prepares it', async t => {
    const proxy = await MongoProxy.open(t, freshDatabase(t, server))
    proxy.stall('answers')
    const store = await openFor(t, proxy.url)
    const began = Date.now()
    const outcomes = await Promise.allSettled([store.findUser('x'), store.findUser('y')])
    t.ok(outcomes.every(({ status }) => status === 'rejected'))
    t.ok(Date.now() - began < LONG_MS)
    proxy.resume()
    proxy.drop()
    await untilReady(store)
    t.equal(await store.findUser('x'), undefined)
  })

  t.test('an index whose making is not answered counts once it is there', async t => {
    const proxy = await MongoProxy.open(t, freshDatabase(t, server))
    const store = await openFor(t, proxy.url)
    proxy.cutAnswerTo('createIndexes')
    t.equal(await store.findUser('x'), undefined)
  })

  t.test('a preparation that takes longer than a request may is waited for by nobody', async t => {
    const proxy = await MongoProxy.open(t, freshDatabase(t, server))
    const store = await openFor(t, proxy.url)
    proxy.holdAnswerTo('createIndexes')
    const asking = t.rejects(store.findUser('x'), { code: 'unavailable', cause: { message: 'the store did not answer in time' } })
    await pause(1000)
    proxy.holdAnswerTo('listIndexes')
    await asking
    proxy.resume()
    await untilReady(store)
    t.equal(await store.findUser('x'), undefined)
  })

  t.test('a store that is closed answers unavailable, also before it was ever open', async t => {
    for (const use of [async () => {}, async (store: MongoStore) => { await store.ping() }]) {
      const store = new MongoStore(() => mongoClient(freshDatabase(t, server)))
      await use(store)
      await store.close()
      await t.rejects(store.ping(), { message: 'The store does not answer.' })
      await t.rejects(store.findUser('x'), { code: 'unavailable' })
    }
  })
})
