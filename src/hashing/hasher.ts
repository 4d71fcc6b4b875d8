// Password hashing behind one bounded queue, in threads of low priority; holds no password policy.
import { once } from 'node:events'
import type { Piscina } from 'piscina'
import { SILENT, type Meter } from '../core/metrics.js'
import { AuthError } from '../errors.js'
import { SOURCES } from '../places.js'
import { FairQueue, type Requester } from './fair-queue.js'
import { digestOf, isReadWhole, readStored, writeStored } from './long-passwords.js'

export type { Requester } from './fair-queue.js'

export interface HashSettings {
  /** bcrypt's cost: the hash takes twice as long for each step. */
  cost: number
  threads: number
  /** How many may wait beyond those being hashed. */
  queue: number
  meter?: Meter | undefined
}

interface Task { password: string, cost: number, hash?: string }

/** What a thread is to do, for whom, since when in milliseconds of the uptime, and who is told of it. */
interface Job { task: Task, requester: Requester, since: number, resolve: (result: unknown) => void, reject: (error: unknown) => void }

/** Low enough that one refresh goes before a storm of log-ins (Linux: nice). */
const NICENESS = 15
const RETRY_AFTER_SECONDS = 2
/** The three that name today's algorithm; from other systems come the older names. */
const BCRYPT = /^\$2[aby]\$(\d\d)\$([./A-Za-z\d]{53})$/
const MIN_COST = 4
/** Signet makes no dearer ones, and one alone would hold a thread for minutes. */
const MAX_COST = 18

export class Hasher {
  /** Started by whoever is the first to need it: a service that nobody logs in to is as small as it can be. */
  #pool: Promise<Pool> | undefined
  readonly #threads: number
  readonly #queue: FairQueue<Job>
  /** No more than there are threads, so that the order is the queue's: the pool's own sends whoever finds no thread to the end. */
  readonly #running = new Set<Promise<void>>()
  readonly #cost: number
  /** What a refusal costs: as much as the dearest hash that was met so far, and at least today's cost. */
  #refusalCost: number
  readonly #meter: Meter
  #isClosing = false

  constructor (settings: HashSettings) {
    this.#threads = settings.threads
    this.#queue = new FairQueue(settings.queue)
    this.#cost = settings.cost
    this.#refusalCost = settings.cost
    this.#meter = settings.meter ?? SILENT
    this.#meter.watch('signet_hash_queue_length', () => [[[], this.#queue.size]])
  }

  /** The hash of a normalised password, to be stored. Throws `busy` when the queue is full. */
  async hash (password: string, requester: Requester): Promise<string> {
    const isOfDigest = !isReadWhole(password)
    const bcrypt = await this.#run<string>({ password: isOfDigest ? digestOf(password) : password, cost: this.#cost }, requester)
    return writeStored({ bcrypt, isOfDigest })
  }

  /**
   * Whether a normalised password is the stored hash's. It is false after the same time without a hash, or with one of any cost.
   * Throws `busy` when the queue is full.
   */
  async verify (password: string, stored: string | undefined, requester: Requester): Promise<boolean> {
    const isOfDigest = !isReadWhole(password)
    const known = readStored(stored ?? '')
    // A digest that is sent as a password is no match for the hash of a digest.
    const bcrypt = known.isOfDigest === isOfDigest ? readBcrypt(known.bcrypt) : undefined
    if (bcrypt) this.#refusalCost = Math.max(this.#refusalCost, bcrypt.cost)
    const cost = this.#refusalCost
    return await this.#run({ password: isOfDigest ? digestOf(password) : password, cost, hash: bcrypt?.hash ?? nobodys(cost) }, requester)
  }

  /** Whether the hash was made at the cost of today. */
  isCurrent (stored: string): boolean {
    return readStored(stored).bcrypt.startsWith(prefixOf(this.#cost))
  }

  /** Finishes what has begun, and ends the threads. What waits is let go unsettled: whoever closes has answered for it, and a full queue takes many seconds. */
  async close (): Promise<void> {
    this.#isClosing = true
    await Promise.all(this.#running)
    const pool = await this.#pool
    // A thread that is ended while it loads bcrypt's native part takes the whole process with it (SIGABRT).
    await pool?.started
    await pool?.threads.close()
  }

  async #run<Result> (task: Task, requester: Requester): Promise<Result> {
    return await new Promise<Result>((resolve, reject) => {
      const displaced = this.#queue.add({ task, requester, since: performance.now(), resolve: resolve as Job['resolve'], reject })
      displaced?.reject(new AuthError('busy', { retryAfter: RETRY_AFTER_SECONDS }))
      this.#startNext()
    })
  }

  #startNext (): void {
    const isFree = !this.#isClosing && this.#running.size < this.#threads
    const job = isFree ? this.#queue.next() : undefined
    if (!job) return
    this.#pool ??= startPool(this.#threads)
    const began = performance.now()
    this.#meter.time('signet_hash_wait_seconds', [], (began - job.since) / 1000)
    const running = this.#pool.then(async ({ threads }) => await threads.run(job.task)).then(job.resolve, job.reject).finally(() => {
      this.#meter.time('signet_hash_duration_seconds', [], (performance.now() - began) / 1000)
      this.#running.delete(running)
      this.#startNext()
    })
    this.#running.add(running)
  }
}

/** The threads, and when each of them has loaded what it needs. */
interface Pool { threads: Piscina, started: Promise<unknown> }

async function startPool (count: number): Promise<Pool> {
  const { Piscina } = await import('piscina')
  const threads = new Piscina({
    filename: new URL('hashing/bcrypt-worker.js', SOURCES).href,
    minThreads: count,
    maxThreads: count,
    niceIncrement: NICENESS,
    recordTiming: false,
    // The worker is plain JavaScript: flags that load something into this process are not for its threads.
    execArgv: [],
  })
  // A thread's first message says so.
  return { threads, started: Promise.allSettled(threads.threads.map(async thread => await once(thread, 'message'))) }
}

/** The hash by its name of today, and its cost; undefined if it is none that can be compared with. */
function readBcrypt (hash: string): { hash: string, cost: number } | undefined {
  const [, digits, rest] = BCRYPT.exec(hash) ?? []
  const cost = Number(digits)
  return cost >= MIN_COST && cost <= MAX_COST ? { hash: `${prefixOf(cost)}${rest}`, cost } : undefined
}

/** Well-formed and nobody's: comparing with it takes as long as with any hash of the cost. */
function nobodys (cost: number): string {
  return `${prefixOf(cost)}${'.'.repeat(53)}`
}

function prefixOf (cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$`
}
