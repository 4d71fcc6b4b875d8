// Which place in the status lists a family has, and what its access tokens say of it; holds no bit and no list's bytes.
import { randomBytes } from 'node:crypto'
import { KEY_BYTES, LIST_SIZE, Permutation, placeOf, serialOf, type StatusClaim } from '../core/status-list.js'
import type { StatusList, Store } from '../store/store.js'

/** Places that are leased at once: so many log-ins share one write, and so many places are lost at most when a server ends. */
const BLOCK = 256
/** No place is given later than this after it was leased, so that it is known when a list is nobody's any more. Milliseconds. */
export const BLOCK_LIFE_MS = 86_400_000
const ALMOST_FULL = 0.9 * LIST_SIZE

/** Places of one list that are this server's to give. */
interface Block { list: number, next: number, end: number, leasedAt: number }

export class StatusPlaces {
  readonly #store: Pick<Store, 'statusLists' | 'keepStatusList' | 'leasePlaces' | 'highestSerial'>
  /** Of every list that was seen. */
  readonly #permutations = new Map<number, Permutation>()
  readonly #uri: string
  #block: Block | undefined
  #leasing: Promise<void> | undefined
  #looking: Promise<void> | undefined
  /** The lowest list that places are leased of: those before it are full, whatever a backup says. */
  #first = 0

  /** `uri` is where the lists are, without the number of one. */
  constructor (store: Pick<Store, 'statusLists' | 'keepStatusList' | 'leasePlaces' | 'highestSerial'>, uri: string) {
    this.#store = store
    this.#uri = uri
  }

  /** A serial number that no other family has or had. `now` in milliseconds. */
  async take (now: number): Promise<number> {
    for (;;) {
      const block = this.#block
      if (block && block.next < block.end && Math.abs(now - block.leasedAt) < BLOCK_LIFE_MS) return serialOf(block.list, block.next++)
      this.#leasing ??= this.#lease(now).finally(() => { this.#leasing = undefined })
      await this.#leasing
    }
  }

  /** What access tokens of a family say. `now` in milliseconds. */
  async claimOf (serial: number, now: number): Promise<StatusClaim> {
    const { list, place } = placeOf(serial)
    const permutation = this.#permutations.get(list) ?? await this.#find(list, now)
    return { status_list: { idx: permutation.indexOf(place), uri: this.uriOf(list) } }
  }

  /** The address of a list. */
  uriOf (list: number): string {
    return `${this.#uri}/${list}`
  }

  /** The index of a serial number in its list, where that list was seen. */
  indexOf (serial: number): number | undefined {
    const { list, place } = placeOf(serial)
    return this.#permutations.get(list)?.indexOf(place)
  }

  /** All lists, as the store has them now; one of them has places left. `now` in milliseconds. */
  async listsWithRoom (now: number): Promise<StatusList[]> {
    const lists = await this.#lists()
    // The next one is there before the last is full: every server must serve it when the first family is in it.
    if (lists.some(({ list, leased }) => list >= this.#first && leased < ALMOST_FULL)) return lists
    await this.#keep((lists.at(-1)?.list ?? -1) + 1, 0, now)
    return await this.#lists()
  }

  async #lists (): Promise<StatusList[]> {
    const lists = await this.#store.statusLists()
    for (const { list, key } of lists) if (!this.#permutations.has(list)) this.#permutations.set(list, new Permutation(Buffer.from(key, 'base64url')))
    return lists
  }

  /**
   * Looks once through all families, which takes seconds where there are millions; before that no place is given. `now` in milliseconds.
   * Rejects where the store cannot be reached; then the next that asks begins anew.
   */
  async lookThrough (now: number): Promise<void> {
    this.#looking ??= this.#goOnBehindAll(now).catch((error: unknown) => {
      this.#looking = undefined
      throw error
    })
    await this.#looking
  }

  async #lease (now: number): Promise<void> {
    await this.lookThrough(now)
    const { list } = (await this.listsWithRoom(now)).find(({ list, leased }) => list >= this.#first && leased + BLOCK <= LIST_SIZE)!
    const next = await this.#store.leasePlaces(list, BLOCK, now)
    if (next !== undefined) this.#block = { list, next, end: next + BLOCK, leasedAt: now }
  }

  // A backup may be of an instant for the families and of an earlier one for the leases: what families hold, or held when they were closed, is leased.
  async #goOnBehindAll (now: number): Promise<void> {
    const highest = await this.#store.highestSerial()
    if (highest === undefined) return
    const { list, place } = placeOf(highest)
    await this.#keep(list, place + 1, now)
    this.#first = list
  }

  // One that another server made meanwhile, or none: a restored database may lack it, and then nobody may lease of it.
  async #find (list: number, now: number): Promise<Permutation> {
    await this.#lists()
    if (!this.#permutations.has(list)) {
      await this.#keep(list, LIST_SIZE, now)
      await this.#lists()
    }
    return this.#permutations.get(list)!
  }

  async #keep (list: number, leased: number, now: number): Promise<void> {
    await this.#store.keepStatusList({ list, key: randomBytes(KEY_BYTES).toString('base64url'), leased, leasedAt: now })
  }
}
