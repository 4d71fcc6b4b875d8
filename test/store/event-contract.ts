// What every store must do with security events, over the real thing, races included; an adapter's test says how to open one.
import { randomBytes, randomUUID } from 'node:crypto'
import { eventId, type KeptEvent } from '../../src/core/events.js'
import { proveOn, race, type Open } from './store-contract.js'

let sequence = 0

/** An event that says all that one may; what it says looks like an operator, a path or a quotation to one database or another. */
function newEvent (at: number, changes: Partial<KeptEvent> = {}): KeptEvent {
  return {
    id: eventId(at, sequence++, randomBytes(8)), at, kind: 'family.closed', userId: randomUUID(), clientId: '$client', familyId: randomUUID(), ip: '203.0.113.7', userAgent: '$agent "$$ROOT" \\ \'',
    by: '$by.what', details: { cause: 'evicted', count: 2, scope: '$scope' }, ...changes,
  }
}

function bare (at: number): KeptEvent {
  return { id: eventId(at, sequence++, randomBytes(8)), at, kind: 'limit.hit' }
}

function newestFirst (...events: KeptEvent[]): KeptEvent[] {
  return events.sort((one, other) => one.id > other.id ? -1 : 1)
}

/** Runs the contract of events on the stores that `open` returns. */
export function proveEvents (open: Open): void {
  const prove = proveOn(open)

  prove('events are listed whole, the newest first, whatever order they came in', async (t, store) => {
    t.strictSame(await store.listEvents({ limit: 10 }), [])
    const events = [newEvent(3000), bare(1000), newEvent(2000), newEvent(2000)]
    await store.insertEvents(events.slice(0, 2))
    await store.insertEvents(events.slice(2))
    t.strictSame(await store.listEvents({ limit: 10 }), newestFirst(...events))
    t.strictSame(await store.listEvents({ limit: 2 }), newestFirst(...events).slice(0, 2))
  })

  prove('an event that is brought again changes nothing, and those beside it are kept', async (t, store) => {
    const [first, second] = [newEvent(1000), newEvent(2000)]
    await store.insertEvents([first])
    await store.insertEvents([{ ...first, kind: 'login.failed' }, second])
    t.strictSame(await store.listEvents({ limit: 10 }), [second, first])
  })

  prove('64 that insert the same events at once keep each once', async (t, store, stores) => {
    const events = [newEvent(1000), newEvent(2000), newEvent(3000)]
    await race(async index => { await stores[index % stores.length]!.insertEvents(events) })
    t.strictSame(await store.listEvents({ limit: 10 }), newestFirst(...events))
  })

  prove('events are listed of one user, of some kinds, from an instant on and before one of them', async (t, store) => {
    const [userId, other] = [randomUUID(), randomUUID()]
    const login = newEvent(1000, { userId, kind: 'login.succeeded' })
    const closed = newEvent(2000, { userId })
    const others = newEvent(2500, { userId: other })
    const last = newEvent(3000, { userId })
    await store.insertEvents([login, closed, others, last, bare(1500)])
    t.strictSame(await store.listEvents({ userId, limit: 10 }), [last, closed, login])
    t.strictSame(await store.listEvents({ userId, kinds: ['login.succeeded', 'limit.hit'], limit: 10 }), [login])
    t.strictSame(await store.listEvents({ userId, since: 2000, limit: 10 }), [last, closed])
    t.strictSame(await store.listEvents({ userId, before: last.id, limit: 1 }), [closed])
    t.strictSame(await store.listEvents({ since: 2000, before: last.id, limit: 10 }), [others, closed])
    t.strictSame(await store.listEvents({ kinds: ['family.closed'], before: closed.id, limit: 10 }), [])
    t.strictSame(await store.listEvents({ kinds: [], limit: 10 }), [])
    for (const nobody of ['', '$ne', randomUUID()]) t.strictSame(await store.listEvents({ userId: nobody, limit: 10 }), [])
  })

  prove('the oldest are dropped first, so many at a time, and none that is young', async (t, store) => {
    const events = [newEvent(1000), bare(2000), newEvent(3000), newEvent(4000)]
    await store.insertEvents(events)
    t.equal(await store.dropEvents(4000, 2), 2)
    t.strictSame(await store.listEvents({ limit: 10 }), newestFirst(...events.slice(2)))
    t.equal(await store.dropEvents(4000, 2), 1)
    t.equal(await store.dropEvents(4000, 2), 0)
    t.strictSame(await store.listEvents({ limit: 10 }), events.slice(3))
  })

  prove('the events of a user who is deleted are dropped, but for the one that says so', async (t, store) => {
    const userId = randomUUID()
    const many = Array.from({ length: 501 }, (_, index) => newEvent(1000 + index, { userId }))
    const [deleted, other] = [newEvent(5000, { userId, kind: 'user.deleted' }), newEvent(6000)]
    await store.insertEvents([...many, deleted, other, bare(7000)])
    await store.dropEventsOf(userId)
    t.strictSame(await store.listEvents({ userId, limit: 10 }), [deleted])
    t.equal((await store.listEvents({ limit: 10 })).length, 3)
  })
}
