// The life cycle of the ring's keys: which step is allowed, when, and what follows; holds no key, no file and no clock.
import { isAhead } from './clock.js'

/** `next` is published and does not sign yet, `active` signs, `retired` is published and signs no more, `revoked` is on record only. */
export type KeyState = 'next' | 'active' | 'retired' | 'revoked'

/** What a key makes: `signing` access tokens, `refresh` refresh tokens, `sealing` what is kept sealed in the store for years. Each kind has a life cycle of its own. */
export const KEY_KINDS = ['signing', 'refresh', 'sealing'] as const
export type KeyKind = typeof KEY_KINDS[number]

/** A key that was just made. `file` is its secret's, inside the folder; `bits` an RSA key's. */
export interface NewKey { id: string, file: string, bits?: number }

/** A key of the ring. Times are RFC 3339. */
export interface KeyRecord extends NewKey { state: KeyState, created_at: string, published_at: string, activated_at: string | null, retired_at: string | null }

/**
 * One key's way from a state to the next. It is made where there is no `from`, and leaves the ring where there is no `to`. A step to the state that
 * a key is in already dates that state anew.
 */
export interface Step { id: string | null, from: KeyState | null, to: KeyState | null }

export type Refusal = 'next_exists' | 'no_next' | 'clock_behind' | 'too_young' | 'not_public' | 'none_retired' | 'unknown_key' | 'already_revoked' | 'not_active'

/** The steps to be taken together, or why none may be; `allowedAt` in milliseconds since the epoch. */
export type Plan = { steps: Step[] } | { refused: Refusal, allowedAt?: number }

/** How old things must be, in milliseconds. */
export interface KeyTerms {
  /** How long a key is published before it may sign. */
  prepublish: number
  /** How long after its last signature a key may still be needed; Infinity is for ever. */
  retention: number
  /** How long a key signs before a server replaces it by itself; 0 is for ever. */
  interval: number
}

/** What comes next for a key: the state (none: it leaves the ring), from when that is allowed, and when a server does it by itself. Milliseconds since the epoch. */
export interface Prospect { to: KeyState | null, allowedAt: number, dueAt: number | undefined }

const MAKE_NEXT: Step = { id: null, from: null, to: 'next' }

/** The keys of a new ring: one that signs, and the one that will. */
export const FIRST_STEPS: Step[] = [{ id: null, from: null, to: 'active' }, MAKE_NEXT]

/** The first keys of a kind of which a ring has none, for it was made before there was that kind. */
export function planBeginning (keys: KeyRecord[]): { steps: Step[] } {
  return { steps: keys.length === 0 ? FIRST_STEPS : [] }
}

/** A key to follow the active one. The one that is waiting is kept, or dropped, which no token can feel, for it never signed. */
export function planGeneration (keys: KeyRecord[], waiting: 'keep' | 'replace'): Plan {
  if (keys.length === 0) return planBeginning(keys)
  const next = inState(keys, 'next')
  if (!next) return { steps: [MAKE_NEXT] }
  return waiting === 'keep' ? { refused: 'next_exists' } : { steps: [step(next, null), MAKE_NEXT] }
}

export interface RotationTerms {
  /** Milliseconds. */
  prepublish: number
  /** `forced` waits neither until verifiers must have seen the key, nor for a clock that the ring is ahead of. */
  urgency: 'regular' | 'forced'
  /** The keys that were seen published, where somebody looked. */
  publicIds?: Set<string> | undefined
}

/** The key that waits begins to sign, and another begins to wait. `now` in milliseconds. */
export function planRotation (keys: KeyRecord[], now: number, { prepublish, urgency, publicIds }: RotationTerms): Plan {
  const next = inState(keys, 'next')
  if (!next) return { refused: 'no_next' }
  const allowedAt = Date.parse(next.published_at) + prepublish
  // By a clock that was set back, the key that signed until now would seem to have done so long ago, and be pruned too early.
  if (urgency === 'regular' && keys.some(key => isAhead(since(key), now))) return { refused: 'clock_behind' }
  if (urgency === 'regular' && now < allowedAt) return { refused: 'too_young', allowedAt }
  if (publicIds && !publicIds.has(next.id)) return { refused: 'not_public' }
  return { steps: [...replaceActive(keys, next, 'retired'), MAKE_NEXT] }
}

/** The key that was retired last signs again. It was published all along, so nobody has to wait. */
export function planReturn (keys: KeyRecord[]): Plan {
  const last = keys.filter(({ state }) => state === 'retired').sort((one, other) => Date.parse(other.retired_at!) - Date.parse(one.retired_at!))[0]
  return last ? { steps: replaceActive(keys, last, 'retired') } : { refused: 'none_retired' }
}

/** Every retired key that no live token can need leaves. `now` and `retention` in milliseconds. */
export function planPruning (keys: KeyRecord[], now: number, retention: number): Plan {
  return { steps: keys.filter(key => key.state === 'retired' && neededUntil(key, retention) <= now).map(key => step(key, null)) }
}

/**
 * A key is given up at once and for ever. If it was signing, another signs instead: the one that waits, which verifiers know,
 * or one that nobody has `unseen`, which makes most of them drop the old one sooner.
 */
