// The rules of a key's life: each step, each refusal, and what holds whatever comes in which order.
import fc from 'fast-check'
import t from 'tap'
import { firstInAgreement, isSettled, SETTLING_MS, type Look } from '../../src/core/clock.js'
import {
  agesByState, carryOut, FIRST_STEPS, neededUntil, planBeginning, planGeneration, planPruning, planReturn, planRevocation, planRotation, planUpkeep, prospectOf,
  type KeyRecord, type KeyTerms, type NewKey, type Plan,
} from '../../src/core/key-life-cycle.js'

const NOW = 1_800_000_000_000
const TERMS: KeyTerms = { prepublish: 1000, retention: 5000, interval: 20_000 }
const regular = { prepublish: TERMS.prepublish, urgency: 'regular' } as const
const forced = { prepublish: TERMS.prepublish, urgency: 'forced' } as const

let made = 0
const fresh = (count: number): NewKey[] => Array.from({ length: count }, () => ({ id: `key${made++}`, file: 'file' }))
const firstRing = (now = NOW) => carryOut([], FIRST_STEPS, fresh(2), now).keys

/** The keys after a plan that must not be refused. */
function after (keys: KeyRecord[], plan: Plan, now: number): KeyRecord[] {
  if ('refused' in plan) throw new Error(plan.refused)
  return carryOut(keys, plan.steps, fresh(plan.steps.filter(({ from }) => from === null).length), now).keys
}

const states = (keys: KeyRecord[]) => keys.map(({ state }) => state)
const idOf = (keys: KeyRecord[], state: string) => keys.find(key => key.state === state)?.id

t.test('a new ring has a key that signs and one that will', async t => {
  const keys = firstRing()
  const at = new Date(NOW).toISOString()
  t.match(keys, [
    { state: 'active', created_at: at, published_at: at, activated_at: at, retired_at: null },
    { state: 'next', created_at: at, published_at: at, activated_at: null, retired_at: null },
  ])
})

t.test('a rotation waits until the next key has been published for long enough, and says until when', async t => {
  const keys = firstRing()
  t.strictSame(planRotation(keys, NOW + 999, regular), { refused: 'too_young', allowedAt: NOW + 1000 })
  t.ok('steps' in planRotation(keys, NOW + 1000, regular))
  t.ok('steps' in planRotation(keys, NOW, forced))
})

t.test('a rotation makes next active, active retired, and a new next at once', async t => {
  const keys = firstRing()
  const rotated = after(keys, planRotation(keys, NOW + 1000, regular), NOW + 1000)
  t.strictSame(states(rotated), ['retired', 'active', 'next'])
  t.equal(rotated[0]!.id, keys[0]!.id)
  t.equal(rotated[0]!.retired_at, new Date(NOW + 1000).toISOString())
  t.equal(rotated[1]!.id, keys[1]!.id)
  t.equal(rotated[1]!.activated_at, new Date(NOW + 1000).toISOString())
  t.equal(rotated[1]!.published_at, keys[1]!.published_at)
})

t.test('a rotation is refused where the next key was not seen published, forced or not', async t => {
  const keys = firstRing()
  t.strictSame(planRotation(keys, NOW + 1000, { ...regular, publicIds: new Set([keys[0]!.id]) }), { refused: 'not_public' })
  t.strictSame(planRotation(keys, NOW, { ...forced, publicIds: new Set() }), { refused: 'not_public' })
  t.ok('steps' in planRotation(keys, NOW + 1000, { ...regular, publicIds: new Set(keys.map(({ id }) => id)) }))
})

t.test('without a next key there is no rotation, forced or not', async t => {
  const keys = firstRing().slice(0, 1)
  t.strictSame(planRotation(keys, NOW + 1000, regular), { refused: 'no_next' })
  t.strictSame(planRotation(keys, NOW + 1000, forced), { refused: 'no_next' })
})

