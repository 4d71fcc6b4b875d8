// The status lists as a service fetches them, from a log-in to what every way to end it leaves in them.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, inflateSync } from 'node:zlib'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SqliteStore } from '../../../src/store/sqlite-store.js'
import { writeRefreshToken } from '../../../src/core/refresh-token.js'
import { EMAIL, PASSWORD, problem, testApp, type Pair } from '../../test-app.js'

const ISSUER = 'https://signet.example'
const LIST = '/status-lists/0'

async function open (t: Test, env: Record<string, string> = {}) {
  const app = await testApp(t, { ISSUER, ...env })
  await until(async () => (await app.app.inject(LIST)).statusCode !== 503)
  return app
}

async function until (holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !await holds(); tries++) {
    if (tries === 1_000) throw new Error('it did not come to hold')
    await pause(20)
  }
}

function statusOf ({ access_token: token }: Pair): { idx: number, uri: string } | undefined {
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { status?: { status_list: { idx: number, uri: string } } }
  return claims.status?.status_list
}

function isSet (jwt: string, { idx }: { idx: number }): boolean {
  const { status_list: { lst } } = JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString()) as { status_list: { lst: string } }
  return (inflateSync(Buffer.from(lst, 'base64url'))[idx >> 3]! >> (idx & 7) & 1) === 1
}

