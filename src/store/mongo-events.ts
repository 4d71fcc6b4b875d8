// The commands about security events on MongoDB: one document an event, its id in the order of time. Holds no connection, no time limit, and no rule of how long one is kept.
import type mongoose from 'mongoose'
import { firstIdAt, type EventQuery, type KeptEvent } from '../core/events.js'
import { duplicatesOf } from './mongo-duplicates.js'

export type EventDocument = Omit<KeptEvent, 'id'> & { _id: string }
export type EventCollection = mongoose.mongo.Collection<EventDocument>

/** The events of a user in the order of time. Those of all are so by their ids. */
export const EVENT_INDEX = { userId: 1, _id: 1 } as const

export async function insertEvents (collection: EventCollection, events: KeptEvent[], options: mongoose.mongo.BulkWriteOptions): Promise<void> {
  try {
    await collection.insertMany(events.map(({ id, ...event }) => ({ _id: id, ...event })), { ...options, ordered: false })
  } catch (error) {
    duplicatesOf(error)
  }
}

export async function listEvents (collection: EventCollection, { userId, kinds, since, before, limit }: EventQuery): Promise<KeptEvent[]> {
  const ids = { ...(since !== undefined && { $gte: firstIdAt(since) }), ...(before !== undefined && { $lt: before }) }
  const which = { ...(userId !== undefined && { userId: { $eq: userId } }), ...(kinds && { kind: { $in: kinds } }), ...(Object.keys(ids).length > 0 && { _id: ids }) }
  const documents = await collection.find(which).sort(userId === undefined ? { _id: -1 } : { userId: -1, _id: -1 }).limit(limit).toArray()
  return documents.map(({ _id: id, ...event }) => ({ id, ...event }))
}

/** Drops some of the oldest; how many they were. */
export async function dropEvents (collection: EventCollection, before: number, limit: number, options: mongoose.mongo.DeleteOptions): Promise<number> {
  const old = await collection.find({ _id: { $lt: firstIdAt(before) } }, { projection: { _id: 1 } }).sort({ _id: 1 }).limit(limit).toArray()
  if (old.length === 0) return 0
  return (await collection.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } }, options)).deletedCount
}

export async function dropEventsOf (collection: EventCollection, userId: string, options: mongoose.mongo.DeleteOptions): Promise<void> {
  await collection.deleteMany({ userId: { $eq: userId }, kind: { $ne: 'user.deleted' } }, options)
}