t.test('going back makes the key that was retired last sign again, and the other retired', async t => {
  const keys = firstRing()
  t.strictSame(planReturn(keys), { refused: 'none_retired' })
  const once = after(keys, planRotation(keys, NOW + 1000, regular), NOW + 1000)
  const twice = after(once, planRotation(once, NOW + 2000, regular), NOW + 2000)
  const back = after(twice, planReturn(twice), NOW + 2001)
  t.equal(idOf(back, 'active'), idOf(once, 'active'))
  t.equal(idOf(back, 'next'), idOf(twice, 'next'))
  t.strictSame(states(back), ['retired', 'active', 'retired', 'next'])
  t.equal(back[1]!.retired_at, null)
  t.equal(idOf(after(back, planReturn(back), NOW + 2002), 'active'), idOf(twice, 'active'), 'and there again')
})

t.test('a next key is made where there is none, and replaced only where that is asked for', async t => {
  const keys = firstRing()
  t.strictSame(planGeneration(keys, 'keep'), { refused: 'next_exists' })
  const replaced = after(keys, planGeneration(keys, 'replace'), NOW + 1)
  t.strictSame(states(replaced), ['active', 'next'])
  t.not(replaced[1]!.id, keys[1]!.id)
  t.strictSame(states(after(keys.slice(0, 1), planGeneration(keys.slice(0, 1), 'keep'), NOW)), ['active', 'next'])
})

t.test('of a kind that a ring lacks the first keys are one that signs and one that will; a ring that has them gets no others', async t => {
  t.strictSame([planBeginning([]), planGeneration([], 'keep'), planGeneration([], 'replace')], Array(3).fill({ steps: FIRST_STEPS }))
  t.strictSame(planBeginning(firstRing()), { steps: [] })
})

t.test('what may be needed for ever is never pruned, and nothing comes next for it', async t => {
  const keys = firstRing()
  const rotated = after(keys, planRotation(keys, NOW, forced), NOW)
  t.strictSame(planPruning(rotated, Number.MAX_SAFE_INTEGER, Infinity), { steps: [] })
  t.equal(prospectOf(rotated[0]!, rotated, { ...TERMS, retention: Infinity }), undefined)
})

t.test('a retired key is pruned when the last token that it signed has ended, not before', async t => {
  const keys = firstRing()
  t.strictSame(planPruning(keys, NOW + 1_000_000, TERMS.retention), { steps: [] }, 'what was not retired stays')
  const rotated = after(keys, planRotation(keys, NOW, forced), NOW)
  t.equal(neededUntil(rotated[0]!, TERMS.retention), NOW + 5000)
  t.strictSame(planPruning(rotated, NOW + 4999, TERMS.retention), { steps: [] })
  t.strictSame(planPruning(rotated, NOW + 5000, TERMS.retention), { steps: [{ id: keys[0]!.id, from: 'retired', to: null }] })
  t.strictSame(states(after(rotated, planPruning(rotated, NOW + 5000, TERMS.retention), NOW + 5000)), ['active', 'next'])
})

t.test('a revoked key stays on record, and if it signed another signs at once', async t => {
  const keys = firstRing()
  const [active, next] = keys as [KeyRecord, KeyRecord]
  const byNext = after(keys, planRevocation(keys, active.id, 'next'), NOW)
  t.strictSame(states(byNext), ['revoked', 'active', 'next'])
  t.equal(idOf(byNext, 'active'), next.id)
  const byUnseen = after(keys, planRevocation(keys, active.id, 'unseen'), NOW)
  t.strictSame(states(byUnseen), ['revoked', 'next', 'active'])
  t.equal(idOf(byUnseen, 'next'), next.id, 'the key that waits goes on waiting')
  const alone = [active]
  t.strictSame(planRevocation(alone, active.id, 'next'), { refused: 'no_next' })
  t.strictSame(states(after(alone, planRevocation(alone, active.id, 'unseen'), NOW)), ['revoked', 'active', 'next'])
})

