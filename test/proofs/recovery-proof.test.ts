// Links and codes hold on both stores, in a few rounds, and the proof sees guesses that are not limited; many are `npm run prove:recovery`.
import t from 'tap'
import { SERVER } from '../server-process.js'
import { freshDatabase, withMongoDb } from '../store/mongo-server.js'
import { proveRecovery } from './recovery-proof.js'

const few = { command: SERVER, rounds: 1, guesses: 100 }
const held = { races: 1, storms: 1, kills: 1, guesses: { passed: 0, wrong: 10, limited: 90 }, faults: [] }

t.test('one server on a file: one of those at once wins, nothing old survives a reset, no link works twice, and no guess passes', async t => {
  t.match(await proveRecovery({ ...few, servers: 1 }), held)
})

withMongoDb(url => {
  t.test('two servers on one MongoDB: the same', async t => {
    t.match(await proveRecovery({ ...few, servers: 2, databaseUrl: freshDatabase(t, url) }), held)
  })
})

t.test('the proof sees guesses that are not limited', async t => {
  const { faults, guesses } = await proveRecovery({ ...few, servers: 1, settings: { RATE_LIMIT: 'off' } })
  t.match(guesses, { passed: 0, wrong: 100, limited: 0 })
  t.strictSame(faults, ['100 guesses were tried'])
})
