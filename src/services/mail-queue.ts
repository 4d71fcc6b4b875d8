// Mails that wait to be written and sent, which no request waits for: bounded, tried again, and each counted by what became of it; holds no text, no rule of who gets one and no way to send.
import { randomInt } from 'node:crypto'
import type { RecordEvent } from '../core/events.js'
import { fillTemplate, LetterRefused, type Letter, type LetterKind, type SendLetter, type Template, type Values } from '../core/letters.js'
import { SILENT, type Meter } from '../core/metrics.js'
import { RecentCounts } from '../core/recent-counts.js'

/** A mail to somebody. `goodFor` is how long it is any use, in milliseconds from when it was addressed. */
export interface Addressed { kind: LetterKind, to: string, userId?: string | undefined, values: Values, goodFor?: number }

/** Finds out who gets which mail, if anybody does, whatever the mail server is like; asked again where it rejects. `now` in milliseconds. */
export type Address = (now: number) => Promise<Addressed | undefined>

/** Whether whoever proves nothing can have it sent: such mails do not take the room of all others. */
export type Asker = 'anybody' | 'known'

export interface MailQueueParts {
  send: SendLetter
  templates: Record<LetterKind, Template>
  /** What every mail says of where it comes from. */
  always: Values
  record: RecordEvent
  /** Told when mails cannot be sent, with why not, and when they can again. */
  report: (err: unknown) => void
  /** Told of each mail that the server will never take, with why not. */
  refused: (err: LetterRefused) => void
  /** Milliseconds since the epoch. */
  clock: () => number
  meter?: Meter | undefined
  times?: MailTimes
  sizes?: MailSizes
  /** What anybody can ask for is begun at random within so many milliseconds, so that no request soon after is slower for what there was to do. */
  spread?: number | undefined
}

/** Milliseconds. */
export interface MailTimes {
  /** After each try that failed; after the last of them a mail is given up. */
  pauses: readonly number[]
  /** How long one try may take. */
  patience: number
  /** How long a stop waits for what is not sent yet. */
  farewell: number
}

/** Of those that are not addressed yet, and again of those that are. */
export interface MailSizes { all: number, anybodys: number, atOnce: number }

export const MAIL_TIMES: MailTimes = { pauses: [2_000, 10_000, 30_000, 120_000, 300_000, 900_000, 1_800_000], patience: 120_000, farewell: 3_000 }
/** A few megabytes at most. */
export const MAIL_SIZES: MailSizes = { all: 1_000, anybodys: 500, atOnce: 4 }

/** Mails of a kind that somebody gets in an hour, at this process; or while the link in the first of them is good, if that is less: so whoever is not sent another has one. */
export const MAILS_AN_HOUR = 3
const HOUR = 3_600_000
const REMEMBERED = 10_000

/** One that waits: addressed once, and then tried until it is sent. */
interface Waiting { asker: Asker, address: Address, mail: { addressed: Addressed, letter: Letter, since: number } | undefined, tries: number, timer?: NodeJS.Timeout }

/** Does the same for each that waits, for a few at once, in turn. `work` never rejects. */
class Lane {
  readonly #atOnce: number
  readonly #work: (waiting: Waiting) => Promise<void>
  readonly #ready: Waiting[] = []
  #running = 0

  constructor (atOnce: number, work: (waiting: Waiting) => Promise<void>) {
    this.#atOnce = atOnce
    this.#work = work
  }

  add (waiting: Waiting): void {
    this.#ready.push(waiting)
    this.#next()
  }

  #next (): void {
    while (this.#running < this.#atOnce && this.#ready.length > 0) {
      this.#running++
      void this.#work(this.#ready.shift()!).finally(() => {
        this.#running--
        this.#next()
      })
    }
  }
}

export class MailQueue {
  readonly #parts: MailQueueParts
  readonly #times: MailTimes
  readonly #sizes: MailSizes
  readonly #meter: Meter
  /** By how long they count, in milliseconds. */
  readonly #sent = new Map<number, RecentCounts>()
  readonly #all = new Set<Waiting>()
  readonly #addressing: Lane
  readonly #sending: Lane
  #isFailing = false
  #isStopped = false
  #emptied: (() => void) | undefined

  constructor (parts: MailQueueParts) {
    this.#parts = parts
    this.#times = parts.times ?? MAIL_TIMES
    this.#sizes = parts.sizes ?? MAIL_SIZES
    this.#meter = parts.meter ?? SILENT
    this.#addressing = new Lane(this.#sizes.atOnce, async waiting => { await this.#address(waiting) })
    this.#sending = new Lane(this.#sizes.atOnce, async waiting => { await this.#send(waiting) })
    this.#meter.watch('signet_mail_queue_length', () => [[[], this.#all.size]])
  }

  /** Whether the last try failed, and not for what the mail was. */
  get isFailing (): boolean {
    return this.#isFailing
  }

