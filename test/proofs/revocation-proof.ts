// Closes families in every way while servers are killed, under services that check tokens all the while, and measures when they notice; holds no rule of a verifier's.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from '../program.js'
import { openBalancer, type Balancer } from './balancer.js'
import { Fleet } from './fleet.js'
import type { Answer, LiveSignet, Pair } from './live-signet.js'
import type { Example } from './verifier-examples.js'
import { VerifierProcess } from './verifier-process.js'
import { Watch, type WatchedToken } from './watched-tokens.js'
import { MAX_ACTIVE_TOKENS, WAYS_TO_CLOSE, type Closing } from './ways-to-close.js'

export interface Scenario {
  servers: number
  rounds: number
  /** The setting STATUS_LIST_TTL, in seconds. */
  ttl: number
  /** Of the one store of all servers; a file of their own by default. */
  databaseUrl?: string
}

export interface ProofParts {
  services: Service[]
  server: Command
  /** Where the services find the servers; by default what spreads over those that live. */
  openFront?: (servers: LiveSignet[]) => Promise<Balancer>
  progress: (rounds: number) => void
}

/** `revoked` is how it says that a token was revoked; `options` are its verifier's own, where other than the stock ones are wanted. */
export interface Service { example: Example, revoked: string, options?: object }

export interface RevocationReport {
  /** Families whose closing was answered, and requests to close whose answer was lost. */
  closed: number, unanswered: number
  /** Servers that were killed, and for how many seconds none was up. */
  kills: number, outage: number
  services: ServiceReport[]
  failed: string[]
}

export interface ServiceReport {
  name: string, checks: number
  /** Seconds from the answer of a closing to the first refusal, ascending. */
  delays: number[]
  /** Tokens: such as live and were refused, and such as were closed and accepted beyond the bound. */
  refusedLive: number, acceptedBeyond: number
}

/** Seconds beyond the ttl: within which a closing is noticed, always, and 99 times in a hundred. */
export const MARGIN = 5
export const P99_MARGIN = 2

/** Closings of a round are spread over so long. */
const ROUND_MS = 3_000
/** In every third round servers are killed, from the second on: so that the shortest run has a kill, and closings that were answered before. */
const KILL_EVERY = 3
/** Of that round half of the closings are sent at one instant, and the kill comes at most so long after it: amid their answers. */
const KILLED_WITHIN_MS = 15
const LONGEST_DOWN_MS = 2_000
/** What a server had sent to its database when it was killed is written by then. */
const SETTLED_MS = 1_000
/** All tokens outlive the proof. Seconds. */
const ACCESS_TOKEN_TTL = 86_400
/** A service is ended after this long, whatever happens. */
const LIMIT_MS = 3_600_000
const TRIES = 20

/** One scenario from its start to its end. */
export async function proveRevocations (scenario: Scenario, { services, server, openFront = openBalancer, progress }: ProofParts): Promise<RevocationReport> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-revocation-'))
  const fleet = await Fleet.open(server, scenario.servers, {
    KEYS_DIR: join(folder, 'keys'), DATABASE_URL: scenario.databaseUrl ?? `file:${join(folder, 'signet.db')}`,
    STATUS_LIST_TTL: String(scenario.ttl), ACCESS_TOKEN_TTL: String(ACCESS_TOKEN_TTL), MAX_ACTIVE_TOKENS: String(MAX_ACTIVE_TOKENS),
  })
  const front = await openFront(fleet.servers)
  const watching = services.map(({ example, revoked, options = {} }) => ({
    name: example.language, revoked, verifier: new VerifierProcess(example, { jwksUrl: `${front.url}/.well-known/jwks.json`, issuer: fleet.servers[0]!.issuer, cache: options }, LIMIT_MS),
  }))
  const rules = { bound: (scenario.ttl + MARGIN) * 1000, outageBetween: (from: number, until: number) => fleet.outageBetween(from, until) }
  const watches = watching.map(service => new Watch(service, rules))
  const proof = new Proof(fleet, watches)
  const began = performance.now()
  try {
    await untilOver(signal => [proof.run(scenario.rounds, progress, signal), ...watches.map(async watch => { await watch.run(proof.tokens, signal) })])
  } finally {
    // Also where it failed: a process that goes on would keep this one from its end.
    await untilOver(() => watching.map(async ({ verifier }) => { await verifier.end() })).finally(async () => {
      front.close()
      await fleet.close()
      await rm(folder, { recursive: true })
    })
  }
  return { ...proof.counts, outage: fleet.outageBetween(began, performance.now()) / 1000, services: watches.map(describe), failed: [...proof.failed, ...watches.flatMap(({ name, wrong }) => [...wrong].map(verdict => `${name} ${verdict}`))] }
}

/** Waits for all, of which each is told when the first has ended. Throws what the first threw that did. */
async function untilOver (start: (signal: AbortSignal) => Array<Promise<void>>): Promise<void> {
  const over = new AbortController()
  const failures: unknown[] = []
  await Promise.all(start(over.signal).map(async task => await task.catch(error => { failures.push(error) }).finally(() => { over.abort() })))
  if (failures.length > 0) throw failures[0]
}

