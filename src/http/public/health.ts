// Whether Signet lives and can serve; holds no probe of its own.
import type { FastifyInstance } from 'fastify'
import type { Connections } from '../edge/connections.js'
import { openDescription, ref } from '../edge/route.js'
import { HealthDTO } from './dto.js'

const LIVENESS = openDescription({
  operationId: 'getLiveness', tag: 'health', summary: 'Whether the process answers', description: 'For what restarts a process that hangs.',
}, { 200: { description: 'It answers', ...ref(HealthDTO) } })

const READINESS = openDescription({
  operationId: 'getReadiness', tag: 'health', summary: 'Whether it can serve', description: 'For what sends requests only to processes that can serve them.',
}, { 200: { description: 'It can', ...ref(HealthDTO) }, 503: { description: 'It cannot, and why', ...ref(HealthDTO) } })

const STOPPING: HealthDTO = { status: 'unavailable', reason: 'Signet is stopping.' }

/** Rejects unless a part works; the message is the sentence that says so. `now` in milliseconds. */
export type Probe = (now: number) => Promise<void>

const REMEMBERED_MS = 1_000

/** A sentence where something works, but somebody has to see to it. */
export type Worry = () => string | undefined

/** Asks every probe, at most once a second whoever asks how often. `now` in milliseconds. */
export class Readiness {
  readonly #probes: Probe[]
  readonly #worry: Worry
  readonly #record: (faults: Error[]) => void
  /** What was wrong when it was told last; nothing is told of before the first answer. */
  #reported: string | undefined
  #last: { at: number, answer: Promise<HealthDTO> } | undefined

  /** `record` is told the first answer and whenever what is wrong has changed; nothing is wrong when there are no faults. */
  constructor (probes: Probe[], worry: Worry, record: (faults: Error[]) => void) {
    this.#probes = probes
    this.#worry = worry
    this.#record = record
  }

  async check (now: number): Promise<HealthDTO> {
    if (!this.#last || Math.abs(now - this.#last.at) >= REMEMBERED_MS) this.#last = { at: now, answer: this.#ask(now) }
    return await this.#last.answer
  }

  async #ask (now: number): Promise<HealthDTO> {
    const outcomes = await Promise.allSettled(this.#probes.map(async probe => { await probe(now) }))
    const faults = outcomes.filter(outcome => outcome.status === 'rejected').map(({ reason }) => reason as Error)
    this.#report(faults)
    if (faults.length > 0) return { status: 'unavailable', reason: faults.map(({ message }) => message).join(' ') }
    const reason = this.#worry()
    return reason === undefined ? { status: 'ok' } : { status: 'degraded', reason }
  }

  // Once a change, not once a probe.
  #report (faults: Error[]): void {
    const reason = faults.map(({ message }) => message).join(' ')
    if (reason === this.#reported) return
    this.#reported = reason
    this.#record(faults)
  }
}

/** Serves both answers. `clock` tells milliseconds. */
export function addHealth (app: FastifyInstance, readiness: Readiness, connections: Pick<Connections, 'isEnding'>, clock: () => number): void {
  app.get('/health/live', LIVENESS, async () => ({ status: 'ok' }))
  app.get('/health/ready', READINESS, async (_request, reply) => {
    const answer = connections.isEnding ? STOPPING : await readiness.check(clock())
    return await reply.code(answer.status === 'unavailable' ? 503 : 200).header('cache-control', 'no-store').send(answer)
  })
}
