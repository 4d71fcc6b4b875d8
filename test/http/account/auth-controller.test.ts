// Every route's answer and every refusal, through the whole application.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Client } from '../../../src/core/client.js'
import { newFamily } from '../../../src/core/families.js'
import { writeLinkToken } from '../../../src/core/link-token.js'
import { EMAIL, PASSWORD, testApp, type Pair } from '../../test-app.js'
import { bearer, claimsOf, familyOf, login, post, problem, problemOf, register, UUID } from '../client.js'

const BAD_GRANT = problem(401, 'Unauthorized', 'invalid_grant', 'No refresh token came that is still good; log in again.')
const BAD_CREDENTIALS = problem(401, 'Unauthorized', 'invalid_credentials', 'The e-mail address or the password is wrong.')
const INPUT = 'The request is not of the form that this route takes.'

t.test('a registration answers the user, normalised', async t => {
  const { app, clock } = await testApp(t)
  const answer = await post(app, '/register', { email: '  Ada@Example.COM ', password: PASSWORD, name: ' Ann ' })
  t.equal(answer.statusCode, 201)
  t.equal(answer.headers['cache-control'], 'no-store')
  const { id, ...rest } = answer.json<{ id: string }>()
  t.match(id, UUID)
  t.strictSame(rest, { email: EMAIL, name: 'Ann', roles: [], email_verified: false, created_at: new Date(clock.now).toISOString() })
  t.strictSame(problemOf(await post(app, '/register', { email: EMAIL, password: PASSWORD })), problem(409, 'Conflict', 'email_taken', 'An account with this e-mail address exists already; log in instead.'))
  for (const name of [null, undefined]) t.equal((await post(app, '/register', { email: `${name}@example.org`, password: PASSWORD, name })).json<{ name: null }>().name, null)
})

t.test('a weak password is refused with its reason', async t => {
  const { app } = await testApp(t)
  const cases = [['short', 'A password has at least 8 characters.'], ['password', 'This password is one of the most common ones; choose another.'], [' '.repeat(8), 'A password must not be one character over and over.'], [EMAIL, 'A password must differ from the e-mail address.']] as const
  for (const [password, detail] of cases) {
    t.strictSame(problemOf(await post(app, '/register', { email: EMAIL, password })), problem(400, 'Bad Request', 'weak_password', detail, [{ field: 'password', detail }]))
  }
})

