// Password hashing behind one bounded queue, in threads of low priority; holds no password policy.
import { once } from 'node:events'
import { Piscina } from 'piscina'
import { AuthError } from '../errors.js'

export interface HashSettings {
  /** bcrypt's cost: the hash takes twice as long for each step. */
  cost: number
  threads: number
  /** How many may wait beyond those being hashed. */
  queue: number
}

/** Who a hash is made for: the network address, and whether the account is used from there already. */
export interface Requester { address: string, isKnown: boolean }

/** Low enough that one refresh goes before a storm of log-ins (Linux: nice). */
const NICENESS = 15
const QUEUE_FULL = 'Task queue is at limit'
const RETRY_AFTER_SECONDS = 2

export class Hasher {
  readonly #pool: Piscina
  readonly #cost: number
  readonly #costPrefix: string
  readonly #nobody: string
  readonly #threadsStarted: Promise<unknown>

  constructor (settings: HashSettings) {
    this.#cost = settings.cost
    this.#costPrefix = `$2b$${String(settings.cost).padStart(2, '0')}$`
    // Well-formed and nobody's: comparing with it takes as long as with any hash of this cost.
    this.#nobody = `${this.#costPrefix}${'.'.repeat(53)}`
    this.#pool = new Piscina({
      filename: new URL('./bcrypt-worker.js', import.meta.url).href,
      minThreads: settings.threads,
      maxThreads: settings.threads,
      maxQueue: settings.queue,
      niceIncrement: NICENESS,
      recordTiming: false,
      // The worker is plain JavaScript: flags that load something into this process are not for its threads.
      execArgv: [],
    })
    // A thread's first message says that it has loaded what it needs.
    this.#threadsStarted = Promise.allSettled(this.#pool.threads.map(async thread => await once(thread, 'message')))
  }

  /** The bcrypt hash of a normalised password of at most 72 bytes. Throws `busy` when the queue is full. */
  async hash (password: string, _requester: Requester): Promise<string> {
    return await this.#run({ password, cost: this.#cost })
  }

  /** Whether the password is the hash's. Without a hash it is false, after the same time. Throws `busy` when the queue is full. */
  async verify (password: string, hash: string | undefined, _requester: Requester): Promise<boolean> {
    return await this.#run({ password, hash: hash ?? this.#nobody })
  }

  /** Whether the hash was made at the cost of today. */
  isCurrent (hash: string): boolean {
    return hash.startsWith(this.#costPrefix)
  }

  /** Finishes what is queued and ends the threads. */
  async close (): Promise<void> {
    // A thread that is ended while it loads bcrypt's native part takes the whole process with it (SIGABRT).
    await this.#threadsStarted
    await this.#pool.close()
  }

  async #run<Result>(task: object): Promise<Result> {
    try {
      return await this.#pool.run(task) as Result
    } catch (cause) {
      if ((cause as Error).message !== QUEUE_FULL) throw cause
      throw new AuthError('busy', { cause, retryAfter: RETRY_AFTER_SECONDS })
    }
  }
}
