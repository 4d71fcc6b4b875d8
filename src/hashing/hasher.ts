// Password hashing behind one bounded queue, in threads of low priority; holds no password policy.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Piscina } from 'piscina'
import { SILENT, type Meter } from '../core/metrics.js'
import { readPasswordHash, writePasswordHash, type BcryptHash, type ForeignHash, type PasswordHash } from '../core/password-hashes.js'
import { AuthError } from '../errors.js'
import { SOURCES } from '../places.js'
import { FairQueue, type Requester } from './fair-queue.js'
import { kindOf, workOf } from './foreign-hashes.js'
import type { Comparing, Making } from './hashing-worker.js'
import { digestOf, isReadWhole } from './long-passwords.js'

export type { Requester } from './fair-queue.js'

export interface HashSettings {
  /** bcrypt's cost: the hash takes twice as long for each step. */
  cost: number
  threads: number
  /** How many may wait beyond those being hashed. */
  queue: number
  meter?: Meter | undefined
}

type Task = Making | Comparing

/** What a thread is to do, for whom, since when in milliseconds of the uptime, and who is told of it. */
interface Job { task: Task, requester: Requester, since: number, resolve: (result: unknown) => void, reject: (error: unknown) => void }

/** Low enough that one refresh goes before a storm of log-ins (Linux: nice). */
const NICENESS = 15
const RETRY_AFTER_SECONDS = 2

export class Hasher {
  /** Started by whoever is the first to need it: a service that nobody logs in to is as small as it can be. */
  #pool: Promise<Pool> | undefined
  readonly #threads: number
  readonly #queue: FairQueue<Job>
  /** No more than there are threads, so that the order is the queue's: the pool's own sends whoever finds no thread to the end. */
  readonly #running = new Set<Promise<void>>()
  readonly #cost: number
  /** What a refusal costs: as much as the dearest hash that was met so far, and at least today's cost; and as much as the dearest of each kind from another system. */
  #refusalCost: number
  readonly #meter: Meter
  readonly #foreign = new Map<string, ForeignHash>()
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
    const of = kindOfInput(password)
    const hash = await this.#run<string>({ password: inputOf(password, of), cost: this.#cost }, requester)
    return writePasswordHash({ scheme: 'bcrypt', of, hash, cost: this.#cost })
  }

  /**
   * Whether a password is the stored hash's: the first of its spellings is the normalised one; the others are tried where another system made
   * the hash, and may not have normalised. It is false after the same time without a hash, or with one of any cost and kind. Throws `busy` when
   * the queue is full.
   */
  async verify (typed: [string, ...string[]], stored: string | undefined, requester: Requester): Promise<boolean> {
    const hash = this.#read(stored ?? '', typed[0])
    if (hash) this.#meet(hash)
    const spellings = hash && isOurs(hash) ? [typed[0]] : typed
    return await this.#run({
      spellings: hash?.scheme === 'bcrypt' ? spellings.map(spelling => inputOf(spelling, hash.of)) : spellings,
      hash,
      spellingsTyped: typed.length,
      refusal: { bcryptCost: this.#refusalCost, foreign: [...this.#foreign.values()] },
    }, requester)
  }

  /** Whether the hash is one of ours, made at the cost of today. */
  isCurrent (stored: string): boolean {
    const hash = readPasswordHash(stored)
    return typeof hash !== 'string' && isOurs(hash) && hash.cost === this.#cost && stored.endsWith(hash.hash)
  }

  /** The hash that is stored; undefined where it is none that the password can be compared with. */
  #read (stored: string, password: string): PasswordHash | undefined {
    const hash = readPasswordHash(stored)
    if (typeof hash === 'string') return undefined
    // A digest that is sent as a password is no match for the hash of a digest.
    return isOurs(hash) && hash.of !== kindOfInput(password) ? undefined : hash
  }

  #meet (hash: PasswordHash): void {
    if (hash.scheme === 'bcrypt') {
      this.#refusalCost = Math.max(this.#refusalCost, hash.cost)
      return
    }
    const dearest = this.#foreign.get(kindOf(hash))
    if (!dearest || workOf(dearest) < workOf(hash)) this.#foreign.set(kindOf(hash), hash)
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
    filename: new URL('hashing/hashing-worker.js', SOURCES).href,
    minThreads: count,
    maxThreads: count,
    niceIncrement: NICENESS,
    recordTiming: false,
    // The worker is plain JavaScript: what flags load into this process, or NODE_OPTIONS does, is not for its threads; nor is any secret in a variable.
    execArgv: [],
    env: {},
  })
  // A thread's first message says so.
  return { threads, started: Promise.allSettled(threads.threads.map(async thread => await once(thread, 'message'))) }
}

/** Whether it was made here: no other system's bcrypt is kept without its mark. */
function isOurs (hash: PasswordHash): hash is BcryptHash {
  return hash.scheme === 'bcrypt' && (hash.of === 'password' || hash.of === 'hmac-sha384')
}

/** What our own hash of a password is of. */
function kindOfInput (password: string): 'password' | 'hmac-sha384' {
  return isReadWhole(password) ? 'password' : 'hmac-sha384'
}

/** What bcrypt is given of a password. */
function inputOf (password: string, of: BcryptHash['of']): string {
  if (of === 'hmac-sha384') return digestOf(password)
  return of === 'hex-sha256' ? createHash('sha256').update(password).digest('hex') : password
}
