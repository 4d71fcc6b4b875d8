// Whether Signet lives and can serve; holds no probe of its own.
import type { HealthDTO } from './dto.js'

/** A part that must work, and the sentence that says it does not. */
export interface Probe { reason: string, assert: (now: number) => Promise<void> }

const REMEMBERED_MS = 1_000

/** Asks every probe, at most once a second whoever asks how often. `now` in milliseconds. */
export class Readiness {
  readonly #probes: Probe[]
  #last: { at: number, answer: Promise<HealthDTO> } | undefined

  constructor (probes: Probe[]) {
    this.#probes = probes
  }

  async check (now: number): Promise<HealthDTO> {
    if (!this.#last || Math.abs(now - this.#last.at) >= REMEMBERED_MS) this.#last = { at: now, answer: this.#ask(now) }
    return await this.#last.answer
  }

  async #ask (now: number): Promise<HealthDTO> {
    const reasons = await Promise.all(this.#probes.map(async ({ reason, assert }) => await assert(now).then(() => undefined, () => reason)))
    const reason = reasons.filter(Boolean).join(' ')
    return reason ? { status: 'unavailable', reason } : { status: 'ok' }
  }
}
