// What a repeat shows: who made it, and how many rotations running were repeated.
import t from 'tap'
import { addressOf, countRepeats, isElsewhere, markOf } from '../../src/core/refresh-signs.js'

const family = { id: 'family', generation: 5, createdAt: 0, advancedAt: 0, userAgent: null, ip: '::1' }
const phone = { ip: '203.0.113.9', userAgent: 'phone' }

t.test('a mark is short whatever the user agent, tells the address, and another agent or address is another mark', async t => {
  t.equal(addressOf(markOf(phone)), '203.0.113.9')
  t.equal(addressOf(markOf({ ip: 'of no form', userAgent: null })), 'of no form')
  t.equal(markOf({ ...phone, userAgent: 'x'.repeat(10_000) }).length, markOf(phone).length)
  const marks = [phone, { ...phone, ip: '203.0.113.8' }, { ...phone, userAgent: 'laptop' }, { ...phone, userAgent: null }].map(markOf)
  t.equal(new Set(marks).size, 4)
})

t.test('a repeat is elsewhere where another made the rotation, and never where that was not kept', async t => {
  t.notOk(isElsewhere({ ...family, rotatedBy: markOf(phone) }, markOf(phone)))
  t.ok(isElsewhere({ ...family, rotatedBy: markOf(phone) }, markOf({ ...phone, userAgent: 'laptop' })))
  t.notOk(isElsewhere(family, markOf(phone)))
})

t.test('rotations that were repeated are counted once each, and a gap begins anew', async t => {
  t.equal(countRepeats(family), 1)
  t.equal(countRepeats({ ...family, repeats: { at: 4, running: 2 } }), 3)
  t.equal(countRepeats({ ...family, repeats: { at: 3, running: 2 } }), 1)
  t.equal(countRepeats({ ...family, repeats: { at: 5, running: 2 } }), undefined)
})
