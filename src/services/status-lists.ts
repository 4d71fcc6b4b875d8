// The status lists as they are served (draft-ietf-oauth-status-list-21): follows what is closed, and signs what it saw; holds no HTTP, no driver and no place of a family.
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { SILENT, type Meter } from '../core/metrics.js'
import { LIST_BYTES, placeOf, readBit, writeBit } from '../core/status-list.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { StatusList, Store, UserClosings } from '../store/store.js'
import { BLOCK_LIFE_MS, type StatusPlaces } from './status-places.js'

/** Once so often the store is asked what was closed. */
const LOOK_EVERY_MS = 500
/** A closing is dated by its request, which may have waited for a thread to hash in, and by its server's clock. One that is dated no further back is seen at the next look; else when all is looked through again. */
const LATE_MS = 30_000
const ALL_EVERY_MS = 60_000
/** What was looked at is the truth for so long, and no longer. */
const KNOWN_MS = 10_000
/** A list that has not changed is signed anew after so long, so that what is fetched is always good for minutes. */
const SIGNED_EVERY_MS = 60_000
/** The life of a list that is served, in seconds. */
export const LIST_LIFE = 300
/** Users whose closings are read in one go: few, and twice as many each time for as long as they have few closings. Most have one or two, and some a thousand, which would hold up everything else for long. */
const PAGE = { first: 10, most: 100 }
const MANY_CLOSINGS = 2_000
const SECOND_MS = 1_000

// In a thread of the pool. Beyond this level it costs many times as much for a tenth.
const compress = promisify<Buffer, { level: number }, Buffer>(deflate)
const LEVEL = 6

export interface StatusListParts {
  store: Pick<Store, 'listClosings'>
  places: StatusPlaces
  keyRing: KeyRing
  issuer: string
  /** How long services may keep a list, in seconds. */
  ttl: number
  /** How long a closing counts, and how long a family may live, in milliseconds. */
  closingRetention: number
  familyLife: number
  /** Milliseconds since the epoch; and of a clock that never jumps. */
  clock: () => number
  uptime: () => number
  /** Told when the lists can no longer be brought up to date, and with nothing when they can again. */
  report: (fault: Error | undefined) => void
  meter?: Meter | undefined
}

/** A list as it was signed. `expiresAt` in milliseconds since the epoch. */
export interface SignedList { jwt: string, expiresAt: number }

/** A list that is kept: its bits, the indices of those that are set by the second of their closings, and how it was signed last. */
interface Kept { bits: Buffer, closed: Map<number, number[]>, hasChanged: boolean, signed: SignedList | undefined, signedAt: number, keyId: string }

export class StatusLists {
  readonly #parts: StatusListParts
  readonly #lists = new Map<number, Kept>()
  /** What was closed last of what was seen, and when all was looked through. */
  #seen = 0
  #allAt = -Infinity
  /** How far the clock was ahead of the one that never jumps then. */
  #ahead = 0
  #lookedAt = -Infinity
  #fault: Error | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  constructor (parts: StatusListParts) {
    this.#parts = parts
    const { meter = SILENT, uptime } = parts
    // Never until they are known first.
    meter.watch('signet_status_list_age_seconds', () => this.#lookedAt === -Infinity ? [] : [[[], (uptime() - this.#lookedAt) / 1000]])
  }

  /** Looks at once, and from then on, until it is told to stop. */
  start (): void {
    const again = async () => {
      await this.look()
      if (this.#timer) this.#timer = setTimeout(() => { void again() }, LOOK_EVERY_MS).unref()
    }
    this.#timer = setTimeout(() => { void again() }, 0)
    this.#parts.keyRing.onAdopt = () => { void this.#queue(async () => { await this.#signAll() }) }
  }

  /** Ends when nothing more is asked of the store. */
  async stop (): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#looking
  }

