// What it costs to see what Signet does, that it tells and keeps its events, and metrics: refreshes and log-ins with both against without; holds no server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONNECTIONS, costsInTurns, login, many, median, open, PASSWORD, refreshers, row, type Peer } from './peers.js'

const EMAIL = 'ada@example.com'
const LEAST = 0.95
const [ON, OFF] = [{ EVENTS_RETENTION_DAYS: '90', LOG_LEVEL: 'info', METRICS_PORT: '0' }, { EVENTS_RETENTION_DAYS: '0', LOG_LEVEL: 'silent' }]

/** Prints the ratios on the embedded store. */
export async function benchEvents (): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-events-'))
  const [on, off] = [await open('signet', folder, 10, `file:${join(folder, 'on.db')}`, ON), await open('signet', folder, 10, `file:${join(folder, 'off.db')}`, OFF)]
  const compare = async (name: string, work: (peer: Peer) => Promise<Array<() => Promise<unknown>>>) => {
    // The difference is a hundredth or two: both must have the same neighbours.
    const rounds = await costsInTurns([on, await work(on)], [off, await work(off)])
    const [one, other] = median(rounds, ([one, other]) => other.cpu / one.cpu)
    const ratio = other.cpu / one.cpu
    process.stdout.write(row(name, ratio, `>= ${LEAST}`, ratio >= LEAST, `${one.cpu.toFixed(0)} to ${other.cpu.toFixed(0)} microseconds of CPU`))
  }
  try {
    for (const { ask } of [on, off]) await ask('POST', '/register', { email: EMAIL, password: PASSWORD })
    await compare('refresh with events and metrics / without', async ({ ask }) => await refreshers(ask, CONNECTIONS))
    await compare('log-in with events and metrics / without', async ({ ask }) => many(async () => await login(ask, EMAIL), 4))
  } finally {
    for (const { child } of [on, off]) child.disconnect()
    await rm(folder, { recursive: true })
  }
}
