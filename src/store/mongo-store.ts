// MongoDB: one document a user, each operation one conditional write on it; holds no rule of a family's life.
import mongoose, { type Connection, type Model } from 'mongoose'
import type { Client } from '../core/client.js'
import { LAST_CLOSINGS, MAX_CLOSINGS, maxClosingsFor, type Closing, type ClosingTime } from '../core/closings.js'
import type { EventQuery, KeptEvent } from '../core/events.js'
import type { Factors, Passkey, Spent, Totp } from '../core/factors.js'
import { countedOf, type Failures, type GuessCount, type Guessed } from '../core/failures.js'
import { livesAfter, shareOf, type Family, type Grant, type LiveAfter } from '../core/families.js'
import type { Count } from '../core/recent-counts.js'
import { LIST_SIZE } from '../core/status-list.js'
import { AuthError } from '../errors.js'
import { findClient, insertClient, listClients, removeClient, replaceClient, type ClientCollection, type ClientDocument } from './mongo-clients.js'
import { duplicatesOf, isDuplicate } from './mongo-duplicates.js'
import { dropEvents, dropEventsOf, EVENT_INDEX, insertEvents, listEvents, type EventCollection, type EventDocument } from './mongo-events.js'
import { whyNotOpened } from './openings.js'
import type { Advanced, AdvanceFamily, ChangeEmail, ChangeFactors, ChangePassword, CloseAll, CloseFamily, DeleteUser, EmailChange, GiveBackGuess, Insertion, NoteRepeat, OpenFamily, Opening, Rename, ResetPassword, SetRoles, StatusList, Store, TakeGuess, User, UserClosings, UserFilter, VerifyEmail } from './store.js'

type UserDocument = Omit<User, 'id' | 'roles'> & { _id: string, roles?: string[], closedAt?: number }
/** The last of some users, and the highest serial number that they have. */
interface SerialsOfPage { last: string, highest: number | null }
type StatusListDocument = Omit<StatusList, 'list'> & { _id: number }

/** MongoDB's own names. Whatever the URL says of one of them counts instead. Milliseconds. */
const DEFAULTS = {
  serverSelectionTimeoutMS: 2_000,
  connectTimeoutMS: 2_000,
  // A connection that is silent for this long is given up, so that a stalled one does not stay in the pool.
  socketTimeoutMS: 2_000,
  waitQueueTimeoutMS: 2_000,
  // The driver looks at once whether a server is still there when a connection to it breaks, by another that is about to, and then waits for that one for ever.
  heartbeatFrequencyMS: 500,
  minHeartbeatFrequencyMS: 600,
  maxPoolSize: 20,
  appName: 'signet',
}

/** The driver's timeouts add up, with a retry in between; whatever is asked is answered by then all the same. */
const PATIENCE_MS = 2_250
/** After as much without a single success another client takes its turn. */
const GIVEN_UP_MS = 10_000
const RETRY_AFTER_SECONDS = 1
/** Users whose families are looked through in one go: some hundredths of a second. */
const PAGE = 5_000

/** What a crash or a failover must not lose is on the journals of a majority before it is answered. */
const DURABLE = { w: 'majority', j: true } as const
const DURABLE_WRITE = { writeConcern: DURABLE } as const
/** A rotation that is lost is found again by the next refresh, whose generation lies beyond the stored one. */
const LAZY = { writeConcern: { w: 1, j: false } } as const

/** The condition that a user was not deleted. */
const THERE = { deletedAt: { $exists: false } }

const text = { type: String, required: true }
/** Of whoever is deleted there is none. */
const hash = { type: String, required: function (this: UserDocument) { return this.passwordHash !== '' } }
const milliseconds = { type: Number, required: true }
const optionalText = { type: String, default: null }

const grantSchema = new mongoose.Schema<Grant>({ clientId: text, scope: { type: String, default: '' }, audience: [String], authenticatedAt: milliseconds, amr: { type: [String], default: undefined } }, { _id: false, id: false, strict: 'throw' })

const familySchema = new mongoose.Schema<Family>(
  {
    id: text, generation: milliseconds, createdAt: milliseconds, advancedAt: milliseconds, userAgent: optionalText, ip: text, rotatedBy: String,
    repeats: new mongoose.Schema({ at: Number, running: Number }, { _id: false }), serial: Number, grant: { type: grantSchema, required: false }, amr: { type: [String], default: undefined },
  },
  { _id: false, id: false, strict: 'throw' }
)

const failuresSchema = new mongoose.Schema<Failures>({ since: milliseconds, known: milliseconds, stranger: milliseconds, devices: { type: Map, of: Number } }, { _id: false, id: false, strict: 'throw' })

