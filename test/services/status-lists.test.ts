// The status lists: what is closed is in them within a look, for as long as it counts, and what is not known is not said.
import { inflateSync } from 'node:zlib'
import { decodeProtectedHeader, jwtVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { closingAt } from '../../src/core/closings.js'
import { LIST_BYTES, LIST_SIZE } from '../../src/core/status-list.js'
import { readRing } from '../../src/keyring/key-ring.js'
import { BLOCK_LIFE_MS, StatusPlaces } from '../../src/services/status-places.js'
import { LIST_LIFE, StatusLists, type SignedList } from '../../src/services/status-lists.js'
import { newFamily, newUser } from '../store/store-contract.js'
import { makeRing } from '../keyring/rings.js'
import { LIMITS, NOW, openServices, RETENTION, STATUS_LISTS } from './parts.js'

const ISSUER = 'https://signet.example'
const live = { createdAfter: 0, advancedAfter: 0 }

async function open (t: Test) {
  const services = await openServices(t)
  const { store, keyRing } = services
  const clock = { now: NOW, uptime: 1_000_000 }
  const reports: Array<Error | undefined> = []
  const server = () => new StatusLists({
    store, places: new StatusPlaces(store, STATUS_LISTS), keyRing, issuer: ISSUER, ttl: 10, closingRetention: RETENTION, familyLife: LIMITS.absolute,
    clock: () => clock.now, uptime: () => clock.uptime, report: fault => { reports.push(fault) },
  })
  const pass = (milliseconds: number) => {
    clock.now += milliseconds
    clock.uptime += milliseconds
  }
  /** A user with a family of this number, closed at an instant. */
  const close = async (serial: number, at = clock.now) => {
    const family = { ...newFamily(at), serial }
    const user = { ...newUser(), families: [family] }
    await store.insertUser(user)
    await store.closeAllFamilies({ userId: user.id, live, closing: { at, countsAfter: at - RETENTION } })
  }
  return { ...services, clock, reports, server, pass, close }
}

function signed (lists: StatusLists, list: number, now: number): SignedList {
  const found = lists.read(list, now)
  if (typeof found === 'string') throw new Error(found)
  return found
}

function payloadOf ({ jwt }: SignedList) {
  return JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()) as { iss: string, sub: string, iat: number, exp: number, ttl: number, status_list: { bits: number, lst: string } }
}

/** The indices that are set. */
function setOf (list: SignedList): number[] {
  const bytes = inflateSync(Buffer.from(payloadOf(list).status_list.lst, 'base64url'))
  return [...bytes.entries()].filter(([, byte]) => byte > 0).flatMap(([at, byte]) => [0, 1, 2, 3, 4, 5, 6, 7].filter(bit => (byte >> bit) & 1).map(bit => at * 8 + bit))
}

async function indices (places: StatusPlaces, ...serials: number[]): Promise<number[]> {
  const claims = await Promise.all(serials.map(async serial => await places.claimOf(serial, NOW)))
  return claims.map(claim => claim.status_list.idx).sort((one, other) => one - other)
}

t.test('before the first look nothing is said; after it there is a list, with nothing closed', async t => {
  const { server, keyRing } = await open(t)
  const lists = server()
  t.strictSame([lists.numbers, lists.read(0, NOW), lists.read(7, NOW)], ['unavailable', 'unavailable', 'unavailable'])
  await lists.look()
  t.strictSame([lists.numbers, lists.read(7, NOW)], [[0], 'unknown'])
  const list = signed(lists, 0, NOW)
  t.strictSame(decodeProtectedHeader(list.jwt), { alg: 'RS256', typ: 'statuslist+jwt', kid: keyRing.keyId })
  const { payload } = await jwtVerify(list.jwt, createLocalJWKSet(JSON.parse(keyRing.jwks.body) as JSONWebKeySet), { currentDate: new Date(NOW), typ: 'statuslist+jwt' })
  t.strictSame(payload, { iss: ISSUER, sub: `${STATUS_LISTS}/0`, iat: NOW / 1000, exp: NOW / 1000 + LIST_LIFE, ttl: 10, status_list: { bits: 1, lst: payloadOf(list).status_list.lst } })
  t.equal(inflateSync(Buffer.from(payloadOf(list).status_list.lst, 'base64url')).length, LIST_BYTES)
  t.strictSame(setOf(list), [])
})

t.test('what any server closed is in the list of each after its next look, until it counts no more', async t => {
  const { server, close, pass, places, clock } = await open(t)
  const [one, other] = [server(), server()]
  await Promise.all([one.look(), other.look()])
  await close(17)
  await close(4)
  for (const lists of [one, other]) {
    await lists.look()
    t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, 17, 4))
  }
  pass(60_000)
  await close(99)
  await one.look()
  t.strictSame(setOf(signed(one, 0, clock.now)), await indices(places, 17, 4, 99))
  pass(RETENTION - 60_001)
  await one.look()
  t.strictSame(setOf(signed(one, 0, clock.now)), await indices(places, 17, 4, 99), 'to the last instant')
  pass(1_001)
  await one.look()
  t.strictSame(setOf(signed(one, 0, clock.now)), await indices(places, 99), 'and not a second longer')
})

