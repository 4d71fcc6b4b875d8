// When a family lives and when it ends.
import t from 'tap'
import { expiresAt, isLive, liveFamilies, shareOf } from '../../src/core/families.js'

const limits = { idle: 100, absolute: 300, grace: 10 }
const family = { id: 'family', generation: 0, createdAt: 1000, advancedAt: 1000, userAgent: null, ip: '::1' }

t.test('a family lives until it is idle or old, whichever comes first', async t => {
  t.equal(expiresAt(family, 1000, limits), 1100)
  t.ok(isLive(family, 1099, limits))
  t.notOk(isLive(family, 1100, limits))
  const busy = { ...family, advancedAt: 1290 }
  t.equal(expiresAt(busy, 1290, limits), 1300)
  t.ok(isLive(busy, 1299, limits))
  t.notOk(isLive(busy, 1300, limits))
})

t.test('a time that is yet to come counts as now', async t => {
  const ahead = { ...family, createdAt: 9000, advancedAt: 9500 }
  t.ok(isLive(ahead, 1000, limits))
  t.equal(expiresAt(ahead, 1000, limits), 1100)
  t.equal(expiresAt({ ...family, advancedAt: 9500 }, 1250, limits), 1300)
})

t.test('one client may hold half of a user\'s places, and the odd one', async t => {
  t.strictSame([1, 2, 3, 10, 11].map(shareOf), [1, 1, 2, 5, 6])
})

t.test('of some families those that live are told apart', async t => {
  const families = [family, { ...family, advancedAt: 900 }]
  t.strictSame(liveFamilies(families, 1000, limits), [family])
})
