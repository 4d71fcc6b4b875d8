// What a status list of a million log-ins costs: its bytes as they are served, the time that it takes to build, and how long it holds up everybody else; holds no server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { KeyRing, readRing } from '../src/keyring/key-ring.js'
import { createRing } from '../src/keyring/ring-changes.js'
import { StatusLists } from '../src/services/status-lists.js'
import { StatusPlaces } from '../src/services/status-places.js'
import { SqliteStore } from '../src/store/sqlite-store.js'
import { row } from './peers.js'

const HOLD_UP_MS = 5
const RETENTION = 900_000
/** Closings that one user keeps here. */
const EACH = 10
const zip = promisify(gzip)

/** The time of a first look, which reads all that is closed, and of one that builds anew for one closing more. */
async function measure (folder: string, keyRing: KeyRing, count: number): Promise<void> {
  const store = new SqliteStore(join(folder, `${count}.db`))
  const places = new StatusPlaces(store, 'https://signet.example/status-lists')
  let users = 0
  const close = async (families: number) => {
    const id = `user ${users++}`
    const closed = await Promise.all(Array.from({ length: families }, async (_, index) => ({ id: `${id}, ${index}`, serial: await places.take(Date.now()), at: Date.now() })))
    await store.insertUser({ id, email: id, name: null, passwordHash: '', createdAt: 0, families: [], roles: [], closed })
  }
  for (let done = 0; done < count; done += EACH * 100) await Promise.all(Array.from({ length: 100 }, async () => { await close(EACH) }))
  const lists = new StatusLists({ store, places, keyRing, issuer: 'https://signet.example', ttl: 10, closingRetention: RETENTION, familyLife: RETENTION, clock: Date.now, uptime: () => performance.now(), report: fault => { if (fault) throw fault } })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const times = []
  for (let look = 0; look < 5; look++) {
    const began = performance.now()
    await lists.look()
    times.push(performance.now() - began)
    await close(1)
  }
  delay.disable()
  const list = lists.read(0, Date.now())
  if (typeof list === 'string') throw new Error(list)
  // The resolution is a part of what the histogram says.
  const heldUp = delay.max / 1e6 - 1
  const bytes = (await zip(list.jwt)).length
  process.stdout.write(row(`a list of 2^20 with ${count} closed, ms held up`, heldUp, `<= ${HOLD_UP_MS}`, heldUp <= HOLD_UP_MS,
    `${bytes} bytes with gzip, ${list.jwt.length} without; ${times[0]!.toFixed(0)} ms to read and build, ${times.slice(1).sort((one, other) => one - other)[2]!.toFixed(0)} ms to build anew`))
  await store.close()
}

/** Prints both. */
export async function benchStatusLists (): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-status-'))
  const place = { folder: join(folder, 'keys') }
  await createRing(place, { now: Date.now(), by: 'command' }, { milliseconds: 10_000 })
  const keyRing = new KeyRing((await readRing(place))!.parts)
  for (const count of [1_000, 60_000]) await measure(folder, keyRing, count)
  await rm(folder, { recursive: true })
}
