// Events on their way to the store: in batches that nobody waits for, kept while it is away, dropped and counted beyond the bound.
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { KeptEvent, SecurityEvent } from '../../src/core/events.js'
import { Events, EVENT_TIMES, QUEUE_SIZES, type EventParts } from '../../src/services/events.js'
import { EventQueue } from '../../src/services/event-queue.js'
import { NOW } from './parts.js'

const TIMES = { gather: 1, retry: 1, drop: { every: 1, again: 1 }, complain: 60_000, farewell: 60_000 }
const LOGIN: SecurityEvent = { kind: 'login.succeeded', at: NOW, userId: 'u' }

/** A sink over a store that can be away; `wait` resolves when as many batches were tried. */
function open (changes: Partial<EventParts> = {}, isAway = false) {
  const state = { isAway, batches: [] as KeptEvent[][], told: [] as KeptEvent[], lost: [] as unknown[][], drops: [] as unknown[][], now: NOW, tries: 0, old: 0 }
  const store = {
    insertEvents: async (events: KeptEvent[]) => {
      state.tries++
      if (state.isAway) throw new Error('away')
      state.batches.push(events)
    },
    dropEvents: async (before: number, limit: number) => {
      state.drops.push([before, limit])
      if (state.isAway) throw new Error('away')
      const dropped = Math.min(limit, state.old)
      state.old -= dropped
      return dropped
    },
  }
  const events = new Events({ store, retention: 86_400_000, tell: event => { state.told.push(event) }, lost: (...what) => { state.lost.push(what) }, clock: () => state.now, times: TIMES, ...changes })
  const until = async (isSo: () => boolean) => { while (!isSo()) await pause(1) }
  return { events, state, until, kept: () => state.batches.flat() }
}

t.test('an event is told at once and kept soon, whole and in its order', async t => {
  const { events, state, until, kept } = open()
  for (let more = 0; more < 500; more++) events.record({ ...LOGIN, familyId: String(more) })
  t.equal(state.told.length, 500)
  t.equal(state.tries, 0, 'nobody waits for the store')
  await until(() => kept().length === 500)
  t.strictSame(kept(), state.told)
  t.strictSame(state.batches.map(batch => batch.length), [200, 200, 100])
  t.strictSame(kept().map(({ id }) => id), kept().map(({ id }) => id).sort())
  t.equal(events.dropped, 0)
  await events.stop()
})

t.test('what a store that is away was not given is given to it when it is back, and what came meanwhile', async t => {
  const { events, state, until, kept } = open({}, true)
  events.record(LOGIN)
  await until(() => state.tries > 2)
  events.record({ ...LOGIN, userId: 'v' })
  state.isAway = false
  await until(() => kept().length === 2)
  t.strictSame(kept(), state.told)
  t.strictSame(state.lost, [])
  await events.stop()
})

t.test('beyond the bound an event is dropped, counted, and complained of once a while; the log has it', async t => {
  const { events, state } = open({ sizes: { all: 3, anybodys: 1 } }, true)
  for (let more = 0; more < 5; more++) events.record(LOGIN)
  t.equal(events.dropped, 2)
  t.equal(state.told.length, 5)
  t.strictSame(state.lost, [[1, undefined]], 'the second within the minute')
  state.now += 60_000
  events.record(LOGIN)
  t.match(state.lost[1], [2])
  await events.stop()
  t.equal(events.dropped, 6)
  t.match(state.lost[2], [3, { message: 'away' }])
  events.record(LOGIN)
  t.equal(events.dropped, 7, 'after the end, too')
})

t.test('a flood of what anybody can make leaves room for what is another\'s', async t => {
  const { events, state, until, kept } = open({ sizes: { all: 10, anybodys: 4 } }, true)
  for (let more = 0; more < 1000; more++) events.record({ kind: 'login.failed', at: NOW, ip: '203.0.113.9' })
  for (let more = 0; more < 6; more++) events.record(LOGIN)
  t.equal(events.dropped, 996)
  state.isAway = false
  await until(() => kept().length === 10)
  t.equal(kept().filter(({ kind }) => kind === 'login.succeeded').length, 6)
  for (let more = 0; more < 4; more++) events.record({ kind: 'limit.hit', at: NOW, ip: '203.0.113.9' })
  t.equal(events.dropped, 996, 'and there is room again')
  await events.stop()
  t.equal(kept().length, 14)
})

