// Signet on its embedded store against bare peers, per CPU second of the server; holds no server.
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { CONNECTIONS, login, many, open, PASSWORD, ratio, refreshers, row, timeOf, type Ask } from './peers.js'

const EMAIL = 'ada@example.com'

/** The 99th percentile of a refresh in milliseconds, on two connections with pauses between. */
async function p99 (refreshing: Array<() => Promise<unknown>>, milliseconds: number): Promise<number> {
  const times: number[] = []
  const end = performance.now() + milliseconds
  await Promise.all(refreshing.map(async work => {
    while (performance.now() < end) {
      times.push(await timeOf(work))
      await pause(5)
    }
  }))
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!
}

async function underLogins (ask: Ask): Promise<{ quiet: number, loaded: number }> {
  await ask('POST', '/register', { email: EMAIL, password: PASSWORD })
  const refreshing = await refreshers(ask, 2)
  await p99(refreshing, 1_000)
  const quiet = await p99(refreshing, 6_000)
  const end = performance.now() + 7_000
  const storm = Promise.all(Array.from({ length: 4 * availableParallelism() }, async () => { while (performance.now() < end) await login(ask, EMAIL) }))
  await pause(500)
  const loaded = await p99(refreshing, 6_000)
  await storm
  return { quiet, loaded }
}

/** Prints the ratios on the embedded store. */
export async function benchEmbedded (): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  const [signet, bare] = [await open('signet', folder, 10), await open('bare', folder, 10)]
  const slow = await open('signet', folder, 12)
  const compare = async (name: string, least: number, mine: Array<() => Promise<unknown>>, theirs: Array<() => Promise<unknown>>) => {
    const result = await ratio([signet, mine], [bare, theirs])
    process.stdout.write(row(name, result.ratio, `>= ${least}`, result.ratio >= least, `${result.one.toFixed(0)} to ${result.other.toFixed(0)} a CPU second`))
  }
  try {
    await signet.ask('POST', '/register', { email: EMAIL, password: PASSWORD })
    const { access_token: token } = await login(signet.ask, EMAIL)
    await compare('refresh / bare Fastify + one jose signature', 0.85, await refreshers(signet.ask, CONNECTIONS), many(async () => await bare.ask('POST', '/sign')))
    await compare('user-info / bare Fastify + one jose verify', 0.8, many(async () => await signet.ask('GET', '/user-info', undefined, token)), many(async () => await bare.ask('GET', '/verify')))
    await compare('JWKS / bare Fastify hello', 0.9, many(async () => await signet.ask('GET', '/.well-known/jwks.json')), many(async () => await bare.ask('GET', '/hello')))
    await compare('status list / bare Fastify hello', 0.9, many(async () => await signet.ask('GET', '/status-lists/0')), many(async () => await bare.ask('GET', '/hello')))
    await compare('log-in / raw bcrypt at the same cost', 0.95, many(async () => await login(signet.ask, EMAIL), 4), many(async () => await bare.ask('POST', '/bcrypt'), 4))
    const { quiet, loaded } = await underLogins(slow.ask)
    process.stdout.write(row('p99 of refresh, every core logging in / quiet', loaded / quiet, '<= 2', loaded <= 2 * quiet, `${quiet.toFixed(1)} ms quiet, ${loaded.toFixed(1)} ms loaded`))
  } finally {
    for (const { child } of [signet, bare, slow]) child.disconnect()
    await rm(folder, { recursive: true })
  }
}
