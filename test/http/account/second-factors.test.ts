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
