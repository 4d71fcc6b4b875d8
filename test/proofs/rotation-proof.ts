// Rotates the keys of living servers by script, again and again, under verifiers and clients that must not notice; holds no rule of either.
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { cp, mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Command } from '../program.js'
import { openBalancer } from './balancer.js'
import { LiveSignet, type Pair } from './live-signet.js'
import type { Example } from './verifier-examples.js'
import { VerifierProcess } from './verifier-process.js'

export interface Scenario {
  servers: number
  rotations: number
  /** How the servers' folder changes: by the script on it, or by a symlink that is swapped to a rotated copy. */
  change: 'in_place' | 'by_symlink'
}

export interface ProofParts {
  /** The verifiers, built, each with its library's own options. */
  verifiers: Array<{ example: Example, cache: object }>
  server: Command
  /** The command of a script on the key ring. */
  script: (name: string) => Command
  /** How keys are rotated: the name of a script and its flags. */
  rotate?: [name: string, ...flags: string[]]
  progress: (rotations: number) => void
}

export interface RotationReport { rotations: number, logIns: number, refreshes: number, verifications: number, failed: string[] }

/** Seconds. Signet's default is 3,900: everything that is shortened here is so in that proportion. */
export const PREPUBLISH = 3
export const PROPORTION = PREPUBLISH / 3_900
/** Seconds, the least that Signet takes. */
const ACCESS_TOKEN_TTL = 10
const CLIENTS = 6
const PACE_MS = 150
/** A verifier is ended after this long, whatever happens. */
const LIMIT_MS = 3_600_000

const run = promisify(execFile)

/** One scenario from its start to its end. */
export async function proveRotations ({ servers: count, rotations, change }: Scenario, parts: ProofParts): Promise<RotationReport> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-rotation-'))
  const ring = new Ring(folder, parts)
  await ring.make(change)
  const servers = await Promise.all(Array.from({ length: count }, async () => await LiveSignet.open(parts.server, {
    KEYS_DIR: ring.path, KEY_ROTATION_DAYS: '0', KEY_PREPUBLISH: String(PREPUBLISH), ACCESS_TOKEN_TTL: String(ACCESS_TOKEN_TTL),
    DATABASE_URL: `file:${join(folder, 'signet.db')}`,
  })))
  const balancer = await openBalancer(servers)
  const verifiers = parts.verifiers.map(({ example, cache }) => new VerifierProcess(example, { jwksUrl: `${balancer.url}/.well-known/jwks.json`, issuer: servers[0]!.issuer, cache }, LIMIT_MS))
  const report: RotationReport = { rotations: 0, logIns: 0, refreshes: 0, verifications: 0, failed: [] }
  const load = new Load(servers, verifiers, report)
  try {
    const clients = load.start()
    for (; report.rotations < rotations; report.rotations++) {
      parts.progress(report.rotations)
      await pause(PREPUBLISH * 1000)
      await ring.rotate(report.rotations)
    }
    // The tokens of the last key must reach the verifiers, too.
    await pause(2_000)
    load.stop()
    await clients
    for (const verifier of verifiers) {
      await verifier.end()
      if (verifier.said) report.failed.push(`a verifier said ${verifier.said}`)
    }
  } finally {
    load.stop()
    balancer.close()
    await Promise.all(servers.map(async server => { await server.close() }))
    await rm(folder, { recursive: true })
  }
  return report
}

/** The folder of keys that the servers read, changed by the scripts that operators use. */
class Ring {
  readonly path: string
  readonly #folder: string
  readonly #parts: ProofParts
  #current: string
  #isSwapped = false

  constructor (folder: string, parts: ProofParts) {
    this.#folder = folder
    this.#parts = parts
    this.path = join(folder, 'keys')
    this.#current = this.path
  }

