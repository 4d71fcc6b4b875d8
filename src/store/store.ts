// What Signet asks of a database, named for what must be atomic; holds no adapter.
import type { Client } from '../core/client.js'
import type { Closing, ClosingTime } from '../core/closings.js'
import type { EventQuery, KeptEvent } from '../core/events.js'
import type { Family, LiveAfter } from '../core/families.js'

/** One user, the unit of consistency: each write below is one conditional write on one of these. Times are milliseconds. */
export interface User {
  id: string
  email: string
  name: string | null
  passwordHash: string
  createdAt: number
  families: Family[]
  /** Absent until somebody fails. */
  failed?: Failures
  /** The last that were closed, the newest last; absent where none was. Each write that closes families adds those that have a serial number or a grant, and drops what no longer counts, but for `LAST_CLOSINGS`. */
  closed?: Closing[]
}

/** Who fails to prove a password: somebody from a place that the account is used from, or anybody else. */
export type Guesser = 'known' | 'stranger'

/** Failed proofs of a password since an instant, by who failed. */
export type Failures = { since: number } & Record<Guesser, number>

export interface CountFailure {
  userId: string
  by: Guesser
  now: number
  /** After as much a new count begins. */
  window: number
}

export interface OpenFamily {
  userId: string
  /** The hash that the log-in was checked against: a log-in that a password change overtook opens nothing. */
  verifiedHash: string
  /** The hash to keep from now on: the same, or one of today's cost. */
  passwordHash: string
  family: Family
  /** The id of a family of this user that must be there still, and is the last to be evicted: of the log-in by which this one is opened. */
  session?: string | undefined
  live: LiveAfter
  /** The most live families a user may have, and what happens to one more. */
  limit: number
  policy: 'evict' | 'refuse'
  /** The id of a family of this user that is closed in the same write, if it is there. */
  replaces?: string | undefined
  closing: ClosingTime
}

export type Opening = 'opened' | 'full' | 'stale' | 'used' | 'crowded'

export interface AdvanceFamily {
  userId: string
  familyId: string
  from: number
  to: number
  /** Whose the family must be; nobody's where it is a log-in by Signet's own routes. */
  clientId?: string | undefined
  /** When the new generation begins. */
  now: number
  /** Who asks for it, as `markOf` writes it. */
  by: string
  live: LiveAfter
}

export interface NoteRepeat { userId: string, familyId: string, generation: number, running: number }

export interface ChangePassword {
  userId: string
  verifiedHash: string
  passwordHash: string
  /** The family that asks, which must live. */
  callerId: string
  live: LiveAfter
  /** The only one that there is afterwards. */
  family: Family
  closing: ClosingTime
}

export interface CloseFamily { userId: string, familyId: string, closing: ClosingTime }

export interface CloseAll { userId: string, live: LiveAfter, closing: ClosingTime }

/** A status list as its places are leased: how many are, and when last, in milliseconds; `key`, in base64url, is that of its permutation. */
export interface StatusList { list: number, key: string, leased: number, leasedAt: number }

/** The closings of a user that are kept, and when the last of them was. */
export interface UserClosings { userId: string, closedAt: number, closed: Closing[] }

export interface Rename {
  userId: string
  name: string | null
  /** The family that asks, which must live. */
  callerId: string
  live: LiveAfter
}

/**
 * Every adapter passes the same contract test. A method rejects with `unavailable` when the database cannot be reached.
 * What is called durable survives a crash of the process or the machine once it is answered.
 */
export interface Store {
  /** Rejects unless the store can serve; the message is a sentence for operators. */
  ping (): Promise<void>
  close (): Promise<void>
  /** Durable. The unique index decides. */
  insertUser (user: User): Promise<'inserted' | 'email_taken'>
  findUser (id: string): Promise<User | undefined>
  findUserByEmail (email: string): Promise<User | undefined>
  /** The next users in the order of their ids, from the first beyond `after`; '' begins. */
  listUsers (after: string, limit: number): Promise<User[]>
  /**
   * Durable. Beyond the limit it evicts the dead families first, then the least recently used; the policy to refuse counts those that live.
   * Whatever there is room for stays, for a clock that is ahead, if only for a moment, makes a living family look dead. `stale`: the hash is another by now, or the session is closed. `used`: there is a
   * family of this id, or there was one and its closing is kept. `crowded`: as many closings count as may.
   */
  openFamily (change: OpenFamily): Promise<Opening>
  /** Lazy. The family after the write, which leaves none of its times in the future; undefined if it was not live at `from`, or is not the client's. */
  advanceFamily (change: AdvanceFamily): Promise<Family | undefined>
  /** Lazy. Keeps that the rotation to `generation` was repeated, as one of so many running. False if that is kept already, or the family has moved on. */
  noteRepeat (repeat: NoteRepeat): Promise<boolean>
  /** Durable. Whether there was such a family. */
  closeFamily (change: CloseFamily): Promise<boolean>
  /** Durable. How many of those closed were live. */
  closeAllFamilies (change: CloseAll): Promise<number>
  /** Durable. Closes every family and opens one in the same write. False if the hash is another by now, the caller's family is closed, or as many closings count as may. */
  changePassword (change: ChangePassword): Promise<boolean>
  /** Durable. False if the caller's family is closed. */
  rename (change: Rename): Promise<boolean>
  /** Lazy. Counts one more in the window that stands, or the first of a new one. */
  countFailure (change: CountFailure): Promise<void>
  /** Durable. Gives a family that has no serial number this one. The one that it has afterwards; undefined if it is closed. */
  numberFamily (userId: string, familyId: string, serial: number): Promise<number | undefined>
  /** The next users with closings after `closedAfter`, in the order of their last one and then of their ids, from the first beyond `userId` on. */
  listClosings (from: { closedAfter: number, userId: string }, limit: number): Promise<UserClosings[]>
  /** All status lists, in their order. */
  statusLists (): Promise<StatusList[]>
  /** Durable. Keeps a status list; of one that is kept already no more changes than that its places and their instant never go back. */
  keepStatusList (list: StatusList): Promise<void>
  /** Durable. The first of so many places of a list, which are nobody else's from now on; undefined where so many are not left. `now` in milliseconds. */
  leasePlaces (list: number, count: number, now: number): Promise<number | undefined>
  /** The highest serial number of all families and closings that are kept; undefined where none has any. It reads every user, so many at a time that others are served in between. */
  highestSerial (): Promise<number | undefined>
  /** Durable. False if there is a client of this id. */
  insertClient (client: Client): Promise<boolean>
  findClient (id: string): Promise<Client | undefined>
  /** The next clients in the order of their ids, from the first beyond `after`; '' begins. */
  listClients (after: string, limit: number): Promise<Client[]>
  /** Durable. Keeps the client in the place of the one of its id, if that one is of this version; false, and nothing changed, if it is not. */
  replaceClient (client: Client, version: number): Promise<boolean>
  /** Durable. Whether there was such a client. */
  removeClient (id: string): Promise<boolean>
  /** Lazy. Keeps events; one whose id is kept already changes nothing, so that what may have been kept can be brought again. */
  insertEvents (events: KeptEvent[]): Promise<void>
  /** The events of a query, the newest first. */
  listEvents (query: EventQuery): Promise<KeptEvent[]>
  /** Lazy. Drops the oldest events from before an instant, in milliseconds, so many at most. How many they were. */
  dropEvents (before: number, limit: number): Promise<number>
  /** Lazy. Drops the events of a user, but for those that say that the user was deleted. */
  dropEventsOf (userId: string): Promise<void>
}
