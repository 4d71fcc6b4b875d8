// The refresh rules, case by case and as a model: two tabs, a thief, lost answers, lost writes, clocks that step back.
import fc from 'fast-check'
import t from 'tap'
import type { Family, FamilyLimits } from '../../src/core/families.js'
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
    if (verdict.kind === 'advance') this.family = { ...this.family!, generation: verdict.to, advancedAt: now }
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
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lost' as const), retryAfter: seconds(0, 29), after: seconds(0, 60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('race' as const), after: seconds(0, 60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sync' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('step back' as const), by: seconds(0, 20) }) }
)

t.test('no interleaving of two tabs, lost answers, lost writes and clocks that step back logs an honest client out or forks its chain', async t => {
  fc.assert(fc.property(fc.array(honestStep, { maxLength: 60 }), steps => {
    const authority = new Authority()
    let now = 0
    let held = 0
    const refresh = () => {
      const answer = authority.refresh(held, now)
      if (answer === undefined) throw new Error(`logged out holding ${held}`)
      return answer
    }
    for (const step of steps) {
      if (step.kind === 'crash') authority.crash()
      else if (step.kind === 'sync') authority.sync()
      else if (step.kind === 'step back') now -= step.by
      else {
        now += step.after
        const first = refresh()
        if (step.kind === 'lost') now += step.retryAfter
        // A racing tab, or the same one whose answer was lost, presents the same token once more.
        if (step.kind !== 'refresh' && refresh() !== first) throw new Error('two chains')
        held = first
      }
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
