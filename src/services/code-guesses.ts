// Wrong codes of an account, which are limited apart from wrong passwords; holds no code.
import type { RecordEvent } from '../core/events.js'
import { SILENT, type Meter } from '../core/metrics.js'
import { AuthError } from '../errors.js'
import type { Store, User } from '../store/store.js'
import { GuessLimits, type Place } from './guess-limits.js'
import type { Device } from './rotation.js'

/** Of a million codes three are good at a time: whoever has ten guesses a day finds one within a century. */
const LIMITS = { of: 'code', window: 86_400_000, placeMax: 10, accountMax: 10 } as const

export interface CodeGuessParts {
  store: Store
  /** Whether guesses are limited. */
  isLimited: boolean
  record: RecordEvent
  meter?: Meter | undefined
}

export class CodeGuesses {
  readonly #limits: GuessLimits | undefined
  readonly #record: RecordEvent
  readonly #meter: Meter

  constructor ({ store, isLimited, record, meter = SILENT }: CodeGuessParts) {
    this.#limits = isLimited ? new GuessLimits(LIMITS, store) : undefined
    this.#record = record
    this.#meter = meter
  }

  /** What `verify` finds, if one of these places has a guess left. `now` in milliseconds. Throws `rate_limited`. */
  async check<Found> (user: User, places: Place[], device: Device, now: number, verify: () => Promise<Found | undefined>): Promise<Found | undefined> {
    if (!this.#limits) return await verify()
    let found: Found | undefined
    await this.#limits.check({ email: user.email, user, places }, now, async () => (found = await verify()) !== undefined).catch((error: AuthError) => { throw this.#told(error, user, device, now) })
    return found
  }

  #told (error: AuthError, user: User, device: Device, now: number): AuthError {
    if (error.code !== 'rate_limited') return error
    this.#meter.count('signet_rate_limited_total', ['second_factor'])
    if (!error.isRepeated) this.#record({ kind: 'second_factor.limited', at: now, userId: user.id, ...device })
    return new AuthError('rate_limited', { retryAfter: error.retryAfter!, isRepeated: error.isRepeated, detail: 'Too many wrong codes for this account; use a recovery code or a passkey, or wait for as long as the Retry-After header says.' })
  }
}