const passkeySchema = new mongoose.Schema<Passkey>({ id: text, publicKey: text, counter: milliseconds, transports: [String], name: text, addedAt: milliseconds, lastUsedAt: { type: Number, default: null }, isBackedUp: Boolean }, { _id: false, id: false, strict: 'throw' })

const factorsSchema = new mongoose.Schema<Factors>(
  {
    version: milliseconds, totp: { type: new mongoose.Schema<Totp>({ seed: text, addedAt: milliseconds, lastStep: milliseconds }, { _id: false, strict: 'throw' }), required: false }, passkeys: [passkeySchema], recoveryCodes: [String],
    spent: [new mongoose.Schema<Spent>({ id: text, until: milliseconds }, { _id: false, id: false, strict: 'throw' })],
  },
  { _id: false, id: false, strict: 'throw' }
)

const closingSchema = new mongoose.Schema<Closing>({ id: text, serial: Number, at: milliseconds }, { _id: false, id: false, strict: 'throw' })

const userSchema = new mongoose.Schema<UserDocument>(
  { _id: text, email: text, name: optionalText, passwordHash: hash, createdAt: milliseconds, families: [familySchema], failed: { type: failuresSchema, required: false }, failedCodes: { type: failuresSchema, required: false }, closed: { type: [closingSchema], default: undefined }, closedAt: Number, roles: { type: [String], default: undefined }, disabledAt: Number, deletedAt: Number, emailVerified: Boolean, factors: { type: factorsSchema, required: false }, lastDisabledAt: Number },
  {
    collection: 'users', id: false, versionKey: false, autoCreate: false, autoIndex: false, bufferCommands: false,
    strict: 'throw', strictQuery: 'throw', read: 'primary', writeConcern: DURABLE,
  }
)

/** The indexes that Signet makes, and cannot do without. */
const INDEXES = [
  { keys: { email: 1 }, options: { unique: true }, lacking: 'The store lacks its unique index on the e-mail address.' },
  { keys: { closedAt: 1 }, options: { sparse: true }, lacking: 'The store lacks its index on closedAt.' },
  { keys: { deletedAt: 1 }, options: { sparse: true }, lacking: 'The store lacks its index on deletedAt.' },
  { keys: { 'factors.passkeys.id': 1 }, options: { unique: true, partialFilterExpression: { 'factors.passkeys.id': { $exists: true } } }, lacking: 'The store lacks its unique index on the passkeys.' },
] as const

/** A client of MongoDB with an authority's defaults; it connects to nothing yet. Throws the driver's error about a URL that it cannot use. */
export function mongoClient (url: string): mongoose.mongo.MongoClient {
  const given = new Set([...new URLSearchParams(url.split('?')[1]).keys()].map(name => name.toLowerCase()))
  const defaults = Object.entries(DEFAULTS).filter(([name]) => !given.has(name.toLowerCase()))
  const client = new mongoose.mongo.MongoClient(url, Object.fromEntries(defaults))
  // The driver takes a comma with nothing beside it for one more host, and ends the process when it connects.
  if (client.options.hosts.some(({ host, socketPath }) => !host && !socketPath)) throw new Error('one of its hosts is empty')
  return client
}

export class MongoStore implements Store {
  readonly #open: () => mongoose.mongo.MongoClient
  #link: Link
  /** Since when nothing has succeeded, in milliseconds of a clock that never jumps. */
  #failingSince: number | undefined
  #isClosed = false

  /** Connects when it is first asked for something, and again by itself; so Signet starts before its database does. `open` makes a client, and another when that one is given up. */
  constructor (open: () => mongoose.mongo.MongoClient) {
    this.#open = open
    this.#link = linkTo(open())
  }

