// Tokens that a service is shown again and again, and when it noticed what became of them; holds no server and no closing.
import { setTimeout as pause } from 'node:timers/promises'
import type { VerifierProcess } from './verifier-process.js'

/** What a service must say of a token: `either` while its closing is under way, and while nobody knows whether it was done. Instants are of performance.now(). */
export type Fate = { is: 'live' } | { is: 'either' } | { is: 'closed', at: number, isTimed: boolean }
export interface WatchedToken { token: string, fate: Fate }

/** How a service says that a token was revoked. */
export interface WatchingService { name: string, verifier: VerifierProcess, revoked: string }

/** `bound` in milliseconds; `outageBetween` says for how many of them, between two instants, there was no server to learn from. */
export interface WatchRules { bound: number, outageBetween: (from: number, until: number) => number }

/** A token whose closing the service has not noticed yet, or that it has not seen yet, is shown to it once in so many milliseconds, so that they are the error of measurement. */
const EVERY_MS = 100
/** And so many of the others with them, in turns. */
const OTHERS = 15

export class Watch {
  readonly name: string
  checks = 0
  /** From the answer of each closing to the first refusal, in milliseconds, without the time when no server was up. */
  readonly delays: number[] = []
  readonly refusedLive = new Set<WatchedToken>()
  readonly acceptedBeyond = new Set<WatchedToken>()
  /** What it said that it should not have, in other words. */
  readonly wrong = new Set<string>()
  readonly #service: WatchingService
  readonly #rules: WatchRules
  readonly #seen = new Set<WatchedToken>()
  readonly #noticed = new Set<WatchedToken>()
  #turn = 0

  constructor (service: WatchingService, rules: WatchRules) {
    this.name = service.name
    this.#service = service
    this.#rules = rules
  }

  /** Shows it `tokens`, to which more may be added, until it is told to stop. Throws if the service ends. */
  async run (tokens: WatchedToken[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = performance.now() + EVERY_MS
      for (const watched of [...this.#urgent(tokens), ...this.#others(tokens)]) this.#judge(watched, await this.#service.verifier.ask('a token', watched.token))
      await pause(Math.max(0, next - performance.now()))
    }
  }

  /** Whether it has refused each token that was closed, or accepted it beyond the bound. */
  hasAnsweredForAll (tokens: WatchedToken[]): boolean {
    return tokens.every(watched => watched.fate.is !== 'closed' || this.#noticed.has(watched) || this.acceptedBeyond.has(watched))
  }

  #urgent (tokens: WatchedToken[]): WatchedToken[] {
    return tokens.filter(watched => !this.#seen.has(watched) || (watched.fate.is === 'closed' && !this.#noticed.has(watched)))
  }

  #others (tokens: WatchedToken[]): WatchedToken[] {
    return Array.from({ length: Math.min(OTHERS, tokens.length) }, () => tokens[this.#turn++ % tokens.length]!)
  }

  #judge (watched: WatchedToken, verdict: string): void {
    const { fate } = watched
    const isAccepted = verdict.startsWith('accepted')
    this.checks++
    this.#seen.add(watched)
    if (!isAccepted && verdict !== this.#service.revoked) this.wrong.add(verdict)
    if (fate.is === 'live' && !isAccepted) this.refusedLive.add(watched)
    if (fate.is !== 'closed') return
    const delay = this.#delay(fate.at)
    if (isAccepted) { if (delay > this.#rules.bound) this.acceptedBeyond.add(watched) } else this.#notice(watched, fate.isTimed, delay)
  }

  #notice (watched: WatchedToken, isTimed: boolean, delay: number): void {
    if (isTimed && !this.#noticed.has(watched)) this.delays.push(delay)
    this.#noticed.add(watched)
  }

  // While no server is up nobody can learn of a closing, and none is answered: that time is nobody's delay. What the service loses by it beyond
  // that, by waiting before it asks again, is its own, and counts.
  #delay (closedAt: number): number {
    const now = performance.now()
    return now - closedAt - this.#rules.outageBetween(closedAt, now)
  }
}
