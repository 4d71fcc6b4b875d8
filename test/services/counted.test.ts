// What is counted, where it happens: each refresh by what became of it, each refusal of a limit, and what is known of queues.
import t, { type Test } from 'tap'
import { AccountService } from '../../src/services/account-service.js'
import { ClientAuthentication } from '../../src/services/client-authentication.js'
import { ClientTokens } from '../../src/services/client-tokens.js'
import { Clients } from '../../src/services/clients.js'
import { Events } from '../../src/services/events.js'
import { GuessLimits } from '../../src/services/guess-limits.js'
import { StatusLists } from '../../src/services/status-lists.js'
import { Hasher } from '../../src/hashing/hasher.js'
import { Tally, type Samples } from '../../src/metrics/tally.js'
import { ownClient, parametersOf } from './oauth-parts.js'
import { DEVICE, ISSUER, LIMITS, NOW, openServices, overtake, PASSWORD, RETENTION } from './parts.js'

async function open (t: Test, limits?: { window: number, placeMax: number, accountMax: number }) {
  const tally = new Tally()
  const services = await openServices(t, 4, undefined, { meter: tally })
  const { parts, store, hasher, places } = services
  const accounts = new AccountService({ ...parts, store, hasher, passwordMinLength: 8, registration: 'open', guesses: limits && new GuessLimits(limits, store), places })
  /** The series of a metric that are above zero. */
  const counts = (name: keyof Samples) => Object.fromEntries(Object.entries(tally.samples()[name] ?? {}).filter(([, [figure]]) => figure! > 0).map(([key, [figure]]) => [key, figure]))
  return { ...services, accounts, tally, counts }
}

t.test('refreshes count by what became of the token, at either door', async t => {
  const { tokens, login, counts, parts, store } = await open(t)
  const clientTokens = new ClientTokens({ ...parts, clients: new Clients(store) })
  const [client, first] = [ownClient(), await login()]
  const second = await tokens.refresh(first.refreshToken, DEVICE, NOW + 1)
  t.strictSame(counts('signet_refreshes_total'), { advanced: 1 })
  await tokens.refresh(first.refreshToken, DEVICE, NOW + 2)
  t.strictSame(counts('signet_refreshes_total'), { advanced: 1, repeated: 1 })
  for (const token of ['nonsense', second.refreshToken]) await t.rejects(clientTokens.refresh(client, token, { scope: undefined, resources: undefined }, DEVICE, NOW + 3), { code: 'invalid_grant' })
  await t.rejects(tokens.refresh('nonsense', DEVICE, NOW + 3), { code: 'invalid_grant' })
  t.strictSame(counts('signet_refreshes_total'), { advanced: 1, repeated: 1, refused: 3 })
  await tokens.refresh(second.refreshToken, DEVICE, NOW + 4)
  await t.rejects(tokens.refresh(first.refreshToken, DEVICE, NOW + 100_000), { code: 'invalid_grant' })
  t.strictSame(counts('signet_refreshes_total'), { advanced: 2, repeated: 1, refused: 3, reused: 1 })
  await t.rejects(tokens.refresh(second.refreshToken, DEVICE, NOW + 100_001), { code: 'invalid_grant' })
  t.strictSame(counts('signet_refreshes_total'), { advanced: 2, repeated: 1, refused: 4, reused: 1 }, 'of a family that is closed')
})

t.test('a refresh counts once, whoever overtakes it', async t => {
  const { tokens, login, counts, store } = await open(t)
  const { refreshToken } = await login()
  overtake(store, 'advanceFamily', async () => { await tokens.refresh(refreshToken, DEVICE, NOW) })
  await tokens.refresh(refreshToken, DEVICE, NOW + 1)
  t.strictSame(counts('signet_refreshes_total'), { advanced: 1, repeated: 1 })
})