  async ping (): Promise<void> {
    try {
      await this.#guard(async () => {
        await this.#assertIndexes()
        // Of nobody, so nothing is stored; but only a primary that a majority follows answers it.
        await this.#link.users.updateOne({ _id: '' }, { $set: { name: null } })
      })
    } catch (error) {
      const { cause } = error as Error
      throw new Error(cause instanceof MissingIndex ? cause.message : 'The store does not answer.', { cause: error })
    }
  }

  async close (): Promise<void> {
    this.#isClosed = true
    await this.#link.client.close()
  }

  async insertUser (user: User): Promise<'inserted' | 'email_taken'> {
    return await this.#guard(async () => {
      try {
        await this.#link.users.insertOne(toDocument(user))
        return 'inserted'
      } catch (error) {
        if (isDuplicate(error)) return 'email_taken'
        throw error
      }
    })
  }

  async insertUsers (users: User[]): Promise<Insertion[]> {
    if (users.length === 0) return []
    return await this.#guard(async () => {
      const refused = await this.#link.collection.insertMany(users.map(toDocument), { ...DURABLE_WRITE, ordered: false }).then((): number[] => [], duplicatesOf)
      const ids = refused.map(at => users[at]!.id)
      const taken = new Set(ids.length > 0 ? await this.#idsAmong(ids) : [])
      return users.map(({ id }, at) => refused.includes(at) ? (taken.has(id) ? 'id_taken' : 'email_taken') : 'inserted')
    })
  }

  async #idsAmong (ids: string[]): Promise<string[]> {
    const found = await this.#link.collection.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray()
    return found.map(({ _id }) => _id)
  }

  async findUser (id: string): Promise<User | undefined> {
    return toUser(await this.#guard(async () => await this.#link.collection.findOne({ _id: { $eq: id }, ...THERE })))
  }

  async findUserByEmail (email: string): Promise<User | undefined> {
    return toUser(await this.#guard(async () => await this.#link.collection.findOne({ email: { $eq: email }, ...THERE })))
  }

  async listUsers (after: string, limit: number): Promise<User[]> {
    const users = await this.#guard(async () => await this.#link.users.find({ _id: mongoose.trusted({ $gt: after }) }).sort({ _id: 1 }).limit(limit).lean())
    return users.map(user => toUser(user)!)
  }

  async searchUsers ({ emailPart, isDisabled, createdSince }: UserFilter, after: string, limit: number): Promise<User[]> {
    const meant = {
      ...THERE,
      ...(emailPart !== undefined && { $expr: { $gte: [{ $indexOfCP: ['$email', { $literal: emailPart }] }, 0] } }),
      ...(isDisabled !== undefined && { disabledAt: { $exists: isDisabled } }),
      ...(createdSince !== undefined && { createdAt: { $gte: createdSince } }),
    }
    const found: UserDocument[] = []
    // So many are looked through at a time that the answer is there in time, however many there are in all.
    for (let [from, end] = [after, await this.#idAfter(after)]; ; [from, end] = [end, await this.#idAfter(end)]) {
      const page = { _id: { $gt: from, ...(end !== undefined && { $lte: end }) } }
      found.push(...await this.#guard(async () => await this.#link.collection.find({ ...page, ...meant }).sort({ _id: 1 }).limit(limit - found.length).toArray()))
      if (end === undefined || found.length === limit) return found.map(user => toUser(user)!)
    }
  }

  /** The id of the last user of a full page; undefined where fewer are left. */
  async #idAfter (id: string): Promise<string | undefined> {
    const [last] = await this.#guard(async () => await this.#link.collection.find({ _id: { $gt: id } }, { projection: { _id: 1 } }).sort({ _id: 1 }).skip(PAGE - 1).limit(1).toArray())
    return last?._id
  }

  async openFamily (change: OpenFamily): Promise<Opening> {
    const { userId, verifiedHash, passwordHash, roles, verifiedFactors = 0, factors, family, session, live, limit, policy, replaces, closing } = change
    const lives = { $and: [{ $gt: ['$$this.createdAt', live.createdAfter] }, { $gt: ['$$this.advancedAt', live.advancedAfter] }] }
    // Whatever came from outside is a literal, for in a pipeline a text that begins with $ names a field.
    const isReplaced = { $eq: ['$$this.id', { $literal: replaces ?? null }] }
    const isSession = { $eq: ['$$this.id', { $literal: session ?? null }] }
    const isClients = { $eq: ['$$this.grant.clientId', { $literal: family.grant?.clientId ?? '' }] }
    const those = (...conditions: object[]) => ({ $filter: { input: '$families', cond: { $and: conditions } } })
    const lastUsedFirst = (...conditions: object[]) => [lives, { $not: [lives] }].map(alive => ({ $sortArray: { input: those(alive, ...conditions), sortBy: { advancedAt: -1 } } }))
    // What the client has beyond its share goes, whatever room there is.
    const going = { $slice: [{ $concatArrays: lastUsedFirst(isClients, { $not: [isReplaced] }) }, shareOf(limit) - 1, limit] }
    const staying = { $and: [{ $not: [isReplaced] }, { $not: [{ $in: ['$$this.id', '$$going.id'] }] }] }
    const knowingWhoGoes = (expression: object) => ({ $let: { vars: { going }, in: expression } })
    // No use is kept of the log-in by which a family is opened, so it stays before all others.
    const families = knowingWhoGoes({ $slice: [{ $concatArrays: [[{ $literal: family }], those(staying, isSession), ...lastUsedFirst(staying, { $not: [isSession] })] }, limit] })
    const matchedCount = await this.#updateUnlessTaken(
      { _id: { $eq: userId }, passwordHash: { $eq: verifiedHash }, disabledAt: { $exists: false }, ...THERE, ...ofVersion(verifiedFactors), ...(roles.length > 0 ? { roles: { $eq: roles } } : { 'roles.0': { $exists: false } }), 'families.id': { $ne: family.id, ...(session !== undefined && { $eq: session }) }, 'closed.id': { $ne: family.id }, $expr: { $and: [hasRoom(closing, maxClosingsFor(family)), ...(policy === 'refuse' ? [{ $lt: [knowingWhoGoes({ $size: those(staying, lives) }), limit] }] : [])] } },
      closingTo(families, closing, { passwordHash: { $literal: passwordHash }, ...(factors && { factors: { $literal: factors } }) })
    )
    if (matchedCount === undefined) return 'stale'
    if (matchedCount === 1) return 'opened'
    return whyNotOpened(await this.findUser(userId), change)
  }

  // The busiest operation goes past mongoose, whose casting costs as much again; whatever came from outside is compared with $eq.
  async advanceFamily ({ userId, familyId, from, to, clientId, now, by, live }: AdvanceFamily): Promise<Advanced | undefined> {
    const family = { id: { $eq: familyId }, generation: { $eq: from }, createdAt: { $gt: live.createdAfter }, advancedAt: { $gt: live.advancedAfter }, 'grant.clientId': { $eq: clientId ?? null } }
    // MongoDB refuses a positional projection of the new document.
    const projection = { _id: 0, roles: 1, families: { $elemMatch: { id: { $eq: familyId } } } }
    const user = await this.#guard(async () => await this.#link.collection.findOneAndUpdate(
      { _id: { $eq: userId }, families: { $elemMatch: family } },
      { $set: { 'families.$.generation': to, 'families.$.advancedAt': now, 'families.$.rotatedBy': by }, $min: { 'families.$.createdAt': now } },
      { ...LAZY, returnDocument: 'after', projection }
    ))
    return user ? { family: user.families[0]!, roles: user.roles ?? [] } : undefined
  }

  async noteRepeat ({ userId, familyId, generation, running }: NoteRepeat): Promise<boolean> {
    const { matchedCount } = await this.#guard(async () => await this.#link.collection.updateOne(
      { _id: { $eq: userId }, families: { $elemMatch: { id: { $eq: familyId }, generation: { $eq: generation }, 'repeats.at': { $ne: generation } } } },
      { $set: { 'families.$.repeats': { at: generation, running } } },
      LAZY
    ))
    return matchedCount === 1
  }

  async closeFamily ({ userId, familyId, closing }: CloseFamily): Promise<boolean> {
    const others = { $filter: { input: '$families', cond: { $ne: ['$$this.id', { $literal: familyId }] } } }
    const { matchedCount } = await this.#guard(async () => await this.#link.collection.updateOne({ _id: { $eq: userId }, 'families.id': { $eq: familyId } }, closingTo(others, closing), DURABLE_WRITE))
    return matchedCount === 1
  }

  async closeAllFamilies ({ userId, live, closing }: CloseAll): Promise<number> {
    return await this.#closing(userId, live, closingTo([], closing)) ?? 0
  }

  async #closing (userId: string, live: LiveAfter, change: object[]): Promise<number | undefined> {
    const before = await this.#guard(async () => await this.#link.collection.findOneAndUpdate({ _id: { $eq: userId }, ...THERE }, change, { ...DURABLE_WRITE, returnDocument: 'before', projection: { families: 1 } }))
    return before?.families.filter(family => livesAfter(family, live)).length
  }

  async changePassword ({ userId, verifiedHash, passwordHash, callerId, live, family, closing }: ChangePassword): Promise<boolean> {
    const { matchedCount } = await this.#guard(async () => await this.#link.collection.updateOne(
      { _id: { $eq: userId }, passwordHash: { $eq: verifiedHash }, families: { $elemMatch: caller(callerId, live) }, $expr: hasRoom(closing, MAX_CLOSINGS) },
      closingTo([{ $literal: family }], closing, { passwordHash: { $literal: passwordHash } }),
      DURABLE_WRITE
    ))
    return matchedCount === 1
  }

  async resetPassword ({ userId, email, verifiedHash, passwordHash, closing, proves }: ResetPassword): Promise<boolean> {
    const { matchedCount } = await this.#guard(async () => await this.#link.collection.updateOne(
      { _id: { $eq: userId }, email: { $eq: email }, passwordHash: { $eq: verifiedHash }, disabledAt: { $exists: false }, ...THERE },
      closingTo([], closing, { passwordHash: { $literal: passwordHash }, ...(proves === 'email' && { emailVerified: true }) }),
      DURABLE_WRITE
    ))
    return matchedCount === 1
  }

  async verifyEmail ({ userId, email }: VerifyEmail): Promise<boolean> {
    const { matchedCount } = await this.#guard(async () => await this.#link.collection.updateOne(
      { _id: { $eq: userId }, email: { $eq: email }, emailVerified: { $ne: true }, disabledAt: { $exists: false }, ...THERE }, { $set: { emailVerified: true } }, DURABLE_WRITE
    ))
    return matchedCount === 1
  }

  async changeEmail ({ userId, from, to, verifiedHash }: ChangeEmail): Promise<EmailChange> {
    const found = await this.#updateUnlessTaken({ _id: { $eq: userId }, email: { $eq: from }, passwordHash: { $eq: verifiedHash }, disabledAt: { $exists: false }, ...THERE }, { $set: { email: to, emailVerified: true } })
    if (found === undefined) return 'email_taken'
    return found === 1 ? 'changed' : 'stale'
  }

  async changeFactors ({ userId, from, factors, caller: by, closesOthers }: ChangeFactors): Promise<boolean> {
    const left = { $filter: { input: '$families', cond: { $eq: ['$$this.id', { $literal: by?.id ?? null }] } } }
    const change = closesOthers ? closingTo(left, closesOthers, { factors: { $literal: factors } }) : { $set: { factors } }
    return await this.#updateUnlessTaken({ _id: { $eq: userId }, ...THERE, ...ofVersion(from), ...(by && { families: { $elemMatch: caller(by.id, by.live) } }) }, change) === 1
  }

  /** How many users a durable write found; undefined where it would have given one what another has. */
  async #updateUnlessTaken (filter: mongoose.mongo.Filter<UserDocument>, change: object | object[]): Promise<number | undefined> {
    return await this.#guard(async () => {
      try {
        return (await this.#link.collection.updateOne(filter, change, DURABLE_WRITE)).matchedCount
      } catch (error) {
        if (isDuplicate(error)) return undefined
        throw error
      }
    })
  }

  async disableUser ({ userId, live, closing }: CloseAll): Promise<number | undefined> {
    return await this.#closing(userId, live, closingTo([], closing, { disabledAt: { $ifNull: ['$disabledAt', closing.at] } }))
  }

  async enableUser (userId: string): Promise<boolean> {
    const { matchedCount } = await this.#guard(async () => await this.#link.collection.updateOne({ _id: { $eq: userId }, disabledAt: { $exists: true } }, [{ $set: { lastDisabledAt: '$disabledAt' } }, { $unset: 'disabledAt' }], DURABLE_WRITE))
    return matchedCount === 1
  }

  async deleteUser ({ userId, closing, proof }: DeleteUser): Promise<boolean> {
    const proved = proof && { passwordHash: { $eq: proof.verifiedHash }, families: { $elemMatch: caller(proof.callerId, proof.live) } }
    // What is left is named, so that whatever else is kept of a user is not.
    const left = { _id: '$_id', email: '$_id', name: null, passwordHash: '', createdAt: closing.at, families: [], roles: [], closed: '$closed', closedAt: '$closedAt', deletedAt: closing.at }
    const { matchedCount } = await this.#guard(async () => await this.#link.collection.updateOne({ _id: { $eq: userId }, ...THERE, ...proved }, [...closingTo([], closing), { $replaceWith: left }], DURABLE_WRITE))
    return matchedCount === 1
  }

  async dropDeleted (before: number): Promise<number> {
    const forgotten = { deletedAt: { $lt: before }, $or: [{ closedAt: { $exists: false } }, { closedAt: { $lt: before } }] }
    return await this.#guard(async () => {
      for await (const { _id } of this.#link.collection.find({ deletedAt: { $exists: true } }, { projection: { _id: 1 } })) await dropEventsOf(this.#link.events, _id, LAZY)
      return (await this.#link.collection.deleteMany(forgotten, DURABLE_WRITE)).deletedCount
    })
  }

  async setRoles ({ userId, roles, closes }: SetRoles): Promise<number | undefined> {
    if (closes) return await this.#closing(userId, closes.live, closingTo([], closes.closing, { roles: { $literal: roles } }))
    const { matchedCount } = await this.#guard(async () => await this.#link.collection.updateOne({ _id: { $eq: userId }, ...THERE }, { $set: { roles } }, DURABLE_WRITE))
    return matchedCount === 1 ? 0 : undefined
  }

  async rename ({ userId, name, callerId, live }: Rename): Promise<boolean> {
    const { matchedCount } = await this.#guard(async () => await this.#link.users.updateOne({ _id: userId, families: lives(callerId, live) }, { $set: { name } }))
    return matchedCount === 1
  }

  async takeGuess ({ userId, of = 'password', count, max, maxDevices, now, window }: TakeGuess): Promise<Count | undefined> {
    const [failed, path] = [COUNTED_IN[of], pathOfCount(of, count)]
    // Without a count the difference is null, which sorts before every number.
    const age = { $abs: { $subtract: [now, `$${failed}.since`] } }
    const isWithin = { $and: [{ $gte: [age, 0] }, { $lt: [age, window] }] }
    const counted = { $ifNull: [`$${path}`, 0] }
    const devices = { $size: { $objectToArray: { $ifNull: [`$${failed}.devices`, {}] } } }
    const isKept = count.by === 'device' ? { $or: [{ $gte: [`$${path}`, 0] }, { $lt: [devices, maxDevices] }] } : true
    const first: Failures = { since: now, known: 0, stranger: 0 }
    const user = await this.#guard(async () => await this.#link.collection.findOneAndUpdate(
      { _id: { $eq: userId }, ...THERE, $expr: { $or: [{ $not: [isWithin] }, { $and: [{ $lt: [counted, max] }, isKept] }] } },
      [{ $set: { [failed]: { $cond: [isWithin, `$${failed}`, first] } } }, { $set: { [path]: { $add: [counted, 1] } } }],
      { ...LAZY, returnDocument: 'after', projection: { _id: 0, [failed]: 1 } }
    ))
    return user ? { count: countedOf(user[failed]!, count)!, since: user[failed]!.since } : undefined
  }

  async giveBackGuess ({ userId, of = 'password', count, since }: GiveBackGuess): Promise<void> {
    const path = pathOfCount(of, count)
    await this.#guard(async () => await this.#link.collection.updateOne({ _id: { $eq: userId }, [`${COUNTED_IN[of]}.since`]: { $eq: since }, [path]: { $gt: 0 } }, { $inc: { [path]: -1 } }, LAZY))
  }

  async numberFamily (userId: string, familyId: string, serial: number): Promise<number | undefined> {
    const user = await this.#guard(async () => {
      await this.#link.collection.updateOne(
        { _id: { $eq: userId }, families: { $elemMatch: { id: { $eq: familyId }, serial: { $exists: false } } } }, { $set: { 'families.$.serial': serial } }, DURABLE_WRITE
      )
      return await this.#link.collection.findOne({ _id: { $eq: userId } }, { projection: { _id: 0, families: { $elemMatch: { id: { $eq: familyId } } } } })
    })
    return user?.families?.[0]?.serial
  }

  async listClosings ({ closedAfter, userId }: { closedAfter: number, userId: string }, limit: number): Promise<UserClosings[]> {
    const users = await this.#guard(async () => await this.#link.collection
      .find({ closedAt: { $gte: closedAfter }, $or: [{ closedAt: { $gt: closedAfter } }, { _id: { $gt: userId } }] }, { projection: { closed: 1, closedAt: 1 } })
      .sort({ closedAt: 1, _id: 1 }).limit(limit).toArray())
    return users.map(({ _id, closedAt, closed }) => ({ userId: _id, closedAt: closedAt!, closed: closed! }))
  }

  async statusLists (): Promise<StatusList[]> {
    const lists = await this.#guard(async () => await this.#link.statusLists.find().sort({ _id: 1 }).toArray())
    return lists.map(({ _id: list, key, leased, leasedAt }) => ({ list, key, leased, leasedAt }))
  }

  async keepStatusList ({ list, key, leased, leasedAt }: StatusList): Promise<void> {
    await this.#guard(async () => {
      const keep = async () => { await this.#link.statusLists.updateOne({ _id: { $eq: list } }, { $setOnInsert: { key }, $max: { leased, leasedAt } }, { ...DURABLE_WRITE, upsert: true }) }
      // Of two that insert at once one may be told so; then it is there.
      await keep().catch(keep)
    })
  }

  async leasePlaces (list: number, count: number, now: number): Promise<number | undefined> {
    const before = await this.#guard(async () => await this.#link.statusLists.findOneAndUpdate(
      { _id: { $eq: list }, leased: { $lte: LIST_SIZE - count } }, { $inc: { leased: count }, $max: { leasedAt: now } }, { ...DURABLE_WRITE, returnDocument: 'before' }
    ))
    return before?.leased
  }

  async highestSerial (): Promise<number | undefined> {
    let highest: number | undefined
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: SerialsOfPage | undefined = await this.#serialsAfter(after)
      if (typeof page?.highest === 'number') highest = Math.max(page.highest, highest ?? page.highest)
      after = page?.last
    }
    return highest
  }

  // Of so few users that the answer is there in time, however many there are in all.
  async #serialsAfter (after: string): Promise<SerialsOfPage | undefined> {
    const [page] = await this.#guard(async () => await this.#link.collection.aggregate<SerialsOfPage>([
      { $match: { _id: { $gt: after } } }, { $sort: { _id: 1 } }, { $limit: PAGE },
      { $project: { highest: { $max: [{ $max: '$families.serial' }, { $max: '$closed.serial' }] } } },
      { $group: { _id: null, last: { $max: '$_id' }, highest: { $max: '$highest' } } },
    ]).toArray())
    return page
  }

  async insertClient (client: Client): Promise<boolean> {
    return await this.#guard(async () => await insertClient(this.#link.clients, client, DURABLE_WRITE))
  }

  async findClient (id: string): Promise<Client | undefined> {
    return await this.#guard(async () => await findClient(this.#link.clients, id))
  }

  async listClients (after: string, limit: number): Promise<Client[]> {
    return await this.#guard(async () => await listClients(this.#link.clients, after, limit))
  }

  async replaceClient (client: Client, version: number): Promise<boolean> {
    return await this.#guard(async () => await replaceClient(this.#link.clients, client, version, DURABLE_WRITE))
  }

  async removeClient (id: string): Promise<boolean> {
    return await this.#guard(async () => await removeClient(this.#link.clients, id, DURABLE_WRITE))
  }

  async insertEvents (events: KeptEvent[]): Promise<void> {
    await this.#guard(async () => {
      await insertEvents(this.#link.events, events, LAZY)
      // Afterwards, so that whoever is deleted meanwhile is found here or by who deletes.
      const users = [...new Set(events.flatMap(({ userId }) => userId ?? []))]
      const deleted = await this.#link.collection.find({ _id: { $in: users }, deletedAt: { $exists: true } }, { projection: { _id: 1 } }).toArray()
      for (const { _id } of deleted) await dropEventsOf(this.#link.events, _id, LAZY)
    })
  }

  async listEvents (query: EventQuery): Promise<KeptEvent[]> {
    return await this.#guard(async () => await listEvents(this.#link.events, query))
  }

  async dropEvents (before: number, limit: number): Promise<number> {
    return await this.#guard(async () => await dropEvents(this.#link.events, before, limit, LAZY))
  }

  async dropEventsOf (userId: string): Promise<void> {
    await this.#guard(async () => { await dropEventsOf(this.#link.events, userId, LAZY) })
  }

  // Whatever befalls the server or the way to it is, to a client, an outage that may pass.
  async #guard<Result>(operation: () => Promise<Result>): Promise<Result> {
    try {
      if (this.#isClosed) throw new Error('the store is closed')
      const result = await inTime(this.#link.isPrepared ? operation() : this.#prepared(this.#link).then(operation))
      this.#failingSince = undefined
      return result
    } catch (cause) {
      this.#noteFailure(performance.now())
      throw new AuthError('unavailable', { cause, retryAfter: RETRY_AFTER_SECONDS })
    }
  }

  // A client that waits for what never comes has to be let go of, with all that it holds; where the database is away, another is no worse.
  #noteFailure (now: number): void {
    this.#failingSince ??= now
    if (this.#isClosed || now - this.#failingSince < GIVEN_UP_MS) return
    this.#failingSince = now
    const { client } = this.#link
    this.#link = linkTo(this.#open())
    client.close().catch(() => {})
  }

  // Whoever needs the store tries to reach it, one attempt at a time.
  async #prepared (link: Link): Promise<void> {
    link.preparing ??= this.#prepare(link).finally(() => { link.preparing = undefined })
    await link.preparing
  }

  async #prepare (link: Link): Promise<void> {
    await link.client.connect()
    if (link.connection.readyState === mongoose.ConnectionStates.disconnected) link.connection.setClient(link.client)
    const indexing = link.collection.createIndexes(INDEXES.map(({ keys, options }) => ({ key: keys, ...options })))
    await this.#assertIndexes(await indexing.then(() => undefined, (refusal: unknown) => refusal))
    // Without it a list of events takes longer, and nothing else does.
    await link.events.createIndex(EVENT_INDEX).catch(() => {})
    link.isPrepared = true
  }

  // What counts is that the index is there, whoever made it; `refusal` is why it could not be made, if it could not.
  async #assertIndexes (refusal?: unknown): Promise<void> {
    const found = await this.#link.collection.listIndexes().toArray()
    const missing = INDEXES.find(({ keys, options }) => !found.some(({ key, unique = false }) => String(Object.keys(key)) === String(Object.keys(keys)) && (unique || !('unique' in options))))
    if (missing) throw new MissingIndex(missing.lacking, { cause: refusal })
  }
}

