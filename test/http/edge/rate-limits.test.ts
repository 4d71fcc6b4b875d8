// How often an address or an account may ask, and who counts as one.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { SqliteStore } from '../../../src/store/sqlite-store.js'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'
import { bearer, login, post, problem, problemOf, register } from '../client.js'

const REFUSED = problem(429, 'Too Many Requests', 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.')
const ON = { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '2' }

t.test('an address that asks too often is told when to come back, at unknown routes too', async t => {
  for (const url of ['/user-info', '/nowhere']) {
    const { app } = await testApp(t, ON)
    for (let n = 0; n < 2; n++) t.not((await app.inject(url)).statusCode, 429)
    const answer = await app.inject(url)
    t.strictSame(problemOf(answer), REFUSED)
    t.match(answer.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
  }
})

t.test('log-ins and registrations have tighter limits', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_LOGIN_MAX: '1', RATE_LIMIT_REGISTER_MAX: '1' })
  for (const url of ['/login', '/register']) {
    t.equal((await post(app, url, {})).statusCode, 400)
    t.strictSame(problemOf(await post(app, url, {})), REFUSED)
  }
})

t.test('one counter holds an address over all routes, HEAD and unknown ones too, beside the tighter ones', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '5', RATE_LIMIT_LOGIN_MAX: '2', RATE_LIMIT_REGISTER_MAX: '1' })
  const statuses = [await post(app, '/login', {}), await post(app, '/register', {}), await app.inject({ method: 'HEAD', url: '/tokens' }), await app.inject('/user-info'), await app.inject('/nowhere')].map(answer => answer.statusCode)
  t.strictSame(statuses, [400, 400, 401, 401, 404])
  for (const [method, url] of [['GET', '/tokens'], ['HEAD', '/user-info'], ['POST', '/refresh'], ['POST', '/login'], ['GET', '/nowhere']] as const) t.equal((await app.inject({ method, url })).statusCode, 429, `${method} ${url}`)
  t.strictSame(problemOf(await post(app, '/login', {})), REFUSED)
})

t.test('a refusal is logged once a window and limit, however often it is asked for', async t => {
  const { app, lines } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '40', RATE_LIMIT_LOGIN_MAX: '20', RATE_LIMIT_ACCOUNT_MAX: '2' })
  for (let n = 0; n < 30; n++) await post(app, '/login', { email: EMAIL, password: 'wrong' })
  for (let n = 0; n < 30; n++) await app.inject('/user-info')
  const refused = lines.map(line => JSON.parse(line) as { code?: string, path?: string }).filter(({ code }) => code === 'rate_limited')
  t.strictSame(refused.map(({ path }) => path), ['/login', '/login', '/user-info'], 'the account\'s, the log-in\'s, the address\'s')
})

t.test('an account is limited by its failures, however it is spelled; a success costs nothing', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_ACCOUNT_MAX: '2' })
  await register(app)
  for (let n = 0; n < 4; n++) await login(app)
  t.equal((await post(app, '/login', { email: EMAIL, password: 'wrong' })).statusCode, 401)
  t.equal((await post(app, '/login', { email: ' ADA@Example.com', password: 'wrong' })).statusCode, 401)
  const answer = await post(app, '/login', { email: 'Ada@example.com', password: PASSWORD })
  t.strictSame(problemOf(answer), REFUSED)
  t.ok(Number(answer.headers['retry-after']) > 0)
  t.equal((await post(app, '/login', { email: 'bob@example.org', password: 'wrong' })).statusCode, 401)
  t.equal((await post(app, '/login', { email: 'no address', password: 'wrong' })).statusCode, 400)
})

t.test('strangers cannot keep an owner out who comes from where the account is used, or with its cookie', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_ACCOUNT_TOTAL: '3', TRUST_PROXY: '127.0.0.1' })
  await register(app)
  const from = (ip: string, headers: object = {}) => ({ 'x-forwarded-for': ip, 'sec-fetch-site': 'same-origin', ...headers })
  const send = async (headers: Record<string, string>, password = PASSWORD) => await post(app, '/login', { email: EMAIL, password, refresh_token_in: 'cookie' }, headers)
  const home = await send(from('192.0.2.1'))
  const cookie = String(home.headers['set-cookie']).split(';')[0]!
  for (let n = 0; n < 3; n++) t.equal((await send(from(`198.51.100.${n}`), 'wrong')).statusCode, 401)
  t.strictSame(problemOf(await send(from('203.0.113.1'))), REFUSED)
  t.equal((await send(from('192.0.2.1'))).statusCode, 200)
  t.equal((await send(from('203.0.113.1', { cookie }))).statusCode, 200)
})

