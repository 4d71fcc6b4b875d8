// What deploy/ hands to operators fits what Signet is: every query names a metric that exists, every setting and route too.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { readConfig, SETTINGS } from '../src/config.js'
import { METRICS, type MetricName } from '../src/core/metrics.js'

const DOCUMENT = readFileSync('docs/operations.md', 'utf8')
const KUBERNETES = 'deploy/kubernetes'
/** What Prometheus adds to every series. */
const ADDED = ['job', 'instance']
const OF_A_HISTOGRAM = /_(bucket|sum|count)$/

interface Rules { groups: Array<{ rules: Array<{ alert: string, expr: string }> }> }
interface Dashboard { panels: Array<{ title: string, targets?: Array<{ expr: string }> }> }

/** The metric of a series, with the labels that it has. */
function metricOf (series: string): { labels: Record<string, readonly string[] | string> } | undefined {
  if (series === 'up') return { labels: {} }
  const name = (OF_A_HISTOGRAM.test(series) ? series.replace(OF_A_HISTOGRAM, '') : series) as MetricName
  if (!Object.hasOwn(METRICS, name)) return undefined
  const metric = METRICS[name]
  if (('buckets' in metric) !== OF_A_HISTOGRAM.test(series)) return undefined
  const bounds = 'buckets' in metric && series.endsWith('_bucket') ? { le: metric.buckets.map(bound => Number.isInteger(bound) ? `${bound}.0` : String(bound)) } : {}
  return { labels: { ...metric.labels, ...bounds } }
}

/** What is wrong with a query of PromQL; nothing with one that Prometheus can answer from what Signet tells. */
function faultsOf (query: string): string[] {
  const selectors = [...query.matchAll(/\b([a-z_]\w*)\{([^}]*)\}/g)]
  const faults = selectors.flatMap(([, series, matchers]) => {
    const metric = metricOf(series!)
    return metric ? matchersOf(matchers!).flatMap(([label, value]) => faultOf(metric.labels, label, value)).map(fault => `${series}: ${fault}`) : [`no metric ${series}`]
  })
  const rest = query.replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, '')
  const bare = [...rest.matchAll(/\b(?:signet|http|nodejs|process)_\w+/g)].map(([name]) => name)
  const grouped = [...rest.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(', '))
  const known = new Set([...ADDED, ...selectors.flatMap(([, series]) => Object.keys(metricOf(series!)?.labels ?? {}))])
  const unknown = [...bare.filter(name => !metricOf(name) && !grouped.includes(name)), ...grouped.filter(label => !known.has(label))]
  return [...faults, ...unknown.map(name => `nothing is named ${name}`), ...selectors.length === 0 ? ['it asks for nothing'] : []]
}

function matchersOf (matchers: string): Array<[label: string, value: string]> {
  return [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)].map(([, label, value]) => [label!, value!])
}

function faultOf (labels: Record<string, readonly string[] | string>, label: string, value: string): string[] {
  if (ADDED.includes(label)) return []
  const values = labels[label]
  if (values === undefined) return [`no label ${label}`]
  return typeof values === 'string' ? [] : value.split('|').filter(one => !values.includes(one)).map(one => `no ${label} ${one}`)
}

/** As Kubernetes reads them: a number that begins with 0 is octal. */
function documentsIn (folder: string): Array<Record<string, unknown>> {
  return readdirSync(folder).map(name => parse(readFileSync(join(folder, name), 'utf8'), { version: '1.1' }) as Record<string, unknown>)
}

t.test('a query that names what is not there is seen', async t => {
  t.strictSame(faultsOf('sum by (outcome) (rate(signet_logins_total{job="signet",outcome="failed"}[5m]))'), [])
  for (const wrong of [
    'signet_login_total{job="signet"}', 'signet_logins_total{job="signet",result="failed"}', 'signet_logins_total{outcome="refused"}', 'signet_logins_total_count{job="signet"}', 'signet_hash_wait_seconds{job="signet"}',
    'signet_hash_wait_seconds_bucket{le="3.0"}', 'sum by (route) (signet_workers{job="signet"})', 'sum(signet_worker)', '1 > 0',
  ]) t.not(faultsOf(wrong).length, 0, wrong)
})

t.test('every query of the dashboard, the alerts and the document names metrics, labels and values that exist', async t => {
  const { panels } = JSON.parse(readFileSync('deploy/grafana-dashboard.json', 'utf8')) as Dashboard
  const { groups } = parse(readFileSync('deploy/prometheus-rules.yaml', 'utf8')) as Rules
  const queries = [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
    ...groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const)),
    ...[...DOCUMENT.matchAll(/^```promql\n([^]*?)^```$/gm)].map(([, query]) => ['the document', query!] as const),
  ]
  t.ok(queries.length > 40, String(queries.length))
  for (const [where, query] of queries) t.strictSame(faultsOf(query), [], `${where}: ${query}`)
})

t.test('the document tells of every alert and of every metric, and of no other', async t => {
  const { groups } = parse(readFileSync('deploy/prometheus-rules.yaml', 'utf8')) as Rules
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
  t.strictSame([...DOCUMENT.matchAll(/^\| `(Signet\w+)` \|/gm)].map(([, alert]) => alert).sort(), alerts.sort())
  t.strictSame([...DOCUMENT.matchAll(/^\| `([a-z]\w+)`/gm)].map(([, name]) => name), Object.keys(METRICS))
})

t.test('the manifests set what are settings, ask routes that there are, and belong together', async t => {
  const documents = documentsIn(KUBERNETES)
  t.strictSame(documents.map(({ kind }) => kind), ['ConfigMap', 'Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service'])
  const [{ data }, { spec: { template: { spec: pod } } }] = documents as [{ data: Record<string, string> }, { spec: { template: { spec: object } } }]
  t.strictSame(Object.keys(data).filter(name => !Object.hasOwn(SETTINGS, name)), [])
  t.doesNotThrow(() => readConfig({ ...data, DATABASE_URL: 'mongodb://mongodb/signet' }))
  const label = { 'app.kubernetes.io/name': 'signet' }
  t.match(documents, [{}, { spec: { selector: { matchLabels: label }, template: { metadata: { labels: label } } } }, { spec: { podSelector: { matchLabels: label } } }, { spec: { selector: { matchLabels: label } } }, { spec: { selector: label } }])
  t.match(pod, {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [{
      ports: [{ name: 'http', containerPort: Number(SETTINGS.PORT.default) }, { name: 'metrics', containerPort: Number(data['METRICS_PORT']) }],
      securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      startupProbe: { httpGet: { path: '/health/live', port: 'http' } }, livenessProbe: { httpGet: { path: '/health/live', port: 'http' } }, readinessProbe: { httpGet: { path: '/health/ready', port: 'http' } },
      volumeMounts: [{ name: 'keys', mountPath: data['KEYS_DIR'], readOnly: true }, { name: 'tmp' }],
    }],
    volumes: [{ name: 'keys', secret: { secretName: 'signet-keys', defaultMode: 0o440 } }, { name: 'tmp', emptyDir: {} }],
  })
})

t.test('systemd understands every line of the unit', { skip: spawnSync('systemd-analyze', ['--version']).status !== 0 && 'systemd-analyze is not here' }, async t => {
  const unit = join(t.testdir(), 'signet.service')
  // Where this Node is, for the program must be there.
  writeFileSync(unit, readFileSync('deploy/signet.service', 'utf8').replace('/usr/bin/node', process.execPath))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' })
  t.strictSame([status, stderr], [0, ''])
})