/** A client, what is asked through it, and whether the indexes were seen to be there. */
interface Link {
  client: mongoose.mongo.MongoClient
  connection: Connection
  users: Model<UserDocument>
  collection: mongoose.mongo.Collection<UserDocument>
  statusLists: mongoose.mongo.Collection<StatusListDocument>
  clients: ClientCollection
  events: EventCollection
  isPrepared: boolean
  preparing: Promise<void> | undefined
}

function linkTo (client: mongoose.mongo.MongoClient): Link {
  const connection = mongoose.createConnection()
  connection.set('sanitizeFilter', true)
  // Whatever the URL prefers: each read here decides something.
  const primary = { readPreference: 'primary' } as const
  return {
    client,
    connection,
    users: connection.model<UserDocument>('User', userSchema),
    collection: client.db().collection<UserDocument>(userSchema.get('collection')!, primary),
    statusLists: client.db().collection<StatusListDocument>('status_lists', primary),
    clients: client.db().collection<ClientDocument>('clients', primary),
    events: client.db().collection<EventDocument>('events', primary),
    isPrepared: false,
    preparing: undefined,
  }
}

class MissingIndex extends Error {}

/** The condition, for a pipeline, that not as many closings of a user count as may. */
function hasRoom ({ countsAfter }: ClosingTime, max: number): object {
  return { $lt: [{ $size: closingsWhere(counts(countsAfter)) }, max] }
}

