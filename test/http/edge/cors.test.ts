// Which origins may read an answer.
import t from 'tap'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'
import { post, register } from '../client.js'

const [APP, OTHER] = ['https://app.example', 'http://localhost:5173']
const corsOf = (headers: Record<string, unknown>) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-') || name === 'vary'))
const preflight = (origin: string) => ({ origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' })

t.test('without CORS_ORIGINS no origin may read anything but the keys', async t => {
  const { app } = await testApp(t)
  t.strictSame(corsOf((await post(app, '/login', {}, { origin: APP })).headers), {})
  t.strictSame(corsOf((await app.inject({ url: '/nothing', headers: { origin: APP } })).headers), {})
  t.equal((await app.inject({ method: 'OPTIONS', url: '/login', headers: preflight(APP) })).statusCode, 405)
  t.strictSame(corsOf((await app.inject({ url: '/.well-known/jwks.json', headers: { origin: APP } })).headers), { 'access-control-allow-origin': '*' })
})

t.test('listed origins may ask with the cookie and read the answer and how long to wait, failures included', async t => {
  const { app } = await testApp(t, { CORS_ORIGINS: `${APP}, ${OTHER}` })
  await register(app)
  const may = (origin: string) => ({ vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'retry-after, www-authenticate' })
  for (const origin of [APP, OTHER]) {
    t.strictSame(corsOf((await post(app, '/login', { email: EMAIL, password: PASSWORD }, { origin })).headers), may(origin))
    for (const body of [{ email: EMAIL, password: 'wrong' }, {}]) t.strictSame(corsOf((await post(app, '/login', body, { origin })).headers), may(origin))
    for (const [method, url] of [['GET', '/nothing'], ['PUT', '/login'], ['GET', '/login']] as const) t.strictSame(corsOf((await app.inject({ method, url, headers: { origin } })).headers), may(origin), `${method} ${url}`)
    const asked = await app.inject({ method: 'OPTIONS', url: '/tokens/x', headers: preflight(origin) })
    t.equal(asked.statusCode, 204)
    t.strictSame(corsOf(asked.headers), { ...may(origin), 'access-control-allow-methods': 'GET, POST, PATCH, DELETE', 'access-control-allow-headers': 'authorization, content-type, traceparent, tracestate, baggage, sentry-trace', 'access-control-max-age': '600' })
  }
})

t.test('no other origin is reflected, and `*` never goes with credentials', async t => {
  const { app } = await testApp(t, { CORS_ORIGINS: APP })
  for (const origin of ['https://evil.example', `${APP}.evil.example`, 'http://app.example', 'https://app.example:8443', 'null', '*', OTHER]) {
    for (const url of ['/nothing', '/health/nothing']) t.strictSame(corsOf((await app.inject({ url, headers: { origin } })).headers), { vary: 'Origin' }, url)
    for (const answer of [await post(app, '/login', {}, { origin }), await app.inject({ method: 'OPTIONS', url: '/login', headers: preflight(origin) })]) t.equal(answer.headers['access-control-allow-origin'], undefined, origin)
  }
  t.strictSame(corsOf((await app.inject('/nothing')).headers), { vary: 'Origin' }, 'who is no page is told nothing')
  t.strictSame(corsOf((await app.inject({ url: '/.well-known/jwks.json', headers: { origin: APP } })).headers), { 'access-control-allow-origin': '*' })
})
