// Picks the adapter that a DATABASE_URL names; holds no adapter's detail.
import { closeSync, openSync } from 'node:fs'
import { inWords } from '../faults.js'
import { mongoClient, MongoStore } from './mongo-store.js'
import { SqliteStore } from './sqlite-store.js'
import type { Store } from './store.js'

/** The store of `file:PATH`, `mongodb://…` or `mongodb+srv://…`. Throws a sentence that holds nothing of a MongoDB's URL if it cannot be opened. */
export function openStore (url: string): Store {
  return url.startsWith('file:') ? openFile(url) : new MongoStore(openClient(url))
}

function openFile (url: string): Store {
  try {
    return new SqliteStore(pathOf(url))
  } catch (cause) {
    throw new Error(`The store ${url} cannot be opened: ${whyNot(url, cause)}.`, { cause })
  }
}

function pathOf (url: string): string {
  const path = url.slice('file:'.length).replace(/^\/\/(?=\/)/, '')
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

// The driver quotes what it does not understand, which may be a piece of a password; so its own words go nowhere.
function openClient (url: string): ReturnType<typeof mongoClient> {
  try {
    // Of two @, or one behind a ?, the driver would take a part of the password for the host, and name it when it is not found.
    if (/[@?][^]*@/.test(url)) throw new Error('an @ is not percent-encoded')
    return mongoClient(url)
  } catch (error) {
    const option = refusedOption(url, (error as Error).message)
    const fault = option ? `its option ${option} cannot have that value` : 'it is not of the form mongodb://USER:PASSWORD@HOST/DATABASE?OPTION=VALUE, each part percent-encoded'
    throw new Error(`The MongoDB URL of the store cannot be used: ${fault}.`)
  }
}

/** The option of the URL that the driver complains of, if it is one that the driver knows. */
function refusedOption (url: string, complaint: string): string | undefined {
  const known = new Set(Object.keys(mongoClient('mongodb://host').options))
  return [...new URLSearchParams(url.split('?')[1]).keys()].find(name => known.has(name) && complaint.includes(name))
}
