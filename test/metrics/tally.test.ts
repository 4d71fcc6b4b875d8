// Counting in one process, and of many together: what was counted once is never taken back.
import t from 'tap'
import { Gathering, SEPARATOR, Tally, together } from '../../src/metrics/tally.js'

const WAIT = 'signet_hash_wait_seconds'
const LOGINS = 'signet_logins_total'

t.test('what can be known of is there from the start, at zero; whatever else when it first happens', async t => {
  const samples = new Tally().samples()
  t.strictSame(samples[LOGINS], { succeeded: [0], failed: [0], limited: [0] })
  t.strictSame(samples.signet_events_dropped_total, { '': [0] })
  t.strictSame(samples[WAIT], { '': Array(12).fill(0) })
  t.strictSame(samples.http_server_request_duration_seconds, {})
  t.strictSame(samples.signet_workers, {}, 'a gauge that nobody told')
})

t.test('counters count, one at a time or many', async t => {
  const tally = new Tally()
  tally.count(LOGINS, ['failed'])
  tally.count(LOGINS, ['failed'], 3)
  t.strictSame(tally.samples()[LOGINS], { succeeded: [0], failed: [4], limited: [0] })
})

t.test('a time is in the first bucket whose bound it does not exceed, and in the sum', async t => {
  const tally = new Tally()
  for (const seconds of [0, 0.01, 0.011, 30, 31]) tally.time(WAIT, [], seconds)
  t.strictSame(tally.samples()[WAIT], { '': [61.021, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1] })
  tally.time('signet_store_operation_duration_seconds', ['findUser', 'ok'], 0.0001)
  t.strictSame(Object.keys(tally.samples().signet_store_operation_duration_seconds!), [`findUser${SEPARATOR}ok`])
})

t.test('what is watched is read when somebody looks', async t => {
  const tally = new Tally()
  let length = 1
  tally.watch('signet_hash_queue_length', () => [[[], length]])
  tally.watch('signet_key_age_seconds', () => [[['signing', 'next'], 7]])
  length = 2
  t.match(tally.samples(), { signet_hash_queue_length: { '': [2] }, signet_key_age_seconds: { [`signing${SEPARATOR}next`]: [7] } })
})

t.test('many processes are one: sums of what they did, the worst of what they are', async t => {
  const [one, other] = [new Tally(), new Tally()]
  for (const [tally, at] of [[one, 1], [other, 2]] as const) {
    tally.count(LOGINS, ['succeeded'], at)
    tally.time(WAIT, [], at)
    tally.watch('signet_workers', () => [[[], 1]])
    tally.watch('signet_status_list_age_seconds', () => [[[], at]])
    tally.watch('process_start_time_seconds', () => [[[], 1000 + at]])
    tally.watch('process_resident_memory_bytes', () => [[[], 10 * at]])
  }
  other.time('http_server_request_duration_seconds', ['GET', '/', '200'], 1)
  const both = together([one.samples(), other.samples()])
  t.match(both, {
    signet_logins_total: { succeeded: [3], failed: [0], limited: [0] }, signet_workers: { '': [2] }, signet_status_list_age_seconds: { '': [2] },
    process_start_time_seconds: { '': [1001] }, process_resident_memory_bytes: { '': [30] },
  })
  t.strictSame(both[WAIT], { '': [3, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0] })
  t.strictSame(Object.keys(both.http_server_request_duration_seconds!), [`GET${SEPARATOR}/${SEPARATOR}200`])
  t.notOk('signet_key_age_seconds' in both, 'of what nobody knows nothing is said')
  t.strictSame(one.samples()[WAIT], { '': [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0] }, 'and neither of the two is changed')
})

t.test('the counters of a process that ended stay in the sum, through any number of them; what it was does not', async t => {
  const gathering = new Gathering()
  const own = () => new Tally().samples()
  const counts = () => {
    const { signet_logins_total: logins, signet_workers: workers, signet_hash_wait_seconds: waits } = gathering.with(own(), 0)
    return [logins!['succeeded']![0], waits![''], workers?.['']]
  }
  for (const [worker, told] of [[1, 5], [2, 7]] as const) {
    const tally = new Tally()
    tally.watch('signet_workers', () => [[[], 1]])
    tally.count(LOGINS, ['succeeded'])
    gathering.take(worker, tally.samples(), 0)
    tally.count(LOGINS, ['succeeded'], told - 1)
    tally.time(WAIT, [], 1)
    gathering.take(worker, tally.samples(), 0)
  }
  t.strictSame(counts(), [12, [2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0], [2]])
  gathering.end(1)
  t.strictSame(counts(), [12, [2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0], [1]])
  gathering.end(2)
  gathering.end(3)
  t.strictSame(counts(), [12, [2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0], undefined], 'one that never told anything ended, too')
})

t.test('a process that tells nothing any more is not there, and what it did is', async t => {
  const [gathering, tally] = [new Gathering(), new Tally()]
  tally.watch('signet_workers', () => [[[], 1]])
  tally.count(LOGINS, ['failed'])
  gathering.take(1, tally.samples(), 5_000)
  const at = (now: number) => {
    const { signet_workers: workers, signet_logins_total: logins } = gathering.with({}, now)
    return [workers?.[''], logins!['failed']]
  }
  t.strictSame([at(14_999), at(15_000)], [[[1], [1]], [undefined, [1]]])
  gathering.take(1, tally.samples(), 16_000)
  t.strictSame(at(16_000), [[1], [1]])
})

t.test('it is the same after it was sent to another process', async t => {
  const tally = new Tally()
  tally.time('http_server_request_duration_seconds', ['GET', '/tokens/:id', '200'], 0.3)
  t.strictSame(JSON.parse(JSON.stringify(tally.samples())), tally.samples())
})
