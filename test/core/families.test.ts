// When a family lives and when it ends.
import t from 'tap'
import { expiresAt, isLive } from '../../src/core/families.js'

const limits = { idle: 100, absolute: 300, grace: 10 }
const family = { id: 'family', generation: 0, createdAt: 1000, advancedAt: 1000, userAgent: null, ip: '::1' }

t.test('a family lives until it is idle or old, whichever comes first', async t => {
  t.equal(expiresAt(family, limits), 1100)
  t.ok(isLive(family, 1099, limits))
  t.notOk(isLive(family, 1100, limits))
  const busy = { ...family, advancedAt: 1290 }
  t.equal(expiresAt(busy, limits), 1300)
  t.ok(isLive(busy, 1299, limits))
  t.notOk(isLive(busy, 1300, limits))
})