function counts (countsAfter: number): object {
  return { $gt: ['$$this.at', countsAfter] }
}

function closingsWhere (cond: object): object {
  return { $filter: { input: { $ifNull: ['$closed', []] }, cond } }
}

/** The pipeline that leaves a user these families, and keeps that the others were closed; `more` is what else it sets. */
function closingTo (families: unknown, { at, countsAfter }: ClosingTime, more: object = {}): object[] {
  const gone = { $filter: { input: '$before', cond: { $and: [{ $or: [{ $gt: ['$$this.serial', null] }, { $gt: ['$$this.grant', null] }] }, { $not: [{ $in: ['$$this.id', '$families.id'] }] }] } } }
  const kept = closingsWhere({ $or: [counts(countsAfter), { $in: ['$$this.id', { $slice: ['$closed.id', -LAST_CLOSINGS] }] }] })
  const closings = { $map: { input: gone, in: { id: '$$this.id', serial: '$$this.serial', at } } }
  return [
    { $set: { before: '$families', families, ...more } },
    { $set: { closed: { $concatArrays: [kept, closings] }, closedAt: { $cond: [{ $gt: [{ $size: gone }, 0] }, { $max: [at, '$closedAt'] }, { $ifNull: ['$closedAt', '$$REMOVE'] }] } } },
    { $unset: 'before' },
  ]
}

