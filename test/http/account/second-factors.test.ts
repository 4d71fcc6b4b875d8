// Second factors through the whole application: adding an app, a log-in that takes one, and what each route refuses.
import t from 'tap'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'
import { shown, stepUp, withTotp } from '../../second-factors.js'
import { bearer, claimsOf, familyOf, login, post, problem, problemOf, register } from '../client.js'

const WRONG = problem(401, 'Unauthorized', 'invalid_second_factor', 'The code is wrong, or was used already.')
const OVER = problem(401, 'Unauthorized', 'invalid_ticket', 'This took too long, or was done already, or the account is another by now; begin anew.')
const STEP = 30_000

t.test('a log-in of a user with an app takes a code of it beside the password', async t => {
  const { app, clock, store } = await testApp(t)
  const { id, secret, recoveryCodes } = await withTotp(app, clock.now)
  t.match(recoveryCodes, Array<RegExp>(10).fill(/^([0-9a-z]{4}-){5}[0-9a-z]{4}$/))
  const refusal = await post(app, '/login', { email: EMAIL, password: PASSWORD })
  t.equal(refusal.headers['www-authenticate'], 'Bearer realm="signet"')
  const { ticket, ...rest } = problemOf(refusal)
  t.strictSame(rest, { ...problem(401, 'Unauthorized', 'second_factor_required', 'The password is right; to log in, a second factor is needed beside it.'), expires_in: 300, methods: ['totp', 'recovery_code'] })
  t.equal((await store.findUser(id))!.families.length, 1, 'nothing is opened')
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket, code: shown(secret, clock.now) })), WRONG, 'used when it was added')
  clock.now += STEP
  const answer = await post(app, '/login/second-factor', { ticket, code: shown(secret, clock.now) })
  t.equal(answer.statusCode, 200)
  const pair = answer.json<{ access_token: string }>()
  t.strictSame(Object.keys(pair).sort(), ['access_token', 'device_token', 'expires_in', 'refresh_token', 'refresh_token_expires_in', 'token_type'])
  t.equal((await app.inject({ url: '/user-info', headers: bearer(pair) })).statusCode, 200)
  t.strictSame((await store.findUser(id))!.families.find(family => family.id === claimsOf(pair.access_token)['sid'])!.amr, ['pwd', 'otp', 'mfa'])
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket, code: shown(secret, clock.now, 1) })), OVER, 'a ticket works once')
})

t.test('who has no factor logs in by the password alone, and who lists them sees none', async t => {
  const { app } = await testApp(t)
  await register(app)
  const pair = await login(app)
  const answer = await app.inject({ url: '/second-factors', headers: bearer(pair) })
  t.strictSame([answer.statusCode, answer.json()], [200, { totp: null, passkeys: [], recovery_codes: 0 }])
  t.ok(familyOf(pair))
})

t.test('factors are listed with when they were added', async t => {
  const { app, clock } = await testApp(t)
  const { pair } = await withTotp(app, clock.now)
  t.strictSame((await app.inject({ url: '/second-factors', headers: bearer(pair) })).json(), { totp: { added_at: new Date(clock.now).toISOString() }, passkeys: [], recovery_codes: 10 })
  t.ok(await stepUp(app))
})

t.test('what a log-in may be refused for at the second step changes nothing, and leaves the ticket good', async t => {
  const { app, clock, store } = await testApp(t)
  const { id, secret } = await withTotp(app, clock.now)
  const { ticket } = await stepUp(app)
  const before = await store.findUser(id)
  for (const code of ['000000', '', 'x', shown(secret, clock.now, 3)]) t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket, code })), WRONG, code)
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket, recovery_code: '9f3k-2m7q-x8wd-5t1v-h6rc-0bzn' })), WRONG)
  const INPUT = problem(400, 'Bad Request', 'invalid_request', 'The request is not of the form that this route takes.', [{ field: 'body', detail: 'It must have one of code, recovery_code, passkey.' }])
  for (const brought of [{}, { code: '123456', recovery_code: 'x' }]) t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket, ...brought })), INPUT)
  for (const wrong of ['x', `${ticket}x`, ticket.slice(0, -3)]) t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket: wrong, code: '123456' })), OVER)
  t.strictSame(await store.findUser(id), before)
  t.equal((await post(app, '/login/second-factor', { ticket, code: shown(secret, clock.now, 1) })).statusCode, 200)
})

