// Which status lists a service holds: those that its tokens name, within bounds; holds no rule of when one is fetched.
import type { StatusReference } from './access-token-claims.js'
import { KeptStatusList, type KeptListParts, type Verdict } from './kept-status-list.js'

export interface StatusListsParts extends Omit<KeptListParts, 'uri' | 'subject'> {
  /** Where a list is fetched, by the address that tokens have for it. */
  locate: (subject: string) => string
}

/** Of 128 KiB each, for a million log-ins: more than an authority has that live. */
const MAX_LISTS = 64
/** Milliseconds. Nobody asks for a list so long unless its last token has expired, or the service is idle. */
const IDLE = 3_600_000

export class StatusLists {
  readonly #parts: StatusListsParts
  /** The least recently asked first. Times in milliseconds. */
  readonly #lists = new Map<string, { list: KeptStatusList, askedAt: number }>()

  constructor (parts: StatusListsParts) {
    this.#parts = parts
  }

  /** How the log-in of a reference stands, as KeptStatusList says. */
  look ({ idx, uri }: StatusReference): Verdict | Promise<Verdict> {
    const list = this.#lists.get(uri)?.list ?? new KeptStatusList({ ...this.#parts, subject: uri, uri: this.#parts.locate(uri) })
    this.#keep(uri, list, this.#parts.now())
    return list.look(idx)
  }

  #keep (uri: string, list: KeptStatusList, now: number): void {
    this.#lists.delete(uri)
    this.#lists.set(uri, { list, askedAt: now })
    for (const [other, { askedAt }] of this.#lists) {
      if (this.#lists.size <= MAX_LISTS && now - askedAt < IDLE) break
      this.#lists.delete(other)
    }
  }
}
