// Signet's workers on MongoDB: two of them against one that has a core to itself, and against a bare signature; holds no server.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { askAt, CONNECTIONS, costOf, many, median, refreshers, row, SIGNET, startProgram, type Peer } from './peers.js'

const ROUNDS = 7
const ROUND_MS = 3_000
const WARM_UP_MS = 5_000
/** How many of what /proc counts a process's time in are a second (proc(5); what Linux shows to programs). */
const TICKS = 100
const ONE_CORE = ['taskset', '--cpu-list', '0']

type Workers = Array<() => Promise<unknown>>

/** Signet as a program, its processes, and those who refresh there. */
interface Refreshed { end: () => void, pids: number[], work: Workers }

/** Refreshes a second on the wall, and microseconds of CPU that each took. */
interface Pace { wall: number, cpu: number }

/** Prints how many refreshes two workers answer on the database of `url` with the keys in `folder`, against one that is pinned to a core, and what one of theirs costs against a signature of `bare`. */
export async function benchWorkers (url: string, folder: string, bare: Peer): Promise<void> {
  const env = { PORT: '0', DATABASE_URL: url, KEYS_DIR: join(folder, 'keys'), RATE_LIMIT: 'off', BCRYPT_COST: '4' }
  const one = await begin({ ...env, WORKERS: '1' }, ONE_CORE)
  const two = await begin({ ...env, WORKERS: '2' }, [])
  try {
    for (const { work, pids } of [one, two]) await pace(work, pids, WARM_UP_MS)
    const rounds: Array<[Pace, Pace, number]> = []
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push([await pace(one.work, one.pids), await pace(two.work, two.pids), await costOf([bare, many(async () => await bare.ask('POST', '/sign'))], ROUND_MS)])
    }
    const [alone, together] = median(rounds, ([alone, together]) => together.wall / alone.wall)
    const wall = together.wall / alone.wall
    process.stdout.write(row('refreshes, 2 workers / 1 on one core', wall, '>= 1.6', wall >= 1.6, `${together.wall.toFixed(0)} to ${alone.wall.toFixed(0)} a second`))
    const [, refresh, signature] = median(rounds, ([, together, signature]) => signature / together.cpu)
    const cpu = signature / refresh.cpu
    process.stdout.write(row('refresh by 2 workers / bare + one signature', cpu, '>= 1.0', cpu >= 1, `${refresh.cpu.toFixed(0)} to ${signature.toFixed(0)} microseconds of CPU`))
  } finally {
    for (const { end } of [one, two]) end()
  }
}

async function begin (env: Record<string, string>, by: string[]): Promise<Refreshed> {
  const { child, said } = await startProgram([SIGNET], env, new RegExp(`(ready: http[^]*){${env['WORKERS']}}`), by)
  const port = Number(/ready: http:\/\/127\.0\.0\.1:(\d+)/.exec(said)![1])
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  return { end: () => child.kill(), pids: [child.pid!, ...children], work: await refreshers(askAt(port), CONNECTIONS) }
}

async function pace (work: Workers, pids: number[], milliseconds = ROUND_MS): Promise<Pace> {
  const [began, before] = [performance.now(), cpuOf(pids)]
  let count = 0
  await Promise.all(work.map(async refresh => { for (; performance.now() - began < milliseconds; count++) await refresh() }))
  return { wall: count / (performance.now() - began) * 1000, cpu: (cpuOf(pids) - before) / count }
}

/** Microseconds that these processes have taken, their threads included. */
function cpuOf (pids: number[]): number {
  const ticks = pids.flatMap(pid => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13).map(Number))
  return ticks.reduce((sum, ticks) => sum + ticks, 0) / TICKS * 1e6
}
