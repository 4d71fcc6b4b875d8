// The statements about security events of the embedded store: one row an event, its record as JSON, in the order of time. Holds no connection, no commit, and no rule of how long one is kept.
import type Database from 'libsql'
import { firstIdAt, type EventKind, type EventQuery, type KeptEvent } from '../core/events.js'

type Statement = ReturnType<Database.Database['prepare']>
type Row = [id: string, kind: EventKind, userId: string | null, record: string]

// Ids are in the order of time, so that new rows lie at the end of the one tree that there is.
export const EVENTS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    user_id TEXT,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS events_user_id ON events (user_id, id) WHERE user_id IS NOT NULL`

const COLUMNS = 'id, kind, user_id, record'
const WHICH = 'id >= :from AND id < :before AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds))) ORDER BY id DESC LIMIT :limit'
const IS_DELETED = 'EXISTS (SELECT 1 FROM users WHERE id = :userId AND deleted_at IS NOT NULL)'
/** Beyond every id. */
const END = 'g'

/** Each method is one statement for each event or for all, that runs at once. */
export class SqliteEvents {
  readonly #insert: Statement
  readonly #list: Statement
  readonly #listOfUser: Statement
  readonly #drop: Statement
  readonly #dropOf: Statement

  /** `database` is a connection to a file that has the table, and that of the users. */
  constructor (database: Database.Database) {
    this.#insert = database.prepare(`INSERT INTO events (${COLUMNS}) SELECT :id, :kind, :userId, :record WHERE :kind = 'user.deleted' OR NOT ${IS_DELETED} ON CONFLICT DO NOTHING`)
    this.#list = database.prepare(`SELECT ${COLUMNS} FROM events WHERE ${WHICH}`).raw()
    this.#listOfUser = database.prepare(`SELECT ${COLUMNS} FROM events WHERE user_id = :userId AND ${WHICH}`).raw()
    this.#drop = database.prepare('DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < ? ORDER BY id LIMIT ?)')
    this.#dropOf = database.prepare("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE user_id = ? AND kind <> 'user.deleted' LIMIT ?)")
  }

  insert (events: KeptEvent[]): void {
    for (const { id, kind, userId, ...record } of events) this.#insert.run({ id, kind, userId: userId ?? null, record: JSON.stringify(record) })
  }

  list ({ userId, kinds, since, before, limit }: EventQuery): KeptEvent[] {
    const which = { from: since === undefined ? '' : firstIdAt(since), before: before ?? END, kinds: kinds ? JSON.stringify(kinds) : null, limit }
    const rows = userId === undefined ? this.#list.all(which) : this.#listOfUser.all({ ...which, userId })
    return (rows as Row[]).map(toEvent)
  }

  drop (before: number, limit: number): number {
    return this.#drop.run([firstIdAt(before), limit]).changes
  }

  dropOf (userId: string, limit: number): number {
    return this.#dropOf.run([userId, limit]).changes
  }
}

function toEvent ([id, kind, userId, record]: Row): KeptEvent {
  return { id, kind, ...(userId !== null && { userId }), ...JSON.parse(record) as Omit<KeptEvent, 'id' | 'kind' | 'userId'> }
}
