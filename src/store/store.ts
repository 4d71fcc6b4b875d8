// What Signet asks of a database, named for what must be atomic; holds no adapter.
import type { Client } from '../core/client.js'
import type { Closing, ClosingTime } from '../core/closings.js'
import type { EventQuery, KeptEvent } from '../core/events.js'
import type { Factors } from '../core/factors.js'
import type { Failures, GuessCount, Guessed } from '../core/failures.js'
import type { Family, LiveAfter } from '../core/families.js'
import type { Count } from '../core/recent-counts.js'

/** One user, the unit of consistency: each write below is one conditional write on one of these. Times are milliseconds. */
export interface User {
  id: string
  email: string
  name: string | null
  passwordHash: string
  createdAt: number
  families: Family[]
  /** What services let the user do, as `normaliseRoles` makes them. Stores of before have none. */
  roles: string[]
  /** Whether it was proved that the address is the user's, here or by another system; absent where nobody ever asked for a proof. */
  emailVerified?: boolean
  /** Since when the user may not log in. */
  disabledAt?: number
  /** When the user was disabled last, who is not any more. */
  lastDisabledAt?: number
  /** Since when there is no such user any more: no more is left than what was closed, and `listUsers` alone tells of it. */
  deletedAt?: number
  /** Absent until somebody fails: at the password, and at the code of a second factor. */
  failed?: Failures
  failedCodes?: Failures
  /** Absent until one is added first. */
  factors?: Factors
  /** The last that were closed, the newest last; absent where none was. Each write that closes families adds those that have a serial number or a grant, and drops what no longer counts, but for `LAST_CLOSINGS`. */
  closed?: Closing[]
}

export type Insertion = 'inserted' | 'email_taken' | 'id_taken'

export interface TakeGuess {
  userId: string
  /** At the password, unless it says otherwise. */
  of?: Guessed | undefined
  count: GuessCount
  /** The most that are counted, and of how many devices. */
  max: number
  maxDevices: number
  now: number
  /** After as much a new count begins. */
  window: number
}

/** `since` is when the window began that the guess was taken in. */
export interface GiveBackGuess { userId: string, of?: Guessed | undefined, count: GuessCount, since: number }

