// Where events go: told at once, and kept in the store a little later, in batches that no request waits for; holds no kind of an event and no driver.
import { randomBytes } from 'node:crypto'
import { eventId, toKept, type KeptEvent, type SecurityEvent } from '../core/events.js'
import { countEvent, SILENT, type Meter } from '../core/metrics.js'
import type { Store } from '../store/store.js'
import { EventQueue, type QueueSizes } from './event-queue.js'

export interface EventParts {
  store: Pick<Store, 'insertEvents' | 'dropEvents'>
  /** For how long events are kept, in milliseconds; 0: not at all. */
  retention: number
  /** Tells the log of one. */
  tell: (event: KeptEvent) => void
  /** Told once a while how many were not kept since it was told last, and why not, where the store said so. */
  lost: (count: number, cause: unknown) => void
  /** Milliseconds since the epoch. */
  clock: () => number
  meter?: Meter | undefined
  times?: EventTimes
  sizes?: QueueSizes
}

/** Milliseconds. */
export interface EventTimes {
  /** From an event until it is written, with what else has come by then. */
  gather: number
  /** After a write that failed. */
  retry: number
  /** How often those that are old are looked for, and how soon again where there were many. */
  drop: { every: number, again: number }
  /** Between two complaints. */
  complain: number
  /** How long a stop waits for what is not written yet. */
  farewell: number
}

export const EVENT_TIMES: EventTimes = { gather: 200, retry: 1_000, drop: { every: 60_000, again: 1_000 }, complain: 60_000, farewell: 1_000 }
/** Some ten megabytes. */
export const QUEUE_SIZES: QueueSizes = { all: 20_000, anybodys: 10_000 }
/** So many are written at once, and dropped: a millisecond or two of the embedded store. */
const BATCH = 200

export class Events {
  readonly #parts: EventParts
  readonly #times: EventTimes
  readonly #queue: EventQueue
  #sequence = 0
  #dropped = 0
  #untold = 0
  #toldAt = -Infinity
  #cause: unknown
  #isStopped = false
  #gathering: NodeJS.Timeout | undefined
  #dropping: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined

  constructor (parts: EventParts) {
    this.#parts = parts
    this.#times = parts.times ?? EVENT_TIMES
    this.#queue = new EventQueue(parts.sizes ?? QUEUE_SIZES)
    const { meter = SILENT } = parts
    meter.watch('signet_events_dropped_total', () => [[[], this.#dropped]])
  }

  /** How many events were not kept that were to be. */
  get dropped (): number {
    return this.#dropped
  }

  /** Tells the log of an event, and keeps it soon. Never throws. */
  record = (event: SecurityEvent): void => {
    this.recordKept(toKept(event, eventId(event.at, this.#sequence++, randomBytes(8))))
  }

  /** The same of an event that has an id: of many servers that record it one keeps it. */
  recordKept (kept: KeptEvent): void {
    const { meter = SILENT, tell } = this.#parts
    countEvent(kept, meter)
    tell(kept)
    // Of somebody who is deleted nothing is kept but that.
    if (kept.kind === 'user.deleted') this.#queue.keepOnly(({ userId }) => userId !== kept.userId)
    this.keep(kept)
  }

  /** Keeps an event that the log was told of, or need not be, unless it is too old for that. */
  keep (event: KeptEvent): void {
    const { clock, retention } = this.#parts
    if (retention === 0 || event.at < clock() - retention) return
    if (this.#isStopped || !this.#queue.add(event)) {
      this.#lose(1)
      return
    }
    this.#gather(this.#times.gather)
  }

  /** Begins to drop what is old. */
  start (): void {
    this.#dropIn(this.#times.drop.again)
  }

  /** Writes what waits, within the farewell; whatever is not written by then is lost. */
  async stop (): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#gathering)
    clearTimeout(this.#dropping)
    if (this.#queue.size > 0 || this.#writing) await within(this.#times.farewell, this.#write())
    if (this.#queue.size > 0) this.#lose(this.#queue.size)
    this.#toldAt = -Infinity
    this.#complain(this.#parts.clock())
  }

  #gather (milliseconds: number): void {
    if (this.#gathering || this.#writing || this.#isStopped) return
    this.#gathering = setTimeout(() => { void this.#write() }, milliseconds).unref()
  }

  async #write (): Promise<void> {
    this.#gathering = undefined
    this.#writing ??= this.#writeAll().finally(() => { this.#writing = undefined })
    await this.#writing
  }

  async #writeAll (): Promise<void> {
    try {
      for (let batch = this.#queue.oldest(BATCH); batch.length > 0; batch = this.#queue.oldest(BATCH)) {
        await this.#parts.store.insertEvents(batch)
        this.#queue.remove(batch)
      }
      this.#cause = undefined
    } catch (cause) {
      this.#cause = cause
      // When this has ended.
      setImmediate(() => { this.#gather(this.#times.retry) })
    }
  }

  #lose (count: number): void {
    this.#dropped += count
    this.#untold += count
    this.#complain(this.#parts.clock())
  }

  #complain (now: number): void {
    if (this.#untold === 0 || Math.abs(now - this.#toldAt) < this.#times.complain) return
    this.#parts.lost(this.#untold, this.#cause)
    this.#untold = 0
    this.#toldAt = now
  }

  #dropIn (milliseconds: number): void {
    this.#dropping = setTimeout(() => { void this.#dropOld() }, milliseconds).unref()
  }

  // Every server does: who comes second finds nothing.
  async #dropOld (): Promise<void> {
    const { clock, retention, store } = this.#parts
    const dropped = await store.dropEvents(clock() - retention, BATCH).catch(() => 0)
    if (!this.#isStopped) this.#dropIn(dropped === BATCH ? this.#times.drop.again : this.#times.drop.every)
  }
}

async function within (milliseconds: number, work: Promise<void>): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, milliseconds)
    void work.finally(() => { clearTimeout(timer); resolve() })
  })
}
