// Events that wait to be kept: bounded, the oldest first, and with room that nobody takes who proves nothing; holds no store and no clock.
import { isAnybodys, type KeptEvent } from '../core/events.js'

export interface QueueSizes {
  /** So many wait at most. */
  all: number
  /** So many of those that anybody can make. */
  anybodys: number
}

export class EventQueue {
  readonly #sizes: QueueSizes
  #events: KeptEvent[] = []
  #anybodys = 0

  constructor (sizes: QueueSizes) {
    this.#sizes = sizes
  }

  get size (): number {
    return this.#events.length
  }

  /** Whether there was room. */
  add (event: KeptEvent): boolean {
    const isOne = isAnybodys(event.kind)
    if (this.#events.length >= this.#sizes.all || (isOne && this.#anybodys >= this.#sizes.anybodys)) return false
    this.#events.push(event)
    if (isOne) this.#anybodys++
    return true
  }

  /** The oldest, so many at most, which stay until they are removed. */
  oldest (count: number): KeptEvent[] {
    return this.#events.slice(0, count)
  }

  /** Removes these, and whatever else `isGone`. */
  remove (events: readonly KeptEvent[]): void {
    const gone = new Set(events)
    this.keepOnly(event => !gone.has(event))
  }

  /** Removes all but those. */
  keepOnly (isKept: (event: KeptEvent) => boolean): void {
    this.#events = this.#events.filter(isKept)
    this.#anybodys = this.#events.filter(({ kind }) => isAnybodys(kind)).length
  }
}
