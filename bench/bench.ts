// `npm run bench`: ratios against bare peers in one run, per CPU second of the server; a measurement, never a test.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

interface Answer { status: number, body: string }
interface Pair { access_token: string, refresh_token: string }
type Ask = (method: 'GET' | 'POST', path: string, body?: object, token?: string) => Promise<Answer>
interface Peer { child: ChildProcess, ask: Ask }

/** Short and many, so that a machine that is busy elsewhere for a while spoils few of them. */
const ROUNDS = 9
const ROUND_MS = 1_200
const CONNECTIONS = 16
const EMAIL = 'ada@example.com'
const PASSWORD = 'correct horse battery'

async function open (kind: 'signet' | 'bare', folder: string, cost: number): Promise<Peer> {
  const child = fork(fileURLToPath(new URL('./server-child.js', import.meta.url)), [kind, folder, String(cost)])
  const [{ port }] = await once(child, 'message') as [{ port: number }]
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const ask: Ask = async (method, path, body, token) => await new Promise((resolve, reject) => {
    const payload = body ? JSON.stringify(body) : undefined
    const headers = { ...(payload && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }), ...(token && { authorization: `Bearer ${token}` }) }
    request({ host: '127.0.0.1', port, agent, method, path, headers }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', chunk => { text += String(chunk) }).on('end', () => {
        if (response.statusCode! < 300) resolve({ status: response.statusCode!, body: text })
        else reject(new Error(`${method} ${path} answered ${response.statusCode}: ${text}`))
      })
    }).on('error', reject).end(payload)
  })
  return { child, ask }
}

async function cpuOf ({ child }: Peer): Promise<number> {
  child.send('cpu')
  const [{ cpu }] = await once(child, 'message') as [{ cpu: number }]
  return cpu
}

/** How often `work` ran per CPU second of the peer, over `milliseconds`, on `workers.length` connections. */
async function rate (peer: Peer, workers: Array<() => Promise<unknown>>, milliseconds = ROUND_MS): Promise<number> {
  const before = await cpuOf(peer)
  const end = performance.now() + milliseconds
  let count = 0
  await Promise.all(workers.map(async work => { for (; performance.now() < end; count++) await work() }))
  return count / ((await cpuOf(peer) - before) / 1e6)
}

/** The median over rounds of one rate over the other, the two in turn. */
async function ratio (one: [Peer, Array<() => Promise<unknown>>], other: [Peer, Array<() => Promise<unknown>>]): Promise<{ ratio: number, one: number, other: number }> {
  const rounds = []
  await rate(...one, 800)
  await rate(...other, 800)
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [await rate(...one), await rate(...other)]
    rounds.push({ ratio: a / b, one: a, other: b })
  }
  return rounds.sort((a, b) => a.ratio - b.ratio)[Math.floor(ROUNDS / 2)]!
}

function many (work: () => Promise<unknown>, connections = CONNECTIONS): Array<() => Promise<unknown>> {
  return Array.from({ length: connections }, () => work)
}

async function login (ask: Ask, email: string): Promise<Pair> {
  return JSON.parse((await ask('POST', '/login', { email, password: PASSWORD })).body) as Pair
}

async function refreshers (ask: Ask, connections: number): Promise<Array<() => Promise<unknown>>> {
  return await Promise.all(Array.from({ length: connections }, async (_, index) => {
    const email = `user${index}-${Date.now()}@example.com`
    await ask('POST', '/register', { email, password: PASSWORD })
    let pair = await login(ask, email)
    return async () => { pair = JSON.parse((await ask('POST', '/refresh', { refresh_token: pair.refresh_token })).body) as Pair }
  }))
}

/** The 99th percentile of a refresh in milliseconds, on two connections with pauses between. */
async function p99 (refreshing: Array<() => Promise<unknown>>, milliseconds: number): Promise<number> {
  const times: number[] = []
  const end = performance.now() + milliseconds
  await Promise.all(refreshing.map(async work => {
    while (performance.now() < end) {
      const at = performance.now()
      await work()
      times.push(performance.now() - at)
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

function row (name: string, figure: number, limit: string, isMet: boolean, note: string): string {
  return `${name.padEnd(44)} ${figure.toFixed(2).padStart(6)}  ${limit.padEnd(8)} ${isMet ? 'met  ' : 'short'}  ${note}\n`
}

async function main (): Promise<void> {
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
    await compare('log-in / raw bcrypt at the same cost', 0.95, many(async () => await login(signet.ask, EMAIL), 4), many(async () => await bare.ask('POST', '/bcrypt'), 4))
    const { quiet, loaded } = await underLogins(slow.ask)
    process.stdout.write(row('p99 of refresh, every core logging in / quiet', loaded / quiet, '<= 2', loaded <= 2 * quiet, `${quiet.toFixed(1)} ms quiet, ${loaded.toFixed(1)} ms loaded`))
  } finally {
    for (const { child } of [signet, bare, slow]) child.disconnect()
    await rm(folder, { recursive: true })
  }
}

await main()
process.exit(0)