t.test('a ticket is good for five minutes, and for the account as it was', async t => {
  const { app, clock, store } = await testApp(t)
  const { id, secret, pair } = await withTotp(app, clock.now)
  const tickets = [await stepUp(app), await stepUp(app), await stepUp(app)]
  clock.now += 300_000
  const code = () => shown(secret, clock.now)
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket: tickets[0]!.ticket, code: code() })), OVER)
  const closing = { at: clock.now, countsAfter: 0 }
  const live = { createdAfter: 0, advancedAfter: 0 }
  const { ticket: older } = await stepUp(app)
  await store.disableUser({ userId: id, live, closing })
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket: older, code: code() })), OVER, 'disabled')
  await store.enableUser(id)
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket: older, code: code() })), OVER, 'and enabled again')
  const { ticket } = await stepUp(app)
  await store.setRoles({ userId: id, roles: ['admin'] })
  const answer = await post(app, '/login/second-factor', { ticket, code: code() })
  t.strictSame(claimsOf(answer.json<{ access_token: string }>().access_token)['roles'], ['admin'], 'the roles are those of now')
  const { ticket: last } = await stepUp(app)
  await post(app, '/change-password', { current_password: PASSWORD, new_password: 'another horse, another battery' }, bearer(answer.json<{ access_token: string }>()))
  clock.now += STEP
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket: last, code: code() })), OVER, 'of another password')
  t.ok(pair)
  await store.deleteUser({ userId: id, closing })
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket: last, code: code() })), OVER, 'of nobody')
})

t.test('of 64 that bring one code with tickets of their own one gets in, and a recovery code works once', async t => {
  const { app, clock, store } = await testApp(t, { MAX_ACTIVE_TOKENS: '100', HASH_QUEUE: '100' })
  const { id, secret, recoveryCodes } = await withTotp(app, clock.now)
  const { ticket } = await stepUp(app)
  clock.now += STEP
  const tickets = await Promise.all(Array.from({ length: 64 }, async (_, at) => at === 0 ? ticket : (await stepUp(app)).ticket))
  const race = async (brought: object) => (await Promise.all(tickets.map(async ticket => (await post(app, '/login/second-factor', { ticket, ...brought })).statusCode))).sort()
  t.strictSame(await race({ code: shown(secret, clock.now) }), [200, ...Array<number>(63).fill(401)])
  t.strictSame(await race({ recovery_code: recoveryCodes[3]!.toUpperCase().replaceAll('-', ' ') }), [200, ...Array<number>(63).fill(401)])
  t.equal((await store.findUser(id))!.families.length, 3)
  t.equal((await store.findUser(id))!.factors!.recoveryCodes.length, 9)
})

t.test('a log-in with a second factor takes the cookies of one without', async t => {
  const { app, clock, store } = await testApp(t, { ISSUER: 'https://id.example' })
  const own = { host: 'id.example', origin: 'https://id.example', 'x-forwarded-proto': 'https' }
  const { id, secret } = await withTotp(app, clock.now)
  clock.now += STEP
  const { ticket } = await stepUp(app)
  const first = await post(app, '/login/second-factor', { ticket, code: shown(secret, clock.now), refresh_token_in: 'cookie' }, own)
  t.strictSame([first.statusCode, Object.keys(first.json<object>()).sort()], [200, ['access_token', 'expires_in', 'refresh_token_expires_in', 'token_type']])
  const cookie = first.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const { families } = (await store.findUser(id))!
  clock.now += STEP
  const { ticket: next } = await stepUp(app)
  const foreign = await post(app, '/login/second-factor', { ticket: next, code: shown(secret, clock.now), refresh_token_in: 'cookie' }, { ...own, origin: 'https://evil.example' })
  t.strictSame([foreign.statusCode, foreign.json<{ code: string }>().code], [403, 'foreign_origin'])
  const second = await post(app, '/login/second-factor', { ticket: next, code: shown(secret, clock.now) }, { ...own, cookie })
  t.match(second.cookies, [{ name: '__Host-signet', value: '', maxAge: 0 }])
  t.notOk((await store.findUser(id))!.families.some(family => family.id === claimsOf(first.json<{ access_token: string }>().access_token)['sid']), 'it takes the place of the one before')
  t.equal((await store.findUser(id))!.families.length, families.length)
})

