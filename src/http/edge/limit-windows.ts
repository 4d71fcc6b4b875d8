// How often each address has asked within its window, by a clock that nobody can set; holds no limit.
import type { FastifyRateLimitStore } from '@fastify/rate-limit'

/** What one key's window counts, and when it ends, in milliseconds of the uptime. */
interface Window { count: number, end: number }

type Told = (error: null, state: { current: number, ttl: number }) => void

/** How many keys are remembered, so that no flood of them fills the memory. */
const REMEMBERED = 10_000

/** What @fastify/rate-limit counts with. Its own goes by the wall's clock: one that is set back by an hour would make a minute's limit one of an hour. */
export class LimitWindows implements FastifyRateLimitStore {
  readonly #uptime: () => number
  readonly #windows = new Map<string, Window>()

  /** `uptime` in milliseconds. */
  constructor (_options?: object, uptime = () => performance.now()) {
    this.#uptime = uptime
  }

  /** Counts once more. `timeWindow` and the `ttl` that is told in milliseconds. */
  incr (key: string, tell: Told, timeWindow: number): void {
    const now = this.#uptime()
    const { count, end } = this.#openWindow(key, now) ?? { count: 0, end: now + timeWindow }
    // A map keeps the order in which its keys were set: the first is the one that nobody has asked for longest.
    this.#windows.delete(key)
    this.#windows.set(key, { count: count + 1, end })
    if (this.#windows.size > REMEMBERED) this.#windows.delete(this.#windows.keys().next().value!)
    tell(null, { current: count + 1, ttl: end - now })
  }

  /** Tells what counts, and counts nothing. */
  read (key: string, tell: Told): void {
    const now = this.#uptime()
    const { count, end } = this.#openWindow(key, now) ?? { count: 0, end: now }
    tell(null, { current: count, ttl: end - now })
  }

  /** Windows for a limit of its own. */
  child (): LimitWindows {
    return new LimitWindows(undefined, this.#uptime)
  }

  #openWindow (key: string, now: number): Window | undefined {
    const window = this.#windows.get(key)
    return window && now < window.end ? window : undefined
  }
}
