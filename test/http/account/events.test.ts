// GET /events and the log: a person's own events and nobody else's, and how the log tells of them.
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { toKept, eventId } from '../../../src/core/events.js'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'

interface Listed { events: Array<Record<string, unknown>>, next: string | null }

async function open (t: Parameters<typeof testApp>[0], env: Record<string, string> = {}) {
  const signet = await testApp(t, env)
  const { app, store, clock } = signet
  const get = async (token: string, query = '') => await app.inject({ url: `/events${query}`, headers: { authorization: `Bearer ${token}` } })
  /** The events when there are as many: they are kept a moment later. */
  const listed = async (token: string, count: number): Promise<Listed> => {
    for (;;) {
      const answer = (await get(token)).json<Listed>()
      if (answer.events.length >= count) return answer
      await pause(20)
    }
  }
  const add = async (userId: string, count: number) => {
    await store.insertEvents(Array.from({ length: count }, (_, index) => toKept({ kind: 'login.failed', at: clock.now + index, userId, details: { reason: 'wrong_password' }, by: 'ada' }, eventId(clock.now + index, 0, new Uint8Array(8)))))
  }
  return { ...signet, get, listed, add }
}

t.test('a person sees the own events, whole, the newest first, and nobody else\'s', async t => {
  const { register, login, post, listed, clock } = await open(t)
  const { id } = (await register()).json<{ id: string }>()
  await register('bob@example.com')
  await post('/login', { email: EMAIL, password: 'wrong' }, { 'user-agent': 'phone\u009B[2J' })
  await login('bob@example.com')
  const { access_token: token } = await login()
  const at = new Date(clock.now).toISOString()
  const { events, next } = await listed(token, 3)
  const nobody = { cause: null, token_id: null, client: null, ip: '127.0.0.1' }
  t.match(events.map(event => event['id']), [/^[\da-f-]{36}$/, /^[\da-f-]{36}$/, /^[\da-f-]{36}$/])
  const rest = events.map(({ id: _, ...event }) => event)
  t.match(rest[0], { ...nobody, at, kind: 'login.succeeded', token_id: /^[\da-f-]{36}$/, user_agent: 'lightMyRequest' })
  t.strictSame(rest.slice(1), [
    { ...nobody, at, kind: 'login.failed', user_agent: 'phone\uFFFD[2J' },
    { ...nobody, at, kind: 'registration.succeeded', user_agent: 'lightMyRequest' },
  ])
  t.equal(next, null)
  t.type(id, 'string')
})

t.test('they come twenty at a time, each once, without what operators alone are told', async t => {
  const { register, login, get, add } = await open(t)
  const { id } = (await register()).json<{ id: string }>()
  const { access_token: token } = await login()
  await add(id, 45)
  const seen: Array<Record<string, unknown>> = []
  let query = ''
  for (;;) {
    const { events, next } = (await get(token, query)).json<Listed>()
    t.ok(events.length <= 20)
    seen.push(...events)
    if (next === null) break
    query = `?before=${next}`
  }
  t.equal(new Set(seen.map(event => event['id'])).size, seen.length)
  t.ok(seen.length >= 45)
  t.notOk(seen.some(event => 'by' in event || 'details' in event))
})

t.test('nobody sees events without an access token, and no cursor is another than an id', async t => {
  const { app, register, login, get } = await open(t)
  await register()
  const { access_token: token } = await login()
  t.equal((await app.inject('/events')).statusCode, 401)
  for (const query of ['?before=', '?before=$ne', '?before[$ne]=1', '?limit=3', '?before=a&before=b']) t.equal((await get(token, query)).statusCode, 400, query)
})

t.test('an event of an application tells its name, as long as it is registered', async t => {
  const { register, login, get, store, clock } = await open(t)
  const { id: userId } = (await register()).json<{ id: string }>()
  const { access_token: token } = await login()
  const client = { id: '0c7e5f2a-6f0b-4a1d-8d53-1f6f6a3f2b90', version: 1, name: 'Reading list', redirectUris: [], grantTypes: [], authMethod: 'none', secrets: [], scopes: [], audiences: [], postLogoutRedirectUris: [], isOurs: false, requiresPkce: true, createdAt: 1 } as const
  await store.insertClient({ ...client, redirectUris: [], grantTypes: [], secrets: [], scopes: [], audiences: [], postLogoutRedirectUris: [] })
  for (const clientId of [client.id, '11111111-1111-4111-8111-111111111111']) await store.insertEvents([toKept({ kind: 'family.closed', at: clock.now + 9, userId, clientId, familyId: clientId, details: { cause: 'client_revoked' } }, eventId(clock.now + 9, Number(clientId === client.id), new Uint8Array(8)))])
  t.match((await get(token)).json<Listed>().events, [
    { kind: 'family.closed', cause: 'client_revoked', token_id: client.id, client: { id: client.id, name: 'Reading list' } },
    { client: { id: /^1/, name: null } },
  ])
})

t.test('the log tells of an event by its name, warns of what is grave, and once of an address that asks too often', async t => {
  const { register, post, lines } = await open(t, { RATE_LIMIT: 'true', RATE_LIMIT_LOGIN_MAX: '1' })
  await register()
  for (let more = 0; more < 4; more++) await post('/login', { email: EMAIL, password: 'wrong' })
  const told = lines.map(line => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'security event')
  t.match(told, [{ level: 30, kind: 'registration.succeeded', user_id: String }, { level: 30, kind: 'login.failed', ip: '127.0.0.1', details: { reason: 'wrong_password' } }, { level: 30, kind: 'limit.hit', details: { limit: 'login' } }])
  t.equal(told.length, 3)
})

t.test('where it is to, the log tells of events as OCSF, a line each and nothing else in it, and not of what its level leaves out', async t => {
  for (const [level, count] of [['info', 2], ['warn', 0], ['silent', 0]] as const) {
    const { register, post, lines } = await open(t, { EVENTS_FORMAT: 'ocsf', LOG_LEVEL: level })
    await register()
    await post('/login', { email: EMAIL, password: PASSWORD }, { 'user-agent': 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl' })
    const events = lines.map(line => JSON.parse(line) as Record<string, unknown>).filter(line => 'class_uid' in line)
    t.equal(events.length, count, level)
    if (count > 0) t.match(events, [{ class_uid: 3001, activity_name: 'Create' }, { class_uid: 3002, activity_name: 'Logon', http_request: { user_agent: '[redacted]' }, user: { uid: String } }])
    t.notOk(events.some(event => 'level' in event || 'msg' in event))
    t.ok(lines.every(line => line.endsWith('\n')))
  }
})

t.test('a log of warnings alone has the grave events as OCSF, and no others', async t => {
  const { app, lines } = await open(t, { EVENTS_FORMAT: 'ocsf', LOG_LEVEL: 'warn' })
  for (const kind of ['refresh.reused', 'login.succeeded'] as const) app.events.record({ kind, at: 1, userId: 'u' })
  t.match(lines.map(line => JSON.parse(line) as object), [{ class_uid: 3002, severity: 'High' }])
  t.equal(lines.length, 1)
})

t.test('events that are not kept are told as a fault of the server, once', async t => {
  const { app, lines } = await open(t)
  await app.close()
  for (let more = 0; more < 3; more++) app.events.record({ kind: 'limit.hit', at: Date.now() })
  t.match(lines.map(line => JSON.parse(line) as object).filter(line => 'count' in line), [{ level: 50, count: 1 }])
  t.equal(app.events.dropped, 3)
})
