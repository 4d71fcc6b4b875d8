// What was counted, in memory, and that of many processes together; holds no name of a metric and no text.
import { METRIC_NAMES, METRICS, type Figure, type Meter, type MetricName } from '../core/metrics.js'

/**
 * Of each metric its series: by the values of their labels, a number each; of a histogram the sum, and how many there were up to each bound, beyond the one before, and beyond the last.
 * It can be sent from one process to another.
 */
export type Samples = Partial<Record<MetricName, Record<string, number[]>>>

/** Between the values of labels, which have none. */
export const SEPARATOR = '\0'

export class Tally implements Meter {
  readonly #counts = new Map<MetricName, Map<string, number[]>>()
  readonly #watched = new Map<MetricName, () => readonly Figure[]>()

  constructor () {
    for (const name of METRIC_NAMES) this.#counts.set(name, new Map(knownSeries(name).map(values => [values.join(SEPARATOR), empty(name)])))
  }

  count: Meter['count'] = (name, values, by = 1) => {
    this.#seriesOf(name, values)[0]! += by
  }

  time: Meter['time'] = (name, values, seconds) => {
    const series = this.#seriesOf(name, values)
    const { buckets } = METRICS[name]
    let at = 0
    while (at < buckets.length && seconds > buckets[at]!) at++
    series[0]! += seconds
    series[at + 1]!++
  }

  watch: Meter['watch'] = (name, read) => {
    this.#watched.set(name, read)
  }

  /** All of it as it is now. */
  samples (): Samples {
    const counted = [...this.#counts].map(([name, series]) => [name, Object.fromEntries(series)] as const)
    const watched = [...this.#watched].map(([name, read]) => [name, Object.fromEntries(read().map(([values, figure]) => [values.join(SEPARATOR), [figure]]))] as const)
    return Object.fromEntries([...counted, ...watched])
  }

  #seriesOf (name: MetricName, values: readonly string[]): number[] {
    const series = this.#counts.get(name)!
    const key = values.join(SEPARATOR)
    const known = series.get(key)
    if (known) return known
    const fresh = empty(name)
    series.set(key, fresh)
    return fresh
  }
}

/** The series that are there before anything happens, so that the first is seen as one more; a gauge is there as soon as somebody knows it. */
function knownSeries (name: MetricName): string[][] {
  const { kind, labels } = METRICS[name]
  const values = Object.values(labels) as Array<readonly string[] | string>
  if (kind === 'gauge' || values.some(known => typeof known === 'string')) return []
  return (values as string[][]).reduce<string[][]>((all, known) => all.flatMap(before => known.map(value => [...before, value])), [[]])
}

function empty (name: MetricName): number[] {
  const metric = METRICS[name]
  return 'buckets' in metric ? Array<number>(metric.buckets.length + 2).fill(0) : [0]
}

/** What many processes counted. */
export function together (all: readonly Samples[]): Samples {
  const sum: Samples = {}
  for (const name of METRIC_NAMES) {
    const series: Record<string, number[]> = {}
    for (const samples of all) for (const [key, figures] of Object.entries(samples[name] ?? {})) series[key] = series[key] ? joined(name, series[key], figures) : figures
    if (Object.keys(series).length > 0) sum[name] = series
  }
  return sum
}

function joined (name: MetricName, one: number[], other: number[]): number[] {
  const metric = METRICS[name]
  const join = 'together' in metric ? Math[metric.together] : (a: number, b: number) => a + b
  return one.map((figure, at) => join(figure, other[at]!))
}

/** A process that told nothing for so long hangs, in milliseconds. */
const HANGS_MS = 10_000

/** Of many processes what they counted last, those among them that have ended: a sum that went down would be taken for a restart of all of them. What one had not told yet is lost with it. */
export class Gathering {
  readonly #latest = new Map<number, { samples: Samples, at: number }>()
  #ended: Samples = {}

  /** `now` in milliseconds of a clock that never jumps. */
  take (process: number, samples: Samples, now: number): void {
    this.#latest.set(process, { samples, at: now })
  }

  /** A process tells no more. What it was, and not what it did, ends with it. */
  end (process: number): void {
    const { samples = {} } = this.#latest.get(process) ?? {}
    this.#latest.delete(process)
    this.#ended = together([this.#ended, withoutGauges(samples)])
  }

  /** All of it beside one's own; of a process that hangs what it did alone. `now` in milliseconds of a clock that never jumps. */
  with (own: Samples, now: number): Samples {
    const latest = [...this.#latest.values()].map(({ samples, at }) => now - at < HANGS_MS ? samples : withoutGauges(samples))
    return together([own, this.#ended, ...latest])
  }
}

function withoutGauges (samples: Samples): Samples {
  return Object.fromEntries(Object.entries(samples).filter(([name]) => METRICS[name as MetricName].kind !== 'gauge'))
}