t.test('input that a route cannot take is refused naming each member', async t => {
  const { app } = await testApp(t)
  const cases: Array<[string, object, object[]]> = [
    ['/register', {}, [{ field: 'email', detail: 'It is missing.' }, { field: 'password', detail: 'It is missing.' }]],
    ['/register', { email: 1, password: true, admin: 1 }, [{ field: 'admin', detail: 'This route knows no such member.' }, { field: 'email', detail: 'It must be a string.' }, { field: 'password', detail: 'It must be a string.' }]],
    ['/register', { email: 'nobody', password: PASSWORD }, [{ field: 'email', detail: 'It must be an e-mail address of at most 254 characters.' }]],
    ['/register', { email: EMAIL, password: PASSWORD, name: '\u200B' }, [{ field: 'name', detail: 'It must have a visible character, at most 100 in all, and none that breaks the line or changes the direction of the text.' }]],
    ['/register', { email: 'nobody', password: 'password', name: ' ' }, [{ field: 'email', detail: 'It must be an e-mail address of at most 254 characters.' }, { field: 'name', detail: 'It must have a visible character, at most 100 in all, and none that breaks the line or changes the direction of the text.' }, { field: 'password', detail: 'This password is one of the most common ones; choose another.' }]],
    ['/register', { email: 'nobody', password: 'half \ud800 pair' }, [{ field: 'email', detail: 'It must be an e-mail address of at most 254 characters.' }, { field: 'password', detail: 'It must be text, without halves of characters.' }]],
    ['/login', { email: 'nobody', password: PASSWORD }, [{ field: 'email', detail: 'It must be an e-mail address of at most 254 characters.' }]],
    ...['/register', '/login'].map(url => [url, { email: EMAIL, password: 'half \ud800 pair' }, [{ field: 'password', detail: 'It must be text, without halves of characters.' }]] as [string, object, object[]]),
    ['/login', { email: EMAIL }, [{ field: 'password', detail: 'It is missing.' }]],
    ['/register', { email: EMAIL, password: PASSWORD, name: 7 }, [{ field: 'name', detail: 'It must be a string or null.' }]],
    ['/refresh', { refresh_token: 7 }, [{ field: 'refresh_token', detail: 'It must be a string.' }]],
    ['/refresh', [], [{ field: 'body', detail: 'It must be a JSON object.' }]],
    ['/register', { email: `${'e\u0301'.repeat(125)}@example.com`, password: '🦊'.repeat(257), name: '🦊'.repeat(101) }, [{ field: 'email', detail: 'It has more than 254 characters.' }, { field: 'password', detail: 'It has more than 256 characters.' }, { field: 'name', detail: 'It has more than 100 characters.' }]],
    ['/login', { email: EMAIL, password: 'x'.repeat(257) }, [{ field: 'password', detail: 'It has more than 256 characters.' }]],
    ['/change-password', { current_password: 'x'.repeat(257), new_password: 'x'.repeat(257) }, ['current_password', 'new_password'].map(field => ({ field, detail: 'It has more than 256 characters.' }))],
    ['/reset-password', {}, [{ field: 'token', detail: 'It is missing.' }, { field: 'new_password', detail: 'It is missing.' }]],
    ['/change-password', {}, [{ field: 'current_password', detail: 'It is missing.' }, { field: 'new_password', detail: 'It is missing.' }]],
  ]
  const byField = (errors: object[]) => errors.map(error => JSON.stringify(error)).sort()
  for (const [url, body, errors] of cases) {
    const { errors: found, ...rest } = problemOf(await post(app, url, body))
    t.strictSame(rest, problem(400, 'Bad Request', 'invalid_request', INPUT))
    t.strictSame(byField(found as object[]), byField(errors), `${url} ${JSON.stringify(body)}`)
  }
})

t.test('a log-in answers a pair, and the caller is who logged in', async t => {
  const { app, clock } = await testApp(t)
  const id = await register(app)
  const answer = await post(app, '/login', { email: 'ADA@example.com', password: PASSWORD }, { 'user-agent': 'x'.repeat(300) })
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  const { access_token: access, refresh_token: refresh, device_token: device, ...rest } = answer.json<{ access_token: string, refresh_token: string, device_token: string }>()
  t.match(access, /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
  t.match(refresh, /^A[\w-]{102}$/)
  t.match(device, /^A[\w-]{103}$/)
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 600, refresh_token_expires_in: 14 * 86_400 })
  const created = new Date(clock.now).toISOString()
  t.strictSame((await app.inject({ url: '/user-info', headers: bearer(access) })).json(), { id, email: EMAIL, name: null, roles: [], email_verified: false, created_at: created })
  const list = await app.inject({ url: '/tokens', headers: bearer(access) })
  t.strictSame(list.json(), { tokens: [{ id: familyOf(answer.json()), current: true, created_at: created, last_used_at: created, expires_at: new Date(clock.now + 14 * 86_400_000).toISOString(), user_agent: 'x'.repeat(200), ip: '127.0.0.1', client: null }] })
})

