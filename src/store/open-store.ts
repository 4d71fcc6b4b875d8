// Picks the adapter that a DATABASE_URL names; holds no adapter's detail.
import { closeSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { inWords } from '../faults.js'
import type { Store } from './store.js'

/** The store of `file:PATH`, `mongodb://…` or `mongodb+srv://…`. Throws a sentence that holds nothing of a MongoDB's URL if it cannot be opened. */
export async function openStore (url: string): Promise<Store> {
  if (url.startsWith('file:')) return await openFile(url)
  if (!/^mongodb(\+srv)?:\/\//.test(url)) throw new Error('A store is named as in DATABASE_URL, file:PATH or mongodb://HOST/DATABASE: this is neither.')
  const { openMongoDb } = await import('./open-mongodb.js')
  return openMongoDb(url)
}

async function openFile (url: string): Promise<Store> {
  // Each driver is loaded where it is used: MongoDB's is as large as all the rest.
  const { SqliteStore } = await import('./sqlite-store.js')
  try {
    return new SqliteStore(pathOf(url))
  } catch (cause) {
    throw new Error(`The store ${url} cannot be opened: ${whyNot(url, cause)}.`, { cause })
  }
}

/** The file that an embedded store's URL names, from the root on; undefined where the store is another. */
export function fileOf (url: string): string | undefined {
  return url.startsWith('file:') ? resolve(named(url)) : undefined
}

function named (url: string): string {
  return url.slice('file:'.length).replace(/^\/\/(?=\/)/, '')
}

function pathOf (url: string): string {
  const path = named(url)
  if (path.includes(':memory:')) throw new Error('a database in memory is none that lasts; name a file')
  if (path.includes('?')) throw new Error('a file takes no options after a question mark')
  if (path.startsWith('//')) throw new Error('between two slashes and the next there is a host; write file:./PATH from this folder on, or file:/PATH')
  return path
}

function whyNot (url: string, cause: unknown): string {
  if ((cause as NodeJS.ErrnoException).code) return inWords(cause)
  // SQLite says no more than that it could not; the system says why.
  try {
    closeSync(openSync(pathOf(url), 'a'))
    return inWords(cause)
  } catch (fault) {
    return inWords(fault)
  }
}

/** The database that MongoDB's driver takes for a URL that names none. */
export function unnamedDatabase (url: string): string | undefined {
  return /^mongodb(\+srv)?:\/\/[^/]*(\/?\?|\/?$)/.test(url) ? 'test' : undefined
}