  /** Takes a mail, or drops it where there is no room. Never throws, and does nothing that depends on who gets it before whoever asks has gone on. */
  add (asker: Asker, address: Address): void {
    const waiting: Waiting = { asker, address, mail: undefined, tries: 0 }
    if (this.#isStopped || !this.#hasRoom(waiting)) {
      this.#end('dropped')
      return
    }
    this.#all.add(waiting)
    const { spread = 0 } = this.#parts
    if (asker === 'anybody' && spread > 0) this.#resumeIn(randomInt(spread), waiting)
    else setImmediate(() => { this.#addressing.add(waiting) })
  }

  // What waits for the mail server takes no room of what is still to be addressed.
  #hasRoom ({ asker, mail }: Waiting): boolean {
    const others = [...this.#all].filter(other => (other.mail === undefined) === (mail === undefined))
    return others.length < this.#sizes.all && (asker === 'known' || others.filter(other => other.asker === 'anybody').length < this.#sizes.anybodys)
  }

  /** Tries what waits once more, within the farewell; whatever is not sent by then is lost. */
  async stop (): Promise<void> {
    this.#isStopped = true
    for (const waiting of this.#all) {
      if (!waiting.timer) continue
      clearTimeout(waiting.timer)
      this.#resume(waiting)
    }
    if (this.#all.size > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, this.#times.farewell)
        this.#emptied = () => { clearTimeout(timer); resolve() }
      })
    }
    for (const waiting of this.#all) this.#giveUp(waiting)
  }

  // Never rejects.
  async #address (waiting: Waiting): Promise<void> {
    const now = this.#parts.clock()
    let addressed: Addressed | undefined
    try {
      addressed = await waiting.address(now)
    } catch {
      // The store is away, which others tell of.
      this.#again(waiting)
      return
    }
    // Not there any more: it was given up meanwhile.
    if (this.#all.delete(waiting) && addressed) this.#write(waiting, addressed, now)
    this.#tellIfEmpty()
  }

  #write (waiting: Waiting, addressed: Addressed, now: number): void {
    const { always, templates } = this.#parts
    const written = { ...waiting, tries: 0, mail: { addressed, letter: fillTemplate(templates[addressed.kind], { ...always, ...addressed.values }), since: now } }
    if (!this.#hasRoom(written)) this.#end('dropped', addressed)
    else if (!this.#hasEnough(addressed, now)) {
      this.#all.add(written)
      this.#sending.add(written)
    }
  }

  #hasEnough ({ goodFor = HOUR, kind, to }: Addressed, now: number): boolean {
    const window = Math.min(HOUR, goodFor)
    const sent = this.#sent.get(window) ?? new RecentCounts(window, REMEMBERED)
    this.#sent.set(window, sent)
    return sent.add(`${kind} ${to}`, now) > MAILS_AN_HOUR
  }

  // Never rejects.
  async #send (waiting: Waiting): Promise<void> {
    const { addressed, letter } = waiting.mail!
    try {
      await within(this.#times.patience, this.#parts.send(addressed.to, letter))
      this.#tell(undefined)
      this.#remove(waiting)
      this.#meter.count('signet_mails_total', ['sent'])
    } catch (error) {
      if (error instanceof LetterRefused) {
        this.#remove(waiting)
        this.#parts.refused(error)
        this.#end('refused', addressed)
        return
      }
      this.#tell(error)
      this.#again(waiting)
    }
  }

  #again (waiting: Waiting): void {
    const pause = this.#times.pauses[waiting.tries++]
    const { mail } = waiting
    const isOver = mail?.addressed.goodFor !== undefined && pause !== undefined && this.#parts.clock() + pause >= mail.since + mail.addressed.goodFor
    if (pause === undefined || isOver || this.#isStopped) {
      this.#giveUp(waiting)
      return
    }
    this.#meter.count('signet_mails_total', ['retried'])
    this.#resumeIn(pause, waiting)
  }

  #resumeIn (milliseconds: number, waiting: Waiting): void {
    waiting.timer = setTimeout(() => { this.#resume(waiting) }, milliseconds).unref()
  }

  // Without its timer from now on, for one that waits for its turn is not to get two.
  #resume (waiting: Waiting): void {
    delete waiting.timer
    if (waiting.mail) this.#sending.add(waiting)
    else this.#addressing.add(waiting)
  }

  #giveUp (waiting: Waiting): void {
    if (this.#remove(waiting)) this.#end('given_up', waiting.mail?.addressed)
  }

  #remove (waiting: Waiting): boolean {
    const wasThere = this.#all.delete(waiting)
    this.#tellIfEmpty()
    return wasThere
  }

  #tellIfEmpty (): void {
    if (this.#all.size === 0) this.#emptied?.()
  }

  #end (reason: 'dropped' | 'refused' | 'given_up', addressed?: Addressed): void {
    this.#meter.count('signet_mails_total', [reason])
    this.#parts.record({ kind: 'mail.failed', at: this.#parts.clock(), userId: addressed?.userId, details: { reason, ...(addressed && { mail: addressed.kind }) } })
  }

  #tell (err: unknown): void {
    const isFailing = err !== undefined
    if (isFailing === this.#isFailing) return
    this.#isFailing = isFailing
    this.#parts.report(err)
  }
}

async function within (milliseconds: number, work: Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => { reject(new Error('the mail server took too long')) }, milliseconds)
    work.finally(() => { clearTimeout(timer) }).then(resolve, reject)
  })
}
