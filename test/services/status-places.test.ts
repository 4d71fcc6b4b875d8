// Which place a family has: one that no other has, whoever else leases, and after a restore, too.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LIST_SIZE } from '../../src/core/status-list.js'
import { BLOCK_LIFE_MS, StatusPlaces } from '../../src/services/status-places.js'
import type { Store } from '../../src/store/store.js'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import { newFamily, newUser } from '../store/store-contract.js'
import { NOW, STATUS_LISTS } from './parts.js'

function openStore (t: Test): SqliteStore {
  const store = new SqliteStore(join(t.testdir(), `${randomUUID()}.db`))
  t.teardown(async () => { await store.close() })
  return store
}

async function takeMany (places: StatusPlaces, count: number, now = NOW): Promise<number[]> {
  return await Promise.all(Array.from({ length: count }, async () => await places.take(now)))
}

/** How often a store is asked for a lease. */
function countLeases (store: SqliteStore): () => number {
  let count = 0
  const lease = store.leasePlaces.bind(store)
  store.leasePlaces = async (...args) => { count++; return await lease(...args) }
  return () => count
}

t.test('several servers that take at once never give a number twice, and lease once for 256', async t => {
  const store = openStore(t)
  const leases = countLeases(store)
  const servers = Array.from({ length: 3 }, () => new StatusPlaces(store, STATUS_LISTS))
  const taken = (await Promise.all(servers.map(async server => await takeMany(server, 700)))).flat()
  t.equal(new Set(taken).size, 2_100)
  t.equal(leases(), 9)
  t.match(await store.statusLists(), [{ list: 0, leased: 9 * 256, leasedAt: NOW }])
})

t.test('what was leased long ago is given to nobody, and neither is what was leased by a clock that was ahead', async t => {
  const store = openStore(t)
  const places = new StatusPlaces(store, STATUS_LISTS)
  t.equal(await places.take(NOW), 0)
  t.equal(await places.take(NOW + BLOCK_LIFE_MS - 1), 1)
  t.equal(await places.take(NOW + BLOCK_LIFE_MS), 256)
  t.equal(await places.take(NOW), 512)
})

t.test('before a list is full there is the next, and where it is full the next is used', async t => {
  const store = openStore(t)
  const places = new StatusPlaces(store, STATUS_LISTS)
  t.equal(await places.take(NOW), 0)
  await store.keepStatusList({ list: 0, key: '', leased: LIST_SIZE - 256, leasedAt: NOW })
  const taken = await takeMany(new StatusPlaces(store, STATUS_LISTS), 300)
  t.strictSame([taken[0], taken[255], taken[256]], [LIST_SIZE - 256, LIST_SIZE - 1, LIST_SIZE])
  t.strictSame((await store.statusLists()).map(({ list, leased }) => [list, leased]), [[0, LIST_SIZE], [1, 256]])
  const uris = await Promise.all(taken.map(async serial => (await places.claimOf(serial, NOW)).status_list.uri))
  t.strictSame([...new Set(uris)], [`${STATUS_LISTS}/0`, `${STATUS_LISTS}/1`])
})

t.test('every server says the same of a number, and no index of a list is said twice', async t => {
  const store = openStore(t)
  const [one, other] = [new StatusPlaces(store, STATUS_LISTS), new StatusPlaces(store, STATUS_LISTS)]
  const serials = await takeMany(one, 1_000)
  const claims = await Promise.all(serials.map(async serial => await one.claimOf(serial, NOW)))
  t.strictSame(await Promise.all(serials.map(async serial => await other.claimOf(serial, NOW))), claims)
  t.equal(new Set(claims.map(claim => claim.status_list.idx)).size, 1_000)
  t.strictSame(claims.map(claim => claim.status_list.idx), serials.map(serial => other.indexOf(serial)))
})

