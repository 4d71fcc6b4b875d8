// Picks the adapter that a DATABASE_URL names; holds no adapter's detail.
import { SqliteStore } from './sqlite-store.js'
import type { Store } from './store.js'

/** The store of `file:PATH`. Throws a sentence if it cannot be opened. */
export function openStore (url: string): Store {
  try {
    return new SqliteStore(url.slice('file:'.length))
  } catch (cause) {
    throw new Error(`The store ${url} cannot be opened: ${(cause as Error).message}.`, { cause })
  }
}
