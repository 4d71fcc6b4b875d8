// How many wrong passwords, or wrong codes, an account takes, and from whom; holds none of them and no hash.
import { randomUUID } from 'node:crypto'
import type { DeviceClaims } from '../core/device-token.js'
import { countedOf, type GuessCount, type Guessed, type Guesser } from '../core/failures.js'
import { liveFamilies, type FamilyLimits } from '../core/families.js'
import { networksOf } from '../core/networks.js'
import { isWithin, RecentCounts, type Count } from '../core/recent-counts.js'
import type { RefreshClaims } from '../core/refresh-token.js'
import { AuthError } from '../errors.js'
import type { Store, User } from '../store/store.js'

export interface GuessLimitSettings {
  /** At a password, unless it says otherwise. */
  of?: Guessed
  /** Milliseconds. */
  window: number
  /** Wrong passwords from one device or network. */
  placeMax: number
  /** Wrong passwords from all networks that the account is used from, and as many from all others. */
  accountMax: number
}

/** From where a password is proved: a device by the id of a family that it was let in with, or a network. */
export interface Place { id: string, by: Guesser }

/** What somebody shows of having logged in before: what an authentic refresh token says, and what such device tokens do, of whatever accounts. */
export interface Shown {
  family?: RefreshClaims | undefined
  devices?: DeviceClaims[]
  /** Where the address has asked too often: throws unless it may once more as a device of this account, or undefined as none of any. */
  overLimit?: ((userId: string | undefined) => void) | undefined
}

/** One proof of a password: of which address, what the store holds of it, and from where: of the places, one at least, the first counts that has a guess left, or else the last. */
export interface Guess { email: string, user: User | undefined, places: Place[] }

/** Whether a password is right; `spent` where it is wrong, and was the last guess of its place. */
export type Verdict = 'right' | 'wrong' | 'spent'

/** How many places and accounts are remembered, so that no flood of them fills the memory. */
const REMEMBERED = 20_000
/** A guess in flight is decided within about this long, in milliseconds. */
const UNDECIDED_MS = 1_000
/** Of how many devices wrong passwords are counted in a window; the token of one more is as none. */
const MAX_DEVICES = 10

interface Limit { key: string, max: number, stored: Count }

type Verify = (place: Place) => Promise<boolean>

/** A guess with the place that it counts at, and the limits that it is under: the first is the one that the document counts. */
interface Try { guess: Guess, place: Place, limits: [Limit, ...Limit[]], now: number }

/** The places of somebody who comes from an address, and shows this; one at least. `now` in milliseconds. Throws `rate_limited`. */
export function placesOf (user: User | undefined, ip: string, { family: held, devices = [], overLimit }: Shown, now: number, limits: FamilyLimits): Place[] {
  const live = liveFamilies(user?.families ?? [], now, limits)
  const ids = [
    ...held && live.some(({ id }) => id === held.familyId) ? [held.familyId] : [],
    ...devices.filter(({ userId }) => userId === user?.id).map(({ deviceId }) => deviceId),
  ]
  const known = ids.map<Place>(id => ({ id, by: 'device' }))
  overLimit?.(known.length > 0 ? user?.id : undefined)
  const { narrow } = networksOf(ip)
  const network: Place = { id: narrow, by: live.some(family => networksOf(family.ip).narrow === narrow) ? 'known' : 'stranger' }
  return overLimit ? known : [...known, network]
}

/**
 * A device is counted in the account's document, so that every process knows. So are all others together, loosely, and apart those who come from
 * where the account is used; each network of them is held tightly besides, by this process. An address that is no account's is treated alike.
 */
export class GuessLimits {
  readonly #settings: GuessLimitSettings
  readonly #store: Store
  readonly #wrong: RecentCounts
  readonly #refused: RecentCounts
  readonly #undecided = new Map<string, number>()

  constructor (settings: GuessLimitSettings, store: Store) {
    this.#settings = settings
    this.#store = store
    this.#wrong = new RecentCounts(settings.window, REMEMBERED)
    this.#refused = new RecentCounts(settings.window, REMEMBERED)
  }

