// A store that is timed is the same store: what it answers, and what it throws.
import t from 'tap'
import { AuthError } from '../../src/errors.js'
import { measuredStore } from '../../src/metrics/measured-store.js'
import { SEPARATOR, Tally } from '../../src/metrics/tally.js'
import { openStore } from '../../src/store/open-store.js'
import type { Store } from '../../src/store/store.js'

function counts (tally: Tally): Record<string, number> {
  const series = tally.samples().signet_store_operation_duration_seconds!
  return Object.fromEntries(Object.entries(series).map(([key, [, ...buckets]]) => [key.replace(SEPARATOR, ' '), buckets.reduce((sum, count) => sum + count, 0)]))
}

t.test('each operation counts by its name, and answers as before', async t => {
  const [tally, folder] = [new Tally(), t.testdir()]
  const store = await Promise.resolve(measuredStore(await openStore(`file:${folder}/signet.db`), tally))
  const user = { id: 'one', email: 'ada@example.com', name: null, passwordHash: '', createdAt: 0, families: [], roles: [] }
  t.equal(await store.insertUser(user), 'inserted')
  t.equal(await store.insertUser({ ...user, id: 'other' }), 'email_taken')
  t.match(await store.findUser('one'), user)
  t.equal(store.findUser, store.findUser, 'made once')
  await store.close()
  t.strictSame(counts(tally), { 'insertUser ok': 2, 'findUser ok': 1, 'close ok': 1 })
})

t.test('a store that cannot be reached is told from a fault, and both are thrown on', async t => {
  const tally = new Tally()
  const away = new AuthError('unavailable')
  const store = measuredStore({
    async ping () { throw away },
    async findUser () { throw new TypeError('a fault') },
  } as unknown as Store, tally)
  await t.rejects(store.ping(), away)
  await t.rejects(store.findUser('one'), { message: 'a fault' })
  t.strictSame(counts(tally), { 'ping unavailable': 1, 'findUser failed': 1 })
})
