// Every metric that there is, in one closed table, and how the parts tell what is to be counted; holds no number and no text of an answer.
import { CAUSES, EVENT_KINDS, type SecurityEvent } from './events.js'

interface KindOfMetric {
  kind: 'counter' | 'gauge' | 'histogram'
  help: string
  /** The labels in their order, each with its values, where it is known which they are: those are there from the start. */
  labels: Readonly<Record<string, readonly string[] | 'of the code'>>
  /** What the figures of many processes are together; a sum where nothing is said. */
  together?: 'max' | 'min'
  /** The upper bounds of a histogram. */
  buckets?: readonly number[]
}

/** What OpenTelemetry's semantic conventions advise for the duration of a request, in seconds. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** From a look into memory to the patience of MongoDB's driver. */
const STORE_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10]
const HASH_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The name of every metric, which is stable; names of OpenTelemetry's are in Prometheus's spelling. Times are in seconds. docs/operations.md says what to make of them. */
export const METRICS = {
  http_server_request_duration_seconds: {
    kind: 'histogram', help: 'From a request to the end of its answer.', buckets: REQUEST_BUCKETS,
    labels: { http_request_method: 'of the code', http_route: 'of the code', http_response_status_code: 'of the code' },
  },
  signet_logins_total: { kind: 'counter', help: 'Log-ins by a password.', labels: { outcome: ['succeeded', 'failed', 'limited'] } },
  signet_refreshes_total: { kind: 'counter', help: 'Refresh tokens that were presented, by what became of them.', labels: { outcome: ['advanced', 'repeated', 'reused', 'refused'] } },
  signet_families_closed_total: { kind: 'counter', help: 'Log-ins that were ended, by why.', labels: { cause: CAUSES } },
  signet_rate_limited_total: { kind: 'counter', help: 'Requests that a limit refused.', labels: { limit: ['address', 'login', 'register', 'account', 'password_change', 'client', 'second_factor'] } },
  signet_security_events_total: { kind: 'counter', help: 'Security events.', labels: { kind: EVENT_KINDS } },
  signet_events_dropped_total: { kind: 'counter', help: 'Security events that the store has not, for it was away or too slow.', labels: {} },
  signet_mails_total: { kind: 'counter', help: 'Mails, by what became of them, and tries that failed and are made again.', labels: { outcome: ['sent', 'retried', 'refused', 'given_up', 'dropped'] } },
  signet_mail_queue_length: { kind: 'gauge', help: 'Mails that wait to be sent.', labels: {} },
  signet_hash_queue_length: { kind: 'gauge', help: 'Passwords that wait for a thread.', labels: {} },
  signet_hash_wait_seconds: { kind: 'histogram', help: 'How long a password waited for a thread.', buckets: HASH_BUCKETS, labels: {} },
  signet_hash_duration_seconds: { kind: 'histogram', help: 'How long a password was hashed.', buckets: HASH_BUCKETS, labels: {} },
  signet_store_operation_duration_seconds: { kind: 'histogram', help: 'How long the store took.', buckets: STORE_BUCKETS, labels: { operation: 'of the code', outcome: 'of the code' } },
  signet_key_age_seconds: { kind: 'gauge', help: 'Since the oldest key in a state came into it.', together: 'max', labels: { kind: 'of the code', state: 'of the code' } },
  signet_status_list_age_seconds: { kind: 'gauge', help: 'Since the status lists were brought up to date.', together: 'max', labels: {} },
  signet_connections: { kind: 'gauge', help: 'Connections of clients that are open.', labels: {} },
  signet_workers: { kind: 'gauge', help: 'Processes that serve.', labels: {} },
  nodejs_eventloop_delay_p50_seconds: { kind: 'gauge', help: 'Half of the delays of the event loop in the last seconds were no longer.', together: 'max', labels: {} },
  nodejs_eventloop_delay_p99_seconds: { kind: 'gauge', help: 'All but a hundredth of the delays of the event loop in the last seconds were no longer.', together: 'max', labels: {} },
  nodejs_eventloop_delay_max_seconds: { kind: 'gauge', help: 'The longest delay of the event loop in the last seconds.', together: 'max', labels: {} },
  nodejs_eventloop_time_seconds_total: { kind: 'counter', help: 'How long the event loop was busy, and how long it was not.', labels: { nodejs_eventloop_state: ['active', 'idle'] } },
  process_cpu_seconds_total: { kind: 'counter', help: 'Time of the processor that was used, by all threads.', labels: {} },
  process_resident_memory_bytes: { kind: 'gauge', help: 'Memory in use.', labels: {} },
  process_start_time_seconds: { kind: 'gauge', help: 'When the process was started, since 1970.', together: 'min', labels: {} },
} as const satisfies Record<string, KindOfMetric>

export type MetricName = keyof typeof METRICS
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[]
type NameOf<Kind> = { [Name in MetricName]: typeof METRICS[Name]['kind'] extends Kind ? Name : never }[MetricName]

/** A figure, and the values of its labels in their order. */
export type Figure = readonly [values: readonly string[], figure: number]

/** Takes what is to be counted. No value of a label is anybody's to choose who asks Signet something. It never throws, and nobody waits for it. */
export interface Meter {
  /** Counts one more, or so many. */
  count: (name: NameOf<'counter'>, values: readonly string[], by?: number) => void
  time: (name: NameOf<'histogram'>, values: readonly string[], seconds: number) => void
  /** From now on this is what the metric is, whenever somebody looks. */
  watch: (name: NameOf<'counter' | 'gauge'>, read: () => readonly Figure[]) => void
}

/** Where nobody counts. */
export const SILENT: Meter = { count () {}, time () {}, watch () {} }

/** Counts an event. */
export function countEvent ({ kind, details: { cause, count } = {} }: Pick<SecurityEvent, 'kind' | 'details'>, meter: Meter): void {
  meter.count('signet_security_events_total', [kind])
  if (kind === 'login.succeeded' || kind === 'login.failed') meter.count('signet_logins_total', [kind.slice('login.'.length)])
  if (cause) meter.count('signet_families_closed_total', [cause], count)
}
