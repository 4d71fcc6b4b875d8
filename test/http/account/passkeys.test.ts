// Passkeys through the whole application: making, adding, renaming and removing one, and logging in by one, with what each route refuses.
import type { FastifyInstance } from 'fastify'
import { randomBytes, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { handleOf, type AuthenticationResponse, type CreationOptions, type RegistrationResponse, type RequestOptions } from '../../../src/services/webauthn.js'
import { Authenticator, BOUND, UNVERIFIED, type Wrong } from '../../authenticator.js'
import { EMAIL, PASSWORD, testApp, type Pair } from '../../test-app.js'
import { stepUp, withTotp } from '../../second-factors.js'
import { newUser } from '../../store/store-contract.js'
import { bearer, claimsOf, familyOf, login, post, problem, problemOf, register } from '../client.js'

const ORIGIN = 'https://signet.example'
const NOT_ADDED = problem(400, 'Bad Request', 'invalid_passkey', 'This is no passkey that was just made for it on a page of Signet, or of CORS_ORIGINS; begin again.')
const REFUSED = problem(401, 'Unauthorized', 'passkey_refused', 'This passkey does not log in here, or it took too long; try again, or log in with the password.')
const TOO_MANY = problem(409, 'Conflict', 'too_many_passkeys', 'An account has ten passkeys at most; remove one first.')
const UNKNOWN = problem(404, 'Not Found', 'unknown_factor', 'The account has no such second factor.')
const NOT_FRESH = problem(403, 'Forbidden', 'fresh_log_in_needed', 'For this the password is needed, or a log-in of the last ten minutes; where the account has a second factor, the password and a code, or a log-in with it.')
const MINUTE = 60_000

const appOf = async (t: Test, env: Record<string, string> = {}) => await testApp(t, { ISSUER: ORIGIN, ...env })

async function creationOptions (app: FastifyInstance, pair: Pair | string): Promise<CreationOptions> {
  const answer = await post(app, '/second-factors/passkeys/options', {}, bearer(pair))
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json<CreationOptions>()
}

async function add (app: FastifyInstance, pair: Pair, authenticator: Authenticator, name = 'Phone') {
  return await post(app, '/second-factors/passkeys', { passkey: authenticator.create(await creationOptions(app, pair)), name }, bearer(pair))
}

async function requestOptions (app: FastifyInstance, body?: object): Promise<RequestOptions> {
  return (await post(app, '/login/passkey/options', body)).json<RequestOptions>()
}

async function logInBy (app: FastifyInstance, authenticator: Authenticator, wrong?: Wrong, more: object = {}) {
  return await post(app, '/login/passkey', { passkey: authenticator.get(await requestOptions(app), wrong), ...more })
}

/** A user with a passkey, who added it by a log-in of a moment ago. */
async function withPasskey (app: FastifyInstance, authenticator = new Authenticator(ORIGIN), email = EMAIL) {
  const id = await register(app, email)
  const pair = await login(app, email)
  const answer = await add(app, pair, authenticator)
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return { id, pair, authenticator, added: answer.json<{ passkey: object, recovery_codes: string[] }>() }
}

t.test('a browser makes a passkey by what the options say', async t => {
  const { app } = await appOf(t)
  const id = await register(app)
  const pair = await login(app)
  const { challenge, ...options } = await creationOptions(app, pair)
  t.match(challenge, /^[\w-]{100,300}$/)
  t.strictSame(options, {
    rp: { id: 'signet.example', name: 'signet.example' },
    user: { id: Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'), name: EMAIL, displayName: EMAIL },
    pubKeyCredParams: [-7, -257, -8].map(alg => ({ type: 'public-key', alg })),
    timeout: 300_000,
    excludeCredentials: [],
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
  })
  await app.inject({ method: 'PATCH', url: '/user-info', headers: bearer(pair), payload: { name: 'Ada' } })
  t.equal((await creationOptions(app, pair)).user.displayName, 'Ada')
})

t.test('a passkey is added under a name, listed, and not made twice by one authenticator; with the first factor come recovery codes', async t => {
  const { app, clock, store } = await appOf(t)
  const { id, pair, authenticator, added } = await withPasskey(app)
  const passkey = { id: authenticator.id, name: 'Phone', added_at: new Date(clock.now).toISOString(), last_used_at: null, is_backed_up: true }
  t.strictSame(added.passkey, passkey)
  t.equal(added.recovery_codes.length, 10)
  t.strictSame((await app.inject({ url: '/second-factors', headers: bearer(pair) })).json(), { totp: null, passkeys: [passkey], recovery_codes: 10 })
  t.match((await store.findUser(id))!.factors, { version: 1, passkeys: [{ id: authenticator.id, publicKey: authenticator.coseKey().toString('base64url'), counter: 0, transports: ['internal', 'hybrid'] }], spent: [{ until: clock.now + 5 * MINUTE }] })
  const second = (await logInBy(app, authenticator)).json<Pair>()
  t.strictSame((await creationOptions(app, second)).excludeCredentials, [{ type: 'public-key', id: authenticator.id, transports: ['internal', 'hybrid'] }])
  const stick = new Authenticator(ORIGIN, 'RS256')
  const made = stick.create(await creationOptions(app, second))
  delete made.response.transports
  t.strictSame((await post(app, '/second-factors/passkeys', { passkey: made, name: '  Stick  ' }, bearer(second))).json(), { passkey: { ...passkey, id: stick.id, name: 'Stick' }, recovery_codes: null })
  t.equal((await logInBy(app, stick)).statusCode, 200)
  t.match((await store.findUser(id))!.factors!.passkeys, [{ id: authenticator.id, name: 'Phone' }, { id: stick.id, transports: [], lastUsedAt: clock.now }])
  t.strictSame(problemOf(await add(app, second, authenticator)), problem(409, 'Conflict', 'passkey_exists', 'The account has this passkey already.'))
})

for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
  t.test(`a passkey of ${algorithm} logs in, instead of a password and of a second factor`, async t => {
    const { app, clock, store } = await appOf(t)
    const { id, authenticator } = await withPasskey(app, new Authenticator(ORIGIN, algorithm))
    const { challenge, ...options } = await requestOptions(app)
    t.match(challenge, /^[\w-]{100,300}$/)
    t.strictSame(options, { rpId: 'signet.example', timeout: 300_000, allowCredentials: [], userVerification: 'required' })
    clock.now += MINUTE
    const answer = await logInBy(app, authenticator, { flags: BOUND })
    t.equal(answer.statusCode, 200)
    const pair = answer.json<Pair>()
    t.strictSame(Object.keys(pair).sort(), ['access_token', 'device_token', 'expires_in', 'refresh_token', 'refresh_token_expires_in', 'token_type'])
    t.equal((await app.inject({ url: '/user-info', headers: bearer(pair) })).json<{ id: string }>().id, id)
    const user = (await store.findUser(id))!
    t.strictSame(user.families.find(family => family.id === familyOf(pair))!.amr, ['pop', 'user', 'mfa'])
    t.match(user.factors, { version: 2, passkeys: [{ lastUsedAt: clock.now, isBackedUp: false }] })
  })
}

t.test('a passkey that was not made for it is not added', async t => {
  const { app, clock, store } = await appOf(t, { CORS_ORIGINS: 'https://app.signet.example' })
  const id = await register(app)
  const [pair, other] = [await login(app), await login(app)]
  const authenticator = new Authenticator(ORIGIN)
  const send = async (passkey: object, by = pair) => await post(app, '/second-factors/passkeys', { passkey, name: 'Phone' }, bearer(by))
  const wrongs: Wrong[] = [{ origin: 'https://evil.example' }, { rpId: 'evil.example' }, { challenge: randomBytes(97).toString('base64url') }, { type: 'webauthn.get' }, { flags: UNVERIFIED }, { algorithm: -35 }, { clientData: { crossOrigin: true } }, { clientData: { origin: { toString: 1 } } }, { clientData: { challenge: { toString: 1 } } }, { id: randomBytes(20).toString('base64url') }]
  for (const wrong of wrongs) t.strictSame(problemOf(await send(authenticator.create(await creationOptions(app, pair), wrong))), NOT_ADDED, JSON.stringify(wrong))
  t.strictSame(problemOf(await send(authenticator.create({ ...await creationOptions(app, pair), challenge: (await requestOptions(app)).challenge }))), NOT_ADDED, 'a challenge to log in by')
  t.strictSame(problemOf(await send(authenticator.create(await creationOptions(app, other)))), NOT_ADDED, 'begun by another log-in')
  const options = await creationOptions(app, pair)
  const made = authenticator.create(options)
  t.strictSame(problemOf(await send({ ...made, response: { ...made.response, attestationObject: made.response.attestationObject.slice(0, -2) } })), NOT_ADDED, 'cut short')
  clock.now += 5 * MINUTE
  t.strictSame(problemOf(await send(made)), NOT_ADDED, 'five minutes later')
  t.equal((await store.findUser(id))!.factors, undefined)
  t.equal((await send(new Authenticator('https://app.signet.example').create(await creationOptions(app, pair)))).statusCode, 201, 'on a page of CORS_ORIGINS')
})

t.test('what began an addition ends one; of 64 at once one is added', async t => {
  const { app, store } = await appOf(t)
  const id = await register(app)
  const pair = await login(app)
  const passkey = new Authenticator(ORIGIN).create(await creationOptions(app, pair))
  const answers = await Promise.all(Array.from({ length: 64 }, async () => (await post(app, '/second-factors/passkeys', { passkey, name: 'Phone' }, bearer(pair))).statusCode))
  t.equal(answers.filter(status => status === 201).length, 1)
  t.equal((await store.findUser(id))!.factors!.passkeys.length, 1)
  const again = await post(app, '/second-factors/passkeys', { passkey, name: 'Phone' }, bearer(pair))
  t.strictSame(problemOf(again), NOT_ADDED)
})

t.test('what was begun without a second factor ends nothing once there is one', async t => {
  const { app } = await appOf(t)
  await register(app)
  const pair = await login(app)
  const options = [await creationOptions(app, pair), await creationOptions(app, pair)]
  const [first, second] = await Promise.all(options.map(async one => await post(app, '/second-factors/passkeys', { passkey: new Authenticator(ORIGIN).create(one), name: 'Phone' }, bearer(pair))))
  t.strictSame([first!.statusCode, second!.statusCode].sort(), [201, 400])
  t.strictSame(problemOf(await post(app, '/second-factors/passkeys', { passkey: new Authenticator(ORIGIN).create(options[second!.statusCode === 400 ? 1 : 0]!), name: 'Stick' }, bearer(pair))), NOT_ADDED)
  t.strictSame(problemOf(await post(app, '/second-factors/passkeys/options', {}, bearer(pair))), NOT_FRESH)
})

t.test('a passkey is one user\'s', async t => {
  const { app, store } = await appOf(t)
  const { authenticator } = await withPasskey(app)
  const id = await register(app, 'eve@example.com')
  const pair = await login(app, 'eve@example.com')
  t.strictSame(problemOf(await add(app, pair, authenticator)), NOT_ADDED)
  t.equal((await store.findUser(id))!.factors, undefined)
})

t.test('ten passkeys are as many as an account has', async t => {
  const { app } = await appOf(t)
  const { authenticator } = await withPasskey(app)
  const pair = (await logInBy(app, authenticator)).json<Pair>()
  const begun = await creationOptions(app, pair)
  for (let passkeys = 1; passkeys < 10; passkeys++) t.equal((await add(app, pair, new Authenticator(ORIGIN, 'EdDSA'))).statusCode, 201)
  t.strictSame(problemOf(await post(app, '/second-factors/passkeys/options', {}, bearer(pair))), TOO_MANY)
  t.strictSame(problemOf(await post(app, '/second-factors/passkeys', { passkey: new Authenticator(ORIGIN).create(begun), name: 'Phone' }, bearer(pair))), TOO_MANY, 'also what was begun before')
  t.equal((await app.inject({ url: '/second-factors', headers: bearer(pair) })).json<{ passkeys: object[] }>().passkeys.length, 10)
})

t.test('who logged in too long ago, or without the factor that there is, brings a proof to begin', async t => {
  const { app, clock } = await appOf(t)
  const { pair, authenticator, added } = await withPasskey(app)
  const begin = async (body: object, by = pair) => await post(app, '/second-factors/passkeys/options', body, bearer(by))
  t.strictSame(problemOf(await begin({})), NOT_FRESH, 'by a password alone')
  t.equal((await begin({ current_password: PASSWORD, code: added.recovery_codes[0] })).statusCode, 200)
  const second = (await logInBy(app, authenticator)).json<Pair>()
  t.equal((await begin({}, second)).statusCode, 200)
  clock.now += 9 * MINUTE
  t.equal((await begin({}, second)).statusCode, 200)
  clock.now += MINUTE
  const third = (await post(app, '/refresh', { refresh_token: second.refresh_token })).json<Pair>()
  t.strictSame(problemOf(await begin({}, third)), NOT_FRESH)
})

t.test('a passkey that is not good lets nobody in, and the refusal never says why', async t => {
  const { app, clock, store } = await appOf(t)
  const { id, authenticator } = await withPasskey(app)
  const other = await withPasskey(app, new Authenticator(ORIGIN), 'eve@example.com')
  const wrongs: Wrong[] = [
    { origin: 'https://evil.example' }, { rpId: 'evil.example' }, { challenge: randomBytes(97).toString('base64url') }, { type: 'webauthn.create' }, { flags: UNVERIFIED }, { flags: 0 }, { signature: 'AAAA' }, { signature: '' }, { clientData: { crossOrigin: true } }, { clientData: { origin: { toString: 1 } } }, { clientData: { challenge: { toString: 1 } } },
    { userHandle: null }, { userHandle: '' }, { userHandle: 'AQID' }, { userHandle: handleOf(randomUUID()) },
    { id: other.authenticator.id }, { userHandle: handleOf(other.id) }, { id: randomBytes(20).toString('base64url') },
  ]
  for (const wrong of wrongs) t.strictSame(problemOf(await logInBy(app, authenticator, wrong)), REFUSED, JSON.stringify(wrong))
  const passkey = authenticator.get(await requestOptions(app))
  const tooShort = { ...passkey, response: { ...passkey.response, authenticatorData: passkey.response.authenticatorData.slice(0, 20) } }
  t.strictSame(problemOf(await post(app, '/login/passkey', { passkey: tooShort })), REFUSED)
  clock.now += 5 * MINUTE
  t.strictSame(problemOf(await post(app, '/login/passkey', { passkey })), REFUSED, 'five minutes later')
  t.equal((await store.findUser(id))!.families.length, 1)
  await store.disableUser({ userId: id, live: { createdAfter: 0, advancedAfter: 0 }, closing: { at: clock.now, countsAfter: 0 } })
  t.strictSame(problemOf(await logInBy(app, authenticator)), REFUSED, 'who is disabled')
})

t.test('what was signed works once; of 64 at once one gets in', async t => {
  const { app, store } = await appOf(t, { MAX_ACTIVE_TOKENS: '100' })
  const { id, authenticator } = await withPasskey(app)
  const passkey = authenticator.get(await requestOptions(app))
  const answers = await Promise.all(Array.from({ length: 64 }, async () => (await post(app, '/login/passkey', { passkey })).statusCode))
  t.strictSame(answers.sort(), [200, ...Array<number>(63).fill(401)])
  t.equal((await store.findUser(id))!.families.length, 2)
  t.strictSame(problemOf(await post(app, '/login/passkey', { passkey })), REFUSED)
  const many = await Promise.all(Array.from({ length: 16 }, async () => (await logInBy(app, authenticator)).statusCode))
  t.strictSame(many, Array<number>(16).fill(200), 'of as many as were signed all do')
})

t.test('what was signed works once, however many log-ins come after it', async t => {
  const { app, clock } = await appOf(t, { MAX_ACTIVE_TOKENS: '2' })
  const { authenticator } = await withPasskey(app)
  const passkey = authenticator.get(await requestOptions(app))
  t.equal((await post(app, '/login/passkey', { passkey })).statusCode, 200)
  for (let logIns = 0; logIns < 101; logIns++) {
    clock.now++
    await logInBy(app, authenticator)
  }
  t.strictSame(problemOf(await post(app, '/login/passkey', { passkey })), REFUSED)
  clock.now++
  t.equal((await logInBy(app, authenticator)).statusCode, 200)
})

t.test('a counter that did not go on is a copy\'s, and who has it does not get in', async t => {
  const { app, lines } = await appOf(t)
  const authenticator = new Authenticator(ORIGIN)
  authenticator.counter = 5
  await withPasskey(app, authenticator)
  t.strictSame(problemOf(await logInBy(app, authenticator)), REFUSED, 'it stood still')
  t.equal((await logInBy(app, authenticator, { counter: 6 })).statusCode, 200)
  for (const counter of [6, 5, 0]) t.strictSame(problemOf(await logInBy(app, authenticator, { counter })), REFUSED)
  t.equal((await logInBy(app, authenticator, { counter: 7 })).statusCode, 200)
  t.equal(lines.filter(line => line.includes('copied_passkey')).length, 4)
})

t.test('events tell of what was added, who got in, and why somebody did not', async t => {
  const { app, lines } = await appOf(t)
  const { id, pair, authenticator } = await withPasskey(app)
  await logInBy(app, authenticator)
  await logInBy(app, authenticator, { signature: 'AAAA' })
  await logInBy(app, authenticator, { id: 'AAAA' })
  await logInBy(app, authenticator, { userHandle: null })
  const events = lines.map(line => JSON.parse(line) as { kind?: string, user_id?: string, family_id?: string, details?: Record<string, unknown> }).filter(({ kind }) => kind?.startsWith('second_factor.') || kind?.startsWith('login.'))
  t.strictSame(events.map(({ kind, details }) => [kind, details]).slice(1), [
    ['second_factor.added', { method: 'passkey' }],
    ['login.succeeded', { is_new_device: true, methods: 'pop user mfa' }],
    ['login.failed', { reason: 'wrong_passkey' }], ['login.failed', { reason: 'unknown_passkey' }], ['login.failed', { reason: 'unknown_passkey' }],
  ])
  t.strictSame([events[1]!.family_id, events.at(-2)!.user_id, events.at(-1)!.user_id], [familyOf(pair), id, undefined])
})

t.test('a log-in by a passkey is one like any other: it takes the place of what the cookie held, and knows the device by its token', async t => {
  const { app, lines, store } = await appOf(t)
  const { id, pair, authenticator } = await withPasskey(app)
  const origin = { origin: ORIGIN }
  const first = await post(app, '/login/passkey', { passkey: authenticator.get(await requestOptions(app)), refresh_token_in: 'cookie', device_token: pair.device_token }, origin)
  t.strictSame(Object.keys(first.json<object>()).sort(), ['access_token', 'expires_in', 'refresh_token_expires_in', 'token_type'])
  const [cookie, devices] = first.headers['set-cookie'] as [string, string]
  t.match(lines.at(-1), /"is_new_device":false/)
  const cookies = [cookie, devices].map(text => text.split(';')[0]).join('; ')
  const second = await post(app, '/login/passkey', { passkey: authenticator.get(await requestOptions(app)), refresh_token_in: 'cookie' }, { ...origin, cookie: cookies })
  t.equal(second.statusCode, 200)
  const sids = (await store.findUser(id))!.families.map(family => family.id)
  t.strictSame(new Set(sids), new Set([familyOf(pair), claimsOf(second.json<Pair>().access_token)['sid']]))
  t.equal(problemOf(await post(app, '/login/passkey', { passkey: authenticator.get(await requestOptions(app)), refresh_token_in: 'cookie' }, { origin: 'https://evil.example' }))['code'], 'foreign_origin')
})

t.test('where no more devices may be logged in the passkey is refused, and not used up', async t => {
  const { app, store } = await appOf(t, { MAX_ACTIVE_TOKENS: '1', ACTIVE_TOKENS_POLICY: 'refuse' })
  const { id, pair, authenticator } = await withPasskey(app)
  const passkey = authenticator.get(await requestOptions(app))
  t.equal(problemOf(await post(app, '/login/passkey', { passkey }))['code'], 'too_many_active_tokens')
  await post(app, '/logout', undefined, bearer(pair))
  t.equal((await post(app, '/login/passkey', { passkey })).statusCode, 200)
  t.equal((await store.findUser(id))!.families.length, 1)
})

t.test('an address that has tried too often is refused, unless it shows a device of the user\'s', async t => {
  const { app } = await appOf(t, { RATE_LIMIT: 'on', RATE_LIMIT_LOGIN_MAX: '3' })
  const { pair, authenticator } = await withPasskey(app)
  const other = await withPasskey(app, new Authenticator(ORIGIN), 'eve@example.com')
  for (let tries = 0; tries < 3; tries++) await logInBy(app, authenticator, { signature: 'AAAA' })
  t.equal((await logInBy(app, authenticator)).statusCode, 429)
  t.equal((await logInBy(app, authenticator, undefined, { device_token: other.pair.device_token })).statusCode, 429)
  t.equal((await logInBy(app, authenticator, undefined, { device_token: pair.device_token })).statusCode, 200)
})

t.test('beside a password a passkey of that user goes on with the log-in', async t => {
  const { app, clock, store } = await appOf(t)
  const { id, authenticator } = await withPasskey(app)
  const other = await withPasskey(app, new Authenticator(ORIGIN), 'eve@example.com')
  const { methods, ticket } = await stepUp(app)
  t.strictSame(methods, ['passkey', 'recovery_code'])
  const options = await requestOptions(app, { ticket })
  t.strictSame(options.allowCredentials, [{ type: 'public-key', id: authenticator.id, transports: ['internal', 'hybrid'] }])
  const complete = async (passkey: AuthenticationResponse) => await post(app, '/login/second-factor', { ticket, passkey })
  const wrong = async (passkey: AuthenticationResponse) => problemOf(await complete(passkey))['code']
  t.equal(await wrong(other.authenticator.get(options)), 'invalid_second_factor', 'another user\'s')
  t.equal(await wrong(authenticator.get(options, { userHandle: handleOf(other.id) })), 'invalid_second_factor', 'that says it is another user\'s')
  t.equal(await wrong(authenticator.get(await requestOptions(app))), 'invalid_second_factor', 'what was made without the ticket')
  t.equal(await wrong(authenticator.get(options, { flags: UNVERIFIED })), 'invalid_second_factor')
  t.strictSame(problemOf(await post(app, '/login/passkey', { passkey: authenticator.get(options) })), REFUSED, 'what is for the ticket, without it')
  const answer = await complete(authenticator.get(options, { userHandle: null }))
  t.equal(answer.statusCode, 200)
  t.strictSame((await store.findUser(id))!.families.find(({ id }) => id === familyOf(answer.json<Pair>()))!.amr, ['pwd', 'pop', 'user', 'mfa'])
  t.equal(problemOf(await post(app, '/login/passkey/options', { ticket }))['code'], 'invalid_ticket', 'used')
  t.equal(problemOf(await post(app, '/login/passkey/options', { ticket: 'x' }))['code'], 'invalid_ticket')
  await withTotp(app, clock.now, 'bob@example.com')
  t.strictSame(problemOf(await post(app, '/login/passkey/options', { ticket: (await stepUp(app, 'bob@example.com')).ticket })), UNKNOWN, 'of who has no passkey')
})

t.test('where a second factor is required, who has none may add a passkey to log in, and the pair comes with it', async t => {
  const { app, store } = await appOf(t, { SECOND_FACTOR: 'required' })
  const id = await register(app)
  const { methods, ticket } = await stepUp(app)
  t.strictSame(methods, [])
  t.strictSame(problemOf(await post(app, '/login/passkey/options', { ticket })), UNKNOWN)
  const authenticator = new Authenticator(ORIGIN)
  const passkey = authenticator.create(await creationOptions(app, ticket))
  t.strictSame(problemOf(await post(app, '/second-factors/passkeys', { passkey, name: 'Phone' }, bearer((await stepUp(app)).ticket))), NOT_ADDED, 'by another log-in')
  const own = { host: 'signet.example', origin: ORIGIN, 'x-forwarded-proto': 'https' }
  const answer = await post(app, '/second-factors/passkeys', { passkey, name: 'Phone', refresh_token_in: 'cookie' }, { ...own, ...bearer(ticket) })
  t.equal(answer.statusCode, 201)
  t.strictSame(Object.keys(answer.json<object>()).sort(), ['access_token', 'expires_in', 'passkey', 'recovery_codes', 'refresh_token_expires_in', 'token_type'])
  t.match(answer.cookies, [{ name: '__Host-signet' }, { name: '__Host-signet-device' }])
  t.strictSame(claimsOf(answer.json<Pair>().access_token)['amr'], ['pwd', 'pop', 'user', 'mfa'])
  t.equal((await store.findUser(id))!.families.length, 1)
  t.match(claimsOf((await logInBy(app, authenticator)).json<Pair>().access_token)['amr'], ['pop', 'user', 'mfa'], 'which is enough from then on')
})

t.test('who has to prove the address first does not get in by a passkey, which is not used up', async t => {
  const { app, store } = await appOf(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  const authenticator = new Authenticator(ORIGIN)
  const passkey = { id: authenticator.id, publicKey: authenticator.coseKey().toString('base64url'), counter: 0, transports: [], name: 'Phone', addedAt: 0, lastUsedAt: null, isBackedUp: true }
  const user = { ...newUser(), factors: { version: 1, passkeys: [passkey], recoveryCodes: [], spent: [] } }
  await store.insertUser(user)
  const answer = authenticator.get(await requestOptions(app), { userHandle: handleOf(user.id) })
  t.match(problemOf(await post(app, '/login/passkey', { passkey: answer })), { status: 403, code: 'email_not_verified' })
  await store.verifyEmail({ userId: user.id, email: user.email })
  t.equal((await post(app, '/login/passkey', { passkey: answer })).statusCode, 200)
})

t.test('a passkey is renamed, and by nobody else', async t => {
  const { app } = await appOf(t)
  const { pair, authenticator, added } = await withPasskey(app)
  const other = await withPasskey(app, new Authenticator(ORIGIN), 'eve@example.com')
  const rename = async (name: string, by = pair, id = authenticator.id) => await app.inject({ method: 'PATCH', url: `/second-factors/passkeys/${id}`, headers: bearer(by), payload: { name } })
  const answer = await rename(' Work phone ')
  t.strictSame([answer.statusCode, answer.json()], [200, { ...added.passkey, name: 'Work phone' }])
  const stick = new Authenticator(ORIGIN)
  const second = (await logInBy(app, authenticator)).json<Pair>()
  await add(app, second, stick)
  await rename('Stick', second, stick.id)
  t.strictSame((await app.inject({ url: '/second-factors', headers: bearer(pair) })).json<{ passkeys: Array<{ name: string }> }>().passkeys.map(({ name }) => name), ['Work phone', 'Stick'])
  t.strictSame(problemOf(await rename('Mine', other.pair)), UNKNOWN)
  t.strictSame(problemOf(await rename('Mine', pair, 'A'.repeat(1_364))), UNKNOWN)
  const unnamed = problem(400, 'Bad Request', 'invalid_request', 'The request is not of the form that this route takes.', [{ field: 'name', detail: 'It must have a visible character, at most 50 in all, and none that breaks the line or changes the direction of the text.' }])
  for (const name of [' ', 'a\nb', '\ufb2c'.repeat(50)]) t.strictSame(problemOf(await rename(name)), unnamed)
  for (const name of ['', '🦊'.repeat(51)]) t.equal((await rename(name)).statusCode, 400)
  t.equal((await rename('🦊'.repeat(50))).statusCode, 200)
})

t.test('a passkey is removed with a proof, logs in no more, and takes the recovery codes along where it was the last factor', async t => {
  const { app, lines, store } = await appOf(t)
  const { id, pair, authenticator, added } = await withPasskey(app)
  const remove = async (by: Pair, body?: object, which = authenticator.id) => await app.inject({ method: 'DELETE', url: `/second-factors/passkeys/${which}`, headers: bearer(by), ...(body && { payload: body }) })
  t.strictSame(problemOf(await remove(pair)), NOT_FRESH)
  const second = (await logInBy(app, authenticator)).json<Pair>()
  t.strictSame(problemOf(await remove(second, undefined, 'AAAA')), UNKNOWN)
  const spare = new Authenticator(ORIGIN)
  await add(app, second, spare, 'Stick')
  t.equal((await remove(second, undefined, spare.id)).statusCode, 204)
  t.equal((await store.findUser(id))!.factors!.recoveryCodes.length, 10)
  t.strictSame(problemOf(await logInBy(app, spare)), REFUSED)
  t.equal((await remove(pair, { current_password: PASSWORD, code: added.recovery_codes[0], close_others: true })).statusCode, 204)
  const user = (await store.findUser(id))!
  t.match(user.factors, { passkeys: [], recoveryCodes: [] })
  t.strictSame(user.families.map(family => family.id), [familyOf(pair)], 'and the others are closed where that was asked for')
  t.equal(lines.filter(line => line.includes('second_factor.removed')).length, 2)
  t.ok(await login(app), 'the password is enough again')
})

t.test('a passkey that is added may log every other device out', async t => {
  const { app, store } = await appOf(t)
  const id = await register(app)
  const [pair] = [await login(app), await login(app)]
  const passkey = new Authenticator(ORIGIN).create(await creationOptions(app, pair))
  t.equal((await post(app, '/second-factors/passkeys', { passkey, name: 'Phone', close_others: true }, bearer(pair))).statusCode, 201)
  t.strictSame((await store.findUser(id))!.families.map(family => family.id), [familyOf(pair)])
})

t.test('what a browser says beside is no matter, and what is too long is refused before it is looked at', async t => {
  const { app } = await appOf(t)
  const { pair, authenticator } = await withPasskey(app)
  const answer = authenticator.get(await requestOptions(app))
  const more = { ...answer, authenticatorAttachment: 'platform', clientExtensionResults: { credProps: { rk: true } }, response: { ...answer.response, later: true } }
  t.equal((await post(app, '/login/passkey', { passkey: more })).statusCode, 200)
  const long = (field: string, size: number) => ({ ...answer, response: { ...answer.response, [field]: 'A'.repeat(size) } })
  const faultOf = async (passkey: object) => problemOf(await post(app, '/login/passkey', { passkey }))['errors']
  for (const [field, size] of [['clientDataJSON', 4_000], ['authenticatorData', 4_000], ['signature', 1_400], ['userHandle', 88]] as const) {
    t.strictSame(await faultOf(long(field, size + 1)), [{ field: `passkey/response/${field}`, detail: `It has more than ${size} characters.` }])
  }
  t.strictSame(await faultOf({ ...answer, id: 'A'.repeat(1_365) }), [{ field: 'passkey/id', detail: 'It has more than 1364 characters.' }])
  t.match(await faultOf({ ...answer, type: 'password' }), [{ field: 'passkey/type' }])
  t.match(await faultOf({ ...answer, rawId: 'not base64url!' }), [{ field: 'passkey/rawId' }])
  t.match(await faultOf({ type: 'public-key', id: 'A', rawId: 'A', response: {} }), [{}, {}, {}])
  const made: RegistrationResponse = new Authenticator(ORIGIN).create(await creationOptions(app, (await logInBy(app, authenticator)).json<Pair>()))
  for (const response of [{ ...made.response, attestationObject: 'A'.repeat(8_001) }, { ...made.response, transports: Array<string>(11).fill('usb') }, { ...made.response, transports: ['x'.repeat(33)] }]) {
    t.equal((await post(app, '/second-factors/passkeys', { passkey: { ...made, response }, name: 'Phone' }, bearer(pair))).statusCode, 400)
  }
  t.equal((await post(app, '/login/passkey', { passkey: { ...answer, more: 'A'.repeat(17_000) } })).statusCode, 413)
})