export function planRevocation (keys: KeyRecord[], id: string, successor: 'next' | 'unseen'): Plan {
  const key = keys.find(key => key.id === id)
  if (!key) return { refused: 'unknown_key' }
  if (key.state === 'revoked') return { refused: 'already_revoked' }
  if (key.state !== 'active' && successor === 'unseen') return { refused: 'not_active' }
  const next = inState(keys, 'next')
  if (key.state === 'retired') return { steps: [step(key, 'revoked')] }
  if (key.state === 'next') return { steps: [step(key, 'revoked'), MAKE_NEXT] }
  if (successor === 'unseen') return { steps: [step(key, 'revoked'), { id: null, from: null, to: 'active' }, ...next ? [] : [MAKE_NEXT]] }
  return next ? { steps: [...replaceActive(keys, next, 'revoked'), MAKE_NEXT] } : { refused: 'no_next' }
}

/**
 * What a server does by itself: it prunes, sees to it that a key waits, and rotates when that is due. What a clock that was ahead has dated
 * into the future counts from now on, which neither puts it off until then nor makes it due at once. `now` in milliseconds; as pruning and
 * dating cannot be undone, it is to be of a clock that has settled.
 */
export function planUpkeep (keys: KeyRecord[], now: number, terms: KeyTerms): { steps: Step[] } {
  const ahead = keys.filter(key => isAhead(since(key), now)).map(key => step(key, key.state))
  const steps = [...ahead, ...(planPruning(keys, now, terms.retention) as { steps: Step[] }).steps]
  const next = inState(keys, 'next')
  if (!next) return { steps: [...steps, MAKE_NEXT] }
  return isDue(keys, next, now, terms) ? { steps: [...steps, ...replaceActive(keys, next, 'retired'), MAKE_NEXT] } : { steps }
}

/** What comes next for a key, or undefined where nothing does. */
export function prospectOf (key: KeyRecord, keys: KeyRecord[], terms: KeyTerms): Prospect | undefined {
  const { interval, retention } = terms
  if (key.state === 'revoked') return undefined
  if (key.state === 'retired') {
    const end = neededUntil(key, retention)
    if (end === Infinity) return undefined
    return { to: null, allowedAt: end, dueAt: interval > 0 ? end : undefined }
  }
  const next = inState(keys, 'next')
  if (!next) return undefined
  const allowedAt = Date.parse(next.published_at) + terms.prepublish
  return { to: key.state === 'next' ? 'active' : 'retired', allowedAt, dueAt: interval > 0 ? dueAt(keys, next, terms) : undefined }
}

/** When the last token that a retired key made has ended for everybody. Milliseconds since the epoch; Infinity where that is never known. */
export function neededUntil (key: Pick<KeyRecord, 'retired_at'>, retention: number): number {
  return Date.parse(key.retired_at!) + retention
}

/** The keys after the steps, and the steps with the ids of the keys that they made, in the order of `made`. `now` in milliseconds. */
export function carryOut (keys: KeyRecord[], steps: Step[], made: NewKey[], now: number): { keys: KeyRecord[], steps: Step[] } {
  const at = new Date(now).toISOString()
  const unused = made.map(({ id }) => id)
  const named = steps.map(step => step.from === null ? { ...step, id: unused.shift()! } : step)
  const born = made.map<KeyRecord>(key => ({ ...key, state: 'next', created_at: at, published_at: at, activated_at: null, retired_at: null }))
  const moved = [...keys, ...born].flatMap(key => {
    const taken = named.find(({ id }) => id === key.id)
    return taken ? move(key, taken.to, at) : [key]
  })
  return { keys: moved, steps: named }
}

function move (key: KeyRecord, to: KeyState | null, at: string): KeyRecord[] {
  if (to === null) return []
  if (to === 'next') return [{ ...key, published_at: at }]
  if (to === 'active') return [{ ...key, state: to, activated_at: at, retired_at: null }]
  return [{ ...key, state: to, retired_at: to === 'retired' ? at : key.retired_at }]
}

function replaceActive (keys: KeyRecord[], successor: KeyRecord, to: KeyState): Step[] {
  return [step(inState(keys, 'active')!, to), step(successor, 'active')]
}

function isDue (keys: KeyRecord[], next: KeyRecord, now: number, terms: KeyTerms): boolean {
  return terms.interval > 0 && dueAt(keys, next, terms) <= now
}

function dueAt (keys: KeyRecord[], next: KeyRecord, { interval, prepublish }: KeyTerms): number {
  return Math.max(Date.parse(inState(keys, 'active')!.activated_at!) + interval, Date.parse(next.published_at) + prepublish)
}

/** When a key came into the state that it is in, where something follows from that. Milliseconds since the epoch. */
function since ({ state, published_at: publishedAt, activated_at: activatedAt, retired_at: retiredAt }: KeyRecord): number {
  if (state === 'revoked') return -Infinity
  return Date.parse({ next: publishedAt, active: activatedAt!, retired: retiredAt! }[state])
}

/** How long the oldest key of each state has been in it, in seconds; revoked ones are on record only. `now` in milliseconds. */
export function agesByState (keys: KeyRecord[], now: number): Array<[state: KeyState, seconds: number]> {
  const states = (['next', 'active', 'retired'] as const).map(state => [state, keys.filter(key => key.state === state)] as const)
  return states.filter(([, those]) => those.length > 0).map(([state, those]) => [state, (now - Math.min(...those.map(since))) / 1000])
}

/** The one key in a state that at most one key is in. */
export function inState (keys: KeyRecord[], state: 'next' | 'active'): KeyRecord | undefined {
  return keys.find(key => key.state === state)
}

function step ({ id, state }: KeyRecord, to: KeyState | null): Step {
  return { id, from: state, to }
}
