// A bounded map: what is kept, and what is forgotten.
import t from 'tap'
import { RecentMap } from '../../src/core/recent-map.js'

t.test('beyond its capacity the key that was asked about longest ago is forgotten', async t => {
  const map = new RecentMap<number>(2)
  for (const [key, value] of [['a', 0], ['b', 1]] as const) map.set(key, value)
  t.equal(map.get('a'), 0)
  map.set('c', 2)
  t.strictSame(['a', 'b', 'c'].map(key => map.get(key)), [0, undefined, 2])
  map.set('a', 3)
  map.set('d', 4)
  t.strictSame(['a', 'c', 'd'].map(key => map.get(key)), [3, undefined, 4])
  map.delete('a')
  t.equal(map.get('a'), undefined)
})
