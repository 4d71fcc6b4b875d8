// The embedded store: one SQLite file, one row a user with the families as JSON; holds no rule of a family's life.
import { chmodSync, closeSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Database from 'libsql'
import type { Client } from '../core/client.js'
import { LAST_CLOSINGS, MAX_CLOSINGS, maxClosingsFor, type Closing } from '../core/closings.js'
import type { EventQuery, KeptEvent } from '../core/events.js'
import type { Factors } from '../core/factors.js'
import type { Failures, GuessCount, Guessed } from '../core/failures.js'
import { shareOf, type Family, type Grant, type LiveAfter } from '../core/families.js'
import type { Count } from '../core/recent-counts.js'
import { LIST_SIZE } from '../core/status-list.js'
import { AuthError } from '../errors.js'
import { makeFolder } from '../folders.js'
import { CommitQueue } from './commit-queue.js'
import { whyNotOpened } from './openings.js'
import { CLIENTS_SCHEMA, SqliteClients } from './sqlite-clients.js'
import { EVENTS_SCHEMA, SqliteEvents } from './sqlite-events.js'
import type { Advanced, AdvanceFamily, ChangeEmail, ChangeFactors, ChangePassword, CloseAll, CloseFamily, DeleteUser, EmailChange, GiveBackGuess, Insertion, NoteRepeat, OpenFamily, Opening, Rename, ResetPassword, SetRoles, StatusList, Store, TakeGuess, User, UserClosings, UserFilter, VerifyEmail } from './store.js'

type Statement = ReturnType<Database.Database['prepare']>

/** A family but for its id, as it is stored. */
interface FamilyColumn { g: number, c: number, a: number, u: string | null, i: string, r?: Family['rotatedBy'], n?: Family['repeats'], s?: number, o?: GrantColumn, m?: string[] }

/** A grant, as it is stored. */
interface GrantColumn { c: string, s: string, a: string[], t: number, m?: string[] | undefined }

/** A closing, as it is stored. */
interface ClosingColumn { id: string, s?: number | null, at: number }

type Row = [id: string, email: string, name: string | null, passwordHash: string, createdAt: number, families: string, failed: string | null, closed: string | null, roles: string | null, disabledAt: number | null, deletedAt: number | null, emailVerified: number | null, factors: string | null, lastDisabledAt: number | null, failedCodes: string | null]

const COLUMNS = 'id, email, name, password_hash, created_at, families, failed, closed, roles, disabled_at, deleted_at, email_verified, factors, last_disabled_at, failed_codes'

/** While the file is opened, and while it is used: then whoever waits holds up everybody. */
const BUSY_TIMEOUT_MS = { opening: 2_000, open: 5 }
const RETRY_AFTER_SECONDS = 1
/** How often a file that is held is tried while it is opened, and nobody to be woken by in between. */
const LOOK_EVERY_MS = 10
/** What no condition looks at. */
const NOBODYS: LiveAfter = { createdAfter: 0, advancedAfter: 0 }
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
    closed_at INTEGER,
    roles TEXT,
    disabled_at INTEGER,
    deleted_at INTEGER,
    email_verified INTEGER,
    factors TEXT,
    last_disabled_at INTEGER,
    failed_codes TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS status_lists (
    list INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    leased INTEGER NOT NULL,
    leased_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS passkeys (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`
/** Columns that files of before lack. */
const LATER_COLUMNS = { failed: 'TEXT', closed: 'TEXT', closed_at: 'INTEGER', roles: 'TEXT', disabled_at: 'INTEGER', deleted_at: 'INTEGER', email_verified: 'INTEGER', factors: 'TEXT', last_disabled_at: 'INTEGER', failed_codes: 'TEXT' }
const INDEXES = `
  CREATE INDEX IF NOT EXISTS users_closed_at ON users (closed_at) WHERE closed_at IS NOT NULL;
  CREATE INDEX IF NOT EXISTS users_deleted_at ON users (deleted_at) WHERE deleted_at IS NOT NULL;
  CREATE INDEX IF NOT EXISTS passkeys_user_id ON passkeys (user_id)`
/** Whose each passkey is, so that none is two users'. It says what the factors say, whatever writes them. */
const TRIGGERS = `
  CREATE TRIGGER IF NOT EXISTS passkeys_inserted AFTER INSERT ON users WHEN new.factors IS NOT NULL BEGIN
    INSERT INTO passkeys SELECT value->>'$.id', new.id FROM json_each(new.factors, '$.passkeys');
  END;
  CREATE TRIGGER IF NOT EXISTS passkeys_updated AFTER UPDATE OF factors ON users WHEN old.factors->'$.passkeys' IS NOT new.factors->'$.passkeys' BEGIN
    DELETE FROM passkeys WHERE user_id = new.id;
    INSERT INTO passkeys SELECT value->>'$.id', new.id FROM json_each(new.factors, '$.passkeys');
  END`
/** Users whose families are looked through in one go: a millisecond or two. */
const PAGE = 500

// families is an object by family id: {"<id>": {"g": generation, "c": created, "a": advanced, "u": user agent, "i": address, "r": rotated by, "n": repeats, "s": serial number, "o": grant, "m": amr}}.
// A grant is {"c": client, "s": scope, "a": audience, "t": authenticated, "m": amr}.
// closed is a list: [{"id": family id, "s": serial number, "at": closed}], and roles is one of names; either is NULL where there are none.
const LIVES = "(value->>'$.c' > :createdAfter AND value->>'$.a' > :advancedAfter)"
const livesAt = (path: string) => `families->>(${path} || '.c') > :createdAfter AND families->>(${path} || '.a') > :advancedAfter`
const COUNT_LIVE = `SELECT count(*) FROM json_each(users.families) WHERE ${LIVES}`
const IS_THERE = 'deleted_at IS NULL'
/** Of whom nothing counts any more: deleted, with nothing closed since. */
const IS_FORGOTTEN = 'deleted_at < :before AND coalesce(closed_at, 0) < :before'
const COUNTS = "value->>'$.at' > :countsAfter"
const HAS_ROOM = `(SELECT count(*) FROM json_each(users.closed) WHERE ${COUNTS}) < :maxClosings`
const HAS_FACTORS = "coalesce(factors->>'$.version', 0) = :verifiedFactors"
const KEPT = `SELECT value FROM json_each(users.closed) WHERE ${COUNTS} OR key >= json_array_length(users.closed) - ${LAST_CLOSINGS}`

const IS_CHANGEABLE = `id = :userId AND ${IS_THERE} AND ${HAS_FACTORS} AND (:callerPath IS NULL OR (${livesAt(':callerPath')}))`

/** Where guesses are counted, as {"since": since, "known": count, "stranger": count, "devices": {"<id>": count}}. */
const COUNTED_IN: Record<Guessed, string> = { password: 'failed', code: 'failed_codes' }

function takingOf (guessed: Guessed): string {
  const failed = COUNTED_IN[guessed]
  const isWithin = `coalesce(abs(:now - (${failed}->>'$.since')) < :window, 0)`
  const taken = `(iif(${isWithin}, coalesce(${failed}->>:path, 0), 0) + 1)`
  const devices = `(SELECT count(*) FROM json_each(users.${failed}, '$.devices'))`
  return `
    UPDATE users SET ${failed} = json_patch(iif(${isWithin}, ${failed}, :first), iif(:device IS NULL, json_object(:by, ${taken}), json_object('devices', json_object(:device, ${taken}))))
    WHERE id = :userId AND ${IS_THERE} AND (NOT ${isWithin} OR ${taken} <= :max AND (:device IS NULL OR ${failed}->:path IS NOT NULL OR ${devices} < :maxDevices))
    RETURNING ${failed}->>:path, ${failed}->>'$.since'`
}

function givingBackOf (guessed: Guessed): string {
  const failed = COUNTED_IN[guessed]
  return `UPDATE users SET ${failed} = json_set(${failed}, :path, (${failed}->>:path) - 1) WHERE id = :userId AND ${failed}->>'$.since' = :since AND ${failed}->>:path > 0`
}

/** What of a write keeps that it closes these families. */
function closing (these: string, families = 'json_each(users.families)'): string {
  const gone = `FROM ${families} WHERE (value->>'$.s' IS NOT NULL OR value->'$.o' IS NOT NULL) AND ${these}`
  return `closed = (SELECT nullif(json_group_array(json(value)), '[]') FROM (${KEPT} UNION ALL SELECT json_object('id', key, 's', value->>'$.s', 'at', :at) AS value ${gone})),
    closed_at = iif(EXISTS (SELECT 1 ${gone}), max(:at, coalesce(closed_at, :at)), closed_at)`
}

/** The families in the order in which they stay when one more is opened: `goes` whatever room there is what that one replaces, and what its client has beyond its share. One pass each, for to look each up among the others takes long where there are many. */
const HELD = `
  SELECT key, value, key IS :replaces OR (value->>'$.o.c' IS :clientId AND :clientId IS NOT NULL AND row_number() OVER (PARTITION BY value->>'$.o.c' ORDER BY key IS :replaces, ${LIVES} DESC, value->>'$.a' DESC) > :share) AS goes
  FROM json_each(users.families)`
/** Before all others stays the log-in by which it is opened, of which no use is kept. */
const RANKED = `(SELECT key, value, NOT goes AND row_number() OVER (ORDER BY goes, key IS :session DESC, ${LIVES} DESC, value->>'$.a' DESC) <= :room AS stays FROM (${HELD}))`

export class SqliteStore implements Store {
  readonly #durable: Database.Database
  readonly #lazy: Database.Database
  readonly #durableQueue: CommitQueue
  readonly #lazyQueue: CommitQueue
  readonly #eventQueue: CommitQueue
  readonly #insert: Statement
  readonly #isId: Statement
  readonly #find: Statement
  readonly #findByEmail: Statement
  readonly #list: Statement
  readonly #search: Statement
  readonly #open: Statement
  readonly #advance: Statement
  readonly #noteRepeat: Statement
  readonly #close: Statement
  readonly #countLive: Statement
  readonly #closeAll: Statement
  readonly #changePassword: Statement
  readonly #resetPassword: Statement
  readonly #verifyEmail: Statement
  readonly #changeEmail: Statement
  readonly #isEmail: Statement
  readonly #changeFactors: Statement
  readonly #changeFactorsAndCloseOthers: Statement
  readonly #disable: Statement
  readonly #enable: Statement
  readonly #delete: Statement
  readonly #dropDeleted: Statement
  readonly #dropEventsOfDeleted: Statement
  readonly #setRoles: Statement
  readonly #setRolesAndCloseAll: Statement
  readonly #rename: Statement
  readonly #takeGuess: Record<Guessed, Statement>
  readonly #giveBackGuess: Record<Guessed, Statement>
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
    this.#insert = this.#durable.prepare('INSERT INTO users (id, email, name, password_hash, created_at, families, failed, closed, closed_at, roles, disabled_at, deleted_at, email_verified, factors, last_disabled_at, failed_codes) VALUES (:id, :email, :name, :passwordHash, :createdAt, :families, :failed, :closed, :closedAt, :roles, :disabledAt, :deletedAt, :emailVerified, :factors, :lastDisabledAt, :failedCodes) ON CONFLICT DO NOTHING')
    this.#isId = this.#durable.prepare('SELECT 1 FROM users WHERE id = ?')
    this.#find = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE id = ? AND ${IS_THERE}`).raw()
    this.#findByEmail = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE email = ? AND ${IS_THERE}`).raw()
    this.#list = this.#lazy.prepare(`SELECT ${COLUMNS} FROM users WHERE id > ? ORDER BY id LIMIT ?`).raw()
    this.#search = this.#lazy.prepare(`
      SELECT ${COLUMNS} FROM users WHERE id > :after AND ${IS_THERE} AND instr(email, :emailPart) > 0 AND (:isDisabled IS NULL OR (disabled_at IS NOT NULL) = :isDisabled) AND created_at >= :createdSince
      ORDER BY id LIMIT :limit`).raw()
    this.#open = this.#durable.prepare(`
      UPDATE users SET password_hash = :passwordHash, factors = coalesce(:factors, factors), families = json_set(
        (SELECT json_group_object(key, json(value)) FROM ${RANKED} WHERE stays),
        :path, json(:family)), ${closing('NOT stays', RANKED)}
      WHERE id = :userId AND password_hash = :verifiedHash AND disabled_at IS NULL AND ${IS_THERE} AND roles IS :roles AND ${HAS_FACTORS} AND ${HAS_ROOM} AND (SELECT count(*) FROM (${HELD}) WHERE NOT goes AND ${LIVES}) < :refuseAt
        AND families->:path IS NULL AND NOT EXISTS (SELECT 1 FROM json_each(users.closed) WHERE value->>'$.id' = :familyId) AND (:sessionPath IS NULL OR families->:sessionPath IS NOT NULL)`)
    this.#advance = this.#lazy.prepare(`
      UPDATE users SET families = json_set(families, :path || '.g', :to, :path || '.a', :now, :path || '.c', min(families->>(:path || '.c'), :now), :path || '.r', :by)
      WHERE id = :userId AND families->>(:path || '.g') = :from AND families->>(:path || '.o.c') IS :clientId AND ${livesAt(':path')}
      RETURNING families->:path, roles`).raw()
    this.#noteRepeat = this.#lazy.prepare(`
      UPDATE users SET families = json_set(families, :path || '.n', json_object('at', :generation, 'running', :running))
      WHERE id = :userId AND families->>(:path || '.g') = :generation AND families->>(:path || '.n.at') IS NOT :generation`)
    this.#close = this.#durable.prepare(`UPDATE users SET families = json_remove(families, :path), ${closing('key = :familyId')} WHERE id = :userId AND families->:path IS NOT NULL`)
    this.#countLive = this.#durable.prepare(`SELECT (${COUNT_LIVE}) AS live FROM users WHERE id = :userId AND ${IS_THERE}`)
    this.#closeAll = this.#durable.prepare(`UPDATE users SET families = '{}', ${closing('1')} WHERE id = :userId`)
    this.#changePassword = this.#durable.prepare(`
      UPDATE users SET password_hash = :passwordHash, families = json_set('{}', :path, json(:family)), ${closing('1')}
      WHERE id = :userId AND password_hash = :verifiedHash AND ${HAS_ROOM} AND ${livesAt(':callerPath')}`)
    this.#resetPassword = this.#durable.prepare(`
      UPDATE users SET password_hash = :passwordHash, email_verified = iif(:isProved, 1, email_verified), families = '{}', ${closing('1')}
      WHERE id = :userId AND password_hash = :verifiedHash AND email = :email AND disabled_at IS NULL AND ${IS_THERE}`)
    this.#verifyEmail = this.#durable.prepare(`UPDATE users SET email_verified = 1 WHERE id = :userId AND email = :email AND email_verified IS NOT 1 AND disabled_at IS NULL AND ${IS_THERE}`)
    this.#changeEmail = this.#durable.prepare(`UPDATE OR IGNORE users SET email = :to, email_verified = 1 WHERE id = :userId AND email = :from AND password_hash = :verifiedHash AND disabled_at IS NULL AND ${IS_THERE}`)
    this.#isEmail = this.#durable.prepare('SELECT 1 FROM users WHERE email = :to AND id <> :userId')
    this.#changeFactors = this.#durable.prepare(`UPDATE users SET factors = :factors WHERE ${IS_CHANGEABLE}`)
    this.#changeFactorsAndCloseOthers = this.#durable.prepare(`
      UPDATE users SET factors = :factors, families = iif(:callerPath IS NULL, '{}', json_set('{}', :callerPath, families->:callerPath)), ${closing('key IS NOT :callerId')} WHERE ${IS_CHANGEABLE}`)
    this.#disable = this.#durable.prepare(`UPDATE users SET disabled_at = coalesce(disabled_at, :at), families = '{}', ${closing('1')} WHERE id = :userId AND ${IS_THERE}`)
    this.#enable = this.#durable.prepare('UPDATE users SET last_disabled_at = disabled_at, disabled_at = NULL WHERE id = ? AND disabled_at IS NOT NULL')
    this.#delete = this.#durable.prepare(`
      UPDATE users SET email = id, name = NULL, password_hash = '', created_at = :at, failed = NULL, failed_codes = NULL, roles = NULL, disabled_at = NULL, email_verified = NULL, factors = NULL, last_disabled_at = NULL, deleted_at = :at, families = '{}', ${closing('1')}
      WHERE id = :userId AND ${IS_THERE} AND (:verifiedHash IS NULL OR (password_hash = :verifiedHash AND ${livesAt(':callerPath')}))`)
    this.#dropDeleted = this.#durable.prepare(`DELETE FROM users WHERE ${IS_FORGOTTEN}`)
    this.#dropEventsOfDeleted = this.#durable.prepare("DELETE FROM events WHERE kind <> 'user.deleted' AND user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL)")
    this.#setRoles = this.#durable.prepare(`UPDATE users SET roles = :roles WHERE id = :userId AND ${IS_THERE}`)
    this.#setRolesAndCloseAll = this.#durable.prepare(`UPDATE users SET roles = :roles, families = '{}', ${closing('1')} WHERE id = :userId AND ${IS_THERE}`)
    this.#rename = this.#durable.prepare(`UPDATE users SET name = :name WHERE id = :userId AND ${livesAt(':callerPath')}`)
    this.#takeGuess = { password: this.#lazy.prepare(takingOf('password')).raw(), code: this.#lazy.prepare(takingOf('code')).raw() }
    this.#giveBackGuess = { password: this.#lazy.prepare(givingBackOf('password')), code: this.#lazy.prepare(givingBackOf('code')) }
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
    return await this.#write(this.#durableQueue, () => this.#isInserted(user)) ? 'inserted' : 'email_taken'
  }

  async insertUsers (users: User[]): Promise<Insertion[]> {
    return await this.#write(this.#durableQueue, () => users.map(user => {
      if (this.#isInserted(user)) return 'inserted'
      return this.#isId.get([user.id]) ? 'id_taken' : 'email_taken'
    }))
  }

  #isInserted (user: User): boolean {
    const families = `{${user.families.map(family => `"${family.id}":${writeFamily(family)}`).join()}}`
    const { changes } = this.#insert.run({
      ...user, families, failed: writeFailures(user.failed), failedCodes: writeFailures(user.failedCodes), ...writeClosings(user.closed), roles: writeRoles(user.roles), disabledAt: user.disabledAt ?? null, deletedAt: user.deletedAt ?? null,
      emailVerified: user.emailVerified === undefined ? null : Number(user.emailVerified),
      factors: writeFactors(user.factors), lastDisabledAt: user.lastDisabledAt ?? null,
    })
    return changes === 1
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

  async searchUsers ({ emailPart, isDisabled, createdSince }: UserFilter, after: string, limit: number): Promise<User[]> {
    const rows = await this.#guard(() => this.#search.all({ after, limit, emailPart: emailPart ?? '', isDisabled: isDisabled === undefined ? null : Number(isDisabled), createdSince: createdSince ?? 0 }))
    return rows.map(row => toUser(row)!)
  }

  async openFamily (change: OpenFamily): Promise<Opening> {
    const { userId, verifiedHash, passwordHash, roles, verifiedFactors = 0, factors, family, session, live, limit, policy, replaces, closing } = change
    const changes = await this.#write(this.#durableQueue, () => changesUnlessTaken(() => this.#open.run({
      userId, verifiedHash, passwordHash, roles: writeRoles(roles), verifiedFactors, factors: writeFactors(factors), ...live, ...closing, maxClosings: maxClosingsFor(family), replaces: replaces ?? null, session: session ?? null, path: pathOf(family.id), familyId: family.id, sessionPath: session === undefined ? null : pathOf(session), family: writeFamily(family), clientId: family.grant?.clientId ?? null, share: shareOf(limit) - 1, room: limit - 1, refuseAt: policy === 'refuse' ? limit : Number.MAX_SAFE_INTEGER,
    })))
    if (changes === 1) return 'opened'
    if (changes === undefined) return 'stale'
    return whyNotOpened(await this.findUser(userId), change)
  }

  async advanceFamily ({ userId, familyId, from, to, clientId, now, by, live }: AdvanceFamily): Promise<Advanced | undefined> {
    const row = await this.#write(this.#lazyQueue, () => this.#advance.get({ userId, path: pathOf(familyId), from, to, clientId: clientId ?? null, now, by, ...live })) as [family: string, roles: string | null] | undefined
    return row && { family: toFamily(familyId, JSON.parse(row[0]) as FamilyColumn), roles: readRoles(row[1]) }
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
    return await this.#closing(userId, live, () => this.#closeAll.run({ userId, ...closing })) ?? 0
  }

  // How many were live is asked in the same commit.
  async #closing (userId: string, live: LiveAfter, close: () => unknown): Promise<number | undefined> {
    return await this.#write(this.#durableQueue, () => {
      const row = this.#countLive.get({ userId, ...live }) as { live: number } | undefined
      close()
      return row?.live
    })
  }

  async changePassword ({ userId, verifiedHash, passwordHash, callerId, live, family, closing }: ChangePassword): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#changePassword.run({
      userId, verifiedHash, passwordHash, ...live, ...closing, maxClosings: MAX_CLOSINGS, callerPath: pathOf(callerId), path: pathOf(family.id), family: writeFamily(family),
    }))
    return changes === 1
  }

  async resetPassword ({ userId, email, verifiedHash, passwordHash, closing, proves }: ResetPassword): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#resetPassword.run({ userId, email, verifiedHash, passwordHash, isProved: Number(proves === 'email'), ...closing }))
    return changes === 1
  }

  async verifyEmail (change: VerifyEmail): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#verifyEmail.run({ ...change }))
    return changes === 1
  }

  async changeEmail ({ userId, from, to, verifiedHash }: ChangeEmail): Promise<EmailChange> {
    return await this.#write(this.#durableQueue, () => {
      if (this.#changeEmail.run({ userId, from, to, verifiedHash }).changes === 1) return 'changed'
      return this.#isEmail.get({ userId, to }) ? 'email_taken' : 'stale'
    })
  }

  async changeFactors ({ userId, from, factors, caller, closesOthers }: ChangeFactors): Promise<boolean> {
    const change = { userId, verifiedFactors: from, factors: writeFactors(factors), callerPath: caller ? pathOf(caller.id) : null, ...caller?.live ?? NOBODYS }
    const run = () => closesOthers ? this.#changeFactorsAndCloseOthers.run({ ...change, callerId: caller?.id ?? null, ...closesOthers }) : this.#changeFactors.run(change)
    return await this.#write(this.#durableQueue, () => changesUnlessTaken(run)) === 1
  }

  async disableUser ({ userId, live, closing }: CloseAll): Promise<number | undefined> {
    return await this.#closing(userId, live, () => this.#disable.run({ userId, ...closing }))
  }

  async enableUser (userId: string): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#enable.run([userId]))
    return changes === 1
  }

  async deleteUser ({ userId, closing, proof }: DeleteUser): Promise<boolean> {
    const { verifiedHash = null, callerId = '', live = NOBODYS } = proof ?? {}
    const { changes } = await this.#write(this.#durableQueue, () => this.#delete.run({ userId, ...closing, verifiedHash, callerPath: pathOf(callerId), ...live }))
    return changes === 1
  }

  async dropDeleted (before: number): Promise<number> {
    const dropped = await this.#write(this.#durableQueue, () => {
      this.#dropEventsOfDeleted.run({})
      return this.#dropDeleted.run({ before }).changes
    })
    await Promise.allSettled([this.#gather()])
    return dropped
  }

  async setRoles ({ userId, roles: wanted, closes }: SetRoles): Promise<number | undefined> {
    const roles = writeRoles(wanted)
    if (closes) return await this.#closing(userId, closes.live, () => this.#setRolesAndCloseAll.run({ userId, roles, ...closes.closing }))
    const { changes } = await this.#write(this.#durableQueue, () => this.#setRoles.run({ userId, roles }))
    return changes === 1 ? 0 : undefined
  }

  async rename ({ userId, name, callerId, live }: Rename): Promise<boolean> {
    const { changes } = await this.#write(this.#durableQueue, () => this.#rename.run({ userId, name, ...live, callerPath: pathOf(callerId) }))
    return changes === 1
  }

  async takeGuess ({ userId, of = 'password', count, max, maxDevices, now, window }: TakeGuess): Promise<Count | undefined> {
    const first: Failures = { since: now, known: 0, stranger: 0 }
    const device = count.by === 'device' ? count.device : null
    const row = await this.#write(this.#lazyQueue, () => this.#takeGuess[of].get({ userId, by: count.by, device, path: pathOfCount(count), max, maxDevices, now, window, first: JSON.stringify(first) })) as [number, number] | undefined
    return row && { count: row[0], since: row[1] }
  }

  async giveBackGuess ({ userId, of = 'password', count, since }: GiveBackGuess): Promise<void> {
    await this.#write(this.#lazyQueue, () => this.#giveBackGuess[of].run({ userId, path: pathOfCount(count), since }))
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
    // Whoever is deleted is in the file beside it still; one that somebody reads at this moment is gathered later.
    await Promise.allSettled([this.#gather()])
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
  // What is deleted is overwritten in the file, where it would stay until something else needs the room.
  database.exec('PRAGMA secure_delete = ON')
  for (const schema of [SCHEMA, CLIENTS_SCHEMA, EVENTS_SCHEMA]) database.exec(schema)
  addColumns(database)
  for (const schema of [INDEXES, TRIGGERS]) database.exec(schema)
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

/** How many users a write changed; undefined where it would have given one what another has. */
function changesUnlessTaken (run: () => { changes: number }): number | undefined {
  try {
    return run().changes
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SQLITE_CONSTRAINT_PRIMARYKEY') return undefined
    throw error
  }
}

/** Ids are UUIDs, so that none of them can carry a path of its own. */
function pathOf (familyId: string): string {
  return `$."${familyId}"`
}

function pathOfCount (count: GuessCount): string {
  return count.by === 'device' ? `$.devices."${count.device}"` : `$.${count.by}`
}

function writeFamily (family: Family): string {
  return JSON.stringify({ g: family.generation, c: family.createdAt, a: family.advancedAt, u: family.userAgent, i: family.ip, r: family.rotatedBy, n: family.repeats, s: family.serial, o: family.grant && writeGrant(family.grant), m: family.amr })
}

function writeGrant ({ clientId, scope, audience, authenticatedAt, amr }: Grant): GrantColumn {
  return { c: clientId, s: scope, a: audience, t: authenticatedAt, m: amr }
}

function toUser (row: unknown): User | undefined {
  if (!row) return undefined
  const [id, email, name, passwordHash, createdAt, families, failed, closed, roles, disabledAt, deletedAt, emailVerified, factors, lastDisabledAt, failedCodes] = row as Row
  const parsed = Object.entries(JSON.parse(families) as Record<string, FamilyColumn>)
  const user: User = { id, email, name, passwordHash, createdAt, families: parsed.map(([id, family]) => toFamily(id, family)), roles: readRoles(roles) }
  if (failed !== null) user.failed = JSON.parse(failed) as Failures
  if (closed !== null) user.closed = readClosings(closed)
  if (disabledAt !== null) user.disabledAt = disabledAt
  if (deletedAt !== null) user.deletedAt = deletedAt
  if (emailVerified !== null) user.emailVerified = emailVerified === 1
  if (lastDisabledAt !== null) user.lastDisabledAt = lastDisabledAt
  if (factors !== null) user.factors = JSON.parse(factors) as Factors
  if (failedCodes !== null) user.failedCodes = JSON.parse(failedCodes) as Failures
  return user
}

function writeClosings (closed: Closing[] = []): { closed: string | null, closedAt: number | null } {
  if (closed.length === 0) return { closed: null, closedAt: null }
  return { closed: JSON.stringify(closed.map(({ id, serial, at }) => ({ id, s: serial, at }))), closedAt: Math.max(...closed.map(({ at }) => at)) }
}

function writeFailures (failed: Failures | undefined): string | null {
  return failed === undefined ? null : JSON.stringify(failed)
}

function writeFactors (factors: Factors | undefined): string | null {
  return factors === undefined ? null : JSON.stringify(factors)
}

function writeRoles (roles: string[]): string | null {
  return roles.length > 0 ? JSON.stringify(roles) : null
}

function readRoles (column: string | null): string[] {
  return column === null ? [] : JSON.parse(column) as string[]
}

function readClosings (column: string): Closing[] {
  return (JSON.parse(column) as ClosingColumn[]).map(({ id, s, at }) => ({ id, ...(typeof s === 'number' && { serial: s }), at }))
}

// Member by member: this runs for every family of every caller, where two spreads would be the dearest part.
function toFamily (id: string, { g, c, a, u, i, r, n, s, o, m }: FamilyColumn): Family {
  const family: Family = { id, generation: g, createdAt: c, advancedAt: a, userAgent: u, ip: i }
  if (r !== undefined) family.rotatedBy = r
  if (n !== undefined) family.repeats = n
  if (s !== undefined) family.serial = s
  if (o !== undefined) family.grant = { clientId: o.c, scope: o.s, audience: o.a, authenticatedAt: o.t, ...(o.m !== undefined && { amr: o.m }) }
  if (m !== undefined) family.amr = m
  return family
}
