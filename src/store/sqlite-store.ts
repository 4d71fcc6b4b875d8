// The embedded store: one SQLite file, one row a user with the families as JSON; holds no rule of a family's life.
import { chmodSync, closeSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Database from 'libsql'
import type { Client } from '../core/client.js'
import { LAST_CLOSINGS, MAX_CLOSINGS, maxClosingsFor, type Closing } from '../core/closings.js'
import type { EventQuery, KeptEvent } from '../core/events.js'
import type { Family, Grant } from '../core/families.js'
import { LIST_SIZE } from '../core/status-list.js'
import { AuthError } from '../errors.js'
import { makeFolder } from '../folders.js'
import { CommitQueue } from './commit-queue.js'
import { whyNotOpened } from './openings.js'
import { CLIENTS_SCHEMA, SqliteClients } from './sqlite-clients.js'
import { EVENTS_SCHEMA, SqliteEvents } from './sqlite-events.js'
import type { AdvanceFamily, ChangePassword, CloseAll, CloseFamily, CountFailure, Failures, NoteRepeat, OpenFamily, Opening, Rename, StatusList, Store, User, UserClosings } from './store.js'

type Statement = ReturnType<Database.Database['prepare']>

/** A family but for its id, as it is stored. */
interface FamilyColumn { g: number, c: number, a: number, u: string | null, i: string, r?: Family['rotatedBy'], n?: Family['repeats'], s?: number, o?: GrantColumn }

/** A grant, as it is stored. */
interface GrantColumn { c: string, s: string, a: string[], t: number }

/** A closing, as it is stored. */
interface ClosingColumn { id: string, s?: number | null, at: number }

type Row = [id: string, email: string, name: string | null, passwordHash: string, createdAt: number, families: string, failed: string | null, closed: string | null]

const COLUMNS = 'id, email, name, password_hash, created_at, families, failed, closed'

/** While the file is opened, and while it is used: then whoever waits holds up everybody. */
const BUSY_TIMEOUT_MS = { opening: 2_000, open: 5 }
const RETRY_AFTER_SECONDS = 1
/** How often a file that is held is tried while it is opened, and nobody to be woken by in between. */
const LOOK_EVERY_MS = 10
const NOBODY = new Int32Array(new SharedArrayBuffer(4))

/** Marks the file as ours, "Sign" in ASCII. Written anew, it says whether a write would be kept. */
const MARK = 'PRAGMA application_id = 0x5369676e'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    families TEXT NOT NULL DEFAULT '{}',
    failed TEXT,
    closed TEXT,
    closed_at INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS status_lists (
    list INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    leased INTEGER NOT NULL,
    leased_at INTEGER NOT NULL
  ) STRICT`
/** Columns that files of before lack. */
const LATER_COLUMNS = { failed: 'TEXT', closed: 'TEXT', closed_at: 'INTEGER' }
const CLOSED_INDEX = 'CREATE INDEX IF NOT EXISTS users_closed_at ON users (closed_at) WHERE closed_at IS NOT NULL'
/** Users whose families are looked through in one go: a millisecond or two. */
const PAGE = 500

// families is an object by family id: {"<id>": {"g": generation, "c": created, "a": advanced, "u": user agent, "i": address, "r": rotated by, "n": repeats, "s": serial number, "o": grant}}.
// A grant is {"c": client, "s": scope, "a": audience, "t": authenticated}.
// closed is a list: [{"id": family id, "s": serial number, "at": closed}].
const LIVES = "(value->>'$.c' > :createdAfter AND value->>'$.a' > :advancedAfter)"
const livesAt = (path: string) => `families->>(${path} || '.c') > :createdAfter AND families->>(${path} || '.a') > :advancedAfter`
const COUNT_LIVE = `SELECT count(*) FROM json_each(users.families) WHERE ${LIVES}`
const COUNTS = "value->>'$.at' > :countsAfter"
const HAS_ROOM = `(SELECT count(*) FROM json_each(users.closed) WHERE ${COUNTS}) < :maxClosings`
const KEPT = `SELECT value FROM json_each(users.closed) WHERE ${COUNTS} OR key >= json_array_length(users.closed) - ${LAST_CLOSINGS}`

/** What of a write keeps that it closes these families. */
function closing (these: string): string {
  const gone = `FROM json_each(users.families) WHERE (value->>'$.s' IS NOT NULL OR value->'$.o' IS NOT NULL) AND ${these}`
  return `closed = (SELECT nullif(json_group_array(json(value)), '[]') FROM (${KEPT} UNION ALL SELECT json_object('id', key, 's', value->>'$.s', 'at', :at) AS value ${gone})),
    closed_at = iif(EXISTS (SELECT 1 ${gone}), max(:at, coalesce(closed_at, :at)), closed_at)`
}

/** Those that stay when one more is opened: before all others the log-in by which it is, of which no use is kept. */
const STAYING = `SELECT key, value FROM json_each(users.families) WHERE key IS NOT :replaces ORDER BY key IS :session DESC, ${LIVES} DESC, value->>'$.a' DESC LIMIT :room`

export class SqliteStore implements Store {
  readonly #durable: Database.Database
  readonly #lazy: Database.Database
  readonly #durableQueue: CommitQueue
  readonly #lazyQueue: CommitQueue
  readonly #eventQueue: CommitQueue
  readonly #insert: Statement
  readonly #find: Statement
  readonly #findByEmail: Statement
  readonly #list: Statement
  readonly #open: Statement
  readonly #advance: Statement
  readonly #noteRepeat: Statement
  readonly #close: Statement
  readonly #countLive: Statement
  readonly #closeAll: Statement
  readonly #changePassword: Statement
  readonly #rename: Statement
  readonly #countFailure: Statement
  readonly #number: Statement
  readonly #listClosings: Statement
  readonly #statusLists: Statement
  readonly #keepStatusList: Statement
  readonly #leasePlaces: Statement
  readonly #highestSerial: Statement
  readonly #clients: SqliteClients
  readonly #events: SqliteEvents
  readonly #paths: string[]
  readonly #files: string
  #isClosed = false

  /** Opens the file, making it and its folder where they are missing. Throws the driver's error if it cannot. */
  constructor (path: string) {
    makeFolder(dirname(path))
    makePrivate(path)
    // Promised writes are synced one way, rotations the other: a rotation that a power cut loses logs nobody out.
    this.#durable = connect(path, 'FULL')
    this.#lazy = connect(path, 'NORMAL')
    this.#paths = [path, ...besides(realpathSync(path))]
    this.#files = identify(this.#paths)
    this.#durableQueue = new CommitQueue(this.#durable, () => { this.#assertSameFiles() })
    // Which file a rotation goes to is not asked for each: one that is lost logs nobody out.
    this.#lazyQueue = new CommitQueue(this.#lazy)
    // In commits of their own, so that a log that does not fit fails no refresh.
    this.#eventQueue = new CommitQueue(this.#lazy)
    this.#insert = this.#durable.prepare('INSERT INTO users (id, email, name, password_hash, created_at, families, failed, closed, closed_at) VALUES (:id, :email, :name, :passwordHash, :createdAt, :families, :failed, :closed, :closedAt) ON CONFLICT DO NOTHING')
    this.#find = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE id = ?`).raw()
    this.#findByEmail = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE email = ?`).raw()
    this.#list = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE id > ? ORDER BY id LIMIT ?`).raw()
    this.#open = this.#durable.prepare(`
      UPDATE users SET password_hash = :passwordHash, families = json_set(
        (SELECT json_group_object(key, json(value)) FROM (${STAYING})),
        :path, json(:family)), ${closing(`key NOT IN (SELECT key FROM (${STAYING}))`)}
      WHERE id = :userId AND password_hash = :verifiedHash AND ${HAS_ROOM} AND (${COUNT_LIVE} AND key IS NOT :replaces) < :refuseAt
        AND families->:path IS NULL AND NOT EXISTS (SELECT 1 FROM json_each(users.closed) WHERE value->>'$.id' = :familyId) AND (:sessionPath IS NULL OR families->:sessionPath IS NOT NULL)`)
    this.#advance = this.#lazy.prepare(`
      UPDATE users SET families = json_set(families, :path || '.g', :to, :path || '.a', :now, :path || '.c', min(families->>(:path || '.c'), :now), :path || '.r', :by)
      WHERE id = :userId AND families->>(:path || '.g') = :from AND families->>(:path || '.o.c') IS :clientId AND ${livesAt(':path')}
      RETURNING families->:path`).raw()
    this.#noteRepeat = this.#lazy.prepare(`
      UPDATE users SET families = json_set(families, :path || '.n', json_object('at', :generation, 'running', :running))
      WHERE id = :userId AND families->>(:path || '.g') = :generation AND families->>(:path || '.n.at') IS NOT :generation`)
    this.#close = this.#durable.prepare(`UPDATE users SET families = json_remove(families, :path), ${closing('key = :familyId')} WHERE id = :userId AND families->:path IS NOT NULL`)
    this.#countLive = this.#durable.prepare(`SELECT (${COUNT_LIVE}) AS live FROM users WHERE id = :userId`)
    this.#closeAll = this.#durable.prepare(`UPDATE users SET families = '{}', ${closing('1')} WHERE id = :userId`)
    this.#changePassword = this.#durable.prepare(`
      UPDATE users SET password_hash = :passwordHash, families = json_set('{}', :path, json(:family)), ${closing('1')}
      WHERE id = :userId AND password_hash = :verifiedHash AND ${HAS_ROOM} AND ${livesAt(':callerPath')}`)
    this.#rename = this.#durable.prepare(`UPDATE users SET name = :name WHERE id = :userId AND ${livesAt(':callerPath')}`)
    this.#countFailure = this.#lazy.prepare(`
      UPDATE users SET failed = CASE WHEN abs(:now - (failed->>'$.since')) < :window THEN json_set(failed, :path, (failed->>:path) + 1) ELSE :first END
      WHERE id = :userId`)
    this.#number = this.#durable.prepare(`
      UPDATE users SET families = json_set(families, :path || '.s', coalesce(families->>(:path || '.s'), :serial)) WHERE id = :userId AND families->:path IS NOT NULL
      RETURNING families->>(:path || '.s')`).raw()
    this.#listClosings = this.#lazy.prepare('SELECT id, closed_at, closed FROM users WHERE closed IS NOT NULL AND closed_at >= :closedAfter AND (closed_at > :closedAfter OR id > :userId) ORDER BY closed_at, id LIMIT :limit').raw()
    this.#statusLists = this.#lazy.prepare('SELECT list, key, leased, leased_at FROM status_lists ORDER BY list').raw()
    this.#keepStatusList = this.#durable.prepare(`
      INSERT INTO status_lists (list, key, leased, leased_at) VALUES (:list, :key, :leased, :leasedAt)
      ON CONFLICT (list) DO UPDATE SET leased = max(leased, excluded.leased), leased_at = max(leased_at, excluded.leased_at)`)
    this.#leasePlaces = this.#durable.prepare(`
      UPDATE status_lists SET leased = leased + :count, leased_at = max(leased_at, :now) WHERE list = :list AND leased + :count <= ${LIST_SIZE}
      RETURNING leased - :count`).raw()
    this.#highestSerial = this.#lazy.prepare(`
      SELECT max(id), count(*), max(serial) FROM (
        SELECT id, (SELECT max(value->>'$.s') FROM (SELECT value FROM json_each(users.families) UNION ALL SELECT value FROM json_each(users.closed))) AS serial
        FROM users WHERE id > ? ORDER BY id LIMIT ${PAGE})`).raw()
    this.#clients = new SqliteClients(this.#durable, this.#lazy)
    this.#events = new SqliteEvents(this.#lazy)
  }

  async ping (): Promise<void> {
    await this.#guard(() => this.#find.get([''])).catch(cause => { throw new Error('The store does not answer.', { cause }) })
    await this.#write(this.#durableQueue, () => this.#durable.exec(MARK)).catch((cause: AuthError) => {
      throw cause.cause instanceof FileLost ? cause.cause : new Error('The store takes no writes.', { cause })
    })
  }

  async close (): Promise<void> {
    this.#isClosed = true
    for (const queue of [this.#lazyQueue, this.#eventQueue, this.#durableQueue]) queue.flush()
    // A full disk leaves all where it is, for the next start to read; another process that reads the file gathers it in its turn.
    await Promise.allSettled([this.#gather()])
    for (const database of [this.#lazy, this.#durable]) database.close()
  }

  async insertUser (user: User): Promise<'inserted' | 'email_taken'> {
    const families = `{${user.families.map(family => `"${family.id}":${writeFamily(family)}`).join()}}`
    const { changes } = await this.#write(this.#durableQueue, () => this.#insert.run({ ...user, families, failed: user.failed ? JSON.stringify(user.failed) : null, ...writeClosings(user.closed) }))
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

  async openFamily (change: OpenFamily): Promise<Opening> {
    const { userId, verifiedHash, passwordHash, family, session, live, limit, policy, replaces, closing } = change
    const { changes } = await this.#write(this.#durableQueue, () => this.#open.run({
      userId, verifiedHash, passwordHash, ...live, ...closing, maxClosings: maxClosingsFor(family), replaces: replaces ?? null, session: session ?? null, path: pathOf(family.id), familyId: family.id, sessionPath: session === undefined ? null : pathOf(session), family: writeFamily(family), room: limit - 1, refuseAt: policy === 'refuse' ? limit : Number.MAX_SAFE_INTEGER,
    }))
    if (changes === 1) return 'opened'
    return whyNotOpened(await this.findUser(userId), change)
  }

  async advanceFamily ({ userId, familyId, from, to, clientId, now, by, live }: AdvanceFamily): Promise<Family | undefined> {
    const row = await this.#write(this.#lazyQueue, () => this.#advance.get({ userId, path: pathOf(familyId), from, to, clientId: clientId ?? null, now, by, ...live })) as [string] | undefined
    return row && toFamily(familyId, JSON.parse(row[0]) as FamilyColumn)
  }

  async noteRepeat ({ userId, familyId, generation, running }: NoteRepeat): Promise<boolean> {
    const { changes } = await this.#write(this.#lazyQueue, () => this.#noteRepeat.run({ userId, path: pathOf(familyId), generation, running }))
    return changes === 1
  }

  async closeFamily ({ userId, familyId, closing }: CloseFamily): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#close.run({ userId, familyId, path: pathOf(familyId), ...closing }))
    return changes === 1
  }

  async closeAllFamilies ({ userId, live, closing }: CloseAll): Promise<number> {
    return await this.#write(this.#durableQueue, () => {
      const row = this.#countLive.get({ userId, ...live }) as { live: number } | undefined
      this.#closeAll.run({ userId, ...closing })
      return row?.live ?? 0
    })
  }

  async changePassword ({ userId, verifiedHash, passwordHash, callerId, live, family, closing }: ChangePassword): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#changePassword.run({
      userId, verifiedHash, passwordHash, ...live, ...closing, maxClosings: MAX_CLOSINGS, callerPath: pathOf(callerId), path: pathOf(family.id), family: writeFamily(family),
    }))
    return changes === 1
  }

  async rename ({ userId, name, callerId, live }: Rename): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#rename.run({ userId, name, ...live, callerPath: pathOf(callerId) }))
    return changes === 1
  }

  async countFailure ({ userId, by, now, window }: CountFailure): Promise<void> {
    const first: Failures = { since: now, known: 0, stranger: 0, [by]: 1 }
    await this.#write(this.#lazyQueue, () => this.#countFailure.run({ userId, path: `$.${by}`, now, window, first: JSON.stringify(first) }))
  }

  async numberFamily (userId: string, familyId: string, serial: number): Promise<number | undefined> {
    const row = await this.#write(this.#durableQueue, () => this.#number.get({ userId, path: pathOf(familyId), serial })) as [number] | undefined
    return row?.[0]
  }

  async listClosings (from: { closedAfter: number, userId: string }, limit: number): Promise<UserClosings[]> {
    const rows = await this.#guard(() => this.#listClosings.all({ ...from, limit })) as Array<[string, number, string]>
    return rows.map(([userId, closedAt, closed]) => ({ userId, closedAt, closed: readClosings(closed) }))
  }

  async statusLists (): Promise<StatusList[]> {
    const rows = await this.#guard(() => this.#statusLists.all([])) as Array<[number, string, number, number]>
    return rows.map(([list, key, leased, leasedAt]) => ({ list, key, leased, leasedAt }))
  }

  async keepStatusList (list: StatusList): Promise<void> {
    await this.#write(this.#durableQueue, () => this.#keepStatusList.run({ ...list }))
  }

  async leasePlaces (list: number, count: number, now: number): Promise<number | undefined> {
    const row = await this.#write(this.#durableQueue, () => this.#leasePlaces.get({ list, count, now })) as [number] | undefined
    return row?.[0]
  }

  async highestSerial (): Promise<number | undefined> {
    let highest: number | undefined
    // A page at a time, so that others are served in between.
    for (let after = '', users = PAGE; users === PAGE; await turn()) {
      const [last, count, serial] = await this.#guard(() => this.#highestSerial.get([after])) as [string | null, number, number | null]
      if (serial !== null) highest = Math.max(serial, highest ?? serial)
      ;[after, users] = [last ?? after, count]
    }
    return highest
  }

  async insertClient (client: Client): Promise<boolean> {
    return await this.#write(this.#durableQueue, () => this.#clients.insert(client))
  }

  async findClient (id: string): Promise<Client | undefined> {
    return await this.#guard(() => this.#clients.find(id))
  }

  async listClients (after: string, limit: number): Promise<Client[]> {
    return await this.#guard(() => this.#clients.list(after, limit))
  }

  async replaceClient (client: Client, version: number): Promise<boolean> {
    return await this.#write(this.#durableQueue, () => this.#clients.replace(client, version))
  }

  async removeClient (id: string): Promise<boolean> {
    return await this.#write(this.#durableQueue, () => this.#clients.remove(id))
  }

  async insertEvents (events: KeptEvent[]): Promise<void> {
    await this.#write(this.#eventQueue, () => { this.#events.insert(events) })
  }

  async listEvents (query: EventQuery): Promise<KeptEvent[]> {
    return await this.#guard(() => this.#events.list(query))
  }

  async dropEvents (before: number, limit: number): Promise<number> {
    return await this.#write(this.#eventQueue, () => this.#events.drop(before, limit))
  }

  async dropEventsOf (userId: string): Promise<void> {
    // A page at a time, so that others are served in between.
    while (await this.#write(this.#eventQueue, () => this.#events.dropOf(userId, PAGE)) === PAGE) await turn()
  }

  // What was written is in the file beside it until then, and who copies a database copies one file.
  async #gather (): Promise<void> {
    this.#durable.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  // Whoever replaces or removes a file under a server, such as the one beside it that has all that was written last, leaves it one that nobody else will find again.
  #assertSameFiles (): void {
    if (identify(this.#paths) !== this.#files) throw new FileLost('A file of the store was replaced or removed while it was in use; restart Signet to use what is there.')
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

class FileLost extends Error {}

// Password hashes are nobody else's to read, whatever the umask. SQLite gives the files beside it the mode of this one.
function makePrivate (path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  for (const file of [path, ...besides(path)]) {
    const found = statSync(file, { throwIfNoEntry: false })
    if (found && (found.mode & 0o077) !== 0) chmodSync(file, 0o600)
  }
}

/** The files that SQLite keeps beside one: what was written last, and the memory that its connections share. */
function besides (path: string): string[] {
  return [`${path}-wal`, `${path}-shm`]
}

/** Which files these paths lead to. */
function identify (paths: string[]): string {
  return paths.map(path => {
    const found = statSync(path, { throwIfNoEntry: false })
    return found ? `${found.dev}:${found.ino}` : 'none'
  }).join()
}

function connect (path: string, synchronous: 'FULL' | 'NORMAL'): Database.Database {
  const database = new Database(path)
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS.opening}`)
  useWal(database)
  database.exec(`PRAGMA synchronous = ${synchronous}`)
  for (const schema of [SCHEMA, CLIENTS_SCHEMA, EVENTS_SCHEMA]) database.exec(schema)
  addColumns(database)
  database.exec(CLOSED_INDEX)
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS.open}`)
  return database
}

// Of what is done to open a file this alone does not wait for another server that starts, whatever the time-out.
function useWal (database: Database.Database, end = performance.now() + BUSY_TIMEOUT_MS.opening): void {
  try {
    database.exec('PRAGMA journal_mode = WAL')
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'SQLITE_BUSY' || performance.now() > end) throw error
    Atomics.wait(NOBODY, 0, 0, LOOK_EVERY_MS)
    useWal(database, end)
  }
}

// The lock is for servers that start at once.
function addColumns (database: Database.Database): void {
  database.exec('BEGIN IMMEDIATE')
  const columns = database.prepare('PRAGMA table_info(users)').all() as Array<{ name: string }>
  for (const [column, type] of Object.entries(LATER_COLUMNS)) {
    if (!columns.some(({ name }) => name === column)) database.exec(`ALTER TABLE users ADD COLUMN ${column} ${type}`)
  }
  database.exec('COMMIT')
}

/** Ids are UUIDs, so that none of them can carry a path of its own. */
function pathOf (familyId: string): string {
  return `$."${familyId}"`
}

function writeFamily (family: Family): string {
  return JSON.stringify({ g: family.generation, c: family.createdAt, a: family.advancedAt, u: family.userAgent, i: family.ip, r: family.rotatedBy, n: family.repeats, s: family.serial, o: family.grant && writeGrant(family.grant) })
}

function writeGrant ({ clientId, scope, audience, authenticatedAt }: Grant): GrantColumn {
  return { c: clientId, s: scope, a: audience, t: authenticatedAt }
}

function toUser (row: unknown): User | undefined {
  if (!row) return undefined
  const [id, email, name, passwordHash, createdAt, families, failed, closed] = row as Row
  const parsed = Object.entries(JSON.parse(families) as Record<string, FamilyColumn>)
  const user: User = { id, email, name, passwordHash, createdAt, families: parsed.map(([id, family]) => toFamily(id, family)) }
  if (failed !== null) user.failed = JSON.parse(failed) as Failures
  if (closed !== null) user.closed = readClosings(closed)
  return user
}

function writeClosings (closed: Closing[] = []): { closed: string | null, closedAt: number | null } {
  if (closed.length === 0) return { closed: null, closedAt: null }
  return { closed: JSON.stringify(closed.map(({ id, serial, at }) => ({ id, s: serial, at }))), closedAt: Math.max(...closed.map(({ at }) => at)) }
}

function readClosings (column: string): Closing[] {
  return (JSON.parse(column) as ClosingColumn[]).map(({ id, s, at }) => ({ id, ...(typeof s === 'number' && { serial: s }), at }))
}

// Member by member: this runs for every family of every caller, where two spreads would be the dearest part.
function toFamily (id: string, { g, c, a, u, i, r, n, s, o }: FamilyColumn): Family {
  const family: Family = { id, generation: g, createdAt: c, advancedAt: a, userAgent: u, ip: i }
  if (r !== undefined) family.rotatedBy = r
  if (n !== undefined) family.repeats = n
  if (s !== undefined) family.serial = s
  if (o !== undefined) family.grant = { clientId: o.c, scope: o.s, audience: o.a, authenticatedAt: o.t }
  return family
}