t.test('a key that does not sign is revoked without a rotation', async t => {
  const keys = firstRing()
  const byNext = after(keys, planRevocation(keys, keys[1]!.id, 'next'), NOW)
  t.strictSame(states(byNext), ['active', 'revoked', 'next'])
  const rotated = after(keys, planRotation(keys, NOW, forced), NOW)
  t.strictSame(states(after(rotated, planRevocation(rotated, keys[0]!.id, 'next'), NOW)), ['revoked', 'active', 'next'])
  t.strictSame(planRevocation(rotated, keys[0]!.id, 'unseen'), { refused: 'not_active' })
})

t.test('only a key of the ring is revoked, and once', async t => {
  const keys = firstRing()
  t.strictSame(planRevocation(keys, 'nobody', 'next'), { refused: 'unknown_key' })
  const revoked = after(keys, planRevocation(keys, keys[0]!.id, 'next'), NOW)
  t.strictSame(planRevocation(revoked, keys[0]!.id, 'next'), { refused: 'already_revoked' })
})

t.test('upkeep rotates when the interval is over and the next key is old enough, prunes, and sees to a next key', async t => {
  const keys = firstRing()
  t.strictSame(planUpkeep(keys, NOW + 19_999, TERMS), { steps: [] })
  const rotated = after(keys, planUpkeep(keys, NOW + 20_000, TERMS), NOW + 20_000)
  t.strictSame(states(rotated), ['retired', 'active', 'next'])
  t.strictSame(states(after(rotated, planUpkeep(rotated, NOW + 25_000, TERMS), NOW + 25_000)), ['active', 'next'])
  const replaced = after(keys, planGeneration(keys, 'replace'), NOW + 19_500)
  t.strictSame(planUpkeep(replaced, NOW + 20_000, TERMS), { steps: [] }, 'a next key that is too young holds it up')
  t.strictSame(states(after(keys.slice(0, 1), planUpkeep(keys.slice(0, 1), NOW, TERMS), NOW)), ['active', 'next'])
  t.strictSame(planUpkeep(keys, NOW + 1_000_000_000, { ...TERMS, interval: 0 }), { steps: [] }, 'never, where the interval is none')
})

const YEARS = 1400 * 86_400_000

t.test('what a clock dated into the future is dated anew, and neither put off until then nor due at once', async t => {
  const keys = firstRing()
  const ahead = after(keys, planRotation(keys, NOW + YEARS, forced), NOW + YEARS)
  const step = (key: KeyRecord) => ({ id: key.id, from: key.state, to: key.state })
  t.strictSame(planUpkeep(ahead, NOW, TERMS), { steps: ahead.map(step) })
  const dated = after(ahead, planUpkeep(ahead, NOW, TERMS), NOW)
  const at = new Date(NOW).toISOString()
  t.match(dated, [{ id: keys[0]!.id, state: 'retired', retired_at: at }, { state: 'active', activated_at: at }, { state: 'next', published_at: at }])
  t.strictSame(planUpkeep(dated, NOW, TERMS), { steps: [] })
  t.strictSame(planUpkeep(dated, NOW + 4999, TERMS), { steps: [] })
  t.strictSame(states(after(dated, planUpkeep(dated, NOW + 5000, TERMS), NOW + 5000)), ['active', 'next'])
  t.strictSame(states(after(dated, planUpkeep(dated, NOW + 20_000, TERMS), NOW + 20_000)), ['retired', 'active', 'next'])
})

t.test('what is ahead by no more than clocks differ, or of a key that was revoked, is left', async t => {
  t.strictSame(planUpkeep(firstRing(NOW + 300_000), NOW, TERMS), { steps: [] })
  const keys = firstRing()
  const revoked = { ...keys[0]!, id: 'revoked', state: 'revoked', created_at: new Date(NOW + YEARS).toISOString() } as const
  t.strictSame(planUpkeep([...keys, revoked], NOW, TERMS), { steps: [] })
})

