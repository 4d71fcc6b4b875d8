// Groups the writes that wait into one SQLite commit; holds no statement. An operation fails alone, a commit fails for all in it.
import type { Database } from 'libsql'

type Statement = ReturnType<Database['prepare']>

/** How long another process that writes to the file is waited for, and how often it is looked at; milliseconds. SQLite's own way to wait would hold up everything else. */
const PATIENCE_MS = 2_000
const LOOK_EVERY_MS = 20

interface Waiting { givesUpAt: number, run: () => void, settle: () => void, reject: (reason: unknown) => void }

export class CommitQueue {
  readonly #database: Database
  /** Made ready once, for it is a part of every commit. */
  readonly #end: Statement
  readonly #assertUsable: () => void
  #waiting: Waiting[] = []

  /** `assertUsable` is asked before each commit; what it throws rejects all that wait. */
  constructor (database: Database, assertUsable = () => {}) {
    this.#database = database
    this.#end = database.prepare('COMMIT')
    this.#assertUsable = assertUsable
  }

  /** What `operation` returns, once it is committed with whatever else was waiting. */
  async write<Result>(operation: () => Result): Promise<Result> {
    return await new Promise<Result>((resolve, reject) => {
      let outcome: () => void
      if (this.#waiting.length === 0) setImmediate(() => { this.#commit(performance.now()) })
      this.#waiting.push({
        givesUpAt: performance.now() + PATIENCE_MS,
        run: () => {
          try {
            const result = operation()
            outcome = () => { resolve(result) }
          } catch (reason) {
            outcome = () => { reject(reason) }
          }
        },
        settle: () => { outcome() },
        reject,
      })
    })
  }

  /** Commits what waits, now or never. */
  flush (): void {
    this.#commit(Infinity)
  }

  #commit (now: number): void {
    if (this.#waiting.length === 0) return
    try {
      this.#assertUsable()
      // Made ready anew each time: a prepared one that found the file busy stays under way in SQLite, and keeps the view of the next read for good, from which nobody on this connection may write any more.
      this.#database.exec('BEGIN IMMEDIATE')
    } catch (reason) {
      const mayWait = (write: Waiting) => isBusy(reason) && now < write.givesUpAt
      const batch = this.#take()
      this.#waiting = batch.filter(mayWait)
      for (const write of batch) if (!mayWait(write)) write.reject(reason)
      if (this.#waiting.length > 0) setTimeout(() => { this.#commit(performance.now()) }, LOOK_EVERY_MS)
      return
    }
    const batch = this.#take()
    try {
      for (const { run } of batch) run()
      this.#end.run([])
    } catch (reason) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
      for (const { reject } of batch) reject(reason)
      return
    }
    for (const { settle } of batch) settle()
  }

  #take (): Waiting[] {
    const batch = this.#waiting
    this.#waiting = []
    return batch
  }
}

function isBusy (reason: unknown): boolean {
  return (reason as { code?: string }).code === 'SQLITE_BUSY'
}
