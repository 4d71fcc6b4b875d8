// What a process uses is what the system says, and the delays of its event loop are those of a window that no reader shortens.
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { watchEventLoop, watchProcess } from '../../src/metrics/process-figures.js'
import { Tally } from '../../src/metrics/tally.js'

t.test('time of the processor, memory and start are the process\'s own', async t => {
  const tally = new Tally()
  watchProcess(tally)
  const { process_cpu_seconds_total: cpu, process_resident_memory_bytes: memory, process_start_time_seconds: start } = tally.samples()
  const { user, system } = process.cpuUsage()
  const seconds = cpu!['']![0]!
  t.ok(seconds > 0 && seconds <= (user + system) / 1e6, String(seconds))
  t.ok(memory!['']![0]! > 1e6)
  t.equal(start!['']![0], performance.timeOrigin / 1000)
})

t.test('the delays of the last full window are told, to whoever looks however often', async t => {
  const tally = new Tally()
  let uptime = 0
  const stop = watchEventLoop(tally, () => uptime)
  t.teardown(stop)
  const longest = () => tally.samples().nodejs_eventloop_delay_max_seconds!['']![0]!
  const hold = (milliseconds: number) => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds) }
  t.equal(longest(), 0, 'nothing is known yet')
  // So that the timer of the delays has run before and after.
  await pause(50)
  hold(200)
  await pause(50)
  t.equal(longest(), 0)
  uptime = 9_999
  t.equal(longest(), 0)
  uptime = 10_000
  const window = longest()
  t.ok(window > 0.1, String(window))
  t.equal(longest(), window)
  uptime = 19_999
  t.equal(longest(), window)
  const { nodejs_eventloop_delay_p50_seconds: half, nodejs_eventloop_delay_p99_seconds: most } = tally.samples()
  t.ok(half!['']![0]! <= most!['']![0]! && most!['']![0]! <= window)
})

t.test('what the event loop did and what it waited add up, and never go back', async t => {
  const tally = new Tally()
  const stop = watchEventLoop(tally, () => performance.now())
  t.teardown(stop)
  const times = () => Object.values(tally.samples().nodejs_eventloop_time_seconds_total!).map(([seconds]) => seconds!)
  const before = times()
  await pause(20)
  const after = times()
  t.ok(after.every((seconds, at) => seconds >= before[at]!), `${before} ${after}`)
  t.ok(after.reduce((sum, seconds) => sum + seconds) > before.reduce((sum, seconds) => sum + seconds))
})
