// Picks the adapter that a DATABASE_URL names; holds no adapter's detail.
import { closeSync, openSync } from 'node:fs'
import { inWords } from '../faults.js'
import { mongoClient, MongoStore } from './mongo-store.js'
import { SqliteStore } from './sqlite-store.js'
import type { Store } from './store.js'

/** The store of `file:PATH`, `mongodb://…` or `mongodb+srv://…`. Throws a sentence, without the URL's password, if it cannot be opened. */
export function openStore (url: string): Store {
  try {
    return url.startsWith('file:') ? new SqliteStore(pathOf(url)) : new MongoStore(mongoClient(url))
  } catch (cause) {
    const shown = url.replace(/\/\/[^/]*@/, '//…@')
    throw new Error(`The store ${shown} cannot be opened: ${whyNot(url, cause)}.`, { cause })
  }
}

/** The database that MongoDB's driver takes for a URL that names none. */
export function unnamedDatabase (url: string): string | undefined {
  return /^mongodb(\+srv)?:\/\/[^/]*(\/?\?|\/?$)/.test(url) ? 'test' : undefined
}

function pathOf (url: string): string {
  const path = url.slice('file:'.length).replace(/^\/\/(?=\/)/, '')
  if (path.includes(':memory:')) throw new Error('a database in memory is none that lasts; name a file')
  if (path.includes('?')) throw new Error('a file takes no options after a question mark')
  if (path.startsWith('//')) throw new Error('between two slashes and the next there is a host; write file:./PATH from this folder on, or file:/PATH')
  return path
}

function whyNot (url: string, cause: unknown): string {
  if ((cause as Error).message === 'URI malformed') return 'a percent sign in it is not followed by two hexadecimal digits'
  if (!url.startsWith('file:') || (cause as NodeJS.ErrnoException).code) return inWords(cause)
  // SQLite says no more than that it could not; the system says why.
  try {
    closeSync(openSync(pathOf(url), 'a'))
    return inWords(cause)
  } catch (fault) {
    return inWords(fault)
  }
}
