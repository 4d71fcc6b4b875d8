// Puts together who counts and who tells: in one process, in a worker, or in the process that leads workers; loaded only where somebody wants to see it. Holds no metric.
import { isIPv6 } from 'node:net'
import type { Meter } from '../core/metrics.js'
import type { Store } from '../store/store.js'
import { writeExposition } from './exposition.js'
import { listenForScrapes, PATH, type Listener } from './listener.js'
import { measuredStore } from './measured-store.js'
import { watchEventLoop, watchProcess } from './process-figures.js'
import { Gathering, Tally, type Samples } from './tally.js'

/** So often a worker tells what it counted, in milliseconds: less than anybody looks, and what is lost with one that dies. */
const TELL_EVERY_MS = 1_000

/** Where metrics are served; port 0 takes a free one. */
export interface MetricsPlace { host: string, port: number }

/** How a worker tells the process that leads it. */
type Tell = (message: object) => void

export interface Metrics {
  meter: Meter
  /** The same store, timed. */
  measured: (store: Store) => Store
  /** Begins to tell. The URL at which that is, also where the process that leads this one is there. Rejects as Node does where it cannot listen. */
  open: () => Promise<string>
  close: () => Promise<void>
}

/** Of a process that serves. A worker does not listen: it tells by `tell`. */
export function metricsOf (place: MetricsPlace, tell: Tell | undefined): Metrics {
  const tally = new Tally()
  watchProcess(tally)
  tally.watch('signet_workers', () => [[[], 1]])
  const stopWatching = watchEventLoop(tally, () => performance.now())
  let listener: Listener | undefined
  const telling = tell && setInterval(() => { tell({ metrics: tally.samples() }) }, TELL_EVERY_MS).unref()
  return {
    meter: tally,
    measured: store => measuredStore(store, tally),
    open: async () => {
      if (tell) return urlOf({ address: place.host, port: place.port })
      listener = await listenForScrapes(place, () => writeExposition(tally.samples()))
      return urlOf(listener.address)
    },
    close: async () => {
      clearInterval(telling)
      stopWatching()
      await listener?.close()
    },
  }
}

/** Of the process that leads workers: listens, and tells for all of them together what they tell it. Rejects as Node does where it cannot listen. */
export async function gatherMetrics (place: MetricsPlace) {
  const [own, gathering] = [new Tally(), new Gathering()]
  watchProcess(own)
  const { address: { port }, close } = await listenForScrapes(place, () => writeExposition(gathering.with(own.samples(), performance.now())))
  return {
    heard: (worker: number, message: unknown) => {
      const { metrics } = Object(message) as { metrics?: Samples }
      if (metrics) gathering.take(worker, metrics, performance.now())
    },
    lost: (worker: number) => { gathering.end(worker) },
    port,
    close,
  }
}

function urlOf ({ address, port }: { address: string, port: number }): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}${PATH}`
}
