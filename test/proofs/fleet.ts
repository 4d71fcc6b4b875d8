// Servers of one authority that are struck down and started again, and the times when none of them was up; holds no client and no check.
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from '../program.js'
import { LiveSignet } from './live-signet.js'

const LOOK_EVERY_MS = 20

export class Fleet {
  readonly servers: LiveSignet[]
  readonly #up: Set<LiveSignet>
  /** Milliseconds of performance.now(). */
  readonly #outages: Array<{ from: number, until: number }> = []

  private constructor (servers: LiveSignet[]) {
    this.servers = servers
    this.#up = new Set(servers)
  }

  /** Starts so many on the same `settings`, the first of them alone: it makes what all need. */
  static async open (command: Command, count: number, settings: Record<string, string>): Promise<Fleet> {
    const first = await LiveSignet.open(command, settings)
    const others = await Promise.all(Array.from({ length: count - 1 }, async () => await LiveSignet.open(command, settings)))
    return new Fleet([first, ...others])
  }

  /** One that is up, whichever; waits while there is none. */
  async any (): Promise<LiveSignet> {
    while (this.#up.size === 0) await pause(LOOK_EVERY_MS)
    return pick([...this.#up])
  }

  /** Kills so many at once (SIGKILL), and starts them again after so many milliseconds; ends when all are up. */
  async strike (count: number, downMs: number): Promise<void> {
    const struck = Array.from({ length: count }, () => this.#takeDown())
    await Promise.all(struck.map(async server => { await server.crash() }))
    await pause(downMs)
    await Promise.all(struck.map(async server => {
      await server.start()
      if (this.#up.size === 0) this.#outages.at(-1)!.until = performance.now()
      this.#up.add(server)
    }))
  }

  #takeDown (): LiveSignet {
    const server = pick([...this.#up])
    this.#up.delete(server)
    if (this.#up.size === 0) this.#outages.push({ from: performance.now(), until: Infinity })
    return server
  }

  /** For how many milliseconds between two instants of performance.now() no server was up. */
  outageBetween (from: number, until: number): number {
    return this.#outages.reduce((sum, outage) => sum + Math.max(0, Math.min(until, outage.until) - Math.max(from, outage.from)), 0)
  }

  /** Whether one has ended that was not struck. */
  hasLost (): boolean {
    return [...this.#up].some(server => server.hasEnded())
  }

  async close (): Promise<void> {
    await Promise.all(this.servers.map(async server => { await server.close() }))
  }
}

function pick<Each> (from: Each[]): Each {
  return from[Math.floor(Math.random() * from.length)]!
}
