// What it costs to see what Signet does: events kept and told to the log, and metrics, against a Signet that does neither; holds no server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONNECTIONS, costsInTurns, login, many, median, open, PASSWORD, refreshers, row, type Peer } from './peers.js'

const EMAIL = 'ada@example.com'
const COST = 10
const LEAST = 0.95

/** Prints the ratios on the embedded store. */
export async function benchObserved (): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-observed-'))
  const peers = [await open('observed', join(folder, 'one'), COST), await open('unobserved', join(folder, 'other'), COST)] as const
  const compare = async (name: string, workOf: (peer: Peer) => Promise<Array<() => Promise<unknown>>>) => {
    const [observed, unobserved] = peers
    const rounds = await costsInTurns([observed, await workOf(observed)], [unobserved, await workOf(unobserved)])
    const [on, off] = median(rounds, ([on, off]) => off.cpu / on.cpu)
    const figure = off.cpu / on.cpu
    process.stdout.write(row(`${name}, events and metrics on / off`, figure, `>= ${LEAST}`, figure >= LEAST, `${on.cpu.toFixed(0)} to ${off.cpu.toFixed(0)} microseconds of CPU`))
  }
  try {
    for (const { ask } of peers) await ask('POST', '/register', { email: EMAIL, password: PASSWORD })
    await compare('refresh', async ({ ask }) => await refreshers(ask, CONNECTIONS))
    await compare('log-in', async ({ ask }) => many(async () => await login(ask, EMAIL), 4))
  } finally {
    for (const { child } of peers) child.disconnect()
    await rm(folder, { recursive: true })
  }
}