export interface OpenFamily {
  userId: string
  /** The hash that the log-in was checked against: a log-in that a password change overtook opens nothing. */
  verifiedHash: string
  /** The hash to keep from now on: the same, or one of today's cost. */
  passwordHash: string
  /** The roles that its first token will say: a log-in that a change of them overtook opens nothing. */
  roles: string[]
  /** The version of the factors that it was checked against, 0 where there were none: a log-in that a change of them overtook opens nothing. */
  verifiedFactors?: number | undefined
  /** What they are from now on, where the log-in used one up. */
  factors?: Factors | undefined
  family: Family
  /** The id of a family of this user that must be there still, and is the last to be evicted: of the log-in by which this one is opened. */
  session?: string | undefined
  live: LiveAfter
  /** The most live families a user may have, of which one client has its share, and what happens to one more. */
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

/** A family after the write that moved it, and what its user is then. */
export interface Advanced { family: Family, roles: string[] }

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

/** Who deletes an account: its operator, or the user, by a password that was just proved, and from a family that must live. */
export interface DeleteUser { userId: string, closing: ClosingTime, proof?: { verifiedHash: string, callerId: string, live: LiveAfter } }

/**
 * `from` is the version that the change was made of. The caller's family must live; with `closesOthers` no other is left.
 * `caller` is absent where somebody else asks, an operator or a log-in that is not done: then it closes every family.
 */
export interface ChangeFactors { userId: string, from: number, factors: Factors, caller?: { id: string, live: LiveAfter } | undefined, closesOthers?: ClosingTime | undefined }

/** `closes`: every family is closed in the same write. */
export interface SetRoles { userId: string, roles: string[], closes?: { live: LiveAfter, closing: ClosingTime } | undefined }

/** `verifiedHash` and `email` are those that the right to set another was given for; `proves`: it was given to whoever has the address. */
export interface ResetPassword { userId: string, email: string, verifiedHash: string, passwordHash: string, closing: ClosingTime, proves?: 'email' | undefined }

export interface VerifyEmail { userId: string, email: string }

/** `verifiedHash` is the one that the right to change it was given for. */
export interface ChangeEmail { userId: string, from: string, to: string, verifiedHash: string }

export type EmailChange = 'changed' | 'email_taken' | 'stale'

/** Which users are looked for: those to whom all that is named applies. */
export interface UserFilter {
  /** A part of the address, as it is kept. */
  emailPart?: string | undefined
  isDisabled?: boolean | undefined
  /** Milliseconds; the instant itself included. */
  createdSince?: number | undefined
}

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
  /** Durable, in one commit where the store can. What became of each, in their order; of one whose id is taken, too, it is that. */
  insertUsers (users: User[]): Promise<Insertion[]>
  findUser (id: string): Promise<User | undefined>
  findUserByEmail (email: string): Promise<User | undefined>
  /** The next users in the order of their ids, from the first beyond `after`; '' begins. With those who are deleted, for whom copies a store. */
  listUsers (after: string, limit: number): Promise<User[]>
  /** The next of these users in the order of their ids, from the first beyond `after`; '' begins. For an operator's own process: it may read every user in between. */
  searchUsers (filter: UserFilter, after: string, limit: number): Promise<User[]>
  /**
   * Durable. Beyond the limit it evicts the dead families first, then the least recently used; the policy to refuse counts those that live. Before that, and under either policy, a client's own go in the same order
   * that are beyond its share of the limit (`shareOf`).
   * Whatever there is room for stays, for a clock that is ahead, if only for a moment, makes a living family look dead. `stale`: the hash is another by now, or the roles or the factors are, a passkey of those to be kept is another user's, the user is disabled, or the session is closed. `used`: there is a
   * family of this id, or there was one and its closing is kept. `crowded`: as many closings count as may.
   */
  openFamily (change: OpenFamily): Promise<Opening>
  /** Lazy. The family after the write and the user's roles, which leaves none of its times in the future; undefined if it was not live at `from`, or is not the client's. */
  advanceFamily (change: AdvanceFamily): Promise<Advanced | undefined>
  /** Lazy. Keeps that the rotation to `generation` was repeated, as one of so many running. False if that is kept already, or the family has moved on. */
  noteRepeat (repeat: NoteRepeat): Promise<boolean>
  /** Durable. Whether there was such a family. */
  closeFamily (change: CloseFamily): Promise<boolean>
  /** Durable. How many of those closed were live. */
  closeAllFamilies (change: CloseAll): Promise<number>
  /** Durable. Closes every family and opens one in the same write. False if the hash is another by now, the caller's family is closed, or as many closings count as may. */
  changePassword (change: ChangePassword): Promise<boolean>
  /** Durable. Another password where the hash and the address are still those of then, and the user not disabled; closes every family in the same write. Whether it did. */
  resetPassword (change: ResetPassword): Promise<boolean>
  /** Durable. Keeps that the address was proved, of a user who still has it, is not disabled, and had not proved it. Whether it did. */
  verifyEmail (change: VerifyEmail): Promise<boolean>
  /** Durable. Another address, which is proved, where the hash and the address are still those of then, and the user not disabled. The unique index decides. */
  changeEmail (change: ChangeEmail): Promise<EmailChange>
  /** Durable. Keeps other factors where they are still of the version that was seen. False if they are not, the caller's family is closed, or a passkey of them is another user's. */
  changeFactors (change: ChangeFactors): Promise<boolean>
  /** Durable. Closes every family in the same write, and none is opened from then on. Disabled already is since then. How many families were live; undefined where there is no such user. */
  disableUser (change: CloseAll): Promise<number | undefined>
  /** Durable. Whether the user was disabled; then it is kept since when. */
  enableUser (userId: string): Promise<boolean>
  /** Durable. Leaves nothing personal, and closes every family in the same write. False where there is no such user, or the proof does not hold any more. */
  deleteUser (change: DeleteUser): Promise<boolean>
  /** Durable. Forgets the users that were deleted before this instant, in milliseconds, and had nothing closed since. How many those were. What is left of anybody who is deleted goes, too: who was to drop it may have been killed. */
  dropDeleted (before: number): Promise<number>
  /** Durable. How many families it closed that were live; undefined where there is no such user. */
  setRoles (change: SetRoles): Promise<number | undefined>
  /** Durable. False if the caller's family is closed. */
  rename (change: Rename): Promise<boolean>
  /** Lazy. Counts one more in the window that stands, or the first of a new one, and returns what that makes; undefined, and nothing changed, where there is no room for it. */
  takeGuess (change: TakeGuess): Promise<Count | undefined>
  /** Lazy. Counts one less, if the window stands that it was counted in. */
  giveBackGuess (change: GiveBackGuess): Promise<void>
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
  /** Lazy. Keeps events; one whose id is kept already changes nothing, so that what may have been kept can be brought again. Of a user who is deleted none is kept but the one that says so. */
  insertEvents (events: KeptEvent[]): Promise<void>
  /** The events of a query, the newest first. */
  listEvents (query: EventQuery): Promise<KeptEvent[]>
  /** Lazy. Drops the oldest events from before an instant, in milliseconds, so many at most. How many they were. */
  dropEvents (before: number, limit: number): Promise<number>
  /** Lazy. Drops the events of a user, but for those that say that the user was deleted. */
  dropEventsOf (userId: string): Promise<void>
}