t.test('whoever floods their own network keeps out nobody there who logged in before, with a cookie or without', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '12', RATE_LIMIT_LOGIN_MAX: '4', RATE_LIMIT_ACCOUNT_TOTAL: '2', RATE_LIMIT_ACCOUNT_MAX: '2' })
  for (const email of [EMAIL, 'eve@example.com']) await register(app, email)
  const [owner, eve] = [await login(app), await login(app, 'eve@example.com')]
  const send = async (password: string, body: object = {}, headers: Record<string, string> = {}) => await post(app, '/login', { email: EMAIL, password, ...body }, headers)
  const inCookie = { host: '127.0.0.1:3000', 'sec-fetch-site': 'same-origin', cookie: `__Host-signet-device=${owner.device_token}` }
  for (let n = 0; n < 20; n++) await send('wrong')
  for (const answer of [await send(PASSWORD), await send(PASSWORD, { device_token: 'damaged' }), await send(PASSWORD, { device_token: 1 })]) t.strictSame(problemOf(answer), REFUSED)
  t.strictSame(problemOf(await post(app, '/login')), REFUSED, 'no body')
  for (const answer of [await send(PASSWORD, { device_token: owner.device_token }), await send(PASSWORD, {}, inCookie)]) t.strictSame([answer.statusCode, answer.headers['retry-after']], [200, undefined])
  t.strictSame(problemOf(await send('wrong', { device_token: eve.device_token })), REFUSED, 'with the token of another account')
  t.strictSame(problemOf(await post(app, '/login', { email: 'nobody@example.com', password: PASSWORD, device_token: owner.device_token })), REFUSED, 'an address that is no account\'s')
  t.strictSame(problemOf(await app.inject('/user-info')), REFUSED, 'nor is anything else let through')
  for (let n = 0; n < 2; n++) t.equal((await send('wrong', { device_token: owner.device_token })).statusCode, 401)
  t.strictSame(problemOf(await send(PASSWORD, { device_token: owner.device_token })), REFUSED, 'no more than the limit of an address for each account')
  t.equal((await post(app, '/login', { email: 'eve@example.com', password: PASSWORD, device_token: eve.device_token })).statusCode, 200)
})

t.test('beyond the limit of an address a device has its own guesses, and not those of its network', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_LOGIN_MAX: '3', RATE_LIMIT_ACCOUNT_MAX: '2' })
  await register(app)
  const { device_token: token } = await login(app)
  const send = async (password: string) => (await post(app, '/login', { email: EMAIL, password, device_token: token })).statusCode
  t.strictSame([await send('wrong'), await send('wrong')], [401, 401], 'within the limit')
  t.strictSame([await send(PASSWORD), await send(PASSWORD)], [429, 429])
})

t.test('two servers on one store count as one', async t => {
  const env = { RATE_LIMIT: 'on', RATE_LIMIT_LOGIN_MAX: '1000', RATE_LIMIT_ACCOUNT_TOTAL: '6', RATE_LIMIT_ACCOUNT_MAX: '3', TRUST_PROXY: '127.0.0.1' }
  const folder = mkdtempSync(join(tmpdir(), 'signet-'))
  const [store, other] = [new SqliteStore(join(folder, 'signet.db')), new SqliteStore(join(folder, 'signet.db'))]
  t.teardown(async () => {
    for (const each of [store, other]) await each.close()
    rmSync(folder, { recursive: true })
  })
  const first = await testApp(t, env, { store })
  const { app: second } = await testApp(t, env, { store: other, keyRing: first.keyRing })
  const id = await register(first.app)
  const { device_token: token } = await login(first.app)
  const send = async (n: number, password: string, body: object = {}) => (await post(n % 2 ? first.app : second, '/login', { email: EMAIL, password, ...body }, { 'x-forwarded-for': `198.51.100.${n}` })).statusCode
  const failed = async () => (await store.findUser(id))!.failed
  t.strictSame([await send(1, 'wrong'), (await failed())!.stranger], [401, 1])
  const statuses = await Promise.all(Array.from({ length: 40 }, async (_, n) => await send(n, 'wrong')))
  t.strictSame([statuses.filter(status => status === 401).length, (await failed())!.stranger], [5, 6])
  t.strictSame([await send(50, PASSWORD), await send(51, PASSWORD)], [429, 429])
  t.strictSame([await send(50, PASSWORD, { device_token: token }), await send(51, PASSWORD, { device_token: token })], [200, 200])
  t.equal(await send(50, 'wrong', { device_token: token }), 401)
  const stolen = await Promise.all(Array.from({ length: 40 }, async (_, n) => await send(n, 'wrong', { device_token: token })))
  t.strictSame([stolen.filter(status => status === 401).length, Object.values((await failed())!.devices!)], [2, [3]])
  t.strictSame([await send(52, PASSWORD, { device_token: token }), await send(53, PASSWORD, { device_token: token })], [429, 429])
})

