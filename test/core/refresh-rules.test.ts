// The refresh rules, case by case and as a model: two tabs, a thief, lost answers, lost writes, clocks that jump.
import fc from 'fast-check'
import t from 'tap'
import { expiresAt, isLive, type Family, type FamilyLimits } from '../../src/core/families.js'
import { decideRefresh } from '../../src/core/refresh-rules.js'

// The absolute age is beyond the longest history below, so that whoever is cut off there is cut off by the rule in question.
const limits: FamilyLimits = { idle: 1_000_000, absolute: 50_000_000, grace: 30_000 }
const NOW = 100_000_000
const family: Family = { id: 'family', generation: 5, createdAt: NOW - 100_000, advancedAt: NOW - 10_000, userAgent: null, ip: '127.0.0.1' }

t.test('the token that stands moves its family on', async t => {
  t.strictSame(decideRefresh(family, 5, NOW, limits), { kind: 'advance', from: 5, to: 6 })
})

t.test('the predecessor within the grace is answered with the same successor', async t => {
  t.strictSame(decideRefresh(family, 4, NOW, limits), { kind: 'repeat' })
  t.strictSame(decideRefresh({ ...family, advancedAt: NOW - 29_999 }, 4, NOW, limits), { kind: 'repeat' })
})

t.test('the predecessor beyond the grace is reuse', async t => {
  t.strictSame(decideRefresh({ ...family, advancedAt: NOW - 30_000 }, 4, NOW, limits), { kind: 'reused' })
})

t.test('a predecessor of a rotation that is yet to come is borne for as long as the grace, and beyond it is reuse', async t => {
  t.strictSame(decideRefresh({ ...family, advancedAt: NOW + 1000 }, 4, NOW, limits), { kind: 'repeat' }, 'the clocks of two servers')
  t.strictSame(decideRefresh({ ...family, advancedAt: NOW + 29_999 }, 4, NOW, limits), { kind: 'repeat' })
  for (const ahead of [30_000, 3_600_000, 40_000_000_000]) t.strictSame(decideRefresh({ ...family, advancedAt: NOW + ahead }, 4, NOW, limits), { kind: 'reused' }, `${ahead}`)
  t.strictSame(decideRefresh({ ...family, advancedAt: NOW }, 4, NOW, { ...limits, grace: 0 }), { kind: 'reused' }, 'no grace is none')
})

t.test('a family of a clock that was ahead lives, and the token that stands moves it on', async t => {
  const ahead = { ...family, createdAt: NOW + 9e9, advancedAt: NOW + 9e9 }
  t.strictSame(decideRefresh(ahead, 5, NOW, limits), { kind: 'advance', from: 5, to: 6 })
  t.strictSame(decideRefresh(ahead, 3, NOW, limits), { kind: 'reused' })
})

t.test('an older token is reuse at any age, within the grace too', async t => {
  t.strictSame(decideRefresh(family, 3, NOW, limits), { kind: 'reused' })
  t.strictSame(decideRefresh(family, 0, NOW, limits), { kind: 'reused' })
})

t.test('a token ahead of the store proves a lost write and moves the family forward', async t => {
  t.strictSame(decideRefresh(family, 9, NOW, limits), { kind: 'advance', from: 5, to: 10 })
})

t.test('a closed, an idle and an old family are dead', async t => {
  t.strictSame(decideRefresh(undefined, 5, NOW, limits), { kind: 'dead' })
  t.strictSame(decideRefresh({ ...family, advancedAt: NOW - limits.idle, createdAt: NOW - limits.idle }, 5, NOW, limits), { kind: 'dead' })
  t.strictSame(decideRefresh({ ...family, createdAt: NOW - limits.absolute }, 5, NOW, limits), { kind: 'dead' })
})

/** The authority as the rules alone make it: one family, whose lazy writes may be lost. */
class Authority {
  family: Family | undefined = { ...family, generation: 0, createdAt: 0, advancedAt: 0 }
  #synced: Family | undefined = this.family

  refresh (presented: number, now: number): number | undefined {
    const verdict = decideRefresh(this.family, presented, now, limits)
    if (verdict.kind === 'advance') this.family = { ...this.family!, generation: verdict.to, advancedAt: now, createdAt: Math.min(this.family!.createdAt, now) }
    // Closing is durable: nothing that was lost before it comes back after it.
    if (verdict.kind === 'reused') this.#synced = this.family = undefined
    return this.family && verdict.kind !== 'dead' ? this.family.generation : undefined
  }

