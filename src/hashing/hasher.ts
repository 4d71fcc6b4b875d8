// Password hashing behind one bounded queue, in threads of low priority; holds no password policy.
import { once } from 'node:events'
import { Piscina } from 'piscina'
import { AuthError } from '../errors.js'
import { FairQueue, type Requester } from './fair-queue.js'

export type { Requester } from './fair-queue.js'

export interface HashSettings {
  /** bcrypt's cost: the hash takes twice as long for each step. */
  cost: number
  threads: number
  /** How many may wait beyond those being hashed. */
  queue: number
}

/** What a thread is to do, for whom, and who is told of it. */
interface Job { task: object, requester: Requester, resolve: (result: unknown) => void, reject: (error: unknown) => void }

/** Low enough that one refresh goes before a storm of log-ins (Linux: nice). */
const NICENESS = 15
const RETRY_AFTER_SECONDS = 2

export class Hasher {
  readonly #pool: Piscina
  readonly #threads: number
  readonly #queue: FairQueue<Job>
  /** No more than there are threads, so that the order is the queue's: the pool's own sends whoever finds no thread to the end. */
  readonly #running = new Set<Promise<void>>()
  readonly #cost: number
  readonly #costPrefix: string
  readonly #nobody: string
  readonly #threadsStarted: Promise<unknown>

  constructor (settings: HashSettings) {
    this.#threads = settings.threads
    this.#queue = new FairQueue(settings.queue)
    this.#cost = settings.cost
    this.#costPrefix = `$2b$${String(settings.cost).padStart(2, '0')}$`
    // Well-formed and nobody's: comparing with it takes as long as with any hash of this cost.
    this.#nobody = `${this.#costPrefix}${'.'.repeat(53)}`
    this.#pool = new Piscina({
      filename: new URL('./bcrypt-worker.js', import.meta.url).href,
      minThreads: settings.threads,
      maxThreads: settings.threads,
      niceIncrement: NICENESS,
      recordTiming: false,
      // The worker is plain JavaScript: flags that load something into this process are not for its threads.
      execArgv: [],
    })
    // A thread's first message says that it has loaded what it needs.
    this.#threadsStarted = Promise.allSettled(this.#pool.threads.map(async thread => await once(thread, 'message')))
  }

  /** The bcrypt hash of a normalised password of at most 72 bytes. Throws `busy` when the queue is full. */
  async hash (password: string, requester: Requester): Promise<string> {
    return await this.#run({ password, cost: this.#cost }, requester)
  }

  /** Whether the password is the hash's. Without a hash it is false, after the same time. Throws `busy` when the queue is full. */
  async verify (password: string, hash: string | undefined, requester: Requester): Promise<boolean> {
    return await this.#run({ password, hash: hash ?? this.#nobody }, requester)
  }

  /** Whether the hash was made at the cost of today. */
  isCurrent (hash: string): boolean {
    return hash.startsWith(this.#costPrefix)
  }

  /** Finishes what is queued and ends the threads. */
  async close (): Promise<void> {
    // A thread that is ended while it loads bcrypt's native part takes the whole process with it (SIGABRT).
    await this.#threadsStarted
    while (this.#running.size > 0) await Promise.all(this.#running)
    await this.#pool.close()
  }

  async #run<Result> (task: object, requester: Requester): Promise<Result> {
    return await new Promise<Result>((resolve, reject) => {
      const displaced = this.#queue.add({ task, requester, resolve: resolve as Job['resolve'], reject })
      displaced?.reject(new AuthError('busy', { retryAfter: RETRY_AFTER_SECONDS }))
      this.#startNext()
    })
  }

  #startNext (): void {
    const job = this.#running.size < this.#threads ? this.#queue.next() : undefined
    if (!job) return
    const running = this.#pool.run(job.task).then(job.resolve, job.reject).finally(() => {
      this.#running.delete(running)
      this.#startNext()
    })
    this.#running.add(running)
  }
}
