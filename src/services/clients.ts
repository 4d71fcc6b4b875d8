// The clients of the authority as a node sees them: read through a cache of a few seconds, so that a change counts everywhere soon; holds no rule of a client.
import type { Client } from '../core/client.js'
import { isWithin } from '../core/recent-counts.js'
import { RecentMap } from '../core/recent-map.js'
import { isUuid } from '../core/uuids.js'
import type { Store } from '../store/store.js'

const CACHED_MS = 3_000
const CAPACITY = 1_000

/** What the store said, or is about to say; `askedAt` in milliseconds. */
interface Reading { askedAt: number, client: Promise<Client | undefined> }

export class Clients {
  readonly #store: Pick<Store, 'findClient'>
  // Whoever asks for many that are not there pushes out none that is in use.
  readonly #readings = new RecentMap<Reading>(CAPACITY)

  constructor (store: Pick<Store, 'findClient'>) {
    this.#store = store
  }

  /** The client of an id as it stood three seconds before `now` (milliseconds) or later; undefined if there is none. Rejects with `unavailable`. */
  async find (id: string, now: number): Promise<Client | undefined> {
    if (!isUuid(id)) return undefined
    const known = this.#readings.get(id)
    const reading = known && isWithin(CACHED_MS, known.askedAt, now) ? known : this.#read(id, now)
    return await reading.client
  }

  #read (id: string, now: number): Reading {
    const reading = { askedAt: now, client: this.#store.findClient(id) }
    this.#readings.set(id, reading)
    // That the store was away is nothing to remember.
    reading.client.catch(() => { if (this.#readings.get(id) === reading) this.#readings.delete(id) })
    return reading
  }
}
