// What happened on a person's account, as the person is told; holds no event of anybody else's.
import type { KeptEvent } from '../core/events.js'
import type { Store } from '../store/store.js'

/** So many at once. */
export const ACTIVITY_PAGE = 20

export class Activity {
  readonly #store: Pick<Store, 'listEvents'>

  constructor (store: Pick<Store, 'listEvents'>) {
    this.#store = store
  }

  /** The last events of a user, the newest first, and where the next begin; `before` is the id of an event. Rejects with `unavailable`. */
  async list (userId: string, before?: string): Promise<{ events: KeptEvent[], next: string | null }> {
    const found = await this.#store.listEvents({ userId, before, limit: ACTIVITY_PAGE + 1 })
    const events = found.slice(0, ACTIVITY_PAGE)
    return { events, next: found.length > ACTIVITY_PAGE ? events.at(-1)!.id : null }
  }
}
