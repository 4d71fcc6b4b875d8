// What a Signet does whose MongoDB is down at its start, or goes away in mid-traffic and comes back.
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { start } from '../../src/server.js'
import { AT_ONCE, ask, settings, withRing, type Answer } from '../server-process.js'
import type { Pair } from '../test-app.js'
import { LONG_MS, withPrivateMongoDb } from './mongo-server.js'

type TimedAnswer = Answer & { took: number }
/** What is kept of many answers, so that it is not they who fill the memory. */
type Outcome = Pick<TimedAnswer, 'status' | 'retryAfter' | 'took'> & { code: unknown }

const PASSWORD = 'correct horse battery'

async function serve (t: Test, url: string) {
  const { app, stop } = await start(readConfig(await withRing(settings(t, { DATABASE_URL: url, RATE_LIMIT: 'off', HASH_QUEUE: '1000', MAX_ACTIVE_TOKENS: '100' }))), AT_ONCE)
  t.teardown(stop)
  const { port } = app.server.address() as AddressInfo
  const timed = async (path: string, body?: object, token?: string): Promise<TimedAnswer> => {
    const began = Date.now()
    return { ...await ask(`http://127.0.0.1:${port}${path}`, body, token), took: Date.now() - began }
  }
  const ready = async () => {
    for (let tries = 0; tries < 50 && (await timed('/health/ready')).status !== 200; tries++) await pause(100)
    return await timed('/health/ready')
  }
  return { ask: timed, ready }
}

const outage = { status: 503, retryAfter: '1', body: { code: 'unavailable' } }

function outcomeOf ({ status, retryAfter, took, body }: TimedAnswer): Outcome {
  return { status, retryAfter, took, code: (body as { code?: unknown } | undefined)?.code }
}

/** Bytes in use after everything that can go has gone. */
function heap (): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

withPrivateMongoDb(17218, server => {
  t.test('a Signet whose database is down starts, says what it lacks, publishes its keys, and is ready within seconds of the database', async t => {
    await server.stop()
    const { ask, ready } = await serve(t, server.url)
    t.match(await ask('/health/ready'), { status: 503, body: { status: 'unavailable', reason: 'The store does not answer.' } })
    t.match(await ask('/health/live'), { status: 200 })
    t.match(await ask('/.well-known/jwks.json'), { status: 200 })
    const refused = await ask('/register', { email: 'ada@example.com', password: PASSWORD })
    t.match(refused, outage)
    t.ok(refused.took < LONG_MS, `${refused.took} ms`)
    await server.start()
    t.match(await ready(), { status: 200, body: { status: 'ok' } })
    t.match(await ask('/register', { email: 'ada@example.com', password: PASSWORD }), { status: 201 })
  })

  t.test('an outage in mid-traffic is answered 503 in time, grows nothing, leaves the keys alone, and ends by itself', async t => {
    await server.start()
    const { ask, ready } = await serve(t, server.url)
    t.match(await ready(), { status: 200 })
    const emails = Array.from({ length: 8 }, (_, index) => `user${index}-${Date.now()}@example.com`)
    const pairs = await Promise.all(emails.map(async email => {
      await ask('/register', { email, password: PASSWORD })
      return (await ask('/login', { email, password: PASSWORD })).body as Pair
    }))
    const answers: Outcome[] = []
    const unaffected: Outcome[] = []
    const traffic = { isOver: false }
    const clients = pairs.map(async (pair, index) => {
      while (!traffic.isOver) {
        const answer = await ask('/refresh', { refresh_token: pair.refresh_token })
        answers.push(outcomeOf(answer))
        if (answer.status === 200) pairs[index] = pair = answer.body as Pair
      }
    })
    const verifier = (async () => {
      for (; !traffic.isOver; await pause(20)) unaffected.push(outcomeOf(await ask('/.well-known/jwks.json')), outcomeOf(await ask('/health/live')))
    })()
    await pause(500)
    await server.stop()
    await pause(4500)
    const calm = unaffected.slice()
    const slowest = Math.max(...answers.map(({ took }) => took))
    t.ok(slowest < LONG_MS, `the slowest answer took ${slowest} ms`)
    const needing = async () => (await Promise.all(pairs.flatMap((pair, index) => Array.from({ length: 16 }, () => [
      ask('/refresh', { refresh_token: pair.refresh_token }), ask('/user-info', undefined, pair.access_token), ask('/login', { email: emails[index], password: PASSWORD }),
    ]).flat()))).map(outcomeOf)
    const heaps: number[] = []
    for (let wave = 0; wave < 7; wave++) {
      answers.push(...await needing())
      heaps.push(heap())
    }
    // What a compiler learns of an outage, and the client that takes the place of the first one, come before the third wave is over.
    const grown = Math.min(...heaps.slice(-2)) - heaps[2]!
    await server.start()
    t.match(await ready(), { status: 200 })
    await pause(1000)
    traffic.isOver = true
    await Promise.all([...clients, verifier])
    const failed = answers.filter(({ status }) => status !== 200)
    t.ok(failed.length >= 5 * 384, `${failed.length} failed`)
    t.strictSame(failed.filter(({ status, code, retryAfter }) => status !== 503 || code !== 'unavailable' || retryAfter !== '1'), [])
    t.strictSame(unaffected.filter(({ status }) => status !== 200), [])
    // Whoever waited for the database waited for two seconds; less is this process's, which makes all the traffic as well, and later in waves.
    const median = calm.map(({ took }) => took).sort((a, b) => a - b)[calm.length >> 1]!
    t.ok(median < 2000, `half of ${calm.length} keys and signs of life took more than ${median} ms`)
    // Four kilobytes a request would be a request that is kept.
    t.ok(grown < 3 * 384 * 4096, `${grown} bytes after ${heaps.join(', ')}`)
    for (const pair of pairs) t.match(await ask('/refresh', { refresh_token: pair.refresh_token }), { status: 200 }, 'nobody is logged out')
  })
})