t.test('a server that starts has all that counts, and nothing else, from its first look on', async t => {
  const { server, close, places, clock } = await open(t)
  await places.take(NOW)
  const serials = Array.from({ length: 1_203 }, (_, serial) => serial)
  for (const serial of serials) await close(serial)
  await close(5_000, NOW - RETENTION)
  await close(5_001, NOW - RETENTION + 1)
  const lists = server()
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, ...serials, 5_001))
})

t.test('what is dated back by seconds, by a clock that is behind or a request that waited, is seen at the next look; by minutes, within a minute', async t => {
  const { server, close, pass, places, clock } = await open(t)
  const lists = server()
  await lists.look()
  await close(1)
  await lists.look()
  await close(2, clock.now - 29_999)
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, 1, 2))
  await close(3, clock.now - 200_000)
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, 1, 2))
  pass(60_000)
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, 1, 2, 3))
})

t.test('a closing by a clock that was ahead is seen, and hides none that comes after it', async t => {
  const { server, close, places, clock } = await open(t)
  const lists = server()
  await lists.look()
  await close(1, clock.now + 3_600_000)
  await lists.look()
  await close(2)
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, 1, 2))
})

t.test('a clock that was hours ahead for a moment forgets what is closed for no longer', async t => {
  const { server, close, pass, places, clock } = await open(t)
  const lists = server()
  await lists.look()
  await close(1)
  pass(40_000)
  await close(2)
  await lists.look()
  const ahead = 3 * 3_600_000
  clock.now += ahead
  clock.uptime += 500
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), [])
  clock.now -= ahead
  clock.uptime += 500
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, 1, 2))
})

t.test('a server whose clock is ahead by hours takes none of a user\'s last ten closings out of the lists of those that start', async t => {
  const { server, places, store, clock } = await open(t)
  const families = Array.from({ length: 11 }, (_, serial) => ({ ...newFamily(clock.now), serial }))
  const user = { ...newUser(), families }
  await store.insertUser(user)
  const closeAt = async (familyId: string, at: number) => { await store.closeFamily({ userId: user.id, familyId, closing: closingAt(at, RETENTION) }) }
  for (const { id } of families.slice(0, -1)) await closeAt(id, clock.now)
  await closeAt(families.at(-1)!.id, clock.now + 3 * 3_600_000)
  const lists = server()
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, ...families.map(({ serial }) => serial)))
})

t.test('of a list that comes later it is known what was closed in it before', async t => {
  const { server, close, store, pass, clock, keyRing } = await open(t)
  const lists = server()
  await lists.look()
  await close(LIST_SIZE + 3)
  pass(100)
  await close(4)
  await lists.look()
  pass(40_000)
  await close(5)
  await lists.look()
  await new StatusPlaces(store, STATUS_LISTS).lookThrough(clock.now)
  const { listClosings } = store
  store.listClosings = async () => { throw new Error('away') }
  await lists.look()
  keyRing.adopt(await otherKeys(t))
  await lists.look()
  t.strictSame(lists.read(1, clock.now), 'unavailable', 'what is not known is not said')
  store.listClosings = listClosings
  await lists.look()
  t.strictSame(setOf(signed(lists, 1, clock.now)), await indices(new StatusPlaces(store, STATUS_LISTS), LIST_SIZE + 3))
})

t.test('users of many closings are read a few at a time, and those of one or two by the hundred', async t => {
  const { server, store, clock } = await open(t)
  let serial = 0
  const closeOf = async (users: number, each: number, at: number) => {
    for (let user = 0; user < users; user++) await store.insertUser({ ...newUser(), closed: Array.from({ length: each }, () => ({ id: `closed-${serial}`, serial: serial++, at })) })
  }
  await closeOf(70, 1, NOW)
  await closeOf(100, 250, NOW + 1)
  const pages: number[][] = []
  const { listClosings } = store
  store.listClosings = async (from, limit) => {
    const page = await listClosings.call(store, from, limit)
    pages.push([limit, page.length])
    return page
  }
  clock.now = NOW + 2
  const lists = server()
  await lists.look()
  t.strictSame(pages, [[10, 10], [20, 20], [40, 40], [80, 80], [10, 10], [10, 10], [10, 0]])
  t.equal(setOf(signed(lists, 0, clock.now)).length, 25_070)
})

