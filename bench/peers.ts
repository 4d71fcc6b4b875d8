// The servers that are measured against each other, and the ratio of their paces; holds no measurement.
import { fork, spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface Answer { status: number, body: string }
export interface Pair { access_token: string, refresh_token: string }
export type Ask = (method: 'GET' | 'POST', path: string, body?: object, token?: string) => Promise<Answer>
export interface Peer { child: ChildProcess, url: string, ask: Ask }

/** Short and many, so that a machine that is busy elsewhere for a while spoils few of them. */
const ROUNDS = 9
const ROUND_MS = 1_200
/** A compiler that watches a thousand requests a second needs this long to be done. */
const WARM_UP_MS = 10_000
export const CONNECTIONS = 16
export const PASSWORD = 'correct horse battery'

/** Starts a server on the keys of `folder`; Signet on a store there, or on the one that `databaseUrl` names, with these settings over its own for a measurement. What it logs is read by nobody. */
export async function open (kind: 'signet' | 'bare', folder: string, cost: number, databaseUrl = `file:${join(folder, `${cost}.db`)}`, settings: Record<string, string> = {}): Promise<Peer> {
  const child = fork(fileURLToPath(new URL('./server-child.js', import.meta.url)), [kind, folder, String(cost), databaseUrl, JSON.stringify(settings)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [{ port }] = await once(child, 'message') as [{ port: number }]
  return { child, url: `http://127.0.0.1:${port}`, ask: askAt(port) }
}

/** Asks whoever listens on a port of this machine. */
export function askAt (port: number): Ask {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  return async (method, path, body, token) => await new Promise((resolve, reject) => {
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
}

async function cpuOf ({ child }: Peer): Promise<number> {
  child.send('cpu')
  const [{ cpu }] = await once(child, 'message') as [{ cpu: number }]
  return cpu
}

export type Work = [Peer, Array<() => Promise<unknown>>]

/** Microseconds of the peer's CPU that a piece of work takes. */
export async function costOf (work: Work, milliseconds: number): Promise<number> {
  return 1e6 / await pace(work, milliseconds)
}

/** How often work was done in a second of the peer's CPU, which a busy machine spoils less than one on the wall. */
async function pace ([peer, workers]: Work, milliseconds = ROUND_MS): Promise<number> {
  const before = await cpuOf(peer)
  const end = performance.now() + milliseconds
  let count = 0
  await Promise.all(workers.map(async work => { for (; performance.now() < end; count++) await work() }))
  return count / ((await cpuOf(peer) - before) / 1e6)
}

/** The median over rounds of one pace over the other, the two in turn. */
export async function ratio (one: Work, other: Work): Promise<{ ratio: number, one: number, other: number }> {
  const rounds = []
  await pace(one, 800)
  await pace(other, 800)
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b] = [await pace(one), await pace(other)]
    rounds.push({ ratio: a / b, one: a, other: b })
  }
  return median(rounds, round => round.ratio)
}

/** What a piece of work costs: microseconds of its peer's CPU, and milliseconds until it is answered. */
export interface Cost { cpu: number, time: number }

/**
 * The costs of both in every round, each worker doing one and then the other: so both peers see as many requests a second, beside the
 * same neighbours. A peer that has the machine to itself, or is seldom idle, spends less on the same request.
 */
export async function costsInTurns (one: Work, other: Work): Promise<Array<[Cost, Cost]>> {
  const rounds: Array<[Cost, Cost]> = []
  await turns(one, other, WARM_UP_MS)
  for (let round = 0; round < ROUNDS; round++) rounds.push(await turns(one, other, 2 * ROUND_MS))
  return rounds
}

async function turns ([peer, workers]: Work, [otherPeer, otherWorkers]: Work, milliseconds: number): Promise<[Cost, Cost]> {
  const before = [await cpuOf(peer), await cpuOf(otherPeer)] as const
  const end = performance.now() + milliseconds
  let [count, time, otherTime] = [0, 0, 0]
  await Promise.all(workers.map(async (work, index) => {
    for (; performance.now() < end; count++) {
      const [took, otherTook] = [await timeOf(work), await timeOf(otherWorkers[index]!)]
      time += took
      otherTime += otherTook
    }
  }))
  const cpu = [await cpuOf(peer) - before[0], await cpuOf(otherPeer) - before[1]] as const
  return [{ cpu: cpu[0] / count, time: time / count }, { cpu: cpu[1] / count, time: otherTime / count }]
}

/** Milliseconds until a piece of work is done. */
export async function timeOf (work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

export function median<Item> (items: Item[], by: (item: Item) => number): Item {
  return items.toSorted((one, other) => by(one) - by(other))[Math.floor(items.length / 2)]!
}

export function many (work: () => Promise<unknown>, connections = CONNECTIONS): Array<() => Promise<unknown>> {
  return Array.from({ length: connections }, () => work)
}

export async function login (ask: Ask, email: string): Promise<Pair> {
  return JSON.parse((await ask('POST', '/login', { email, password: PASSWORD })).body) as Pair
}

export async function refreshers (ask: Ask, connections: number): Promise<Array<() => Promise<unknown>>> {
  return await Promise.all(Array.from({ length: connections }, async (_, index) => {
    const email = `user${index}-${Date.now()}@example.com`
    await ask('POST', '/register', { email, password: PASSWORD })
    let pair = await login(ask, email)
    return async () => { pair = JSON.parse((await ask('POST', '/refresh', { refresh_token: pair.refresh_token })).body) as Pair }
  }))
}

/** A program in a process of its own, and what it has said until it was ready. */
export interface Program { child: ChildProcessByStdio<null, Readable, null>, said: string }

/** Signet as `npm start` runs it. */
export const SIGNET = fileURLToPath(new URL('../signet/server.js', import.meta.url))

/** Starts a program in Node.js, with no variables but these, and waits until what it says is that it is ready; by a command that takes a program, where there is one. */
export async function startProgram (args: string[], env: Record<string, string>, isReady: RegExp, by: string[] = []): Promise<Program> {
  const [command, ...all] = [...by, process.execPath, ...args] as [string, ...string[]]
  const child = spawn(command, all, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  child.stdout.on('data', chunk => { said += String(chunk) })
  while (!isReady.test(said)) await once(child.stdout, 'data')
  return { child, said }
}

/** A line of the report. */
export function row (name: string, figure: number, limit: string, isMet: boolean, note: string): string {
  return `${name.padEnd(44)} ${figure.toFixed(2).padStart(6)}  ${limit.padEnd(8)} ${isMet ? 'met  ' : 'short'}  ${note}\n`
}