/** What this part of the delays, which ascend, do not exceed. There is no such time where nothing was noticed. */
export function percentile (delays: number[], part: number): number {
  return delays[Math.ceil(part * delays.length) - 1] ?? Infinity
}

function describe ({ name, checks, delays, refusedLive, acceptedBeyond }: Watch): ServiceReport {
  return { name, checks, delays: delays.map(delay => delay / 1000).sort((one, other) => one - other), refusedLive: refusedLive.size, acceptedBeyond: acceptedBeyond.size }
}

class Proof {
  /** Of all families, whatever became of them. */
  readonly tokens: WatchedToken[] = []
  readonly counts = { closed: 0, unanswered: 0, kills: 0 }
  readonly failed: string[] = []
  readonly #fleet: Fleet
  readonly #watches: Watch[]

  constructor (fleet: Fleet, watches: Watch[]) {
    this.#fleet = fleet
    this.#watches = watches
  }

  async run (rounds: number, progress: (rounds: number) => void, signal: AbortSignal): Promise<void> {
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      progress(round)
      await this.#round(round % KILL_EVERY === 1)
    }
    await this.#untilNoticed(signal)
  }

  /** Until every service refuses all that was closed, or has accepted it beyond the bound. All servers are up. */
  async #untilNoticed (signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#watches.every(watch => watch.hasAnsweredForAll(this.tokens))) await pause(100)
  }

  /** Closes families in every way, each at an instant of its own; where servers are killed, some amid it. */
  async #round (isWithKill: boolean): Promise<void> {
    const closings = await Promise.all(Object.entries(WAYS_TO_CLOSE).map(async ([name, prepare]) => ({ name, ...await this.#insist(prepare) })))
    const instant = Math.random() * ROUND_MS
    const isAmid = () => isWithKill && Math.random() < 0.5
    await Promise.all([
      ...closings.map(async closing => { await this.#close(closing, isAmid() ? instant : Math.random() * ROUND_MS) }),
      ...(isWithKill ? [this.#kill(instant + Math.random() * KILLED_WITHIN_MS)] : []),
    ])
    if (this.#fleet.hasLost()) this.failed.push('a server ended by itself')
  }

  async #close ({ name, closes, keeps, request: { method, path, body, token }, status }: Closing & { name: string }, after: number): Promise<void> {
    const closing = this.#watch(closes)
    this.#watch(keeps)
    await pause(after)
    const signet = await this.#fleet.any()
    for (const watched of closing) watched.fate = { is: 'either' }
    const answer = await signet.ask(method, path, body, token).catch(() => {})
    if (!answer) { await this.#settle(name, closing); return }
    if (answer.status !== status) { this.failed.push(`${name} was answered ${answer.status}`); return }
    const at = performance.now()
    for (const watched of closing) watched.fate = { is: 'closed', at, isTimed: true }
    this.counts.closed += closing.length
    this.#watch(openedBy(answer))
  }

  async #kill (after: number): Promise<void> {
    await pause(after)
    // Of several one goes on, or more.
    const count = 1 + Math.floor(Math.random() * Math.max(1, this.#fleet.servers.length - 1))
    this.counts.kills += count
    await this.#fleet.strike(count, Math.random() * LONGEST_DOWN_MS)
  }

  /** Does at one server that is up what is done anew, with all it needs, where the answers are lost by a kill. */
  async #insist<Result> (work: (signet: LiveSignet) => Promise<Result>, tries = TRIES): Promise<Result> {
    return await work(await this.#fleet.any()).catch(async error => {
      if (tries === 0) throw error
      await pause(100)
      return await this.#insist(work, tries - 1)
    })
  }

  #watch (tokens: string[]): WatchedToken[] {
    const watched = tokens.map(token => ({ token, fate: { is: 'live' } as const }))
    this.tokens.push(...watched)
    return watched
  }

  /** What nobody was told was done whole or not at all, and the services must see which; when they see it is not measured, for nobody knows when it was done. */
  async #settle (name: string, closes: WatchedToken[]): Promise<void> {
    this.counts.unanswered++
    await pause(SETTLED_MS)
    const statuses = await Promise.all(closes.map(async ({ token }) => await this.#insist(async signet => (await signet.ask('GET', '/user-info', undefined, token)).status)))
    const verdict = [...new Set(statuses)].join(' and ')
    if (verdict === '200') for (const watched of closes) watched.fate = { is: 'live' }
    else if (verdict === '401') for (const watched of closes) watched.fate = { is: 'closed', at: performance.now(), isTimed: false }
    else this.failed.push(`${name} whose answer was lost left tokens that are answered ${verdict}`)
  }
}

/** The access token of the pair that a closing was answered with, if it was. */
function openedBy ({ body }: Answer): string[] {
  const { access_token: token } = Object(body) as Partial<Pair>
  return token === undefined ? [] : [token]
}