t.test('an app is added within ten minutes of its offer, by a code of it, to the account as it was', async t => {
  const { app, clock, store } = await testApp(t)
  const id = await register(app)
  const pair = await login(app)
  const offer = async () => (await post(app, '/second-factors/totp', {}, bearer(pair))).json<{ secret: string, uri: string, ticket: string }>()
  const confirm = async (ticket: string, code: string, more = {}) => await post(app, '/second-factors/totp/confirm', { ticket, code, ...more }, bearer(pair))
  const { secret, uri, ticket } = await offer()
  t.equal(uri, `otpauth://totp/127.0.0.1:ada%40example.com?secret=${secret}&issuer=127.0.0.1&algorithm=SHA1&digits=6&period=30`)
  t.match(secret, /^[A-Z2-7]{32}$/)
  t.equal((await app.inject({ method: 'POST', url: '/second-factors/totp', headers: bearer(pair) })).statusCode, 200, 'without a body')
  t.strictSame(problemOf(await confirm(ticket, shown(secret, clock.now, 5))), problem(403, 'Forbidden', 'wrong_code', 'The code is wrong, or was used already.'))
  const ANEW = problem(400, 'Bad Request', 'invalid_request', 'The request is not of the form that this route takes.', [{ field: 'ticket', detail: 'It is over, or not of this account as it is now; begin anew.' }])
  await register(app, 'eve@example.com')
  const eve = await login(app, 'eve@example.com')
  t.strictSame(problemOf(await post(app, '/second-factors/totp/confirm', { ticket, code: shown(secret, clock.now) }, bearer(eve))), ANEW, 'of somebody else')
  t.strictSame(problemOf(await confirm('x', '123456')), ANEW)
  t.equal((await store.findUser(id))!.factors, undefined)
  const other = await offer()
  t.equal((await confirm(ticket, shown(secret, clock.now))).statusCode, 201)
  t.strictSame(problemOf(await confirm(other.ticket, shown(other.secret, clock.now))), ANEW, 'another came first')
  await register(app, 'bob@example.com')
  const bob = await login(app, 'bob@example.com')
  const late = (await post(app, '/second-factors/totp', {}, bearer(bob))).json<{ secret: string, ticket: string }>()
  clock.now += 599_000
  const again = (await post(app, '/refresh', { refresh_token: bob.refresh_token })).json<typeof bob>()
  clock.now += 1000
  t.strictSame(problemOf(await post(app, '/second-factors/totp/confirm', { ticket: late.ticket, code: shown(late.secret, clock.now) }, bearer(again))), ANEW, 'over')
  t.notMatch(JSON.stringify(await store.findUser(id)), new RegExp(secret))
})