  /** Sees what is closed, and signs what has changed. It reports a failure, and never rejects. */
  async look (): Promise<void> {
    await this.#queue(async () => {
      await this.#follow()
      await this.#signAll()
    })
  }

  /** The numbers of the lists that are served; `unavailable` before the store was ever looked at. */
  get numbers (): number[] | 'unavailable' {
    return this.#lookedAt === -Infinity ? 'unavailable' : [...this.#lists.keys()]
  }

  /** A list of this number, signed; `unknown` where no token can be of it, `unavailable` where nothing good is known of it. `now` in milliseconds. */
  read (list: number, now: number): SignedList | 'unknown' | 'unavailable' {
    if (this.#lookedAt === -Infinity) return 'unavailable'
    const kept = this.#lists.get(list)
    if (!kept) return 'unknown'
    return kept.signed && kept.signed.expiresAt > now ? kept.signed : 'unavailable'
  }

  async #queue (work: () => Promise<void>): Promise<void> {
    // One after the other, so that no bit changes while it is compressed.
    this.#looking = this.#looking.then(work).then(() => { this.#tell(undefined) }, (fault: Error) => { this.#tell(fault) })
    await this.#looking
  }

  #tell (fault: Error | undefined): void {
    if (Boolean(fault) !== Boolean(this.#fault)) this.#parts.report(fault)
    this.#fault = fault
  }

  async #follow (): Promise<void> {
    const { places, clock, uptime, closingRetention, familyLife } = this.#parts
    const [now, started] = [clock(), uptime()]
    const alive = (await places.listsWithRoom(now)).filter(({ leasedAt }) => leasedAt + BLOCK_LIFE_MS + familyLife + closingRetention > now)
    for (const list of this.#lists.keys()) if (!alive.some(other => other.list === list)) this.#lists.delete(list)
    const isNew = ({ list }: StatusList) => !this.#lists.has(list)
    // What a clock that was ahead forgot counts again when it is set back, and what was closed in a list before it was known was passed over.
    const isAll = started - this.#allAt >= ALL_EVERY_MS || Math.abs(now - started - this.#ahead) > LATE_MS || alive.some(isNew)
    // Until that is done nothing is signed.
    if (isAll) this.#allAt = -Infinity
    for (const { list } of alive.filter(isNew)) this.#lists.set(list, { bits: Buffer.alloc(LIST_BYTES), closed: new Map(), hasChanged: true, signed: undefined, signedAt: -Infinity, keyId: '' })
    await this.#readClosings(isAll ? now - closingRetention : Math.min(this.#seen, now) - LATE_MS, now)
    if (isAll) [this.#allAt, this.#ahead] = [started, now - started]
    this.#forget(now)
    this.#lookedAt = started
  }

  async #readClosings (closedAfter: number, now: number): Promise<void> {
    const { store, closingRetention } = this.#parts
    let from = { closedAfter, userId: '' }
    let page: UserClosings[]
    let [asked, next] = [0, PAGE.first]
    do {
      asked = next
      page = await store.listClosings(from, asked)
      for (const { userId, closedAt, closed } of page) {
        from = { closedAfter: closedAt, userId }
        this.#seen = Math.max(this.#seen, closedAt)
        for (const { serial, at } of closed) if (serial !== undefined && at > now - closingRetention) this.#set(serial, at)
      }
      const count = page.reduce((sum, { closed }) => sum + closed.length, 0)
      next = count > MANY_CLOSINGS ? PAGE.first : Math.min(2 * asked, PAGE.most)
      // So that others are served in between, for the embedded store answers at once.
      await turn()
    } while (page.length === asked)
  }

  #set (serial: number, at: number): void {
    const list = this.#lists.get(placeOf(serial).list)
    if (!list) return
    const index = this.#parts.places.indexOf(serial)!
    if (readBit(list.bits, index)) return
    writeBit(list.bits, index, 1)
    list.hasChanged = true
    const second = Math.floor(at / SECOND_MS)
    const others = list.closed.get(second)
    if (others) others.push(index)
    else list.closed.set(second, [index])
  }

  // Every token of such a family has expired. By the second, for there may be as many as log-ins in a quarter of an hour.
  #forget (now: number): void {
    for (const list of this.#lists.values()) {
      for (const [second, indices] of list.closed) {
        if ((second + 1) * SECOND_MS > now - this.#parts.closingRetention) continue
        for (const index of indices) writeBit(list.bits, index, 0)
        list.closed.delete(second)
        list.hasChanged = true
      }
    }
  }

  async #signAll (): Promise<void> {
    const { clock, keyRing, uptime } = this.#parts
    for (const [number, list] of this.#lists) {
      const isDue = list.hasChanged || list.keyId !== keyRing.keyId || Math.abs(clock() - list.signedAt) >= SIGNED_EVERY_MS
      const isKnown = this.#allAt > -Infinity && uptime() - this.#lookedAt < KNOWN_MS
      if (isDue && isKnown) await this.#sign(number, list)
    }
  }

  async #sign (number: number, list: Kept): Promise<void> {
    const { keyRing, places, issuer, ttl, clock } = this.#parts
    const [signedAt, keyId] = [clock(), keyRing.keyId]
    const iat = Math.floor(signedAt / 1000)
    const lst = (await compress(list.bits, { level: LEVEL })).toString('base64url')
    const jwt = await keyRing.signStatusList({ iss: issuer, sub: places.uriOf(number), iat, exp: iat + LIST_LIFE, ttl, status_list: { bits: 1, lst } })
    Object.assign(list, { signed: { jwt, expiresAt: (iat + LIST_LIFE) * 1000 }, signedAt, keyId, hasChanged: false } satisfies Partial<Kept>)
  }
}
