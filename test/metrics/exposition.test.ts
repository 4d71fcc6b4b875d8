// The text format of Prometheus, to the letter.
import t from 'tap'
import { EXPOSITION_TYPE, writeExposition } from '../../src/metrics/exposition.js'
import { SEPARATOR } from '../../src/metrics/tally.js'

t.test('counters and gauges have a line a series, histograms a line a bucket, each more than those before', async t => {
  t.equal(writeExposition({
    signet_workers: { '': [2] },
    signet_logins_total: { succeeded: [1.5], failed: [0] },
    signet_hash_wait_seconds: { '': [61.25, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1] },
  }), `# HELP signet_logins_total Log-ins by a password.
# TYPE signet_logins_total counter
signet_logins_total{outcome="succeeded"} 1.5
signet_logins_total{outcome="failed"} 0
# HELP signet_hash_wait_seconds How long a password waited for a thread.
# TYPE signet_hash_wait_seconds histogram
signet_hash_wait_seconds_bucket{le="0.01"} 2
signet_hash_wait_seconds_bucket{le="0.05"} 2
signet_hash_wait_seconds_bucket{le="0.1"} 3
signet_hash_wait_seconds_bucket{le="0.25"} 3
signet_hash_wait_seconds_bucket{le="0.5"} 3
signet_hash_wait_seconds_bucket{le="1.0"} 3
signet_hash_wait_seconds_bucket{le="2.5"} 3
signet_hash_wait_seconds_bucket{le="5.0"} 3
signet_hash_wait_seconds_bucket{le="10.0"} 3
signet_hash_wait_seconds_bucket{le="30.0"} 3
signet_hash_wait_seconds_bucket{le="+Inf"} 4
signet_hash_wait_seconds_sum 61.25
signet_hash_wait_seconds_count 4
# HELP signet_workers Processes that serve.
# TYPE signet_workers gauge
signet_workers 2
`)
  t.equal(EXPOSITION_TYPE, 'text/plain; version=0.0.4; charset=utf-8')
})

t.test('whatever a value holds, it ends no label and no line', async t => {
  t.match(writeExposition({ signet_key_age_seconds: { [['a\\b', 'c"d\ne'].join(SEPARATOR)]: [1] } }), '\nsignet_key_age_seconds{kind="a\\\\b",state="c\\"d\\ne"} 1\n')
})

t.test('a histogram with labels has them before the bound', async t => {
  const text = writeExposition({ http_server_request_duration_seconds: { [['GET', '/', '200'].join(SEPARATOR)]: [1, ...Array<number>(15).fill(1)] } })
  t.match(text, '\nhttp_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/",http_response_status_code="200",le="0.005"} 1\n')
  t.match(text, '\nhttp_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/",http_response_status_code="200",le="+Inf"} 15\n')
  t.match(text, '\nhttp_server_request_duration_seconds_count{http_request_method="GET",http_route="/",http_response_status_code="200"} 15\n')
})
