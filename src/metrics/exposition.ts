// What was counted, as Prometheus reads it (text format 0.0.4); holds no number.
import { METRIC_NAMES, METRICS, type MetricName } from '../core/metrics.js'
import { SEPARATOR, type Samples } from './tally.js'

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function writeExposition (samples: Samples): string {
  return METRIC_NAMES.flatMap(name => samples[name] ? [...headOf(name), ...Object.entries(samples[name]).flatMap(([key, figures]) => seriesOf(name, key, figures))] : []).join('')
}

function headOf (name: MetricName): string[] {
  const { help, kind } = METRICS[name]
  return [`# HELP ${name} ${help}\n`, `# TYPE ${name} ${kind}\n`]
}

function seriesOf (name: MetricName, key: string, figures: number[]): string[] {
  const metric = METRICS[name]
  const values = key.split(SEPARATOR)
  const labels = Object.keys(metric.labels).map((label, at) => `${label}="${escaped(values[at]!)}"`)
  if (!('buckets' in metric)) return [line(name, labels, figures[0]!)]
  const [sum, ...counts] = figures as [number, ...number[]]
  let count = 0
  const buckets = counts.map((inside, at) => {
    count += inside
    return line(`${name}_bucket`, [...labels, `le="${boundOf(metric.buckets[at])}"`], count)
  })
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count)]
}

/** A bound as OpenMetrics spells it, and Prometheus from 3 on, so that a query finds it whichever reads it. */
function boundOf (bound: number | undefined): string {
  if (bound === undefined) return '+Inf'
  return Number.isInteger(bound) ? `${bound}.0` : String(bound)
}

function line (name: string, labels: string[], figure: number): string {
  return `${name}${labels.length > 0 ? `{${labels.join(',')}}` : ''} ${figure}\n`
}

function escaped (value: string): string {
  return value.replace(/[\\"\n]/g, character => character === '\n' ? '\\n' : `\\${character}`)
}