  /**
   * What `verify` says, if one more guess is allowed: until it is decided it holds one of those that are left, so that guesses made all
   * at once are no more than guesses made one by one. A wrong one is counted, whoever is still there to be told; one that `verify`
   * could not decide is not. A right one takes back what its own network got wrong (NIST SP 800-63B, section 3.2.2), and nothing else: what
   * the document counts ends with its window alone. `now` in milliseconds. Throws `rate_limited`.
   */
  async check (guess: Guess, now: number, verify: Verify): Promise<Verdict> {
    const tries = guess.places.map(place => ({ guess, place, limits: this.#limitsOf(guess, place, now), now }))
    const one = tries.find(({ limits }) => limits.every(limit => this.#waitFor(limit, now) === undefined)) ?? tries.at(-1)!
    for (const limit of one.limits) this.#assertRoom(limit, now)
    const isFirst = this.#isFirst(one)
    for (const { key } of one.limits) this.#undecided.set(key, this.#undecidedOf(key) + 1)
    try {
      return isFirst ? await this.#checkFirst(one, verify) : await this.#checkNext(one, verify)
    } finally {
      for (const { key } of one.limits) this.#release(key)
    }
  }

  // Where nothing is counted nothing is written for a right password. Each process may have one such guess at a time, and so many more than the limit there may be.
  async #checkFirst (one: Try, verify: Verify): Promise<Verdict> {
    if (await verify(one.place)) return this.#pass(one)
    const isSpent = this.#fail(one)
    const taken = await this.#take(one, Number.MAX_SAFE_INTEGER)
    return isSpent || isFull(one.limits[0], taken) ? 'spent' : 'wrong'
  }

  // Counted before it is tried, in the write that decides for all processes whether there is room, and given back if it was not wrong.
  async #checkNext (one: Try, verify: Verify): Promise<Verdict> {
    const { guess, place, limits: [{ key, max, stored }], now } = one
    const taken = await this.#take(one, max)
    if (!taken && guess.user) throw this.#refusal(key, now, this.#end(stored) - now)
    let isRight: boolean | undefined
    try {
      isRight = await verify(place)
    } finally {
      if (isRight !== false) await this.#store.giveBackGuess({ of: this.#settings.of, userId: userIdOf(guess), count: countOf(place), since: taken?.since ?? now })
    }
    if (isRight) return this.#pass(one)
    return this.#fail(one) || isFull(one.limits[0], taken) ? 'spent' : 'wrong'
  }

  #pass ({ guess, place }: Try): Verdict {
    this.#wrong.delete(placeKey(guess, place))
    return 'right'
  }

  /** Counts here, and tells whether that was the last. */
  #fail ({ limits, now }: Try): boolean {
    return limits.map(({ key, max }) => this.#wrong.add(key, now) >= max).includes(true)
  }

  // What is nobody's is written as well, to nobody, so that both take as long.
  async #take ({ guess, place, now }: Try, max: number): Promise<Count | undefined> {
    return await this.#store.takeGuess({ of: this.#settings.of, userId: userIdOf(guess), count: countOf(place), max, maxDevices: MAX_DEVICES, now, window: this.#settings.window })
  }

  #limitsOf (guess: Guess, place: Place, now: number): [Limit, ...Limit[]] {
    const { of, window, placeMax, accountMax } = this.#settings
    const kept = of === 'code' ? guess.user?.failedCodes : guess.user?.failed
    const failed = kept && isWithin(window, kept.since, now) ? kept : { since: now, known: 0, stranger: 0 }
    const counted = countedOf(failed, countOf(place))
    const stored = { count: counted ?? 0, since: failed.since }
    const nobodys = { count: 0, since: now }
    if (place.by !== 'device') return [{ key: accountKey(guess, place), max: accountMax, stored }, { key: placeKey(guess, place), max: placeMax, stored: nobodys }]
    const hasRoom = counted !== undefined || Object.keys(failed.devices ?? {}).length < MAX_DEVICES
    return [{ key: placeKey(guess, place), max: hasRoom ? placeMax : 0, stored }]
  }

  #isFirst ({ limits: [{ key, stored }], now }: Try): boolean {
    return stored.count === 0 && this.#wrong.get(key, now).count === 0 && this.#undecidedOf(key) === 0
  }

  #assertRoom (limit: Limit, now: number): void {
    const wait = this.#waitFor(limit, now)
    if (wait !== undefined) throw this.#refusal(limit.key, now, wait)
  }

  /** For how many milliseconds there is no guess left; undefined if there is one. */
  #waitFor ({ key, max, stored }: Limit, now: number): number | undefined {
    const wrong = this.#wrong.get(key, now)
    const full = [wrong, stored].find(({ count }) => count >= max)
    if (full) return this.#end(full) - now
    // What the document counts has those that are undecided in it.
    return wrong.count + this.#undecidedOf(key) >= max ? UNDECIDED_MS : undefined
  }

  #end ({ since }: Count): number {
    return since + this.#settings.window
  }

  #refusal (key: string, now: number, milliseconds: number): AuthError {
    return new AuthError('rate_limited', { retryAfter: Math.ceil(milliseconds / 1000), isRepeated: this.#refused.add(key, now) > 1 })
  }

  #undecidedOf (key: string): number {
    return this.#undecided.get(key) ?? 0
  }

  #release (key: string): void {
    const left = this.#undecidedOf(key) - 1
    if (left === 0) this.#undecided.delete(key)
    else this.#undecided.set(key, left)
  }
}

function countOf ({ id, by }: Place): GuessCount {
  return by === 'device' ? { by, device: id } : { by }
}

function isFull ({ max }: Limit, taken: Count | undefined): boolean {
  return taken !== undefined && taken.count >= max
}

function userIdOf ({ user }: Guess): string {
  return user?.id ?? randomUUID()
}

// A normalised address holds no blank.
function placeKey ({ email }: Guess, { id }: Place): string {
  return `${email} ${id}`
}

function accountKey ({ email }: Guess, { by }: Place): string {
  return `${email} ${by}`
}
