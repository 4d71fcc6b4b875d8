// Who counts and who tells: a process for itself, a worker to its leader, and the leader for all workers.
import t from 'tap'
import { gatherMetrics, metricsOf } from '../../src/metrics/open-metrics.js'
import { Tally, type Samples } from '../../src/metrics/tally.js'
import { freePort } from '../free-port.js'
import { openStore } from '../../src/store/open-store.js'

const PLACE = { host: '127.0.0.1', port: 0 }

async function read (url: string): Promise<string> {
  return await (await fetch(url)).text()
}

t.test('a process tells what it counted, what its store did, and what it uses', async t => {
  const metrics = metricsOf(PLACE, undefined)
  t.teardown(metrics.close)
  const store = metrics.measured(await openStore(`file:${t.testdir()}/signet.db`))
  await store.ping()
  await store.close()
  metrics.meter.count('signet_logins_total', ['failed'])
  const text = await read(await metrics.open())
  for (const line of ['signet_logins_total{outcome="failed"} 1', 'signet_workers 1', 'signet_store_operation_duration_seconds_count{operation="ping",outcome="ok"} 1']) t.match(text, `\n${line}\n`)
  for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_delay_p99_seconds']) t.match(text, `\n# TYPE ${name} `)
})

t.test('an address of IPv6 is one in a URL', async t => {
  const metrics = metricsOf({ host: '::1', port: 0 }, undefined)
  t.teardown(metrics.close)
  const url = await metrics.open()
  t.match(url, /^http:\/\/\[::1\]:\d+\/metrics$/)
  t.match(await read(url), 'signet_workers 1')
})

t.test('a worker tells its leader, again and again, and says where that one listens, but listens nowhere', async t => {
  const port = await freePort()
  let told = (_samples: Samples): void => {}
  const metrics = metricsOf({ ...PLACE, port }, message => { told((message as { metrics: Samples }).metrics) })
  t.teardown(metrics.close)
  t.equal(await metrics.open(), `http://127.0.0.1:${port}/metrics`)
  await t.rejects(read(`http://127.0.0.1:${port}/metrics`))
  // Telling alone keeps no process alive.
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => { clearInterval(alive) })
  for (const count of [1, 2]) {
    metrics.meter.count('signet_logins_total', ['failed'])
    const samples = await new Promise<Samples>(resolve => { told = resolve })
    t.strictSame(samples.signet_logins_total, { succeeded: [0], failed: [count], limited: [0] })
  }
})

t.test('a leader tells of all workers and of itself, and hears nothing else', async t => {
  const port = await freePort()
  const { heard, lost, close } = await gatherMetrics({ host: '127.0.0.1', port })
  t.teardown(close)
  for (const message of [undefined, null, 'metrics', {}, { pid: 1 }]) heard(3, message)
  for (const worker of [1, 2]) {
    const tally = new Tally()
    tally.watch('signet_workers', () => [[[], 1]])
    tally.count('signet_logins_total', ['failed'], worker)
    heard(worker, { metrics: tally.samples() })
  }
  const url = `http://127.0.0.1:${port}/metrics`
  t.match(await read(url), /\nsignet_logins_total{outcome="failed"} 3\n[^]*\nsignet_workers 2\n[^]*\nprocess_start_time_seconds \d/)
  lost(2)
  t.match(await read(url), /\nsignet_logins_total{outcome="failed"} 3\n[^]*\nsignet_workers 1\n/)
})
