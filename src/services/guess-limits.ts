// How many wrong passwords an account takes, and from whom; holds no password and no hash.
import { randomUUID } from 'node:crypto'
import { isLive, type FamilyLimits } from '../core/families.js'
import { networkOf } from '../core/networks.js'
import { isWithin, RecentCounts, type Count } from '../core/recent-counts.js'
import type { RefreshClaims } from '../core/refresh-token.js'
import { AuthError } from '../errors.js'
import type { Guesser, Store, User } from '../store/store.js'

export interface GuessLimitSettings {
  /** Milliseconds. */
  window: number
  /** Wrong passwords from one place. */
  placeMax: number
  /** Wrong passwords from all places that the account is used from, and as many from all others. */
  accountMax: number
}

/** From where a password is proved: the id of a family that the guesser holds, or a network. */
export interface Place { id: string, by: Guesser }

/** One proof of a password: of which address, what the store holds of it, and from where. */
export interface Guess { email: string, user: User | undefined, place: Place }

/** How many places and accounts are remembered, so that no flood of them fills the memory. */
const REMEMBERED = 20_000
/** A guess in flight is decided within about this long, in milliseconds. */
const UNDECIDED_MS = 1_000

interface Limit { key: string, max: number, stored?: Count | undefined }

/** The place of somebody who comes from an address, and perhaps with the token of a family. `now` in milliseconds. */
export function placeOf (user: User | undefined, ip: string, held: RefreshClaims | undefined, now: number, limits: FamilyLimits): Place {
  const live = user?.families.filter(family => isLive(family, now, limits)) ?? []
  if (held && live.some(({ id }) => id === held.familyId)) return { id: held.familyId, by: 'known' }
  const network = networkOf(ip)
  return { id: network, by: live.some(family => networkOf(family.ip) === network) ? 'known' : 'stranger' }
}

/**
 * A place is held tightly, by this process. An account is held loosely, by its document too, so that every process knows; and apart
 * for those who come from where it is used, so that nobody else can shut them out. An address that is no account's is treated alike.
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
   * at once are no more than guesses made one by one. A wrong one is counted here, whoever is still there to be told; one that `verify`
   * could not decide is not. A right one takes back what its own place got wrong (NIST SP 800-63B, section 3.2.2), and nothing else: the
   * account's own count ends with its window alone. `now` in milliseconds. Throws `rate_limited`.
   */
  async check (guess: Guess, now: number, verify: () => Promise<boolean>): Promise<boolean> {
    const limits = this.#limitsOf(guess)
    for (const limit of limits) this.#assertRoom(limit, now)
    for (const { key } of limits) this.#undecided.set(key, this.#undecidedOf(key) + 1)
    try {
      const isRight = await verify()
      if (isRight) this.#wrong.delete(placeKey(guess))
      else await this.#count(guess, now)
      return isRight
    } finally {
      for (const { key } of limits) this.#release(key)
    }
  }

  /** Whether no guess is left to this place. `now` in milliseconds. */
  isSpent (guess: Guess, now: number): boolean {
    return this.#wrong.get(placeKey(guess), now).count >= this.#settings.placeMax
  }

  #limitsOf (guess: Guess): Limit[] {
    const { user, place: { by } } = guess
    const stored = user?.failed && { count: user.failed[by], since: user.failed.since }
    return [{ key: placeKey(guess), max: this.#settings.placeMax }, { key: accountKey(guess), max: this.#settings.accountMax, stored }]
  }

  #assertRoom ({ key, max, stored }: Limit, now: number): void {
    const { window } = this.#settings
    const counts = [this.#wrong.get(key, now), ...stored && isWithin(window, stored.since, now) ? [stored] : []]
    const full = counts.find(({ count }) => count >= max)
    if (full) throw this.#refusal(key, now, full.since + window - now)
    const undecided = this.#undecidedOf(key)
    if (counts.some(({ count }) => count + undecided >= max)) throw this.#refusal(key, now, UNDECIDED_MS)
  }

  #refusal (key: string, now: number, milliseconds: number): AuthError {
    return new AuthError('rate_limited', { retryAfter: Math.ceil(milliseconds / 1000), isRepeated: this.#refused.add(key, now) > 1 })
  }

  // What is nobody's is written as well, to nobody, so that both take as long.
  async #count (guess: Guess, now: number): Promise<void> {
    for (const key of [placeKey(guess), accountKey(guess)]) this.#wrong.add(key, now)
    await this.#store.countFailure({ userId: guess.user?.id ?? randomUUID(), by: guess.place.by, now, window: this.#settings.window })
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

// A normalised address holds no blank.
function placeKey ({ email, place }: Guess): string {
  return `${email} ${place.id}`
}

function accountKey ({ email, place }: Guess): string {
  return `${email} ${place.by}`
}