t.test('after a restore that has families but older leases, no place of theirs is given again', async t => {
  const store = openStore(t)
  await store.keepStatusList({ list: 0, key: Buffer.alloc(32).toString('base64url'), leased: 256, leasedAt: NOW })
  await store.insertUser({ ...newUser(), families: [{ ...newFamily(), serial: 700 }] })
  t.equal(await new StatusPlaces(store, STATUS_LISTS).take(NOW), 701)
})

t.test('after a restore without any list, families of a list that is gone go on, and nobody new comes into it', async t => {
  const store = openStore(t)
  await store.insertUser({ ...newUser(), families: [{ ...newFamily(), serial: 5 }, { ...newFamily(), serial: LIST_SIZE + 9 }] })
  const places = new StatusPlaces(store, STATUS_LISTS)
  t.match(await places.claimOf(5, NOW), { status_list: { uri: `${STATUS_LISTS}/0` } })
  t.equal(await places.take(NOW), LIST_SIZE + 10)
  t.strictSame((await store.statusLists()).map(({ list, leased }) => [list, leased]), [[0, LIST_SIZE], [1, 266]])
})

t.test('after a restore without any list, or with leases of when the list before was not full, no place that families have is given, whoever made the lists anew', async t => {
  for (const list of [[], [{ list: 0, key: Buffer.alloc(32).toString('base64url'), leased: 256, leasedAt: NOW }]]) {
    const store = openStore(t)
    for (const one of list) await store.keepStatusList(one)
    await store.insertUser({ ...newUser(), families: [{ ...newFamily(), serial: 300 }, { ...newFamily(), serial: 2 * LIST_SIZE - 300 }] })
    const places = new StatusPlaces(store, STATUS_LISTS)
    await places.listsWithRoom(NOW)
    const taken = await takeMany(places, 600)
    t.strictSame([Math.min(...taken), new Set(taken).size], [2 * LIST_SIZE - 299, 600])
  }
})

t.test('after a restore of closings and older leases, nobody is given the place of a family that is closed', async t => {
  const store = openStore(t)
  await store.insertUser({ ...newUser(), closed: [{ id: 'gone', serial: 900, at: NOW }] })
  t.equal(await new StatusPlaces(store, STATUS_LISTS).take(NOW), 901)
})

t.test('families are looked through once, and anew where that failed', async t => {
  const store = openStore(t)
  const places = new StatusPlaces(store, STATUS_LISTS)
  const highestSerial = store.highestSerial.bind(store)
  let looks = 0
  store.highestSerial = async () => { throw new Error('away') }
  await t.rejects(places.lookThrough(NOW), { message: 'away' })
  store.highestSerial = async () => { looks++; return await highestSerial() }
  await Promise.all([places.lookThrough(NOW), places.take(NOW), places.lookThrough(NOW)])
  t.equal(looks, 1)
})

t.test('a lease that fails is asked for again by the next', async t => {
  const store = openStore(t)
  const places = new StatusPlaces(store, STATUS_LISTS)
  const { statusLists } = store
  store.statusLists = async () => { throw new Error('away') }
  await t.rejects(places.take(NOW), { message: 'away' })
  store.statusLists = statusLists
  t.equal(await places.take(NOW), 0)
})

t.test('a lease that others took the last places of is asked for in the next list', async t => {
  const store = openStore(t)
  await store.keepStatusList({ list: 0, key: Buffer.alloc(32).toString('base64url'), leased: LIST_SIZE - 256, leasedAt: NOW })
  const lists = store.statusLists.bind(store)
  const late: Pick<Store, 'statusLists' | 'keepStatusList' | 'leasePlaces' | 'highestSerial'> = {
    statusLists: async () => await lists(),
    keepStatusList: async list => { await store.keepStatusList(list) },
    highestSerial: async () => undefined,
    leasePlaces: async (list, count, now) => {
      if (list === 0) await store.leasePlaces(0, count, now)
      return await store.leasePlaces(list, count, now)
    },
  }
  t.equal(await new StatusPlaces(late, STATUS_LISTS).take(NOW), LIST_SIZE)
})
