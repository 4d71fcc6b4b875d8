// Follows the ring on disk: adopts what changed, keeps what it has where the new is broken, and does what is due by itself; holds no rule and no timer of a key.
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { firstInAgreement, isSettled, type Look } from '../core/clock.js'
import { agesByState, planUpkeep, type KeyKind, type KeyRecord, type KeyTerms, type Step } from '../core/key-life-cycle.js'
import type { Figure } from '../core/metrics.js'
import { readRing, type KeyRing, type ReadRing } from './key-ring.js'
import { changeRing } from './ring-changes.js'
import { historyOf, readManifestText, type HistoryEntry, type RingPlace } from './ring-files.js'
import { RingBusyError } from './ring-lock.js'

/** What an operator should see. */
export interface RingLog {
  adopted: (active: { signing: string, refresh: string }) => void
  refused: (fault: Error) => void
  /** Told of the whole history of a ring that is adopted, and how many entries of it were known before. */
  stepsSeen: (history: HistoryEntry[], known: number) => void
  stepsTaken: (kind: KeyKind, steps: Step[]) => void
  upkeepFailed: (fault: Error) => void
}

export interface WatcherParts {
  place: RingPlace
  keyRing: KeyRing
  /** The ring that is in use already. */
  ring: ReadRing
  terms: Record<KeyKind, KeyTerms>
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Milliseconds since the process began, whatever anybody sets the clock to. */
  uptime: () => number
  log: RingLog
}

/** Reading a file of a kilobyte costs nothing, and unlike an event of the file system it never fails to come. */
const LOOK_EVERY_MS = 500
const REPEAT_MS = 60_000
/** After an upkeep that failed, on a read-only folder say. */
const RETRY_MS = 3_600_000
const KINDS = ['signing', 'refresh'] as const

export class RingWatcher {
  readonly #parts: WatcherParts
  readonly #ending = new AbortController()
  #running: Promise<void> | undefined
  #ring: ReadRing
  #saidAt = -Infinity
  #upkeepFrom = -Infinity
  /** Known to this process alone: after a restart nothing is known of the clock. */
  #inAgreement: Look | undefined

  constructor (parts: WatcherParts) {
    this.#parts = parts
    this.#ring = parts.ring
  }

  /** Looks twice a second from now on. */
  start (): void {
    this.#running ??= this.#run()
  }

  /** How long the keys of the ring that is in use have been in their states, as `signet_key_age_seconds` has it. `now` in milliseconds. */
  ages (now: number): Figure[] {
    return KINDS.flatMap(kind => agesByState(this.#ring.manifest[kind], now).map(([state, seconds]): Figure => [[kind, state], seconds]))
  }

  async stop (): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  /** Looks once: adopts a ring that has changed, and does what is due. Never rejects. */
  async look (): Promise<void> {
    await this.#follow()
    await this.#keepUp()
  }

  async #run (): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      await this.look()
      await pause(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async #follow (): Promise<void> {
    const { place, keyRing } = this.#parts
    try {
      const isSame = await readManifestText(place.folder) === this.#ring.text
      if (isSame && !keyRing.fault) return
      const ring = await readRing(place, this.#ring.known)
      if (!ring) throw new Error(`There is no key ring in ${place.folder} any more.`)
      this.#adopt(ring)
    } catch (fault) {
      this.#refuse(fault as Error)
    }
  }

  #adopt (ring: ReadRing): void {
    const { keyRing, log } = this.#parts
    keyRing.adopt(ring.parts)
    const [before, now] = [historyOf(this.#ring.manifest), historyOf(ring.manifest)]
    this.#ring = ring
    log.adopted({ signing: ring.parts.active.id, refresh: ring.parts.activeSecret.id })
    log.stepsSeen(now, before.findLastIndex((entry, index) => isDeepStrictEqual(entry, now[index])) + 1)
  }

  // Said again and again, for a server that goes on with old keys is easily forgotten.
  #refuse (fault: Error): void {
    const { keyRing, log, uptime } = this.#parts
    const isKnown = keyRing.fault?.message === fault.message && uptime() - this.#saidAt < REPEAT_MS
    keyRing.fault = fault
    if (isKnown) return
    this.#saidAt = uptime()
    log.refused(fault)
  }

  async #keepUp (): Promise<void> {
    const { keyRing, clock, uptime, log } = this.#parts
    const look = { wall: clock(), uptime: uptime() }
    this.#inAgreement = firstInAgreement(this.#inAgreement, look)
    if (keyRing.fault || !isSettled(this.#inAgreement, look) || look.uptime < this.#upkeepFrom) return
    try {
      for (const kind of KINDS) await this.#takeDueSteps(kind, look.wall)
    } catch (fault) {
      // Whoever is changing the ring now does what is due, or leaves it to the next look.
      if (fault instanceof RingBusyError) return
      this.#upkeepFrom = look.uptime + RETRY_MS
      log.upkeepFailed(fault as Error)
    }
  }

  // Planned once more under the lock, so that of many servers one does it.
  async #takeDueSteps (kind: KeyKind, now: number): Promise<void> {
    const { place, terms, log } = this.#parts
    if (terms[kind].interval === 0) return
    const plan = (keys: KeyRecord[]) => planUpkeep(keys, now, terms[kind])
    if (plan(this.#ring.manifest[kind]).steps.length === 0) return
    const taken = await changeRing(place, { kind, plan, now, by: 'server' }, { milliseconds: 0 }) as { steps: Step[] }
    if (taken.steps.length > 0) log.stepsTaken(kind, taken.steps)
    await this.#follow()
  }
}
