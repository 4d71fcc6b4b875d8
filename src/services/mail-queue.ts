// Mails that wait to be written and sent, which no request waits for: bounded, tried again, and each counted by what became of it; holds no text, no rule of who gets one and no way to send.
import type { RecordEvent } from '../core/events.js'
import { fillTemplate, LetterRefused, type Letter, type LetterKind, type SendLetter, type Template, type Values } from '../core/letters.js'
import { SILENT, type Meter } from '../core/metrics.js'
import { RecentCounts } from '../core/recent-counts.js'

/** A mail to somebody. `goodFor` is how long it is any use, in milliseconds from when it was addressed. */
export interface Addressed { kind: LetterKind, to: string, userId?: string | undefined, values: Values, goodFor?: number }

/** Finds out who gets which mail, if anybody does; asked again where it rejects. `now` in milliseconds. */
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
  /** Milliseconds since the epoch. */
  clock: () => number
  meter?: Meter | undefined
  times?: MailTimes
  sizes?: MailSizes
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

export interface MailSizes { all: number, anybodys: number, atOnce: number }

export const MAIL_TIMES: MailTimes = { pauses: [2_000, 10_000, 30_000, 120_000, 300_000, 900_000, 1_800_000], patience: 120_000, farewell: 3_000 }
/** A few megabytes at most. */
export const MAIL_SIZES: MailSizes = { all: 1_000, anybodys: 500, atOnce: 4 }

/** Mails of a kind that somebody gets in an hour, at this process. */
export const MAILS_AN_HOUR = 3
const HOUR = 3_600_000
const REMEMBERED = 10_000

/** One that waits: addressed once, and then tried until it is sent. */
interface Waiting { asker: Asker, address: Address, mail: { addressed: Addressed, letter: Letter, since: number } | undefined, tries: number, timer?: NodeJS.Timeout }

export class MailQueue {
  readonly #parts: MailQueueParts
  readonly #times: MailTimes
  readonly #sizes: MailSizes
  readonly #meter: Meter
  readonly #sent = new RecentCounts(HOUR, REMEMBERED)
  readonly #all = new Set<Waiting>()
  #ready: Waiting[] = []
  #running = 0
  #isFailing = false
  #isStopped = false
  #emptied: (() => void) | undefined

  constructor (parts: MailQueueParts) {
    this.#parts = parts
    this.#times = parts.times ?? MAIL_TIMES
    this.#sizes = parts.sizes ?? MAIL_SIZES
    this.#meter = parts.meter ?? SILENT
    this.#meter.watch('signet_mail_queue_length', () => [[[], this.#all.size]])
  }

  /** Whether the last try failed, and not for what the mail was. */
  get isFailing (): boolean {
    return this.#isFailing
  }

  /** Takes a mail, or drops it where there is no room. Never throws, and does nothing that depends on who gets it before whoever asks has gone on. */
  add (asker: Asker, address: Address): void {
    const anybodys = () => [...this.#all].filter(waiting => waiting.asker === 'anybody').length
    if (this.#isStopped || this.#all.size >= this.#sizes.all || (asker === 'anybody' && anybodys() >= this.#sizes.anybodys)) {
      this.#end('dropped')
      return
    }
    const waiting: Waiting = { asker, address, mail: undefined, tries: 0 }
    this.#all.add(waiting)
    this.#ready.push(waiting)
    setImmediate(() => { this.#work() })
  }

  /** Tries what waits once more, within the farewell; whatever is not sent by then is lost. */
  async stop (): Promise<void> {
    this.#isStopped = true
    for (const waiting of this.#all) {
      if (!waiting.timer) continue
      clearTimeout(waiting.timer)
      this.#ready.push(waiting)
    }
    this.#work()
    if (this.#all.size > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, this.#times.farewell)
        this.#emptied = () => { clearTimeout(timer); resolve() }
      })
    }
    for (const waiting of this.#all) this.#giveUp(waiting)
  }

  #work (): void {
    while (this.#running < this.#sizes.atOnce && this.#ready.length > 0) {
      this.#running++
      void this.#try(this.#ready.shift()!).finally(() => {
        this.#running--
        this.#work()
      })
    }
  }

  // Never rejects.
  async #try (waiting: Waiting): Promise<void> {
    delete waiting.timer
    try {
      waiting.mail ??= await this.#write(waiting.address)
    } catch {
      // The store is away, which others tell of.
      this.#again(waiting)
      return
    }
    if (!waiting.mail) {
      this.#remove(waiting)
      return
    }
    const { addressed, letter } = waiting.mail
    try {
      await within(this.#times.patience, this.#parts.send(addressed.to, letter))
      this.#tell(undefined)
      this.#remove(waiting)
      this.#meter.count('signet_mails_total', ['sent'])
    } catch (error) {
      if (error instanceof LetterRefused) {
        this.#remove(waiting)
        this.#end('refused', addressed)
        return
      }
      this.#tell(error)
      this.#again(waiting)
    }
  }

  async #write (address: Address): Promise<Waiting['mail']> {
    const now = this.#parts.clock()
    const addressed = await address(now)
    if (!addressed || this.#sent.add(`${addressed.kind} ${addressed.to}`, now) > MAILS_AN_HOUR) return undefined
    return { addressed, letter: fillTemplate(this.#parts.templates[addressed.kind], { ...this.#parts.always, ...addressed.values }), since: now }
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
    waiting.timer = setTimeout(() => {
      this.#ready.push(waiting)
      this.#work()
    }, pause).unref()
  }

  #giveUp (waiting: Waiting): void {
    if (this.#remove(waiting)) this.#end('given_up', waiting.mail?.addressed)
  }

  #remove (waiting: Waiting): boolean {
    const wasThere = this.#all.delete(waiting)
    if (this.#all.size === 0) this.#emptied?.()
    return wasThere
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