  sync (): void { this.#synced = this.family }
  crash (): void { this.family = this.#synced }
}

const seconds = (min: number, max: number) => fc.integer({ min: min * 1000, max: max * 1000 })

const honestStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('refresh' as const), tab: fc.nat(1), after: seconds(0, 60) }) },
  // Within the grace, whether the clock stands still meanwhile or makes a small step.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lost' as const), retryAfter: seconds(0, 29), step: fc.constant(0), after: seconds(0, 60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lost' as const), retryAfter: seconds(0, 10), step: seconds(-29, 19), after: seconds(0, 60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('race' as const), after: seconds(0, 60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sync' as const) }) },
  // By less than a family may be idle, or ahead by any span: how far a clock is off has nothing to do with how much time has passed.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('jump' as const), to: seconds(-300, 600) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('jump' as const), to: seconds(-300, 100_000) }) }
)

t.test('no interleaving of two tabs, lost answers, lost writes and clocks that jump logs an honest client out or forks its chain', async t => {
  fc.assert(fc.property(fc.array(honestStep, { maxLength: 60 }), steps => {
    const authority = new Authority()
    let time = 0
    let error = 0
    let held = 0
    const refresh = () => authority.refresh(held, time + error)
    for (const step of steps) {
      if (step.kind === 'crash') authority.crash()
      else if (step.kind === 'sync') authority.sync()
      else if (step.kind === 'jump') error = step.to
      else {
        time += step.after
        const first = refresh()
        if (step.kind === 'lost') time += step.retryAfter
        if (step.kind === 'lost') error = Math.max(-300_000, error + step.step)
        // A racing tab, or the same one whose answer was lost, presents the same token once more.
        if (step.kind !== 'refresh' && first !== undefined && refresh() !== first) throw new Error('two chains')
        if (first === undefined && error < 600_000) throw new Error(`logged out holding ${held}`)
        held = first ?? held
      }
      // A clock that is far ahead has whoever comes then log in again, but the family is still there when it is right again.
      if (!isLive(authority.family!, time, { ...limits, idle: 5_000_000 })) throw new Error('closed, or dead')
    }
    return true
  }), { numRuns: 2_000 })
  t.pass('2,000 interleavings')
})

t.test('a thief and an owner who both keep refreshing beyond the grace are cut off, whoever comes first', async t => {
  fc.assert(fc.property(fc.nat(20), fc.array(fc.tuple(fc.boolean(), seconds(31, 600)), { minLength: 2, maxLength: 40 }), (before, turns) => {
    const authority = new Authority()
    let now = 0
    const holders = [0, 0]
    for (let i = 0; i < before; i++) holders[0] = holders[1] = authority.refresh(holders[0]!, now += 31_000)!
    const moved = new Set<number>()
    for (const [isThief, pause] of turns) {
      const who = isThief ? 1 : 0
      now += pause
      const answer = authority.refresh(holders[who]!, now)
      moved.add(who)
      if (moved.size === 2) return answer === undefined && authority.family === undefined
      holders[who] = answer!
    }
    return authority.family !== undefined
  }), { numRuns: 2_000 })
  t.pass('2,000 thefts')
})

t.test('a used token that comes back after the clock was set back by more than the grace closes its family', async t => {
  fc.assert(fc.property(seconds(0, 29), seconds(60, 1_000_000), (later, back) => {
    const authority = new Authority()
    const stolen = authority.refresh(0, 1000)!
    authority.refresh(stolen, 2000)
    return authority.refresh(stolen, 2000 + later - back) === undefined && authority.family === undefined
  }), { numRuns: 2_000 })
  t.pass('2,000 thefts')
})

t.test('a family that was opened by a clock that was ahead ends as any other, counted from its first refresh', async t => {
  fc.assert(fc.property(seconds(0, 4_000_000_000), fc.array(seconds(1, 999), { maxLength: 200 }), (ahead, pauses) => {
    const authority = new Authority()
    authority.family = { ...authority.family!, createdAt: NOW + ahead, advancedAt: NOW + ahead }
    let now = NOW
    let held = authority.refresh(0, now)
    for (const pause of pauses) if (held !== undefined) held = authority.refresh(held, now += pause)
    return held === undefined ? now >= NOW + limits.absolute : expiresAt(authority.family, now, limits) <= NOW + limits.absolute
  }), { numRuns: 1_000 })
  t.pass('1,000 families')
})

t.test('whoever presents whatever, whenever, at most one generation moves the family on', async t => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(8), seconds(0, 40)), { maxLength: 60 }), presentations => {
    const authority = new Authority()
    let now = 0
    let highest = 0
    for (const [back, pause] of presentations) {
      now += pause
      const before = authority.family?.generation
      const answer = authority.refresh(Math.max(0, highest - back), now)
      if (answer === undefined) continue
      if (answer !== before && answer !== before! + 1) return false
      highest = Math.max(highest, answer)
    }
    return true
  }), { numRuns: 2_000 })
  t.pass('2,000 histories')
})
