// The statements about clients of the embedded store: one row a client, its record as JSON. Holds no connection, no commit, and no rule of what a client is.
import type Database from 'libsql'
import type { Client } from '../core/client.js'

type Statement = ReturnType<Database.Database['prepare']>
type Row = [id: string, version: number, record: string]

export const CLIENTS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS clients (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT`

const COLUMNS = 'id, version, record'

/** Each method is one statement, that runs at once. Those that change say whether they changed a row. */
export class SqliteClients {
  readonly #insert: Statement
  readonly #find: Statement
  readonly #list: Statement
  readonly #replace: Statement
  readonly #remove: Statement

  /** `writing` and `reading` are connections to a file that has the table. */
  constructor (writing: Database.Database, reading: Database.Database) {
    this.#insert = writing.prepare(`INSERT INTO clients (${COLUMNS}) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`)
    this.#find = reading.prepare(`SELECT ${COLUMNS} FROM clients WHERE id = ?`).raw()
    this.#list = reading.prepare(`SELECT ${COLUMNS} FROM clients WHERE id > ? ORDER BY id LIMIT ?`).raw()
    this.#replace = writing.prepare('UPDATE clients SET version = ?, record = ? WHERE id = ? AND version = ?')
    this.#remove = writing.prepare('DELETE FROM clients WHERE id = ?')
  }

  insert ({ id, version, ...record }: Client): boolean {
    return this.#insert.run([id, version, JSON.stringify(record)]).changes === 1
  }

  find (id: string): Client | undefined {
    const row = this.#find.get([id]) as Row | undefined
    return row && toClient(row)
  }

  list (after: string, limit: number): Client[] {
    return (this.#list.all([after, limit]) as Row[]).map(toClient)
  }

  replace ({ id, version: next, ...record }: Client, version: number): boolean {
    return this.#replace.run([next, JSON.stringify(record), id, version]).changes === 1
  }

  remove (id: string): boolean {
    return this.#remove.run([id]).changes === 1
  }
}

function toClient ([id, version, record]: Row): Client {
  return { id, version, ...JSON.parse(record) as Omit<Client, 'id' | 'version'> }
}