  async make (change: Scenario['change']): Promise<void> {
    this.#isSwapped = change === 'by_symlink'
    if (this.#isSwapped) {
      this.#current = join(this.#folder, 'ring')
      await mkdir(this.#current, { mode: 0o700 })
      await symlink(this.#current, this.path)
    }
    await this.#run(this.#current, 'keys-generate')
  }

  async rotate (round: number): Promise<void> {
    const folder = this.#isSwapped ? join(this.#folder, `ring-${round}`) : this.#current
    if (this.#isSwapped) await cp(this.#current, folder, { recursive: true })
    const [name, ...flags] = this.#parts.rotate ?? ['keys-rotate']
    await this.#run(folder, name, ...flags)
    // Secrets of refresh tokens rotate as well, now and then.
    if (round % 5 === 4) await this.#run(folder, 'keys-rotate', '--refresh-secret')
    await this.#run(folder, 'keys-prune')
    if (this.#isSwapped) await this.#swapTo(folder)
    this.#current = folder
  }

  async #swapTo (folder: string): Promise<void> {
    await symlink(folder, `${this.path}-new`)
    await rename(`${this.path}-new`, this.path)
  }

  async #run (folder: string, name: string, ...flags: string[]): Promise<void> {
    const [program, ...args] = this.#parts.script(name)
    await run(program, [...args, ...flags], { cwd: this.#folder, env: { ...process.env, KEYS_DIR: folder, KEY_PREPUBLISH: String(PREPUBLISH), ACCESS_TOKEN_TTL: String(ACCESS_TOKEN_TTL) } })
  }
}

/** `until` in milliseconds since the epoch. */
interface GoodToken { token: string, until: number }

function expiryOf (token: string): number {
  return (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number }).exp * 1000
}

/** Clients that log in, refresh at whichever server, and take each token, and one that is older, to every verifier and to a server. */
class Load {
  readonly #servers: LiveSignet[]
  readonly #verifiers: VerifierProcess[]
  readonly #report: RotationReport
  readonly #turns: Array<Promise<unknown>>
  #isOver = false

  constructor (servers: LiveSignet[], verifiers: VerifierProcess[], report: RotationReport) {
    this.#servers = servers
    this.#verifiers = verifiers
    this.#report = report
    this.#turns = verifiers.map(async () => {})
  }

  async start (): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
      while (!this.#isOver) await this.#live().catch((error: Error) => { this.#report.failed.push(error.message) })
    }))
  }

  stop (): void {
    this.#isOver = true
  }

  /** One user's stay: a log-in and twenty refreshes. */
  async #live (): Promise<void> {
    let { pair } = await this.#anyServer().newUser()
    this.#report.logIns++
    const older: GoodToken[] = []
    for (let turn = 0; turn < 20 && !this.#isOver; turn++) {
      const latest = { token: pair.access_token, until: expiryOf(pair.access_token) }
      await this.#present(latest)
      older.push(latest)
      // Two seconds before its end, so that few end on their way.
      while (older.length > 1 && older[0]!.until - 2_000 < Date.now()) older.shift()
      await this.#present(older[0]!)
      await pause(PACE_MS)
      pair = await this.#anyServer().succeed('/refresh', { refresh_token: pair.refresh_token }) as Pair
      this.#report.refreshes++
    }
  }

  /** A token that ended on its way was rightly refused. */
  async #present ({ token, until }: GoodToken): Promise<void> {
    const fail = (sentence: string) => { if (Date.now() < until) this.#report.failed.push(sentence) }
    const { url } = this.#anyServer()
    const { status } = await fetch(`${url}/user-info`, { headers: { authorization: `Bearer ${token}` } })
    if (status !== 200) fail(`Signet answered ${status} to a good token`)
    await Promise.all(this.#verifiers.map(async (verifier, at) => {
      // One token at a time: a verifier answers in the order that it is asked.
      const answer = this.#turns[at]!.then(async () => await verifier.ask('a good token', token))
      this.#turns[at] = answer.catch(() => {})
      const verdict = await answer
      this.#report.verifications++
      if (!verdict.startsWith('accepted')) fail(`a verifier ${verdict}`)
    }))
  }

  #anyServer (): LiveSignet {
    return this.#servers[randomInt(this.#servers.length)]!
  }
}
