// The embedded store: one SQLite file, one row a user with the families as JSON; holds no rule of a family's life.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'libsql'
import type { Family, LiveAfter } from '../core/families.js'
import { AuthError } from '../errors.js'
import { CommitQueue } from './commit-queue.js'
import type { AdvanceFamily, ChangePassword, CountFailure, Failures, OpenFamily, Store, User } from './store.js'

type Statement = ReturnType<Database.Database['prepare']>

/** A family but for its id, as it is stored. */
interface FamilyColumn { g: number, c: number, a: number, u: string | null, i: string }

type Row = [id: string, email: string, name: string | null, passwordHash: string, createdAt: number, families: string, failed: string | null]

const COLUMNS = 'id, email, name, password_hash, created_at, families, failed'

const BUSY_TIMEOUT_MS = 2_000
const RETRY_AFTER_SECONDS = 1

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    families TEXT NOT NULL DEFAULT '{}',
    failed TEXT
  ) STRICT`

// families is an object by family id: {"<id>": {"g": generation, "c": created, "a": advanced, "u": user agent, "i": address}}.
const LIVE_FAMILIES = "FROM json_each(users.families) WHERE value->>'$.c' > :createdAfter AND value->>'$.a' > :advancedAfter"
const STAYING_FAMILIES = `${LIVE_FAMILIES} AND key IS NOT :replaces`

export class SqliteStore implements Store {
  readonly #durable: Database.Database
  readonly #lazy: Database.Database
  readonly #durableQueue: CommitQueue
  readonly #lazyQueue: CommitQueue
  readonly #insert: Statement
  readonly #find: Statement
  readonly #findByEmail: Statement
  readonly #list: Statement
  readonly #open: Statement
  readonly #advance: Statement
  readonly #close: Statement
  readonly #countLive: Statement
  readonly #closeAll: Statement
  readonly #changePassword: Statement
  readonly #countFailure: Statement
  #isClosed = false

  /** Opens the file, making it and its folder where they are missing. Throws the driver's error if it cannot. */
  constructor (path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Promised writes are synced one way, rotations the other: a rotation that a power cut loses logs nobody out.
    this.#durable = connect(path, 'FULL')
    this.#lazy = connect(path, 'NORMAL')
    this.#durableQueue = new CommitQueue(this.#durable)
    this.#lazyQueue = new CommitQueue(this.#lazy)
    this.#insert = this.#durable.prepare('INSERT INTO users (id, email, name, password_hash, created_at, families, failed) VALUES (:id, :email, :name, :passwordHash, :createdAt, :families, :failed) ON CONFLICT DO NOTHING')
    this.#find = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE id = ?`).raw()
    this.#findByEmail = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE email = ?`).raw()
    this.#list = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE id > ? ORDER BY id LIMIT ?`).raw()
    this.#open = this.#durable.prepare(`
      UPDATE users SET password_hash = :passwordHash, families = json_set(
        (SELECT json_group_object(key, json(value)) FROM (SELECT key, value ${STAYING_FAMILIES} ORDER BY value->>'$.a' DESC LIMIT :room)),
        :path, json(:family))
      WHERE id = :userId AND password_hash = :verifiedHash AND (SELECT count(*) ${STAYING_FAMILIES}) < :refuseAt`)
    this.#advance = this.#lazy.prepare(`
      UPDATE users SET families = json_set(families, :path || '.g', :to, :path || '.a', :now)
      WHERE id = :userId AND families->>(:path || '.g') = :from AND families->>(:path || '.c') > :createdAfter AND families->>(:path || '.a') > :advancedAfter
      RETURNING families->:path`).raw()
    this.#close = this.#durable.prepare('UPDATE users SET families = json_remove(families, :path) WHERE id = :userId AND families->:path IS NOT NULL')
    this.#countLive = this.#durable.prepare(`SELECT (SELECT count(*) ${LIVE_FAMILIES}) AS live FROM users WHERE id = :userId`)
    this.#closeAll = this.#durable.prepare("UPDATE users SET families = '{}' WHERE id = :userId")
    this.#changePassword = this.#durable.prepare(`
      UPDATE users SET password_hash = :passwordHash, families = json_set('{}', :path, json(:family))
      WHERE id = :userId AND password_hash = :verifiedHash AND families->>(:callerPath || '.c') > :createdAfter AND families->>(:callerPath || '.a') > :advancedAfter`)
    this.#countFailure = this.#lazy.prepare(`
      UPDATE users SET failed = CASE WHEN abs(:now - (failed->>'$.since')) < :window THEN json_set(failed, :path, (failed->>:path) + 1) ELSE :first END
      WHERE id = :userId`)
  }

  async ping (): Promise<void> {
    await this.#guard(() => this.#find.get([''])).catch(cause => { throw new Error('The store does not answer.', { cause }) })
  }

  async close (): Promise<void> {
    this.#isClosed = true
    for (const queue of [this.#lazyQueue, this.#durableQueue]) queue.flush()
    for (const database of [this.#lazy, this.#durable]) database.close()
  }

  async insertUser (user: User): Promise<'inserted' | 'email_taken'> {
    const families = `{${user.families.map(family => `"${family.id}":${writeFamily(family)}`).join()}}`
    const { changes } = await this.#write(this.#durableQueue, () => this.#insert.run({ ...user, families, failed: user.failed ? JSON.stringify(user.failed) : null }))
    return changes === 1 ? 'inserted' : 'email_taken'
  }

  async findUser (id: string): Promise<User | undefined> {
    return toUser(await this.#guard(() => this.#find.get([id])))
  }

  async findUserByEmail (email: string): Promise<User | undefined> {
    return toUser(await this.#guard(() => this.#findByEmail.get([email])))
  }

  async listUsers (after: string, limit: number): Promise<User[]> {
    const rows = await this.#guard(() => this.#list.all([after, limit]))
    return rows.map(row => toUser(row)!)
  }

  async openFamily ({ userId, verifiedHash, passwordHash, family, live, limit, policy, replaces }: OpenFamily): Promise<'opened' | 'full' | 'stale'> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#open.run({
      userId, verifiedHash, passwordHash, ...live, replaces: replaces ?? null, path: pathOf(family.id), family: writeFamily(family), room: limit - 1, refuseAt: policy === 'refuse' ? limit : Number.MAX_SAFE_INTEGER,
    }))
    if (changes === 1) return 'opened'
    return (await this.findUser(userId))?.passwordHash === verifiedHash ? 'full' : 'stale'
  }

  async advanceFamily ({ userId, familyId, from, to, now, live }: AdvanceFamily): Promise<Family | undefined> {
    const row = await this.#write(this.#lazyQueue, () => this.#advance.get({ userId, path: pathOf(familyId), from, to, now, ...live })) as [string] | undefined
    return row && toFamily(familyId, JSON.parse(row[0]) as FamilyColumn)
  }

  async closeFamily (userId: string, familyId: string): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#close.run({ userId, path: pathOf(familyId) }))
    return changes === 1
  }

  async closeAllFamilies (userId: string, live: LiveAfter): Promise<number> {
    return await this.#write(this.#durableQueue, () => {
      const row = this.#countLive.get({ userId, ...live }) as { live: number } | undefined
      this.#closeAll.run({ userId })
      return row?.live ?? 0
    })
  }

  async changePassword ({ userId, verifiedHash, passwordHash, callerId, live, family }: ChangePassword): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#changePassword.run({
      userId, verifiedHash, passwordHash, ...live, callerPath: pathOf(callerId), path: pathOf(family.id), family: writeFamily(family),
    }))
    return changes === 1
  }

  async countFailure ({ userId, by, now, window }: CountFailure): Promise<void> {
    const first: Failures = { since: now, known: 0, stranger: 0, [by]: 1 }
    await this.#write(this.#lazyQueue, () => this.#countFailure.run({ userId, path: `$.${by}`, now, window, first: JSON.stringify(first) }))
  }

  async #write<Result>(queue: CommitQueue, operation: () => Result): Promise<Result> {
    return await this.#guard(async () => await queue.write(operation))
  }

  // Whatever the file system or another process does to the file is, to a client, an outage that may pass.
  async #guard<Result>(operation: () => Result | Promise<Result>): Promise<Result> {
    try {
      // The driver ends the whole process if it is asked anything after its end.
      if (this.#isClosed) throw new Error('the store is closed')
      return await operation()
    } catch (cause) {
      throw new AuthError('unavailable', { cause, retryAfter: RETRY_AFTER_SECONDS })
    }
  }
}

function connect (path: string, synchronous: 'FULL' | 'NORMAL'): Database.Database {
  const database = new Database(path)
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec(`PRAGMA synchronous = ${synchronous}`)
  database.exec(SCHEMA)
  addFailed(database)
  return database
}

// Files of before have no such column. The lock is for servers that start at once.
function addFailed (database: Database.Database): void {
  database.exec('BEGIN IMMEDIATE')
  const columns = database.prepare('PRAGMA table_info(users)').all() as Array<{ name: string }>
  if (!columns.some(({ name }) => name === 'failed')) database.exec('ALTER TABLE users ADD COLUMN failed TEXT')
  database.exec('COMMIT')
}

/** Ids are UUIDs, so that none of them can carry a path of its own. */
function pathOf (familyId: string): string {
  return `$."${familyId}"`
}

function writeFamily (family: Family): string {
  return JSON.stringify({ g: family.generation, c: family.createdAt, a: family.advancedAt, u: family.userAgent, i: family.ip })
}

function toUser (row: unknown): User | undefined {
  if (!row) return undefined
  const [id, email, name, passwordHash, createdAt, families, failed] = row as Row
  const parsed = Object.entries(JSON.parse(families) as Record<string, FamilyColumn>)
  const user: User = { id, email, name, passwordHash, createdAt, families: parsed.map(([id, family]) => toFamily(id, family)) }
  return failed === null ? user : { ...user, failed: JSON.parse(failed) as Failures }
}

function toFamily (id: string, { g, c, a, u, i }: FamilyColumn): Family {
  return { id, generation: g, createdAt: c, advancedAt: a, userAgent: u, ip: i }
}