t.test('a change of the factors takes a fresh proof, and logs the others out where that is asked', async t => {
  const { app, clock, store, lines } = await testApp(t)
  const { id, secret, recoveryCodes, pair } = await withTotp(app, clock.now)
  const NEEDED = 'fresh_log_in_needed'
  const remove = async (body: object, by = pair) => await app.inject({ method: 'DELETE', url: '/second-factors/totp', payload: body, headers: bearer(by) })
  for (const body of [{}, { current_password: PASSWORD }, { code: shown(secret, clock.now, 1) }]) t.equal((await remove(body)).json<{ code: string }>().code, NEEDED)
  t.equal((await post(app, '/second-factors/totp', {}, bearer(pair))).json<{ code: string }>().code, NEEDED, 'of one more as well')
  t.equal((await post(app, '/second-factors/recovery-codes', undefined, bearer(pair))).json<{ code: string }>().code, NEEDED)
  const renewed = await post(app, '/second-factors/recovery-codes', { current_password: PASSWORD, code: recoveryCodes[0] }, bearer(pair))
  t.equal(renewed.json<{ recovery_codes: string[] }>().recovery_codes.length, 10)
  t.equal((await remove({ current_password: PASSWORD, code: recoveryCodes[1] })).json<{ code: string }>().code, 'wrong_code', 'good no more')
  clock.now += STEP
  const { ticket } = await stepUp(app)
  const fresh = (await post(app, '/login/second-factor', { ticket, code: shown(secret, clock.now) })).json<typeof pair>()
  // Another phone takes the place of the first.
  const offer = (await post(app, '/second-factors/totp', {}, bearer(fresh))).json<{ secret: string, ticket: string }>()
  const replaced = await post(app, '/second-factors/totp/confirm', { ticket: offer.ticket, code: shown(offer.secret, clock.now), close_others: true }, bearer(fresh))
  t.strictSame([replaced.statusCode, replaced.json()], [201, { recovery_codes: null }])
  t.strictSame((await store.findUser(id))!.families.map(family => family.id), [familyOf(fresh)])
  const { ticket: later } = await stepUp(app)
  clock.now += STEP
  t.equal((await post(app, '/login/second-factor', { ticket: later, code: shown(offer.secret, clock.now) })).statusCode, 200)
  t.equal((await remove({ close_others: true }, fresh)).statusCode, 204)
  t.strictSame((await store.findUser(id))!.families.map(family => family.id), [familyOf(fresh)])
  t.match((await store.findUser(id))!.factors, { version: 7, passkeys: [], recoveryCodes: [] })
  t.ok(await login(app), 'by the password alone again')
  for (const [method, url] of [['DELETE', '/second-factors/totp'], ['POST', '/second-factors/recovery-codes']] as const) {
    t.strictSame(problemOf(await app.inject({ method, url, headers: bearer(fresh) })), problem(404, 'Not Found', 'unknown_factor', 'The account has no such second factor.'))
  }
  const told = lines.map(line => JSON.parse(line) as { kind?: string, details?: object }).filter(({ kind }) => /second_factor|recovery|closed/.test(kind ?? '')).map(({ kind, details }) => [kind, details])
  t.strictSame(told, [
    ['second_factor.added', { method: 'totp' }], ['recovery_codes.used', { count: 9 }], ['recovery_codes.made', undefined], ['second_factor.failed', { method: 'recovery_code' }],
    ['second_factor.removed', { method: 'totp' }], ['family.closed', { cause: 'second_factor_changed', count: 1 }], ['second_factor.added', { method: 'totp' }],
    ['second_factor.removed', { method: 'totp' }], ['family.closed', { cause: 'second_factor_changed', count: 1 }],
  ])
})

t.test('where a second factor is required, who has none adds one to log in, and the pair comes with it', async t => {
  const { app, clock, store } = await testApp(t, { SECOND_FACTOR: 'required', ISSUER: 'https://id.example' })
  const id = await register(app)
  const { ticket, ...refusal } = problemOf(await post(app, '/login', { email: EMAIL, password: PASSWORD }))
  t.match(refusal, { code: 'second_factor_required', expires_in: 300, methods: [], enrol: true })
  t.match(problemOf(await post(app, '/second-factors/totp', {})), { status: 401, code: 'invalid_token' }, 'of whoever brings neither a token nor a ticket')
  const waiting = bearer(String(ticket))
  t.equal((await app.inject({ url: '/user-info', headers: waiting })).statusCode, 401, 'for nothing else')
  t.strictSame(problemOf(await post(app, '/login/second-factor', { ticket, code: '123456' })), WRONG)
  const offer = (await post(app, '/second-factors/totp', {}, waiting)).json<{ secret: string, ticket: string }>()
  const body = { ticket: offer.ticket, code: shown(offer.secret, clock.now) }
  t.match(problemOf(await post(app, '/second-factors/totp/confirm', { ...body, close_others: true }, waiting)), { code: 'invalid_request', errors: [{ field: 'close_others' }] })
  const second = (await stepUp(app)).ticket
  const own = { ...waiting, host: 'id.example', origin: 'https://id.example', 'x-forwarded-proto': 'https' }
  const answer = await post(app, '/second-factors/totp/confirm', { ...body, refresh_token_in: 'cookie' }, own)
  t.equal(answer.statusCode, 201)
  t.strictSame(Object.keys(answer.json<object>()).sort(), ['access_token', 'expires_in', 'recovery_codes', 'refresh_token_expires_in', 'token_type'])
  t.match(answer.cookies, [{ name: '__Host-signet' }, { name: '__Host-signet-device' }])
  t.strictSame(claimsOf(answer.json<{ access_token: string }>().access_token)['amr'], ['pwd', 'otp', 'mfa'])
  t.strictSame(problemOf(await post(app, '/second-factors/totp', {}, waiting)), OVER, 'used')
  t.strictSame(problemOf(await post(app, '/second-factors/totp', {}, bearer(second))), OVER, 'of another log-in that waited')
  t.match(await stepUp(app), { methods: ['totp', 'recovery_code'] })
  t.equal((await stepUp(app)).enrol, undefined)
  await register(app, 'eve@example.com')
  const eve = bearer((await stepUp(app, 'eve@example.com')).ticket)
  const hers = (await post(app, '/second-factors/totp', {}, eve)).json<{ secret: string, ticket: string }>()
  const plain = await post(app, '/second-factors/totp/confirm', { ticket: hers.ticket, code: shown(hers.secret, clock.now) }, eve)
  t.strictSame(Object.keys(plain.json<object>()).sort(), ['access_token', 'device_token', 'expires_in', 'recovery_codes', 'refresh_token', 'refresh_token_expires_in', 'token_type'])
  const held = await post(app, '/second-factors/totp', {}, { ...own, ...bearer((await stepUp(app)).ticket) })
  t.equal(held.statusCode, 401)
  t.equal((await store.findUser(id))!.families.length, 1)
})

