// How long a Signet takes from nothing to its first JWKS, and what it holds at rest, against node-oidc-provider; holds no server.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { median, row, SIGNET, startProgram } from './peers.js'

/** Milliseconds from the start of a process to its first JWKS, and MiB that it holds when it has been left alone for a while. */
interface Start { milliseconds: number, memory: number }

const TIMES = 7
const REST_MS = 2_000
const LEAST = 1.3
/** Its least program, in memory. What it warns of goes to standard error. */
const OIDC_PROVIDER = ['--input-type=module', '--eval', `
import Provider from 'oidc-provider'
const server = new Provider('http://127.0.0.1').listen(0, '127.0.0.1', () => { console.log('http://127.0.0.1:' + server.address().port) })`]

async function startOnce (args: string[], path: string, env: Record<string, string>): Promise<Start> {
  const began = performance.now()
  const { child, said } = await startProgram(args, env, /127\.0\.0\.1:\d/)
  const [response] = await once(get(/http:\/\/127\.0\.0\.1:\d+/.exec(said)![0] + path, { agent: false }), 'response') as [IncomingMessage]
  await once(response.resume(), 'end')
  const milliseconds = performance.now() - began
  await pause(REST_MS)
  const memory = Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024
  child.kill()
  await once(child, 'close')
  return { milliseconds, memory }
}

/** Prints the ratios of starts in turn. Linux alone tells the memory of another process. */
export async function benchStart (): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-start-'))
  const env = { PORT: '0', DATABASE_URL: `file:${join(folder, 'signet.db')}`, KEYS_DIR: join(folder, 'keys') }
  const [ours, theirs]: [Start[], Start[]] = [[], []]
  // The first of each makes keys, and brings files into memory.
  for (let time = 0; time <= TIMES; time++) {
    ours.push(await startOnce([SIGNET], '/.well-known/jwks.json', env))
    theirs.push(await startOnce(OIDC_PROVIDER, '/jwks', {}))
  }
  await rm(folder, { recursive: true })
  for (const [name, of, unit] of [['start / node-oidc-provider', (start: Start) => start.milliseconds, 'ms'], ['memory at rest / node-oidc-provider', (start: Start) => start.memory, 'MiB']] as const) {
    const [one, other] = [ours, theirs].map(starts => of(median(starts.slice(1), of))) as [number, number]
    process.stdout.write(row(name, one / other, `<= ${LEAST}`, one / other <= LEAST, `${one.toFixed(0)} to ${other.toFixed(0)} ${unit}`))
  }
}