t.test('an application that the user let in is listed with its name and what it may do, and is closed as a device is', async t => {
  const { app, clock, store } = await testApp(t)
  const id = await register(app)
  const [mine, { passwordHash }] = [await login(app), (await store.findUser(id))!]
  const client: Client = {
    id: randomUUID(), version: 1, name: 'Reading list', redirectUris: ['https://client.example/callback'], grantTypes: ['authorization_code'], authMethod: 'none', secrets: [],
    scopes: [], audiences: [], postLogoutRedirectUris: [], isOurs: false, requiresPkce: true, createdAt: clock.now,
  }
  await store.insertClient(client)
  const gone = randomUUID()
  for (const clientId of [client.id, gone]) {
    clock.now += 1000
    const family = { ...newFamily(randomUUID(), { ip: '192.0.2.7', userAgent: 'browser' }, clock.now), grant: { clientId, scope: 'openid email', audience: ['https://id.example'], authenticatedAt: clock.now } }
    t.equal(await store.openFamily({ userId: id, verifiedHash: passwordHash, passwordHash, roles: [], family, live: { createdAfter: 0, advancedAfter: 0 }, limit: 10, policy: 'refuse', replaces: undefined, closing: { at: clock.now, countsAfter: 0 } }), 'opened')
  }
  const list = async () => (await app.inject({ url: '/tokens', headers: bearer(mine) })).json<{ tokens: Array<{ id: string, client: object | null }> }>().tokens
  const listed = await list()
  t.strictSame(listed.map(each => each.client), [{ id: gone, name: null, scope: 'openid email' }, { id: client.id, name: 'Reading list', scope: 'openid email' }, null])
  t.equal((await app.inject({ method: 'DELETE', url: `/tokens/${listed[1]!.id}`, headers: bearer(mine) })).statusCode, 204)
  t.strictSame((await list()).map(each => each.client), [{ id: gone, name: null, scope: 'openid email' }, null])
})

t.test('a name is changed by the rules of a registration, and null takes it away', async t => {
  const { app } = await testApp(t)
  await register(app)
  const headers = bearer(await login(app))
  const change = async (payload: object, from: Record<string, string> = headers) => await app.inject({ method: 'PATCH', url: '/user-info', headers: from, payload })
  const { name: before, ...user } = (await app.inject({ url: '/user-info', headers })).json<{ name: null }>()
  t.equal(before, null)
  for (const [typed, name] of [[' Ann ', 'Ann'], ['A\u0308da', 'Äda'], ['🦊'.repeat(100), '🦊'.repeat(100)], [null, null]] as const) {
    const answer = await change({ name: typed })
    t.equal(answer.headers['cache-control'], 'no-store')
    t.strictSame([answer.statusCode, answer.json()], [200, { ...user, name }])
    t.strictSame((await app.inject({ url: '/user-info', headers })).json(), { ...user, name })
  }
  const cases: Array<[object, object[]]> = [
    [{}, [{ field: 'name', detail: 'It is missing.' }]],
    [{ name: '' }, [{ field: 'name', detail: 'It must have a visible character, at most 100 in all, and none that breaks the line or changes the direction of the text.' }]],
    [{ name: '\u202eAda' }, [{ field: 'name', detail: 'It must have a visible character, at most 100 in all, and none that breaks the line or changes the direction of the text.' }]],
    [{ name: '\ufb2c'.repeat(34) }, [{ field: 'name', detail: 'It must have a visible character, at most 100 in all, and none that breaks the line or changes the direction of the text.' }]],
    [{ name: '🦊'.repeat(101) }, [{ field: 'name', detail: 'It has more than 100 characters.' }]],
    [{ name: 7 }, [{ field: 'name', detail: 'It must be a string or null.' }]],
    [{ name: 'Ada', email: 'eve@example.com' }, [{ field: 'email', detail: 'This route knows no such member.' }]],
  ]
  for (const [body, errors] of cases) t.strictSame(problemOf(await change(body)), problem(400, 'Bad Request', 'invalid_request', INPUT, errors))
  t.strictSame((await app.inject({ url: '/user-info', headers })).json(), { ...user, name: null })
  t.equal((await change({ name: 'Eve' }, {})).statusCode, 401)
})

t.test('an unknown address, a wrong password and one too long are told apart by nothing', async t => {
  const { app } = await testApp(t)
  await register(app)
  for (const [email, password] of [['bob@example.org', PASSWORD], [EMAIL, 'wrong'], [EMAIL, 'x'.repeat(80)]] as const) {
    const answer = await post(app, '/login', { email, password })
    t.strictSame(problemOf(answer), BAD_CREDENTIALS)
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="signet"')
  }
})

