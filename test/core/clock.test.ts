// When a clock is believed: looks that agree, for long enough by a clock that nobody can set.
import t from 'tap'
import { firstInAgreement, isAhead, isSettled, SETTLING_MS } from '../../src/core/clock.js'

const first = { wall: 1_800_000_000_000, uptime: 5000 }
const later = (milliseconds: number, step = 0) => ({ wall: first.wall + milliseconds + step, uptime: first.uptime + milliseconds })

t.test('looks agree while the two clocks run alike, nearly', async t => {
  t.equal(firstInAgreement(undefined, first), first)
  for (const step of [0, 300_000, -300_000]) t.equal(firstInAgreement(first, later(60_000, step)), first, `${step}`)
  for (const step of [300_001, -300_001, 1e12]) t.strictSame(firstInAgreement(first, later(60_000, step)), later(60_000, step), `${step}`)
})

t.test('a clock has settled when looks have agreed for hours of the process, whatever it says itself', async t => {
  t.notOk(isSettled(first, first))
  t.notOk(isSettled(first, later(SETTLING_MS - 1, 1e12)))
  t.ok(isSettled(first, later(SETTLING_MS)))
})

t.test('an instant is ahead where clocks that nearly agree cannot explain it', async t => {
  t.notOk(isAhead(300_000, 0))
  t.ok(isAhead(300_001, 0))
  t.notOk(isAhead(-1e12, 0))
})