t.test('a regular rotation is refused while the ring is ahead of the clock; a forced one, and one by clocks that nearly agree, is not', async t => {
  const keys = firstRing()
  t.strictSame(planRotation(keys, NOW - 300_001, regular), { refused: 'clock_behind' })
  t.strictSame(planRotation(keys, NOW - 300_000, regular), { refused: 'too_young', allowedAt: NOW + 1000 })
  const rotated = after(keys, planRotation(keys, NOW - 300_001, forced), NOW - 300_001)
  t.strictSame(states(rotated), ['retired', 'active', 'next'])
  t.ok('steps' in planRotation(rotated, NOW, regular), 'after which nothing that counts is ahead')
})

t.test('what comes next for a key, when it is allowed, and when it happens by itself', async t => {
  const keys = firstRing()
  const rotated = after(keys, planRotation(keys, NOW + 1000, regular), NOW + 1000)
  const [retired, active, next] = rotated as [KeyRecord, KeyRecord, KeyRecord]
  t.strictSame(prospectOf(active, rotated, TERMS), { to: 'retired', allowedAt: NOW + 2000, dueAt: NOW + 21_000 })
  t.strictSame(prospectOf(next, rotated, TERMS), { to: 'active', allowedAt: NOW + 2000, dueAt: NOW + 21_000 })
  t.strictSame(prospectOf(retired, rotated, TERMS), { to: null, allowedAt: NOW + 6000, dueAt: NOW + 6000 })
  for (const key of [active, retired]) t.match(prospectOf(key, rotated, { ...TERMS, interval: 0 }), { dueAt: undefined }, key.state)
  t.equal(prospectOf(active, [active], TERMS), undefined, 'without a next key nothing comes')
  t.equal(prospectOf({ ...active, state: 'revoked' }, rotated, TERMS), undefined)
})

t.test('whatever is done in whichever order, one key signs, no key of a live token leaves, and nothing signs unseen but by force', async t => {
  const deed = fc.record({ wait: fc.integer({ min: 0, max: 30_000 }), what: fc.constantFrom('rotate', 'force', 'back', 'generate', 'replace', 'prune', 'upkeep', 'revoke'), pick: fc.nat(20) })
  fc.assert(fc.property(fc.array(deed, { maxLength: 30 }), deeds => {
    let now = NOW
    let keys = firstRing()
    const lastSigned = new Map<string, number>()
    const everRevoked = new Set<string>()
    for (const { wait, what, pick } of deeds) {
      lastSigned.set(idOf(keys, 'active')!, now += wait)
      const picked = keys[pick % keys.length]!.id
      const plan = {
        rotate: () => planRotation(keys, now, regular), force: () => planRotation(keys, now, forced), back: () => planReturn(keys),
        generate: () => planGeneration(keys, 'keep'), replace: () => planGeneration(keys, 'replace'), prune: () => planPruning(keys, now, TERMS.retention),
        upkeep: () => planUpkeep(keys, now, TERMS), revoke: () => planRevocation(keys, picked, 'next'),
      }[what]()
      if ('refused' in plan) continue
      if (what === 'revoke') everRevoked.add(picked)
      const before = keys
      keys = after(before, plan, now)
      if (states(keys).filter(state => state === 'active').length !== 1) throw new Error('not one key signs')
      if (states(keys).filter(state => state === 'next').length > 1) throw new Error('two keys wait')
      const gone = before.filter(({ id }) => !keys.some(key => key.id === id))
      if (gone.some(({ id }) => (lastSigned.get(id) ?? -Infinity) + TERMS.retention > now)) throw new Error('a key left that a token needs')
      if (keys.some(({ id, state }) => everRevoked.has(id) && state !== 'revoked') || gone.some(({ id }) => everRevoked.has(id))) throw new Error('a revoked key came back, or off the record')
      const active = keys.find(({ state }) => state === 'active')!
      if ((what === 'rotate' || what === 'upkeep') && now - Date.parse(active.published_at) < TERMS.prepublish && before.some(({ id, state }) => id === active.id && state === 'next')) throw new Error('a key signs that verifiers have not seen')
    }
  }), { numRuns: 500 })
})

