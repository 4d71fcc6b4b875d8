// When the keys of an authority are fetched, how long they count, and what is said without them; holds no check of a token.
import type { CryptoKey } from 'jose'
import type { GetRequest } from './bounded-get.js'
import { fetchKeySet, type KeySet } from './key-set.js'
import { TokenVerificationError } from './token-verification-error.js'
import { isWithin } from './within.js'

/** Bounds of the cache, all in seconds. */
export interface KeyCacheLimits {
  /** However long the authority allows its keys to be kept, they are fetched anew after this long. */
  maxAge: number
  /** While the authority cannot be reached, lapsed keys go on counting for this long. */
  staleFor: number
  /** From the end of one fetch to the start of the next, at least; the shortest age of the cache too. */
  coolDown: number
  /** A fetch that takes longer has failed, of a status list too. */
  timeout: number
}

export interface KeyCacheParts extends Omit<GetRequest, 'timeout'> {
  limits: KeyCacheLimits
  /** Milliseconds since the epoch. */
  now: () => number
}

export const DEFAULT_LIMITS: KeyCacheLimits = { maxAge: 900, staleFor: 3600, coolDown: 10, timeout: 5 }

/** Seconds, where the authority does not say: the max-age that Signet sends unless it is told otherwise. */
const DEFAULT_MAX_AGE = 300
/** The part of a set's age after which it is renewed while it still counts. */
const RENEWAL = 0.8
/** For this long after a failed fetch, in milliseconds, nobody who has a key waits for the next one. */
const BELIEVED_DOWN = 300_000

/** A set as it is kept. Times in milliseconds. */
interface KeptSet { keys: KeySet['keys'], loadedAt: number, maxAge: number }

export class KeyCache {
  readonly #parts: KeyCacheParts
  #set: KeptSet = { keys: new Map(), loadedAt: -Infinity, maxAge: 0 }
  #askedAt = -Infinity
  #failure: { at: number, cause: unknown } | undefined
  #pending: Promise<void> | undefined

  constructor (parts: KeyCacheParts) {
    this.#parts = parts
  }

  /**
   * The key of an id. Who asks for a key of a set that counts gets it at once; the rest wait for one fetch, which they share.
   * Throws `unknown_key` on the word of the authority alone, and `keys_unavailable` where that could not be had.
   */
  async find (id: string): Promise<CryptoKey> {
    const now = this.#parts.now()
    const key = this.#keysAt(now).get(id)
    if (!key || !this.#isWithinAge(now, RENEWAL)) this.#ask(now)
    if (key && (this.#isWithinAge(now, 1) || this.#isBelievedDown(now))) return key
    await this.#pending
    return this.#keysAt(this.#parts.now()).get(id) ?? this.#refuse()
  }

  /** What counts at an instant: a set that has not lapsed, or has but not for long. */
  #keysAt (now: number): KeySet['keys'] {
    const { keys, loadedAt, maxAge } = this.#set
    return isWithin(now, loadedAt, maxAge + this.#parts.limits.staleFor * 1000) ? keys : new Map()
  }

  #isWithinAge (now: number, part: number): boolean {
    return isWithin(now, this.#set.loadedAt, this.#set.maxAge * part)
  }

  #isBelievedDown (now: number): boolean {
    return this.#failure !== undefined && isWithin(now, this.#failure.at, BELIEVED_DOWN)
  }

  // One fetch at a time and one a cool-down, whoever asks: a flood of made-up key ids costs the authority next to nothing.
  #ask (now: number): void {
    if (this.#pending || isWithin(now, this.#askedAt, this.#parts.limits.coolDown * 1000)) return
    this.#pending = this.#load()
  }

  /** Never rejects: what failed is kept for those who ask. */
  async #load (): Promise<void> {
    const { uri, fetch, limits, now } = this.#parts
    try {
      const { keys, maxAge = DEFAULT_MAX_AGE } = await fetchKeySet({ uri, fetch, timeout: limits.timeout })
      this.#set = { keys, loadedAt: now(), maxAge: Math.max(limits.coolDown, Math.min(maxAge, limits.maxAge)) * 1000 }
      this.#failure = undefined
    } catch (cause) {
      this.#failure = { at: now(), cause }
    }
    this.#askedAt = now()
    this.#pending = undefined
  }

  #refuse (): never {
    if (!this.#failure) throw new TokenVerificationError('unknown_key')
    const wait = this.#askedAt + this.#parts.limits.coolDown * 1000 - this.#parts.now()
    throw new TokenVerificationError('keys_unavailable', { cause: this.#failure.cause, retryAfter: Math.ceil(wait / 1000) })
  }
}
