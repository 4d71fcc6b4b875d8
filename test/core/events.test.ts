// The table of events, their ids, and what of an event is kept.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { describeEvent, EVENT_KINDS, EVENTS, eventId, firstIdAt, isAnybodys, levelOf, toKept } from '../../src/core/events.js'

const AT = 1_800_000_000_000
const ID = eventId(AT, 1, new Uint8Array(8))

t.test('the names of events are words with a dot between', async t => {
  for (const kind of EVENT_KINDS) t.match(kind, /^[a-z]+(?:_[a-z]+)*\.[a-z_]+$/)
})

t.test('the log warns of what is grave', async t => {
  for (const kind of EVENT_KINDS) t.equal(levelOf(kind), EVENTS[kind].severity >= 3 ? 'warn' : 'info', kind)
  t.equal(levelOf('refresh.reused'), 'warn')
  t.equal(levelOf('login.succeeded'), 'info')
})

t.test('whoever proves nothing can make these alone', async t => {
  t.strictSame(EVENT_KINDS.filter(isAnybodys), ['login.failed', 'login.limited', 'registration.succeeded', 'registration.repeated', 'password.reset_asked', 'mail.failed', 'limit.hit', 'client.authentication_failed', 'client.authentication_limited'])
})

t.test('an id is a UUID of version 7, and the order of ids is that of time, and then of their sequence', async t => {
  t.equal(eventId(AT, 1, new Uint8Array(8)), '01a3185c-5000-7001-8000-000000000000')
  for (let round = 0; round < 100; round++) t.match(eventId(AT, round, randomBytes(8)), /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  const ids = [eventId(AT - 1, 9, randomBytes(8)), eventId(AT, 0, randomBytes(8)), eventId(AT, 1, randomBytes(8)), eventId(AT + 1, 0, randomBytes(8))]
  t.strictSame([...ids].sort(), ids)
  t.ok(firstIdAt(AT) <= ids[1]! && firstIdAt(AT) > ids[0]!)
  t.match(eventId(AT, 0x1002, randomBytes(8)), /-7002-/, 'twelve bits of the sequence count')
})

t.test('an instant that no id can name is taken for the nearest that one can', async t => {
  t.match(eventId(-5, 0, randomBytes(8)), /^00000000-0000-7/)
  t.equal(firstIdAt(Number.MAX_SAFE_INTEGER), 'ffffffff-ffff')
})

t.test('an event is kept without what it does not say, and told by its own names', async t => {
  const least = toKept({ kind: 'limit.hit', at: AT, userId: undefined, userAgent: null }, ID)
  t.strictSame(least, { id: ID, at: AT, kind: 'limit.hit' })
  t.strictSame(describeEvent(least), { id: ID, at: '2027-01-15T08:00:00.000Z', kind: 'limit.hit' })
  const whole = toKept({ kind: 'family.closed', at: AT, userId: 'u', clientId: 'c', familyId: 'f', ip: '::1', userAgent: 'agent', by: 'ada', details: { cause: 'evicted', count: 2 } }, ID)
  t.strictSame(describeEvent(whole), { id: ID, at: '2027-01-15T08:00:00.000Z', kind: 'family.closed', user_id: 'u', client_id: 'c', family_id: 'f', ip: '::1', user_agent: 'agent', by: 'ada', details: { cause: 'evicted', count: 2 } })
})

t.test('no text of an event is long, or half a character, or a token', async t => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'
  const refreshToken = `AZlx${'x'.repeat(99)}`
  const kept = toKept({ kind: 'login.failed', at: AT, userAgent: `${'a'.repeat(1000)}`, by: 'half \ud800', details: { scope: `${token} and ${refreshToken}`, count: 3 } }, ID)
  t.strictSame(kept, { id: ID, at: AT, kind: 'login.failed', userAgent: 'a'.repeat(300), by: 'half \ufffd', details: { scope: '[redacted] and [redacted]', count: 3 } })
})
