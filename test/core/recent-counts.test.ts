// Counts in windows: what stands, what is over, and what is forgotten.
import t from 'tap'
import { isWithin, RecentCounts } from '../../src/core/recent-counts.js'

t.test('a window counts from its first, and the next begins anew', async t => {
  const counts = new RecentCounts(1000, 10)
  t.strictSame([counts.add('a', 5000), counts.add('a', 5999), counts.add('b', 5999)], [1, 2, 1])
  t.strictSame(counts.get('a', 5999), { count: 2, since: 5000 })
  t.strictSame(counts.get('a', 6000), { count: 0, since: 6000 })
  t.equal(counts.add('a', 6000), 1)
  counts.delete('a')
  t.strictSame(counts.get('a', 6000), { count: 0, since: 6000 })
})

t.test('a clock that is set back by less than a window goes on in it, by more begins another', async t => {
  t.strictSame([4000, 4001, 5999, 6000].map(now => isWithin(1000, 5000, now)), [false, true, true, false])
  const counts = new RecentCounts(1000, 10)
  counts.add('a', 5000)
  t.equal(counts.add('a', 4001), 2)
  t.equal(counts.add('a', 4000), 1)
})

t.test('beyond its capacity the key that was asked about longest ago is forgotten', async t => {
  const counts = new RecentCounts(1000, 2)
  for (const key of ['a', 'b']) counts.add(key, 0)
  counts.get('a', 0)
  counts.add('c', 0)
  t.strictSame(['a', 'b', 'c'].map(key => counts.get(key, 0).count), [1, 0, 1])
})