t.test('a stop writes what waits, also what was being written', async t => {
  const { events, state, kept } = open({ times: { ...TIMES, gather: 60_000 } })
  for (let more = 0; more < 300; more++) events.record(LOGIN)
  const stopped = events.stop()
  t.equal(state.tries, 1)
  await stopped
  t.equal(kept().length, 300)
  t.equal(events.dropped, 0)
})

t.test('a stop waits no longer than the farewell for a store that hangs', async t => {
  const { events, state } = open({ store: { insertEvents: async () => { await new Promise(() => {}) }, dropEvents: async () => 0 }, times: { ...TIMES, farewell: 20 } })
  events.record(LOGIN)
  await pause(5)
  await events.stop()
  t.equal(events.dropped, 1)
  t.match(state.lost, [[1, undefined]])
})

t.test('a stop with nothing to write ends, whatever the store', async t => {
  const { events, state } = open({}, true)
  await events.stop()
  t.strictSame(state.lost, [])
})

t.test('where no events are kept the log has them alone, and those of before are dropped', async t => {
  const { events, state, until } = open({ retention: 0 })
  events.record(LOGIN)
  events.start()
  await until(() => state.drops.length > 0)
  await events.stop()
  t.equal(state.told.length, 1)
  t.equal(state.tries, 0)
  t.strictSame(state.drops[0], [NOW, 200])
  t.equal(events.dropped, 0)
})

t.test('the old are dropped in small batches until there are none, and looked for again, also where the store was away', async t => {
  const { events, state, until } = open({}, true)
  state.old = 450
  events.start()
  await until(() => state.drops.length > 1)
  state.isAway = false
  await until(() => state.old === 0)
  const { length } = state.drops
  await until(() => state.drops.length > length)
  t.strictSame(state.drops[0], [NOW - 86_400_000, 200])
  await events.stop()
})

t.test('nothing is dropped any more after the end', async t => {
  let answer: (count: number) => void = () => {}
  const asked = { times: 0 }
  const { events, until } = open({ store: { insertEvents: async () => {}, dropEvents: async () => { asked.times++; return await new Promise(resolve => { answer = resolve }) } } })
  events.start()
  await until(() => asked.times === 1)
  await events.stop()
  answer(200)
  await pause(20)
  t.equal(asked.times, 1)
})

t.test('of a user who is deleted no event is kept that waits, but the one that says so', async t => {
  const { events, kept } = open({ times: { ...TIMES, gather: 60_000 } })
  for (const userId of ['u', 'v']) events.record({ ...LOGIN, userId })
  events.record({ kind: 'user.deleted', at: NOW, userId: 'u' })
  await events.stop()
  t.strictSame(kept().map(({ kind, userId }) => [kind, userId]), [['login.succeeded', 'v'], ['user.deleted', 'u']])
})

t.test('the queue is some thousands of events, half of which anybody can make, and times are of seconds', async t => {
  t.strictSame(QUEUE_SIZES, { all: 20_000, anybodys: 10_000 })
  t.strictSame(EVENT_TIMES, { gather: 200, retry: 1_000, drop: { every: 60_000, again: 1_000 }, complain: 60_000, farewell: 1_000 })
  const events = new Events({ store: { insertEvents: async () => {}, dropEvents: async () => 0 }, retention: 1, tell: () => {}, lost: () => {}, clock: () => NOW })
  events.record(LOGIN)
  await events.stop()
  const queue = new EventQueue(QUEUE_SIZES)
  t.ok(queue.add({ id: 'i', ...LOGIN, userId: 'u' } as KeptEvent))
  t.equal(queue.size, 1)
})
