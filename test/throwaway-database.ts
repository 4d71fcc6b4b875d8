// A database on a MongoDB that others share, for one test or proof; holds no test.
import { randomUUID } from 'node:crypto'
import mongoose from 'mongoose'

/** The URL of a database on the server of `url` that nobody has used before, and what removes it. */
export function throwawayDatabase (url: string): { url: string, drop: () => Promise<void> } {
  const database = new URL(url)
  database.pathname = `/signet_${randomUUID().replaceAll('-', '')}`
  const drop = async () => {
    const client = await mongoose.mongo.MongoClient.connect(database.href)
    await client.db().dropDatabase()
    await client.close()
  }
  return { url: database.href, drop }
}
