// What a process uses, and how long its event loop keeps others waiting; holds nothing of what it does.
import { monitorEventLoopDelay, performance, type IntervalHistogram } from 'node:perf_hooks'
import type { Meter } from '../core/metrics.js'

/** So long the delays are gathered before they are told, whoever looks how often. Milliseconds. */
const WINDOW_MS = 10_000
/** So often the event loop is looked at. */
const RESOLUTION_MS = 20
const NANO = 1e-9

/** Watches what the process uses. */
export function watchProcess (meter: Meter): void {
  meter.watch('process_cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage()
    return [[[], (user + system) / 1e6]]
  })
  meter.watch('process_resident_memory_bytes', () => [[[], process.memoryUsage.rss()]])
  meter.watch('process_start_time_seconds', () => [[[], performance.timeOrigin / 1000]])
}

/** Watches the event loop, from now until it is told to stop. `uptime` in milliseconds. */
export function watchEventLoop (meter: Meter, uptime: () => number): () => void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  let [last, since] = [figuresOf(delays), uptime()]
  const read = (which: keyof typeof last) => () => {
    if (uptime() - since >= WINDOW_MS) {
      [last, since] = [figuresOf(delays), uptime()]
      delays.reset()
    }
    return [[[], last[which]]] as const
  }
  meter.watch('nodejs_eventloop_delay_p50_seconds', read('p50'))
  meter.watch('nodejs_eventloop_delay_p99_seconds', read('p99'))
  meter.watch('nodejs_eventloop_delay_max_seconds', read('max'))
  meter.watch('nodejs_eventloop_time_seconds_total', () => {
    const { active, idle } = performance.eventLoopUtilization()
    return [[['active'], active / 1000], [['idle'], idle / 1000]]
  })
  return () => { delays.disable() }
}

function figuresOf (delays: IntervalHistogram) {
  // What Node counts is the time from one look to the next, of which as much is no delay.
  const seconds = (nanoseconds: number) => Math.max(0, nanoseconds * NANO - RESOLUTION_MS / 1000)
  return { p50: seconds(delays.percentile(50)), p99: seconds(delays.percentile(99)), max: seconds(delays.max) }
}
