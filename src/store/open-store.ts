// Picks the adapter that a DATABASE_URL names; holds no adapter's detail.
import { mongoClient, MongoStore } from './mongo-store.js'
import { SqliteStore } from './sqlite-store.js'
import type { Store } from './store.js'

/** The store of `file:PATH`, `mongodb://…` or `mongodb+srv://…`. Throws a sentence, without the URL's password, if it cannot be opened. */
export function openStore (url: string): Store {
  try {
    return url.startsWith('file:') ? new SqliteStore(url.slice('file:'.length)) : new MongoStore(mongoClient(url))
  } catch (cause) {
    const shown = url.replace(/\/\/[^/]*@/, '//…@')
    throw new Error(`The store ${shown} cannot be opened: ${(cause as Error).message}.`, { cause })
  }
}
