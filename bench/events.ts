// What it costs that Signet tells and keeps its events: refreshes and log-ins with them against without; holds no server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONNECTIONS, login, many, open, PASSWORD, ratio, refreshers, row, type Peer } from './peers.js'

const EMAIL = 'ada@example.com'
const LEAST = 0.95
const [ON, OFF] = [{ EVENTS_RETENTION_DAYS: '90', LOG_LEVEL: 'info' }, { EVENTS_RETENTION_DAYS: '0', LOG_LEVEL: 'silent' }]

/** Prints the ratios on the embedded store. */
export async function benchEvents (): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-events-'))
  const [on, off] = [await open('signet', folder, 10, `file:${join(folder, 'on.db')}`, ON), await open('signet', folder, 10, `file:${join(folder, 'off.db')}`, OFF)]
  const compare = async (name: string, work: (peer: Peer) => Promise<Array<() => Promise<unknown>>>) => {
    const result = await ratio([on, await work(on)], [off, await work(off)])
    process.stdout.write(row(name, result.ratio, `>= ${LEAST}`, result.ratio >= LEAST, `${result.one.toFixed(0)} to ${result.other.toFixed(0)} a CPU second`))
  }
  try {
    for (const { ask } of [on, off]) await ask('POST', '/register', { email: EMAIL, password: PASSWORD })
    await compare('refresh with events / without', async ({ ask }) => await refreshers(ask, CONNECTIONS))
    await compare('log-in with events / without', async ({ ask }) => many(async () => await login(ask, EMAIL), 4))
  } finally {
    for (const { child } of [on, off]) child.disconnect()
    await rm(folder, { recursive: true })
  }
}
