// What was counted for a key within its window, for the keys asked about last; holds no clock and no rule of what is too much.
import { RecentMap } from './recent-map.js'

/** How often, and since when. Milliseconds since the epoch. */
export interface Count { count: number, since: number }

/** Whether `now` lies in the window that began at `since`; a clock that was set back by more than a window begins another. Milliseconds. */
export function isWithin (window: number, since: number, now: number): boolean {
  return Math.abs(now - since) < window
}

export class RecentCounts {
  readonly #window: number
  readonly #counts: RecentMap<Count>

  /** `window` in milliseconds; beyond `capacity` keys the one that nobody has asked about for longest is forgotten. */
  constructor (window: number, capacity: number) {
    this.#window = window
    this.#counts = new RecentMap(capacity)
  }

  /** What the window of a key counts at `now`, in milliseconds. */
  get (key: string, now: number): Count {
    const known = this.#counts.get(key)
    return known && isWithin(this.#window, known.since, now) ? known : { count: 0, since: now }
  }

  /** Counts once more, and returns how often that is. `now` in milliseconds. */
  add (key: string, now: number): number {
    const { count, since } = this.get(key, now)
    this.#counts.set(key, { count: count + 1, since })
    return count + 1
  }

  delete (key: string): void {
    this.#counts.delete(key)
  }
}