t.test('who has a second factor may have a shorter password', async t => {
  const { app, clock } = await testApp(t, { PASSWORD_MIN_LENGTH: '15' })
  const { pair } = await withTotp(app, clock.now)
  const change = async (password: string, by = pair) => await post(app, '/change-password', { current_password: PASSWORD, new_password: password }, bearer(by))
  t.match(problemOf(await change('7 chars')), { code: 'weak_password', detail: 'A password has at least 8 characters.' })
  t.equal((await change('8 chars.')).statusCode, 200)
  await register(app, 'eve@example.com')
  t.match(problemOf(await change('8 chars.', await login(app, 'eve@example.com'))), { code: 'weak_password', detail: 'A password has at least 15 characters.' })
})

t.test('wrong codes are limited by who brings them, recovery codes are not, and no guesser uses up what the owner has', async t => {
  const { app, clock, lines } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '10000', RATE_LIMIT_LOGIN_MAX: '10000' })
  const { secret, recoveryCodes, pair } = await withTotp(app, clock.now)
  const from = async (ip: string, body: object, more = {}) => await app.inject({ method: 'POST', url: '/login/second-factor', remoteAddress: ip, payload: { ticket: (await stepUp(app)).ticket, ...body, ...more } })
  clock.now += STEP
  const right = { code: shown(secret, clock.now) }
  const statuses = []
  for (let at = 0; at < 12; at++) statuses.push((await from(`203.0.113.${at}`, { code: '000000' })).statusCode)
  t.strictSame(statuses, [...Array<number>(10).fill(401), 429, 429])
  const refused = await from('203.0.113.99', right)
  t.match(problemOf(refused), { code: 'rate_limited', detail: /^Too many wrong codes for this account; use a recovery code or a passkey/ })
  t.equal(refused.headers['retry-after'], '86400')
  t.equal(lines.filter(line => line.includes('"second_factor.limited"')).length, 1)
  t.equal((await from('203.0.113.99', { recovery_code: recoveryCodes[0] })).statusCode, 200)
  t.equal((await from('203.0.113.98', right, { device_token: pair.device_token })).statusCode, 200, 'a device that shows that it was logged in before')
  clock.now += STEP
  t.equal((await from('127.0.0.1', { code: shown(secret, clock.now) })).statusCode, 200, 'a network that the account is used from')
  t.equal((await from('203.0.113.200', { code: '000000' })).statusCode, 429, 'which takes nothing back')
  clock.now += 86_400_000
  t.equal((await from('203.0.113.99', { code: shown(secret, clock.now) })).statusCode, 200, 'a day later')
})
