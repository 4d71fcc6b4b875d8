// Opens MongoDB's adapter by a URL; holds nothing of the URL in what it says.
import { mongoClient, MongoStore } from './mongo-store.js'

/** The store of `mongodb://…` or `mongodb+srv://…`. Throws a sentence if the URL cannot be used. */
export function openMongoDb (url: string): MongoStore {
  return new MongoStore(() => openClient(url))
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
