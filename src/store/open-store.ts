// Picks the adapter that a DATABASE_URL names; holds no adapter's detail.
import { mongoClient, MongoStore } from './mongo-store.js'
import { SqliteStore } from './sqlite-store.js'
import type { Store } from './store.js'

/** The store of `file:PATH`, `mongodb://…` or `mongodb+srv://…`. Throws a sentence that holds nothing of a MongoDB's URL if it cannot be opened. */
export function openStore (url: string): Store {
  return url.startsWith('file:') ? openFile(url) : new MongoStore(openClient(url))
}

function openFile (url: string): Store {
  try {
    return new SqliteStore(url.slice('file:'.length))
  } catch (cause) {
    throw new Error(`The store ${url} cannot be opened: ${(cause as Error).message}.`, { cause })
  }
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