t.test('a list that has not changed is the same for a minute, and then signed anew', async t => {
  const { server, pass, clock, close } = await open(t)
  const lists = server()
  await lists.look()
  const first = signed(lists, 0, clock.now)
  pass(59_999)
  await lists.look()
  t.equal(signed(lists, 0, clock.now), first)
  pass(1)
  await lists.look()
  t.not(signed(lists, 0, clock.now), first)
  t.equal(payloadOf(signed(lists, 0, clock.now)).iat, NOW / 1000 + 60)
  const second = signed(lists, 0, clock.now)
  await close(1)
  await lists.look()
  t.not(signed(lists, 0, clock.now), second)
})

t.test('while the store cannot be read the last list is served until its end, and no other is signed; it is told once, and when it is over', async t => {
  const { server, pass, clock, close, reports, store, places } = await open(t)
  const lists = server()
  await lists.look()
  const last = signed(lists, 0, clock.now)
  const { listClosings } = store
  const fault = new Error('away')
  store.listClosings = async () => { throw fault }
  await close(1)
  for (let seconds = 10; seconds < LIST_LIFE; seconds += 10) {
    pass(10_000)
    await lists.look()
    t.equal(signed(lists, 0, clock.now), last)
  }
  pass(10_000)
  await lists.look()
  t.equal(lists.read(0, clock.now), 'unavailable')
  t.strictSame(reports, [fault])
  store.listClosings = listClosings
  await lists.look()
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, 1))
  t.strictSame(reports, [fault, undefined])
})

t.test('other keys sign at once what was looked at within ten seconds, and nothing that is older', async t => {
  const { server, keyRing, clock, pass } = await open(t)
  const lists = server()
  lists.start()
  t.teardown(async () => { await lists.stop() })
  await until(() => typeof lists.read(0, clock.now) !== 'string')
  const first = signed(lists, 0, clock.now)
  keyRing.adopt(await otherKeys(t))
  await until(() => signed(lists, 0, clock.now) !== first)
  t.equal(decodeProtectedHeader(signed(lists, 0, clock.now).jwt).kid, keyRing.keyId)
  await lists.stop()
  const second = signed(lists, 0, clock.now)
  pass(10_000)
  keyRing.adopt(await otherKeys(t))
  await lists.stop()
  t.equal(signed(lists, 0, clock.now), second)
})

t.test('once it is started it looks by itself, and once it is stopped no more', async t => {
  const { server, close, clock, places } = await open(t)
  const lists = server()
  lists.start()
  await until(() => typeof lists.read(0, clock.now) !== 'string')
  await close(3)
  await until(() => setOf(signed(lists, 0, clock.now)).length === 1)
  t.strictSame(setOf(signed(lists, 0, clock.now)), await indices(places, 3))
  await lists.stop()
})

t.test('a list of which no family can live is gone, and one that is leased by others comes', async t => {
  const { server, store, clock, pass, close } = await open(t)
  const lists = server()
  await lists.look()
  await store.keepStatusList({ list: 0, key: '', leased: LIST_SIZE, leasedAt: NOW })
  await store.keepStatusList({ list: 1, key: Buffer.alloc(32).toString('base64url'), leased: 5, leasedAt: NOW + 10_000 })
  await lists.look()
  t.strictSame(lists.numbers, [0, 1])
  pass(BLOCK_LIFE_MS + LIMITS.absolute + RETENTION - 1)
  await lists.look()
  t.strictSame(lists.numbers, [0, 1])
  pass(1)
  await lists.look()
  t.strictSame([lists.numbers, lists.read(0, clock.now)], [[1], 'unknown'])
  await close(5)
  await lists.look()
  t.strictSame(setOf(signed(lists, 1, clock.now)), [], 'a closing of a list that is gone changes none')
})

t.test('5,000 of 100,000 families are closed, and no other is refused', async t => {
  const { server, store, places, clock } = await open(t)
  const serials: number[] = []
  for (let n = 0; n < 100_000; n++) serials.push(await places.take(NOW))
  const chosen = serials.filter((_, at) => at % 20 === 7)
  for (let at = 0; at < chosen.length; at += 100) {
    const closed = chosen.slice(at, at + 100).map(serial => ({ id: `family ${serial}`, serial, at: clock.now }))
    await store.insertUser({ ...newUser(), closed })
  }
  const lists = server()
  await lists.look()
  const bits = new Set(setOf(signed(lists, 0, clock.now)))
  const isClosed = new Set(chosen)
  const claims = await Promise.all(serials.map(async serial => (await places.claimOf(serial, NOW)).status_list.idx))
  t.equal(claims.filter((index, at) => bits.has(index) !== isClosed.has(serials[at]!)).length, 0)
  t.equal(bits.size, 5_000)
})

async function until (holds: () => boolean): Promise<void> {
  while (!holds()) await pause(10)
}

async function otherKeys (t: Test) {
  const folder = join(t.testdirName, `ring-${Math.random()}`)
  await makeRing({ folder }, NOW)
  return (await readRing({ folder }))!.parts
}
