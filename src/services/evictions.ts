// Tells which families had to go where one was opened; closes none.
import type { RecordEvent } from '../core/events.js'
import { shareOf, type Family } from '../core/families.js'
import type { Store, User } from '../store/store.js'
import type { Device } from './rotation.js'

/** A family that was opened: for a user who stood so before, in the stead of one that had to go, and with room for so many. `now` in milliseconds, of the opening. */
export interface Opened { before: User, by: Family, replaced: string | undefined, limit: number, device: Device, now: number }

export class Evictions {
  readonly #store: Pick<Store, 'findUser'>
  readonly #record: RecordEvent

  constructor ({ store, record }: { store: Pick<Store, 'findUser'>, record: RecordEvent }) {
    this.#store = store
    this.#record = record
  }

  /** Records them. The store is asked again only where there was no room for one more, or none in the share of a client. Never rejects: the opening stands, whatever can be told of it. */
  async record ({ before, by, replaced, limit, device, now }: Opened): Promise<void> {
    const closed = (familyId: string, cause: 'evicted' | 'replaced') => { this.#record({ kind: 'family.closed', at: now, userId: before.id, familyId, ...device, details: { cause } }) }
    const others = before.families.filter(({ id }) => id !== replaced)
    if (others.length < before.families.length) closed(replaced!, 'replaced')
    if (others.length < limit && !isBeyondShare(by, others, limit)) return
    const after = await this.#store.findUser(before.id).catch(() => undefined)
    if (!after) return
    const staying = new Set(after.families.map(({ id }) => id))
    // What another write closed meanwhile says when that was.
    const closedThen = (id: string) => after.closed?.find(closing => closing.id === id)?.at ?? now
    for (const { id } of others) if (id !== by.id && !staying.has(id) && closedThen(id) === now) closed(id, 'evicted')
  }
}

/** Whether a client had its share of the places already. */
function isBeyondShare ({ grant }: Family, others: Family[], limit: number): boolean {
  return grant !== undefined && others.filter(other => other.grant?.clientId === grant.clientId).length >= shareOf(limit)
}