t.test('an address is one account, whichever spelling logs in', async t => {
  const { app } = await testApp(t)
  for (const spellings of [['one@münchen.example', 'one@xn--mnchen-3ya.example', 'ONE@MU\u0308NCHEN.example'], ['two@ｅｘａｍｐｌｅ.com', 'two@example.com'], ['J\u030C@example.com', '\u01F0@example.com', 'j\u030C@example.com']]) {
    const [first] = spellings
    await register(app, first)
    for (const spelling of spellings) {
      t.ok(await login(app, spelling), spelling)
      t.match((await post(app, '/register', { email: spelling, password: PASSWORD })).json(), { code: 'email_taken' })
    }
  }
})

t.test('a password of any script may have 256 characters, and each of them counts', async t => {
  const { app } = await testApp(t)
  const long = 'абвгдежз'.repeat(32)
  t.equal((await post(app, '/register', { email: EMAIL, password: long })).statusCode, 201)
  const tokens = await login(app, EMAIL, long)
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: `${long.slice(0, -1)}и` })), BAD_CREDENTIALS)
  const change = async (current: string, next: string) => await post(app, '/change-password', { current_password: current, new_password: next }, bearer(tokens))
  for (const [current, next, field] of [['\ud800', PASSWORD, 'current_password'], [long, '\ud800', 'new_password']] as const) {
    t.match((await change(current, next)).json(), { code: 'invalid_request', errors: [{ field }] })
  }
})

t.test('a refresh moves the family on; dead tokens of every kind get one answer', async t => {
  const { app, clock, lines } = await testApp(t)
  await register(app)
  const first = await login(app)
  const second = (await post(app, '/refresh', { refresh_token: first.refresh_token }))
  t.match(second.json(), { access_token: /^eyJ/, token_type: 'Bearer', expires_in: 600, refresh_token: /^A/, refresh_token_expires_in: 14 * 86_400 })
  const repeated = await post(app, '/refresh', { refresh_token: first.refresh_token })
  t.equal(repeated.json<typeof first>().refresh_token, second.json<typeof first>().refresh_token)
  const forged = `${first.refresh_token.slice(0, -2)}AA`
  for (const token of ['', 'garbage', forged]) t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: token })), BAD_GRANT)
  clock.now += 31_000
  for (const { refresh_token: token } of [first, second.json<typeof first>()]) t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: token })), BAD_GRANT)
  t.ok(lines.some(line => line.includes('refresh.reused')))
  const idle = await login(app)
  clock.now += 15 * 86_400_000
  t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: idle.refresh_token })), BAD_GRANT)
})

t.test('a user closes one log-in, and nobody else\'s', async t => {
  const { app } = await testApp(t)
  await register(app)
  await register(app, 'bob@example.org')
  const [mine, phone, bobs] = [await login(app), await login(app), await login(app, 'bob@example.org')]
  const close = async (id: string) => await app.inject({ method: 'DELETE', url: `/tokens/${id}`, headers: bearer(mine) })
  for (const id of [familyOf(bobs), 'garbage']) t.strictSame(problemOf(await close(id)), problem(404, 'Not Found', 'unknown_token', 'None of the devices that you are logged in on has this id.'))
  const answer = await close(familyOf(phone))
  t.equal(answer.statusCode, 204)
  t.equal(answer.body, '')
  t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: phone.refresh_token })), BAD_GRANT)
  t.equal((await app.inject({ url: '/user-info', headers: bearer(bobs) })).statusCode, 200)
})