t.test('every refusal of an account\'s limit counts, a log-in\'s apart from a password change\'s', async t => {
  const { accounts, tokens, login, counts } = await open(t, { window: 900_000, placeMax: 1, accountMax: 100 })
  const caller = await tokens.identify((await login()).accessToken, NOW)
  await t.rejects(accounts.authenticate('ada@example.com', 'wrong', DEVICE, NOW), { code: 'invalid_credentials' })
  for (let more = 0; more < 3; more++) await t.rejects(accounts.authenticate('ada@example.com', PASSWORD, DEVICE, NOW), { code: 'rate_limited' })
  t.strictSame([counts('signet_rate_limited_total'), counts('signet_logins_total')], [{ account: 3 }, { limited: 3 }])
  await t.rejects(accounts.changePassword(caller, 'wrong', 'another correct horse', DEVICE, NOW), { code: 'wrong_password' })
  await t.rejects(accounts.changePassword(caller, 'wrong', 'another correct horse', DEVICE, NOW), { code: 'rate_limited' })
  t.strictSame([counts('signet_rate_limited_total'), counts('signet_logins_total')], [{ account: 3, password_change: 1 }, { limited: 3 }])
})

t.test('every refusal of a client\'s limit counts', async t => {
  const { parts, store, counts } = await open(t)
  const authentication = new ClientAuthentication({ ...parts, clients: new Clients(store), audiences: [ISSUER], limits: { window: 60_000, max: 1 } })
  const ask = async () => await authentication.authenticate({ authorization: undefined, values: parametersOf({ client_id: 'nobody' }).values, address: DEVICE.ip }, NOW)
  await t.rejects(ask(), { code: 'invalid_client' })
  for (let more = 0; more < 2; more++) await t.rejects(ask(), { code: 'rate_limited' })
  t.strictSame(counts('signet_rate_limited_total'), { client: 2 })
})

t.test('who waits for a thread is told, and how long each waited and was hashed', async t => {
  const tally = new Tally()
  const hasher = new Hasher({ cost: 4, threads: 1, queue: 10, meter: tally })
  t.teardown(async () => { await hasher.close() })
  const hashing = ['one', 'two', 'three'].map(async password => await hasher.hash(password, { address: DEVICE.ip, isKnown: false }))
  t.strictSame(tally.samples().signet_hash_queue_length, { '': [2] })
  await Promise.all(hashing)
  t.strictSame(tally.samples().signet_hash_queue_length, { '': [0] })
  for (const name of ['signet_hash_wait_seconds', 'signet_hash_duration_seconds'] as const) {
    const [sum, ...buckets] = tally.samples()[name]!['']!
    t.equal(buckets.reduce((all, count) => all + count), 3, name)
    t.ok(sum! > 0)
  }
})

t.test('an event counts when it is told, whether it is kept or not', async t => {
  const { tally, store, parts } = await open(t)
  const events = new Events({ store, retention: 0, tell () {}, lost () {}, clock: () => NOW, meter: parts.meter })
  events.record({ kind: 'refresh.ahead', at: NOW })
  t.strictSame(tally.samples().signet_security_events_total!['refresh.ahead'], [1])
})

t.test('what the store has not is counted, whether anybody is told or not', async t => {
  const { tally, store, parts } = await open(t)
  const events = new Events({ store, retention: RETENTION, tell () {}, lost () {}, clock: () => NOW, meter: parts.meter, sizes: { all: 1, anybodys: 1 } })
  for (let at = 0; at < 3; at++) events.record({ kind: 'login.succeeded', at: NOW })
  t.strictSame(tally.samples().signet_events_dropped_total, { '': [2] })
  await events.stop()
})

t.test('the age of the status lists is that of the last look that reached the store; of lists that were never looked at there is none', async t => {
  const { tally, store, keyRing, places, parts } = await open(t)
  const [clock, age] = [{ uptime: 1_000_000 }, () => tally.samples().signet_status_list_age_seconds]
  let isAway = true
  const lists = new StatusLists({
    store: { listClosings: async (from, limit) => await store.listClosings(from, limit) }, places, keyRing, meter: parts.meter, issuer: ISSUER, ttl: 10, closingRetention: RETENTION, familyLife: LIMITS.absolute,
    clock: () => NOW, uptime: () => clock.uptime, report () {},
  })
  const find = store.statusLists.bind(store)
  store.statusLists = async () => {
    if (isAway) throw new Error('away')
    return await find()
  }
  await lists.look()
  t.strictSame(age(), {})
  isAway = false
  await lists.look()
  t.strictSame(age(), { '': [0] })
  clock.uptime += 7_000
  isAway = true
  await lists.look()
  t.strictSame(age(), { '': [7] })
})
