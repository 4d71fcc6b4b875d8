// Follows the ring on disk: adopts what changed, keeps what it has where the new is broken, and does what is due by itself; holds no rule and no timer of a key.
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { firstInAgreement, isSettled, type Look } from '../core/clock.js'
import { agesByState, KEY_KINDS, planBeginning, planUpkeep, type KeyKind, type KeyRecord, type KeyTerms, type Step } from '../core/key-life-cycle.js'
import type { Figure } from '../core/metrics.js'
import { readRing, type KeyRing, type ReadRing } from './key-ring.js'
import { changeRing } from './ring-changes.js'
import { historiesOf, keysOf, readManifestText, type HistoryEntry, type RingPlace } from './ring-files.js'
import { RingBusyError } from './ring-lock.js'

/** What an operator should see. */
export interface RingLog {
  adopted: (active: { signing: string, refresh: string, sealing: string | undefined }) => void
  refused: (fault: Error) => void
  /** Told of each whole history of a ring that is adopted, and how many entries of it were known before. */
  stepsSeen: (history: HistoryEntry[], known: number) => void
  stepsTaken: (kind: KeyKind, steps: Step[]) => void
  upkeepFailed: (fault: Error) => void
  /** Told once that the ring is of before there were sealing secrets, and that this server makes none: it does not change the ring, or cannot, for the fault. */
  goesUnsealed: (fault?: Error) => void
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

export class RingWatcher {
  readonly #parts: WatcherParts
  readonly #ending = new AbortController()
  #running: Promise<void> | undefined
  #ring: ReadRing
  #saidAt = -Infinity
  #upkeepFrom = -Infinity
  #hasBegun = false
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
    return KEY_KINDS.flatMap(kind => agesByState(keysOf(this.#ring.manifest, kind), now).map(([state, seconds]): Figure => [[kind, state], seconds]))
  }

  async stop (): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  /** Looks once: adopts a ring that has changed, and does what is due. Never rejects. */
  async look (): Promise<void> {
    await this.#follow()
    await this.#begin()
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
    const before = historiesOf(this.#ring.manifest)
    this.#ring = ring
    log.adopted({ signing: ring.parts.active.id, refresh: ring.parts.activeSecret.id, sealing: ring.parts.sealing?.active.id })
    for (const [at, now] of historiesOf(ring.manifest).entries()) log.stepsSeen(now, before[at]!.findLastIndex((entry, index) => isDeepStrictEqual(entry, now[index])) + 1)
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

  // The first sealing secret of a ring of before is made at once, for nothing hangs on its date.
  async #begin (): Promise<void> {
    const { keyRing, clock, terms, log } = this.#parts
    if (this.#hasBegun || keyRing.fault || keyRing.sealingSecret) return
    try {
      // Where servers leave the ring to commands, each may have a copy of its own, and could not open what another seals.
      if (terms.signing.interval === 0) log.goesUnsealed()
      else await this.#change('sealing', planBeginning, clock())
    } catch (fault) {
      if (fault instanceof RingBusyError) return
      log.goesUnsealed(fault as Error)
    }
    this.#hasBegun = true
  }

  async #keepUp (): Promise<void> {
    const { keyRing, clock, uptime, log } = this.#parts
    const look = { wall: clock(), uptime: uptime() }
    this.#inAgreement = firstInAgreement(this.#inAgreement, look)
    if (keyRing.fault || !isSettled(this.#inAgreement, look) || look.uptime < this.#upkeepFrom) return
    try {
      for (const kind of KEY_KINDS) await this.#takeDueSteps(kind, look.wall)
    } catch (fault) {
      // Whoever is changing the ring now does what is due, or leaves it to the next look.
      if (fault instanceof RingBusyError) return
      this.#upkeepFrom = look.uptime + RETRY_MS
      log.upkeepFailed(fault as Error)
    }
  }

  async #takeDueSteps (kind: KeyKind, now: number): Promise<void> {
    const { terms } = this.#parts
    if (terms[kind].interval === 0) return
    const plan = (keys: KeyRecord[]) => planUpkeep(keys, now, terms[kind])
    if (plan(keysOf(this.#ring.manifest, kind)).steps.length > 0) await this.#change(kind, plan, now)
  }

  // Planned under the lock, whatever was planned before, so that of many servers one does it.
  async #change (kind: KeyKind, plan: (keys: KeyRecord[]) => { steps: Step[] }, now: number): Promise<void> {
    const { place, log } = this.#parts
    const taken = await changeRing(place, { kind, plan, now, by: 'server' }, { milliseconds: 0 }) as { steps: Step[] }
    if (taken.steps.length > 0) log.stepsTaken(kind, taken.steps)
    await this.#follow()
  }
}