t.test('a log-out kills the access token and its family at once, with or without an empty body', async t => {
  const { app } = await testApp(t)
  await register(app)
  for (const headers of [{}, { 'content-type': 'application/json' }]) {
    const tokens = await login(app)
    const answer = await post(app, '/logout', undefined, { ...bearer(tokens), ...headers })
    t.equal(answer.statusCode, 204)
    for (const [method, url] of [['GET', '/user-info'], ['GET', '/tokens'], ['POST', '/logout'], ['POST', '/revoke-all-tokens']] as const) t.equal((await app.inject({ method, url, headers: bearer(tokens) })).statusCode, 401)
    t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: tokens.refresh_token })), BAD_GRANT)
  }
})

t.test('revoking all closes every log-in, the caller\'s own included', async t => {
  const { app } = await testApp(t)
  await register(app)
  const [one, other] = [await login(app), await login(app)]
  const answer = await post(app, '/revoke-all-tokens', undefined, bearer(one))
  t.strictSame([answer.statusCode, answer.json()], [200, { revoked: 2 }])
  for (const tokens of [one, other]) t.equal((await app.inject({ url: '/user-info', headers: bearer(tokens) })).statusCode, 401)
})

t.test('a changed password closes every log-in, the caller\'s own included, and opens one for the caller', async t => {
  const { app, clock } = await testApp(t)
  await register(app)
  const [mine, other] = [await login(app), await login(app)]
  const change = async (current: string, next: string) => await post(app, '/change-password', { current_password: current, new_password: next }, { ...bearer(mine), 'user-agent': 'phone' })
  t.strictSame(problemOf(await change('wrong', 'another harbour')), problem(403, 'Forbidden', 'wrong_password', 'The current password is wrong.'))
  const detail = 'A password has at least 8 characters.'
  t.strictSame(problemOf(await change(PASSWORD, 'short')), problem(400, 'Bad Request', 'weak_password', detail, [{ field: 'new_password', detail }]))
  clock.now += 1000
  const answer = await change(PASSWORD, 'another harbour')
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  const next = answer.json<Pair>()
  t.match(next, { access_token: /^eyJ/, token_type: 'Bearer', expires_in: 600, refresh_token: /^A/, refresh_token_expires_in: 14 * 86_400 })
  for (const tokens of [mine, other]) {
    t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: tokens.refresh_token })), BAD_GRANT)
    t.equal((await app.inject({ url: '/user-info', headers: bearer(tokens) })).statusCode, 401)
  }
  const now = new Date(clock.now).toISOString()
  const device = { id: familyOf(next), current: true, created_at: now, last_used_at: now, expires_at: new Date(clock.now + 14 * 86_400_000).toISOString(), user_agent: 'phone', ip: '127.0.0.1', client: null }
  t.strictSame((await app.inject({ url: '/tokens', headers: bearer(next) })).json(), { tokens: [device] })
  t.equal((await post(app, '/refresh', { refresh_token: next.refresh_token })).statusCode, 200)
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD })), BAD_CREDENTIALS)
  t.ok(await login(app, EMAIL, 'another harbour'))
})

t.test('one device too many is refused where the policy is to refuse', async t => {
  const { app } = await testApp(t, { ACTIVE_TOKENS_POLICY: 'refuse', MAX_ACTIVE_TOKENS: '1' })
  await register(app)
  await login(app)
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD })), problem(409, 'Conflict', 'too_many_active_tokens', 'This account is logged in on as many devices as are allowed; log out on one of them first.'))
})

const DAY_MS = 86_400_000
const live = { createdAfter: 0, advancedAfter: 0 }

t.test('where registration is closed nobody makes an account, whatever comes', async t => {
  const { app, store } = await testApp(t, { REGISTRATION: 'closed' })
  const closed = problem(403, 'Forbidden', 'registration_closed', 'Nobody can make an account here; its operator does.')
  for (const body of [{ email: EMAIL, password: PASSWORD }, { email: EMAIL, password: 'short' }, { email: 'nobody', password: PASSWORD }]) t.strictSame(problemOf(await post(app, '/register', body)), closed)
  t.strictSame(await store.listUsers('', 10), [])
})

