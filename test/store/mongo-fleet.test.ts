// Four Signet processes on one MongoDB are one authority: races have one winner, and a log-out at one counts at all.
import t from 'tap'
import { ask, run, settings, withRing } from '../server-process.js'
import type { Pair } from '../test-app.js'
import { freshDatabase, withMongoDb } from './mongo-server.js'

const RACERS = 64
const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }

withMongoDb(server => {
  t.test('64 racers over four processes: one registration, one successor, no family beyond the limit, and a log-out that counts at once', async t => {
    const env = await withRing(settings(t, { DATABASE_URL: freshDatabase(t, server), ISSUER: 'https://id.example', LOG_LEVEL: 'info', RATE_LIMIT: 'off', HASH_QUEUE: '100', MAX_ACTIVE_TOKENS: '5' }))
    const urls: string[] = []
    for (let process = 0; process < 4; process++) urls.push(await run(t, env).ready())
    const askAt = async (index: number, path: string, ...rest: [body?: object, token?: string, method?: string]) => await ask(`${urls[index % urls.length]!}${path}`, ...rest)
    const race = async (racer: (index: number) => Promise<{ status: number, body: unknown }>) => await Promise.all(Array.from({ length: RACERS }, async (_, index) => await racer(index)))
    const count = (answers: Array<{ status: number }>, status: number) => answers.filter(answer => answer.status === status).length

    const registrations = await race(async index => await askAt(index, '/register', ACCOUNT))
    t.strictSame([count(registrations, 201), count(registrations, 409)], [1, RACERS - 1])

    const { body: pair } = await askAt(0, '/login', ACCOUNT) as { body: Pair }
    const refreshes = await race(async index => await askAt(index, '/refresh', { refresh_token: pair.refresh_token }))
    t.equal(count(refreshes, 200), RACERS)
    t.equal(new Set(refreshes.map(({ body }) => (body as Pair).refresh_token)).size, 1)

    const logins = await race(async index => await askAt(index, '/login', ACCOUNT))
    t.equal(count(logins, 200), RACERS)
    const living = await race(async index => await askAt(index + 1, '/user-info', undefined, (logins[index]!.body as Pair).access_token))
    t.strictSame([count(living, 200), count(living, 401)], [5, RACERS - 5])

    const index = living.findIndex(({ status }) => status === 200)
    const left = logins[index]!.body as Pair
    t.equal((await askAt(0, '/logout', undefined, left.access_token, 'POST')).status, 204)
    const after = await Promise.all([1, 2, 3].flatMap(other => [askAt(other, '/user-info', undefined, left.access_token), askAt(other, '/refresh', { refresh_token: left.refresh_token })]))
    t.equal(count(after, 401), 6)
  })
})