t.test('whatever its clock is set to for less than a few hours, a server prunes nothing that a token needs, and rotates neither too early nor much too late', async () => {
  const HOUR = 3_600_000
  const terms: KeyTerms = { prepublish: HOUR, retention: 14 * 24 * HOUR, interval: 30 * 24 * HOUR }
  const trip = fc.record({ after: fc.integer({ min: 4, max: 400 }), ahead: fc.integer({ min: -20_000, max: 40_000 }), looks: fc.nat(2), what: fc.constantFrom('look', 'restart', 'force') })
  fc.assert(fc.property(fc.array(trip, { minLength: 1, maxLength: 20 }), trips => {
    let [time, error, keys] = [NOW, 0, firstRing()]
    let first: Look | undefined
    let rotatedAt = NOW
    const lastSigned = new Map<string, number>()
    const rotate = (plan: Plan) => {
      const before = idOf(keys, 'active')!
      const gone = keys.filter(({ id }) => (plan as { steps: Array<{ id: string | null, to: string | null }> }).steps.some(step => step.id === id && step.to === null))
      if (gone.some(({ id }) => time - lastSigned.get(id)! < terms.retention)) throw new Error('a key left that a token needs')
      keys = after(keys, plan, time + error)
      if (idOf(keys, 'active') !== before) rotatedAt = time
      return idOf(keys, 'active') !== before
    }
    const look = () => {
      lastSigned.set(idOf(keys, 'active')!, time)
      const seen = { wall: time + error, uptime: time }
      first = firstInAgreement(first, seen)
      if (!isSettled(first, seen)) return
      const since = time - rotatedAt
      if (rotate(planUpkeep(keys, seen.wall, terms)) && since < terms.interval) throw new Error('rotated too early')
    }
    for (const { after: hours, ahead, looks, what } of trips) {
      for (let hour = 0; hour < hours; hour++, time += HOUR) look()
      // A clock that was wrong while somebody rotated begins the interval anew when that is seen.
      if (time - rotatedAt > terms.interval + SETTLING_MS + 30 * HOUR) throw new Error('rotated much too late')
      error = ahead * HOUR
      // By a clock that is behind, a key that is retired seems to have been so for long; nobody forces a rotation that is refused.
      if (what === 'force' && ahead >= 0) rotate(planRotation(keys, time + error, { prepublish: terms.prepublish, urgency: 'forced' }))
      for (let count = 0; count < looks; count++, time += HOUR) look()
      error = 0
      if (what === 'restart') first = undefined
    }
    return true
  }), { numRuns: 200 })
})

t.test('the oldest key of each state says how long it has been in it; revoked ones say nothing', async t => {
  const keys = firstRing()
  t.strictSame(agesByState(keys, NOW + 3_000), [['next', 3], ['active', 3]])
  const rotated = after(keys, planRotation(keys, NOW + 10_000, regular), NOW + 10_000)
  t.strictSame(agesByState(rotated, NOW + 12_000), [['next', 2], ['active', 2], ['retired', 2]])
  const twice = after(rotated, planRotation(rotated, NOW + 20_000, regular), NOW + 20_000)
  t.strictSame(agesByState(twice, NOW + 21_000), [['next', 1], ['active', 1], ['retired', 11]])
  const revoked = twice.filter(({ state }) => state === 'retired').reduce((left, { id }) => after(left, planRevocation(left, id, 'next'), NOW + 21_000), twice)
  t.strictSame(agesByState(revoked, NOW + 21_000), [['next', 1], ['active', 1]])
})