t.test('a log-in that is refused for want of a place among the devices counts no wrong password', async t => {
  const { app, store } = await testApp(t, { RATE_LIMIT: 'on', ACTIVE_TOKENS_POLICY: 'refuse', MAX_ACTIVE_TOKENS: '1' })
  const id = await register(app)
  await login(app)
  for (let n = 0; n < 3; n++) t.equal((await post(app, '/login', { email: EMAIL, password: PASSWORD })).statusCode, 409)
  t.equal((await store.findUser(id))!.failed, undefined)
})

t.test('whoever guesses the current password is logged out by the tenth wrong one', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on' })
  await register(app)
  const [thief, owner] = [await login(app), await login(app)]
  const change = async (current: string) => (await post(app, '/change-password', { current_password: current, new_password: 'another harbour' }, bearer(thief))).statusCode
  for (let n = 0; n < 10; n++) t.equal(await change('wrong'), 403)
  t.equal(await change(PASSWORD), 401)
  t.equal((await post(app, '/refresh', { refresh_token: thief.refresh_token })).statusCode, 401)
  t.equal((await app.inject({ url: '/user-info', headers: bearer(owner) })).statusCode, 200)
})

/** Sends requests over a connection of its own and closes it with none of the answers read; resolves when the server has seen the end. */
async function sendAndGo (app: FastifyInstance, requests: string, localAddress = '127.0.0.1'): Promise<void> {
  const { port } = app.server.address() as AddressInfo
  const seen = once(app.server, 'connection') as Promise<[Socket]>
  const client = connect({ port, host: '127.0.0.1', localAddress })
  const [server] = await seen
  const ended = once(server, 'close')
  client.write(requests, () => { client.destroy() })
  await ended
}

function loginRequest (email: string, password: string): string {
  const body = JSON.stringify({ email, password })
  return `POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

const LOOPBACK = { RATE_LIMIT: 'on', LOG_LEVEL: 'fatal', BCRYPT_COST: '8' }

t.test('a connection that pipelines guesses and goes away keeps nobody out', async t => {
  const { app, clock } = await testApp(t, LOOPBACK)
  await register(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  await sendAndGo(app, loginRequest('nobody@example.org', 'wrong') + loginRequest(EMAIL, 'wrong').repeat(10), '127.0.0.2')
  t.ok(await login(app))
  clock.now += 900_000
  t.equal((await app.inject({ method: 'POST', url: '/login', payload: { email: EMAIL, password: PASSWORD }, remoteAddress: '127.0.0.2' })).statusCode, 200, 'nor the address itself, beyond its window')
})

t.test('a client that goes away before its answer is counted all the same', async t => {
  const { app, store } = await testApp(t, LOOPBACK)
  const id = await register(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  for (let n = 0; n < 15; n++) await sendAndGo(app, loginRequest(EMAIL, 'wrong'))
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD })), REFUSED)
  while ((await store.findUser(id))?.failed?.stranger !== 10) await pause(10)
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD })), REFUSED)
})

t.test('the client\'s address is the proxy\'s word only where TRUST_PROXY names the proxy', async t => {
  const third = async (trust: string, forwarded: string[]) => {
    const { app } = await testApp(t, { ...ON, ...(trust && { TRUST_PROXY: trust }) })
    const statuses: number[] = []
    for (const address of forwarded) statuses.push((await app.inject({ url: '/user-info', headers: { 'x-forwarded-for': address } })).statusCode)
    return statuses.at(-1)
  }
  const different = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
  t.equal(await third('', different), 429)
  t.equal(await third('127.0.0.1', different), 401)
  t.equal(await third('127.0.0.1, 10.0.0.0/8', different), 401)
  t.equal(await third('1', different), 401)
  t.equal(await third('1', different.map(address => `${address}, 198.51.100.1`)), 429, 'one hop: the last one named')
  t.equal(await third('127.0.0.1', ['2001:db8::1', '2001:db8::2', '2001:db8::3']), 429, 'one /64')
  t.equal(await third('127.0.0.1', ['2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:0:3::1']), 401)
})

t.test('the JWKS and health are never limited', async t => {
  const { app } = await testApp(t, ON)
  for (let n = 0; n < 20; n++) for (const url of ['/.well-known/jwks.json', '/health/live', '/health/ready']) t.equal((await app.inject(url)).statusCode, 200)
})
