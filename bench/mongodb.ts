// Signet on MongoDB: a refresh against a bare signature, and a million users against a thousand; holds no server.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mongoose from 'mongoose'
import { writeRefreshToken, type RefreshSecret } from '../src/core/refresh-token.js'
import { readRing } from '../src/keyring/key-ring.js'
import { createRing } from '../src/keyring/ring-changes.js'
import { benchWorkers } from './workers.js'
import { costsInTurns, many, median, open, row, type Pair, type Peer, type Work } from './peers.js'

const FEW = 1_000
const MANY = 1_000_000
const BATCH = 5_000
/** Few, for the database is on the same machine: one that has more to do than its share of the cores slows what is measured. */
const CONNECTIONS = 4

/** Prints the ratios on the server of `url`. */
export async function benchMongoDb (url: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-bench-'))
  const place = { folder: join(folder, 'keys') }
  await createRing(place, { now: Date.now(), by: 'command' }, { milliseconds: 0 })
  const { activeSecret: refreshSecret } = (await readRing(place))!.parts
  const [few, all] = [new Users(url, FEW), new Users(url, MANY)]
  const peers: Peer[] = []
  const start = async (...args: Parameters<typeof open>) => {
    peers.push(await open(...args))
    return peers.at(-1)!
  }
  const refreshing = async (users: Users): Promise<Work> => {
    const signet = await start('signet', folder, 10, users.url)
    await users.fill()
    return [signet, users.refreshers(signet, refreshSecret)]
  }
  try {
    const onFew = await refreshing(few)
    const bare = await start('bare', folder, 10)
    const [signet, signature] = median(await costsInTurns(onFew, [bare, many(async () => await bare.ask('POST', '/sign'), CONNECTIONS)]), ([one, other]) => other.cpu / one.cpu)
    const cpu = signature.cpu / signet.cpu
    process.stdout.write(row('refresh / bare Fastify + one jose signature', cpu, '>= 0.6', cpu >= 0.6, `${signet.cpu.toFixed(0)} to ${signature.cpu.toFixed(0)} microseconds of CPU`))
    await benchWorkers(few.url, folder, bare)
    const [small, large] = median(await costsInTurns(onFew, await refreshing(all)), ([one, other]) => other.time / one.time)
    const time = large.time / small.time
    process.stdout.write(row('refresh, 1,000,000 users / 1,000', time, '<= 1.2', time <= 1.2, `${large.time.toFixed(1)} to ${small.time.toFixed(1)} ms`))
  } finally {
    for (const { child } of peers) child.disconnect()
    for (const users of [few, all]) await users.drop()
    await rm(folder, { recursive: true })
  }
}

/** Users who are logged in once each, anyone of whom may refresh next. */
class Users {
  readonly #count: number
  readonly url: string

  constructor (server: string, count: number) {
    const url = new URL(server)
    url.pathname = `/signet_bench_${count}`
    this.#count = count
    this.url = url.href
  }

  async fill (): Promise<void> {
    const client = await mongoose.mongo.MongoClient.connect(this.url)
    const users = client.db().collection<{ _id: string }>('users')
    const now = Date.now()
    for (let index = 0; index < this.#count; index += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, this.#count - index) }, (_, offset) => userOf(index + offset, now))
      await users.insertMany(batch, { ordered: false })
      process.stderr.write(`\r${index + batch.length} users`)
    }
    process.stderr.write('\r')
    await client.close()
  }

  /** Each takes the next refresh of somebody at random, whom no other takes. */
  refreshers ({ ask }: Peer, secret: RefreshSecret): Array<() => Promise<unknown>> {
    const latest = new Map<number, string>()
    return Array.from({ length: CONNECTIONS }, (_, worker) => async () => {
      const user = Math.floor(Math.random() * Math.floor(this.#count / CONNECTIONS)) * CONNECTIONS + worker
      const token = latest.get(user) ?? writeRefreshToken({ userId: idOf('user', user), familyId: idOf('family', user), generation: 0 }, secret)
      const { body } = await ask('POST', '/refresh', { refresh_token: token })
      latest.set(user, (JSON.parse(body) as Pair).refresh_token)
    })
  }

  async drop (): Promise<void> {
    const client = await mongoose.mongo.MongoClient.connect(this.url)
    await client.db().dropDatabase()
    await client.close()
  }
}

function userOf (index: number, now: number) {
  const family = { id: idOf('family', index), generation: 0, createdAt: now, advancedAt: now, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0', ip: '203.0.113.7' }
  return { _id: idOf('user', index), email: `user${index}@example.com`, name: 'Ada', passwordHash: `$2b$10$${'x'.repeat(53)}`, createdAt: now, families: [family] }
}

/** A UUID that is the same in every run, and whose order says nothing. */
function idOf (kind: 'user' | 'family', index: number): string {
  const hex = createHash('sha256').update(`${kind} ${index}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}
