// The commands about clients on MongoDB: one document a client. Holds no connection, no time limit, and no rule of what a client is.
import type mongoose from 'mongoose'
import type { Client } from '../core/client.js'
import { isDuplicate } from './mongo-duplicates.js'

export type ClientDocument = Omit<Client, 'id'> & { _id: string }
export type ClientCollection = mongoose.mongo.Collection<ClientDocument>

export async function insertClient (clients: ClientCollection, client: Client, options: mongoose.mongo.InsertOneOptions): Promise<boolean> {
  try {
    await clients.insertOne(toDocument(client), options)
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}

export async function findClient (clients: ClientCollection, id: string): Promise<Client | undefined> {
  const document = await clients.findOne({ _id: { $eq: id } })
  return document ? toClient(document) : undefined
}

export async function listClients (clients: ClientCollection, after: string, limit: number): Promise<Client[]> {
  return (await clients.find({ _id: { $gt: after } }).sort({ _id: 1 }).limit(limit).toArray()).map(toClient)
}

export async function replaceClient (clients: ClientCollection, client: Client, version: number, options: mongoose.mongo.ReplaceOptions): Promise<boolean> {
  const { _id, ...document } = toDocument(client)
  const { matchedCount } = await clients.replaceOne({ _id: { $eq: _id }, version: { $eq: version } }, document, options)
  return matchedCount === 1
}

export async function removeClient (clients: ClientCollection, id: string, options: mongoose.mongo.DeleteOptions): Promise<boolean> {
  return (await clients.deleteOne({ _id: { $eq: id } }, options)).deletedCount === 1
}

// The driver would keep what is not there as null.
function toDocument ({ id, jwks, jwksUri, ...client }: Client): ClientDocument {
  return { _id: id, ...client, ...(jwks && { jwks }), ...(jwksUri !== undefined && { jwksUri }) }
}

function toClient ({ _id: id, ...client }: ClientDocument): Client {
  return { id, ...client }
}
