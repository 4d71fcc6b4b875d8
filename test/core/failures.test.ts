// Whose count of wrong passwords is whose.
import t from 'tap'
import { countedOf } from '../../src/core/failures.js'

t.test('a device has the count of its own, and all others that of their kind', async t => {
  const failed = { since: 1, known: 2, stranger: 3 }
  t.strictSame([countedOf(failed, { by: 'known' }), countedOf(failed, { by: 'stranger' }), countedOf(failed, { by: 'device', device: 'one' })], [2, 3, undefined])
  t.strictSame([countedOf({ ...failed, devices: { one: 4 } }, { by: 'device', device: 'one' }), countedOf({ ...failed, devices: { one: 4 } }, { by: 'device', device: 'other' })], [4, undefined])
})
