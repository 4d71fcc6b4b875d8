// Windows of the limits: they count, end when they should whatever the clock is set to, and are bounded.
import t from 'tap'
import { LimitWindows } from '../../../src/http/edge/limit-windows.js'
import { testApp } from '../../test-app.js'

function open () {
  const clock = { uptime: 0 }
  const windows = new LimitWindows({}, () => clock.uptime)
  const told = (act: (tell: (error: null, state: object) => void) => void): unknown => {
    let said: unknown
    act((_error, state) => { said = state })
    return said
  }
  return {
    clock,
    windows,
    count: (key: string, of = windows) => told(tell => { of.incr(key, tell, 1000) }),
    read: (key: string) => told(tell => { windows.read(key, tell) }),
  }
}

t.test('a window counts from its first request to its end, and then another begins', async t => {
  const { clock, count, read } = open()
  t.strictSame(read('one'), { current: 0, ttl: 0 })
  t.strictSame(count('one'), { current: 1, ttl: 1000 })
  clock.uptime = 999
  t.strictSame(count('one'), { current: 2, ttl: 1 })
  t.strictSame(read('one'), { current: 2, ttl: 1 })
  t.strictSame(count('other'), { current: 1, ttl: 1000 })
  clock.uptime = 1000
  t.strictSame(read('one'), { current: 0, ttl: 0 })
  t.strictSame(count('one'), { current: 1, ttl: 1000 })
})

t.test('another limit counts for itself, by the same clock', async t => {
  const { clock, windows, count } = open()
  count('one')
  const child = windows.child()
  clock.uptime = 500
  t.strictSame(count('one', child), { current: 1, ttl: 1000 })
  t.strictSame(count('one'), { current: 2, ttl: 500 })
})

t.test('ten thousand keys are remembered, those that asked last', async t => {
  const { count, read } = open()
  count('forgotten')
  count('kept')
  for (let key = 0; key < 9_998; key++) count(String(key))
  count('kept')
  count('one more')
  t.match([read('forgotten'), read('kept')], [{ current: 0 }, { current: 2 }])
})

t.test('a clock that is set back or forward while an address is limited changes nothing for it', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '2' })
  const now = Date.now
  t.teardown(() => { Date.now = now })
  const asked: unknown[] = []
  for (const hours of [0, -1, -1, 9]) {
    Date.now = () => now() + hours * 3_600_000
    const { statusCode, headers } = await app.inject('/user-info')
    asked.push([statusCode, Number(headers['retry-after'] ?? 0) <= 60])
  }
  t.strictSame(asked, [[401, true], [401, true], [429, true], [429, true]])
})
