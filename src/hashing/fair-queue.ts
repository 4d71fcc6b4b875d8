// Who waits for a thread and whose turn it is, so that the many of one keep nobody else out; holds no thread and no hash.
import { networksOf } from '../core/networks.js'

/** Who a hash is made for: the network address, and whether the account knows them, by a log-in from there or one that they hold. */
export interface Requester { address: string, isKnown: boolean }

interface Waiting { requester: Requester }

/** The part of the places that is kept for those who are known. */
const KEPT = 1 / 4

/** Who waits in a network, by the narrower networks in it; the order of the keys is that of their turns. */
type Lines<Job> = Map<string, Job[]>

export class FairQueue<Job extends Waiting> {
  readonly #places: number
  readonly #placesOfStrangers: number
  readonly #networks = new Map<string, Lines<Job>>()
  #waiting = 0
  #strangers = 0

  constructor (places: number) {
    this.#places = places
    this.#placesOfStrangers = places - Math.floor(places * KEPT)
  }

  /** How many wait. */
  get size (): number {
    return this.#waiting
  }

  /**
   * Lets one more wait. Returns the one that has no place then, if any: where there are too many, the network that has the most
   * waiting gives up its newest; of equals the one that has just come.
   */
  add (job: Job): Job | undefined {
    const { wide, narrow } = networksOf(job.requester.address)
    const lines: Lines<Job> = this.#networks.get(wide) ?? new Map()
    const line = lines.get(narrow) ?? []
    line.push(job)
    this.#networks.set(wide, lines.set(narrow, line))
    this.#count(job, 1)
    if (isStranger(job) && this.#strangers > this.#placesOfStrangers) return this.#drop(wide, narrow, isStranger)
    return this.#waiting > this.#places ? this.#drop(wide, narrow, isAnybody) : undefined
  }

  /** Takes out the one whose turn it is: one network after the other, in it one narrower network after the other, in that who came first. */
  next (): Job | undefined {
    const [network] = this.#networks
    if (!network) return undefined
    const [wide, lines] = network
    const [narrow, line] = lines.entries().next().value!
    const job = line.shift()!
    this.#count(job, -1)
    lines.delete(narrow)
    if (line.length > 0) lines.set(narrow, line)
    this.#networks.delete(wide)
    if (lines.size > 0) this.#networks.set(wide, lines)
    return job
  }

  #drop (wide: string, narrow: string, mayGo: (job: Waiting) => boolean): Job {
    const busiest = largest(this.#networks, wide, lines => countOf(lines, mayGo))
    const lines = this.#networks.get(busiest)!
    const within = largest(lines, narrow, line => line.filter(mayGo).length)
    const line = lines.get(within)!
    const [job] = line.splice(line.findLastIndex(mayGo), 1)
    this.#count(job!, -1)
    if (line.length === 0) lines.delete(within)
    if (lines.size === 0) this.#networks.delete(busiest)
    return job!
  }

  #count (job: Job, by: 1 | -1): void {
    this.#waiting += by
    if (isStranger(job)) this.#strangers += by
  }
}

function isStranger ({ requester }: Waiting): boolean {
  return !requester.isKnown
}

function isAnybody (): boolean {
  return true
}

/** The key of the largest value; of equals `favoured`. */
function largest<Value> (values: Map<string, Value>, favoured: string, sizeOf: (value: Value) => number): string {
  const own = values.get(favoured)
  let [largest, most] = [favoured, own ? sizeOf(own) : 0]
  for (const [key, value] of values) {
    const size = sizeOf(value)
    if (size > most) [largest, most] = [key, size]
  }
  return largest
}

function countOf<Job> (lines: Lines<Job>, isCounted: (job: Job) => boolean): number {
  let count = 0
  for (const line of lines.values()) count += line.filter(isCounted).length
  return count
}
