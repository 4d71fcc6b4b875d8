// When one status list is fetched, how long it counts, and what is said without it; holds no check of a list.
import { fetchStatusList, joinLists, standingOf, type Standing, type StatusList, type StatusListRequest } from './status-list.js'
import { isWithin } from './within.js'

/** What is done with a token of which nobody can say whether it was revoked. */
export type UnavailablePolicy = 'accept' | 'refuse'

export interface KeptListParts extends Omit<StatusListRequest, 'etag'> {
  onUnavailable: UnavailablePolicy
}

/** How an entry stands, or why that is unknown and in how many whole seconds it is worth another try. */
export type Verdict = { standing: Standing } | { standing: 'unknown', cause: unknown, retryAfter: number }

/** The part of a list's ttl after which it is renewed while it still counts. */
const RENEWAL = 0.8
/** Milliseconds from a failed fetch to the next: a tenth of the ttl, within these. */
const [LEAST_COOL_DOWN, MOST_COOL_DOWN] = [1_000, 10_000]
const NO_FAILURE = { at: -Infinity, cause: undefined as unknown }

export class KeptStatusList {
  readonly #parts: KeptListParts
  #list: StatusList | undefined
  /** When the fetch of what is known began, for later closings may not be in it. Milliseconds. */
  #fetchedAt = -Infinity
  #failure = NO_FAILURE
  #pending: Promise<void> | undefined

  constructor (parts: KeptListParts) {
    this.#parts = parts
  }

  /**
   * How the entry of an index stands. While the list counts, that is said at once; then all wait for one fetch, unless the last one failed
   * a moment ago and there is something to go on with: a list that has not expired, or the policy that no list is needed.
   */
  look (index: number): Verdict | Promise<Verdict> {
    const now = this.#parts.now()
    if (!this.#counts(now, RENEWAL)) this.#ask(now)
    return this.#counts(now, 1) || this.#goesOn(now) ? this.#verdict(index, now) : this.#wait(index)
  }

  async #wait (index: number): Promise<Verdict> {
    await this.#pending
    return this.#verdict(index, this.#parts.now())
  }

  #counts (now: number, part: number): boolean {
    return this.#isGood(now) && isWithin(now, this.#fetchedAt, this.#list!.ttl * 1000 * part)
  }

  #isGood (now: number): boolean {
    return this.#list !== undefined && isWithin(now, this.#fetchedAt, this.#list.expiresAt * 1000 - this.#fetchedAt)
  }

  // As long as a try may take, so that nobody waits for an authority that hangs while there are others who ask.
  #goesOn (now: number): boolean {
    const hasFailed = isWithin(now, this.#failure.at, this.#coolDown() + this.#parts.timeout * 1000)
    return hasFailed && (this.#isGood(now) || this.#parts.onUnavailable === 'accept')
  }

  #coolDown (): number {
    return Math.max(LEAST_COOL_DOWN, Math.min((this.#list?.ttl ?? 0) * 100, MOST_COOL_DOWN))
  }

  #ask (now: number): void {
    if (this.#pending || isWithin(now, this.#failure.at, this.#coolDown())) return
    this.#pending = this.#load(now)
  }

  /** Never rejects: what failed is kept for those who ask. */
  async #load (began: number): Promise<void> {
    try {
      const fresh = await fetchStatusList({ ...this.#parts, etag: this.#isGood(began) ? this.#list!.etag : undefined })
      if (fresh) this.#list = joinLists(this.#list, fresh)
      this.#fetchedAt = began
      this.#failure = NO_FAILURE
    } catch (cause) {
      this.#failure = { at: this.#parts.now(), cause }
    }
    this.#pending = undefined
  }

  /** What was closed is closed, however old the list that says so. */
  #verdict (index: number, now: number): Verdict {
    const standing = this.#list && standingOf(index, this.#list)
    if (standing && (standing === 'closed' || this.#isGood(now))) return { standing }
    const { at, cause } = this.#failure
    return { standing: 'unknown', cause, retryAfter: Math.max(1, Math.ceil((at + this.#coolDown() - now) / 1000)) }
  }
}
