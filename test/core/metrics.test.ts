// What each event counts as, and that the table is one that Prometheus reads.
import t from 'tap'
import { countEvent, METRIC_NAMES, METRICS, SILENT } from '../../src/core/metrics.js'
import type { SecurityEvent } from '../../src/core/events.js'
import { Tally } from '../../src/metrics/tally.js'

/** The series above zero after these events. */
function afterEvents (...events: Array<Pick<SecurityEvent, 'kind' | 'details'>>) {
  const tally = new Tally()
  for (const event of events) countEvent(event, tally)
  return Object.entries(tally.samples()).flatMap(([name, series]) => Object.entries(series).filter(([, [figure]]) => figure! > 0).map(([key, [figure]]) => [name, key, figure]))
}

t.test('every event counts as one of its kind', async t => {
  t.strictSame(afterEvents({ kind: 'refresh.reused' }, { kind: 'refresh.reused' }), [['signet_security_events_total', 'refresh.reused', 2]])
})

t.test('log-ins count by their outcome', async t => {
  const told = afterEvents({ kind: 'login.succeeded' }, { kind: 'login.failed', details: { reason: 'unknown_address' } }, { kind: 'login.failed', details: { reason: 'wrong_password' } })
  t.strictSame(told, [['signet_logins_total', 'succeeded', 1], ['signet_logins_total', 'failed', 2], ['signet_security_events_total', 'login.succeeded', 1], ['signet_security_events_total', 'login.failed', 2]])
})

t.test('closings count by their cause, as many as were closed at once', async t => {
  const told = afterEvents({ kind: 'family.closed', details: { cause: 'logout' } }, { kind: 'family.closed', details: { cause: 'revoked_all', count: 3 } }, { kind: 'family.closed', details: { cause: 'revoked_all', count: 0 } })
  t.strictSame(told, [['signet_families_closed_total', 'logout', 1], ['signet_families_closed_total', 'revoked_all', 3], ['signet_security_events_total', 'family.closed', 3]])
})

t.test('names, labels and buckets are of Prometheus\'s grammar, and counters end in _total', async t => {
  for (const name of METRIC_NAMES) {
    const metric = METRICS[name]
    t.match(name, /^[a-z][a-z\d_]*$/)
    t.match(metric.help, /^[A-Z][^\n\\]*\.$/)
    t.equal(name.endsWith('_total'), metric.kind === 'counter', name)
    t.ok(Object.keys(metric.labels).every(label => /^[a-z][a-z\d_]*$/.test(label) && label !== 'le'), name)
    t.equal('buckets' in metric, metric.kind === 'histogram', name)
    if ('buckets' in metric) t.strictSame([...metric.buckets], [...metric.buckets].sort((one, other) => one - other))
  }
})

t.test('where nobody counts nothing is read', async t => {
  SILENT.count('signet_logins_total', ['failed'])
  SILENT.time('signet_hash_wait_seconds', [], 1)
  SILENT.watch('signet_workers', () => { throw new Error('read') })
})