/** The condition that a user's factors are of a version, 0 of one who never had any. */
function ofVersion (version: number) {
  return { 'factors.version': version === 0 ? { $exists: false } : { $eq: version } }
}

/** Where guesses are counted. */
const COUNTED_IN = { password: 'failed', code: 'failedCodes' } as const satisfies Record<Guessed, keyof UserDocument>

/** Ids of devices are UUIDs, so that none of them can carry a path of its own. */
function pathOfCount (of: Guessed, count: GuessCount): string {
  return count.by === 'device' ? `${COUNTED_IN[of]}.devices.${count.device}` : `${COUNTED_IN[of]}.${count.by}`
}

/** The condition that this family is there, and lives. */
function lives (familyId: string, live: LiveAfter) {
  return mongoose.trusted({ $elemMatch: caller(familyId, live) })
}

function caller (familyId: string, { createdAfter, advancedAfter }: LiveAfter) {
  return { id: { $eq: familyId }, createdAt: { $gt: createdAfter }, advancedAt: { $gt: advancedAfter } }
}

// By hand, for a race of promises costs a refresh more than its timer.
async function inTime<Result> (work: Promise<Result>): Promise<Result> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => { reject(new Error('the store did not answer in time')) }, PATIENCE_MS)
    work.then(result => { clearTimeout(timer); resolve(result) }, (error: unknown) => { clearTimeout(timer); reject(error) })
  })
}

function toDocument ({ id, ...user }: User): UserDocument {
  const closedAt = user.closed && Math.max(...user.closed.map(({ at }) => at))
  return { _id: id, ...user, ...(closedAt !== undefined && { closedAt }) }
}

function toUser (document: UserDocument | null): User | undefined {
  if (!document) return undefined
  const { _id: id, email, name, passwordHash, createdAt, families, failed, failedCodes, closed, roles = [], disabledAt, deletedAt, emailVerified, factors, lastDisabledAt } = document
  return { id, email, name, passwordHash, createdAt, families, roles, ...(failed && { failed }), ...(failedCodes && { failedCodes }), ...(closed && closed.length > 0 && { closed }), ...(disabledAt !== undefined && { disabledAt }), ...(deletedAt !== undefined && { deletedAt }), ...(emailVerified !== undefined && { emailVerified }), ...(factors && { factors }), ...(lastDisabledAt !== undefined && { lastDisabledAt }) }
}
