// Groups the writes that wait into one SQLite commit; holds no statement. An operation fails alone, a commit fails for all in it.
import type { Database } from 'libsql'

interface Waiting { run: () => void, settle: () => void, reject: (reason: unknown) => void }

export class CommitQueue {
  readonly #database: Database
  #waiting: Waiting[] = []

  constructor (database: Database) {
    this.#database = database
  }

  /** What `operation` returns, once it is committed with whatever else was waiting. */
  async write<Result>(operation: () => Result): Promise<Result> {
    return await new Promise<Result>((resolve, reject) => {
      let outcome: () => void
      if (this.#waiting.length === 0) setImmediate(() => { this.flush() })
      this.#waiting.push({
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

  /** Commits what waits, now. */
  flush (): void {
    const batch = this.#waiting
    if (batch.length === 0) return
    this.#waiting = []
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      for (const { run } of batch) run()
      this.#database.exec('COMMIT')
    } catch (reason) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
      for (const { reject } of batch) reject(reason)
      return
    }
    for (const { settle } of batch) settle()
  }
}
