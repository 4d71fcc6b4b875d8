// How long a closing counts, and how many may.
import t from 'tap'
import { closingAt, isCrowded, MAX_CLOSINGS, maxClosingsFor } from '../../src/core/closings.js'

t.test('a closing counts for as long as it is retained', async t => {
  t.strictSame(closingAt(10_000, 900), { at: 10_000, countsAfter: 9_100 })
})

t.test('a user is crowded by closings that count, and by no others', async t => {
  const closed = Array.from({ length: MAX_CLOSINGS }, (_, serial) => ({ id: String(serial), serial, at: 5000 }))
  t.ok(isCrowded(closed, { at: 6000, countsAfter: 4999 }, MAX_CLOSINGS))
  t.notOk(isCrowded(closed, { at: 6000, countsAfter: 5000 }, MAX_CLOSINGS))
  t.notOk(isCrowded(closed.slice(1), { at: 6000, countsAfter: 0 }, MAX_CLOSINGS))
  t.notOk(isCrowded(undefined, { at: 6000, countsAfter: 0 }, MAX_CLOSINGS))
})

t.test('clients leave room for as many closings again by the user', async t => {
  t.equal(maxClosingsFor({}), MAX_CLOSINGS)
  t.equal(maxClosingsFor({ grant: { clientId: 'client', scope: 'openid', audience: ['issuer'], authenticatedAt: 1000 } }), MAX_CLOSINGS / 2)
})