t.test('whoever is disabled is told nothing: a log-in is one with a wrong password, and tokens are dead, until it is over', async t => {
  const { app, store, clock } = await testApp(t)
  const id = await register(app)
  const tokens = await login(app)
  await store.disableUser({ userId: id, live, closing: { at: clock.now, countsAfter: 0 } })
  for (const password of [PASSWORD, 'a wrong one']) t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password })), BAD_CREDENTIALS)
  t.equal((await store.findUser(id))?.failed, undefined)
  t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: tokens.refresh_token })), BAD_GRANT)
  for (const [method, url] of [['GET', '/user-info'], ['POST', '/change-password'], ['DELETE', '/account']] as const) {
    const payload = { '/user-info': undefined, '/change-password': { current_password: PASSWORD, new_password: 'another harbour' }, '/account': { password: PASSWORD } }[url]
    t.equal((await app.inject({ method, url, headers: bearer(tokens), ...(payload && { payload }) })).statusCode, 401, url)
  }
  t.strictSame(problemOf(await post(app, '/register', { email: EMAIL, password: PASSWORD })), problem(409, 'Conflict', 'email_taken', 'An account with this e-mail address exists already; log in instead.'))
  await store.enableUser(id)
  t.equal((await post(app, '/refresh', { refresh_token: tokens.refresh_token })).statusCode, 401, 'what was closed stays closed')
  t.ok(await login(app))
})

t.test('the password of somebody who is disabled counts as a wrong one', async t => {
  const { app, store, clock } = await testApp(t, { RATE_LIMIT: 'true' })
  const id = await register(app)
  await store.disableUser({ userId: id, live, closing: { at: clock.now, countsAfter: 0 } })
  for (const password of [PASSWORD, 'a wrong one']) t.equal((await post(app, '/login', { email: EMAIL, password })).statusCode, 401)
  t.match((await store.findUser(id))?.failed, { stranger: 2 })
})

t.test('roles are in a pair from its next refresh on, and in what a user is told', async t => {
  const { app, store } = await testApp(t)
  const id = await register(app)
  const first = await login(app)
  t.notOk('roles' in claimsOf(first.access_token))
  await store.setRoles({ userId: id, roles: ['admin', 'staff'] })
  const second = (await post(app, '/refresh', { refresh_token: first.refresh_token })).json<Pair>()
  t.strictSame(claimsOf(second.access_token)['roles'], ['admin', 'staff'])
  const again = (await post(app, '/refresh', { refresh_token: first.refresh_token })).json<Pair>()
  t.strictSame(claimsOf(again.access_token)['roles'], ['admin', 'staff'], 'and in one that is asked for once more')
  t.strictSame(claimsOf((await login(app)).access_token)['roles'], ['admin', 'staff'])
  t.strictSame((await app.inject({ url: '/user-info', headers: bearer(first) })).json<{ roles: string[] }>().roles, ['admin', 'staff'])
  await store.setRoles({ userId: id, roles: [] })
  t.notOk('roles' in claimsOf((await post(app, '/refresh', { refresh_token: second.refresh_token })).json<Pair>().access_token))
})

t.test('a person deletes their account with the password, and nothing of them is left', async t => {
  const { app, store, clock } = await testApp(t)
  const id = await register(app)
  const [mine, other] = [await login(app), await login(app)]
  const remove = async (password: string, token = mine) => await app.inject({ method: 'DELETE', url: '/account', headers: bearer(token), payload: { password } })
  t.strictSame(problemOf(await remove('wrong')), problem(403, 'Forbidden', 'wrong_password', 'The current password is wrong.'))
  t.match(problemOf(await remove('half \ud800 pair')), { code: 'invalid_request', errors: [{ field: 'password' }] })
  t.match(problemOf(await app.inject({ method: 'DELETE', url: '/account', headers: bearer(mine), payload: {} })), { code: 'invalid_request', errors: [{ field: 'password', detail: 'It is missing.' }] })
  const answer = await remove(PASSWORD)
  t.strictSame([answer.statusCode, answer.body, answer.headers['cache-control']], [204, '', 'no-store'])
  for (const tokens of [mine, other]) {
    t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: tokens.refresh_token })), BAD_GRANT)
    t.equal((await remove(PASSWORD, tokens)).statusCode, 401)
  }
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD })), BAD_CREDENTIALS)
  const [left] = await store.listUsers('', 10)
  t.match(left, { id, email: id, name: null, passwordHash: '', families: [], deletedAt: clock.now, closed: { length: 2 } })
  t.not(await register(app), id, 'and the address is anybody\'s')
})