t.test('a list is served to anybody, for as long as it may be kept, whole or compressed', async t => {
  const { app } = await open(t, { STATUS_LIST_TTL: '7' })
  const plain = await app.inject({ url: LIST, headers: { origin: 'https://elsewhere.example' } })
  t.equal(plain.statusCode, 200)
  t.match(plain.headers, { 'content-type': 'application/statuslist+jwt', 'cache-control': 'public, max-age=7', 'access-control-allow-origin': '*', vary: 'Accept-Encoding', etag: /^"[\w-]{43}"$/ })
  t.match(plain.body, /^[\w-]+\.[\w-]+\.[\w-]+$/)
  const zipped = await app.inject({ url: LIST, headers: { 'accept-encoding': 'br, gzip' } })
  t.match(zipped.headers, { 'content-encoding': 'gzip', etag: plain.headers.etag!.replace(/"$/, '-gzip"') })
  t.equal(gunzipSync(zipped.rawPayload).toString(), plain.body)
  const again = await app.inject({ url: LIST, headers: { 'if-none-match': plain.headers.etag! } })
  t.strictSame([again.statusCode, again.body, again.headers['cache-control']], [304, '', 'public, max-age=7'])
  const head = await app.inject({ method: 'HEAD', url: LIST })
  t.strictSame([head.statusCode, head.body, head.headers['content-length']], [200, '', plain.headers['content-length']])
})

t.test('all lists are named, and there is nothing at another address, or of another time', async t => {
  const { app } = await open(t)
  const all = await app.inject('/status-lists')
  t.strictSame([all.statusCode, all.json(), all.headers['access-control-allow-origin']], [200, { status_lists: [`${ISSUER}${LIST}`] }, '*'])
  for (const other of ['1', '00', '0x0', '-1', '1e0', '9'.repeat(30), '%30', '0%20']) {
    const answer = await app.inject(`/status-lists/${other}`)
    if (other === '%30') t.equal(answer.statusCode, 200, 'which is 0, escaped')
    else t.match(answer.json(), problem(404, 'Not Found', 'not_found', 'There is nothing at this address.'), other)
  }
  for (const query of ['time=1686925000', 'time', 'x=1&time=']) {
    t.match((await app.inject(`${LIST}?${query}`)).json(), problem(501, 'Not Implemented', 'not_supported', 'A status list is served as it is now, and not as it was at another time.'), query)
  }
  t.equal((await app.inject(`${LIST}?x=1`)).statusCode, 200)
  t.equal((await app.inject({ method: 'POST', url: LIST })).statusCode, 405)
})

t.test('all tokens of a log-in name one index of their own, and a closing by any way is in the list', async t => {
  const { app, clock, post, call, register, login: logIn } = await open(t, { MAX_ACTIVE_TOKENS: '3', REFRESH_GRACE: '0' })
  await register()
  const login = async () => {
    clock.now++
    return await logIn()
  }
  const list = async () => (await app.inject(LIST)).body
  const refresh = async ({ refresh_token: token }: Pair) => await post('/refresh', { refresh_token: token })
  const ways: Record<string, (pair: Pair, other: Pair) => Promise<unknown>> = {
    'log-out': async pair => await call('POST', '/logout', pair.access_token),
    'closing one': async ({ access_token: token }, other) => {
      const { tokens } = (await call('GET', '/tokens', token)).json<{ tokens: Array<{ id: string, current: boolean }> }>()
      return await call('DELETE', `/tokens/${tokens.find(({ current }) => current)!.id}`, other.access_token)
    },
    'revoking all': async pair => await call('POST', '/revoke-all-tokens', pair.access_token),
    'one log-in more': async () => { for (let n = 0; n < 2; n++) await login() },
    reuse: async pair => {
      await refresh(pair)
      await refresh(pair)
    },
    'a password change': async pair => await post('/change-password', { current_password: PASSWORD, new_password: 'another harbour, far away' }, { authorization: `Bearer ${pair.access_token}` }),
  }
  const indices = new Set<number>()
  for (const [way, close] of Object.entries(ways)) {
    const pair = await login()
    const status = statusOf(pair)!
    t.strictSame(status, { idx: status.idx, uri: `${ISSUER}${LIST}` })
    t.notOk(indices.has(status.idx), 'nobody else\'s')
    indices.add(status.idx)
    const next = way === 'reuse' ? pair : (await refresh(pair)).json<Pair>()
    t.strictSame(statusOf(next), status)
    const other = await login()
    await close(next, other)
    await until(async () => isSet(await list(), status))
    t.ok(way, `${way} is in the list`)
    if (way === 'one log-in more') t.notOk(isSet(await list(), statusOf(other)!), 'and what lives is not')
  }
})

t.test('with STATUS_LIST=false there is no list, and no token names one', async t => {
  const { app, register, login } = await testApp(t, { STATUS_LIST: 'off' })
  await register()
  t.equal(statusOf(await login()), undefined)
  for (const url of [LIST, '/status-lists']) t.equal((await app.inject(url)).statusCode, 404)
})

t.test('what was opened before there were lists has its index from its next refresh on', async t => {
  const { app, store, keyRing, clock, post, register } = await open(t)
  await register()
  const user = (await store.findUserByEmail(EMAIL))!
  const family = { id: randomUUID(), generation: 0, createdAt: clock.now, advancedAt: clock.now, ip: '::1', userAgent: null }
  const closing = { at: clock.now, countsAfter: 0 }
  await store.openFamily({ userId: user.id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, roles: [], family, live: { createdAfter: 0, advancedAfter: 0 }, limit: 10, policy: 'evict', closing })
  const first = { userId: user.id, familyId: family.id, generation: 0 }
  const next = (await post('/refresh', { refresh_token: writeRefreshToken(first, keyRing.refreshSecret) })).json<Pair>()
  const status = statusOf(next)!
  const refreshed = await Promise.all(Array.from({ length: 8 }, async () => (await post('/refresh', { refresh_token: next.refresh_token })).json<Pair>()))
  t.strictSame(refreshed.map(statusOf), refreshed.map(() => status))
  await app.inject({ method: 'POST', url: '/logout', headers: { authorization: `Bearer ${next.access_token}` } })
  await until(async () => isSet((await app.inject(LIST)).body, status))
})

t.test('what is closed while it gets its index is closed', async t => {
  const { store, keyRing, clock, post, register } = await open(t)
  await register()
  const user = (await store.findUserByEmail(EMAIL))!
  const family = { id: randomUUID(), generation: 0, createdAt: clock.now, advancedAt: clock.now, ip: '::1', userAgent: null }
  const closing = { at: clock.now, countsAfter: 0 }
  await store.openFamily({ userId: user.id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, roles: [], family, live: { createdAfter: 0, advancedAfter: 0 }, limit: 10, policy: 'evict', closing })
  const number = store.numberFamily.bind(store)
  store.numberFamily = async (userId, familyId, serial) => {
    await store.closeFamily({ userId, familyId, closing })
    return await number(userId, familyId, serial)
  }
  const answer = await post('/refresh', { refresh_token: writeRefreshToken({ userId: user.id, familyId: family.id, generation: 0 }, keyRing.refreshSecret) })
  t.match(answer.json(), { code: 'invalid_grant' })
})

t.test('before the store was ever looked at nothing is said of lists', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-lists-'))
  const store = new SqliteStore(join(folder, 'signet.db'))
  const { statusLists } = store
  t.teardown(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  store.statusLists = async () => { throw new Error('away') }
  const { app } = await testApp(t, { ISSUER }, { store })
  for (const url of [LIST, '/status-lists']) {
    const answer = await app.inject(url)
    t.match([answer.json(), answer.headers['retry-after']], [problem(503, 'Service Unavailable', 'unavailable', 'Signet cannot reach what it needs; try again in a moment.'), '1'], url)
  }
  store.statusLists = statusLists
  await until(async () => (await app.inject(LIST)).statusCode === 200)
})

t.test('a list that cannot be vouched for is 503, and the log says why', async t => {
  const { app, store, clock, lines } = await open(t)
  const { listClosings } = store
  store.listClosings = async () => { throw new Error('away') }
  await until(async () => lines.some(line => line.includes('the status lists cannot be brought up to date')))
  t.equal((await app.inject(LIST)).statusCode, 200)
  clock.now += 301_000
  const answer = await app.inject(LIST)
  t.match([answer.json(), answer.headers['retry-after']], [problem(503, 'Service Unavailable', 'unavailable', 'Signet cannot reach what it needs; try again in a moment.'), '1'])
  store.listClosings = listClosings
  await until(async () => (await app.inject(LIST)).statusCode === 200)
  t.ok(lines.some(line => line.includes('the status lists are up to date again')))
})

t.test('who closed a thousand log-ins is told when the next may be opened', async t => {
  const { app, store, post, register, login, clock } = await open(t)
  await register()
  const { passwordHash } = (await store.findUserByEmail(EMAIL))!
  const closed = Array.from({ length: 999 }, (_, serial) => ({ id: randomUUID(), serial: 5_000 + serial, at: clock.now }))
  const email = 'busy@example.com'
  await store.insertUser({ id: randomUUID(), email, name: null, passwordHash, createdAt: clock.now, families: [], roles: [], closed })
  const [pair, other] = [await login(email), await login(email)]
  await app.inject({ method: 'POST', url: '/logout', headers: { authorization: `Bearer ${other.access_token}` } })
  const refused = [
    await post('/login', { email, password: PASSWORD }),
    await post('/change-password', { current_password: PASSWORD, new_password: 'another harbour, far away' }, { authorization: `Bearer ${pair.access_token}` }),
  ]
  for (const answer of refused) t.match([answer.json(), answer.headers['retry-after']], [problem(429, 'Too Many Requests', 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.'), '900'])
  t.equal((await post('/refresh', { refresh_token: pair.refresh_token })).statusCode, 200, 'who is logged in stays so')
  clock.now += 900_000
  t.equal((await post('/login', { email, password: PASSWORD })).statusCode, 200)
})