t.test('whoever was deleted is forgotten by a server that listens, once nothing of it counts any more', async t => {
  const { app, store, clock } = await testApp(t)
  const id = await register(app)
  await store.deleteUser({ userId: id, closing: { at: clock.now, countsAfter: 0 } })
  const dropped = new Promise<number>(resolve => {
    const drop = store.dropDeleted.bind(store)
    store.dropDeleted = async before => {
      const count = await drop(before)
      resolve(count)
      return count
    }
  })
  clock.now += DAY_MS
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.equal(await dropped, 1)
  t.strictSame(await store.listUsers('', 10), [])
})

t.test('a password is set by a token that was given for it, once, and every log-in ends', async t => {
  const { app, store, clock, keyRing } = await testApp(t)
  const id = await register(app)
  const tokens = await login(app)
  const give = async (life = 900_000) => writeLinkToken('reset-password', (await store.findUser(id))!, clock.now + life, keyRing.refreshSecret)
  const reset = async (token: string, password = 'another harbour') => await post(app, '/reset-password', { token, new_password: password })
  const refused = problem(400, 'Bad Request', 'invalid_reset_token', 'This link to set a new password is not good, or not any more; ask for another.')
  const [token, other] = [await give(), await give(900_001)]
  const strangers = ['', 'x', token.slice(0, -1), token.replace(id, randomUUID()), writeLinkToken('reset-password', { id, email: '', passwordHash: '' }, clock.now + 1000, keyRing.refreshSecret), await give(0), tokens.refresh_token]
  for (const stranger of strangers) t.strictSame(problemOf(await reset(stranger)), refused, stranger)
  const detail = 'A password must differ from the e-mail address.'
  t.strictSame(problemOf(await reset(token, EMAIL)), problem(400, 'Bad Request', 'weak_password', detail, [{ field: 'new_password', detail }]))
  const answer = await reset(token)
  t.strictSame([answer.statusCode, answer.body, answer.headers['cache-control']], [204, '', 'no-store'])
  t.strictSame(problemOf(await post(app, '/refresh', { refresh_token: tokens.refresh_token })), BAD_GRANT)
  for (const spent of [token, other]) t.strictSame(problemOf(await reset(spent, 'a third harbour')), refused, 'what was given for the password before')
  t.strictSame(problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD })), BAD_CREDENTIALS)
  t.ok(await login(app, EMAIL, 'another harbour'))
  const late = await give()
  await store.disableUser({ userId: id, live, closing: { at: clock.now, countsAfter: 0 } })
  t.strictSame(problemOf(await reset(late)), refused, 'of whoever is disabled')
  await store.enableUser(id)
  clock.now += 900_000
  t.strictSame(problemOf(await reset(late)), refused, 'which has expired')
})

t.test('of 64 who bring one token to set a password one does', async t => {
  const { app, store, clock, keyRing } = await testApp(t, { HASH_QUEUE: '100' })
  const user = (await store.findUser(await register(app)))!
  const token = writeLinkToken('reset-password', user, clock.now + 1000, keyRing.refreshSecret)
  const answers = await Promise.all(Array.from({ length: 64 }, async (_, index) => await post(app, '/reset-password', { token, new_password: `another harbour ${index}` })))
  t.strictSame(answers.map(({ statusCode }) => statusCode).sort(), [204, ...Array.from({ length: 63 }, () => 400)])
  t.ok(await login(app, EMAIL, `another harbour ${answers.findIndex(({ statusCode }) => statusCode === 204)}`))
})
