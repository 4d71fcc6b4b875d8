// The refresh token in a cookie: what is set, read and cleared, and from where it is taken.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { AuthError } from '../../../src/errors.js'
import { mayUseCookie } from '../../../src/http/edge/refresh-cookie.js'
import { EMAIL, PASSWORD, testApp, type Pair } from '../../test-app.js'
import { bearer, familyOf, login, post, problem, problemOf, register } from '../client.js'

const OWN = 'http://127.0.0.1:3000'
const APP = 'http://app.example'
const PAGE = { host: '127.0.0.1:3000', origin: OWN, 'sec-fetch-site': 'same-origin' }
const CLEARED = '__Host-signet=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict'
const DEVICE_COOKIE = /^__Host-signet-device=A[\w-]{103}; Max-Age=7776000; Path=\/; HttpOnly; Secure; SameSite=Strict$/
const FOREIGN = problem(403, 'Forbidden', 'foreign_origin', 'The cookie is taken only from the pages of Signet and of the origins in CORS_ORIGINS, on one site.')
const BAD_GRANT = problem(401, 'Unauthorized', 'invalid_grant', 'No refresh token came that is still good; log in again.')
const INPUT = 'The request is not of the form that this route takes.'

type Browser = Omit<Pair, 'refresh_token' | 'device_token'> & { cookie: string }

function tokenOf (answer: LightMyRequestResponse): string {
  return /^__Host-signet=([^;]*)/.exec(String(answer.headers['set-cookie']))![1]!
}

async function browserLogin (app: FastifyInstance): Promise<Browser> {
  const answer = await post(app, '/login', { email: EMAIL, password: PASSWORD, refresh_token_in: 'cookie' }, PAGE)
  return { ...answer.json<Pair>(), cookie: `__Host-signet=${tokenOf(answer)}` }
}

const refresh = async (app: FastifyInstance, cookie: string, body: object | undefined = {}, headers: object = PAGE) => await post(app, '/refresh', body, { ...headers, cookie })

t.test('a log-in that asks for it gets its refresh token in the cookie alone, for as long as the token is good', async t => {
  const { app } = await testApp(t, { REFRESH_TOKEN_IDLE_TTL: '1000' })
  await register(app)
  const answer = await post(app, '/login', { email: EMAIL, password: PASSWORD, refresh_token_in: 'cookie' }, PAGE)
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['set-cookie'], [/^__Host-signet=A[\w-]{102}; Max-Age=1000; Path=\/; HttpOnly; Secure; SameSite=Strict$/, DEVICE_COOKIE])
  t.equal(answer.headers['cache-control'], 'no-store')
  const { access_token: access, ...rest } = answer.json<Pair>()
  t.match(access, /^eyJ/)
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 600, refresh_token_expires_in: 1000 })
})

t.test('a refresh without a token in the body takes the cookie and answers in the cookie, with a body or none', async t => {
  const { app } = await testApp(t)
  await register(app)
  let { cookie } = await browserLogin(app)
  for (const body of [{}, { refresh_token_in: 'cookie' }, undefined]) {
    const answer = await refresh(app, `theme=dark; ${cookie}`, body)
    t.equal(answer.statusCode, 200)
    t.notOk('refresh_token' in answer.json<object>())
    t.not(`__Host-signet=${tokenOf(answer)}`, cookie)
    cookie = `__Host-signet=${tokenOf(answer)}`
  }
})

t.test('a token in the cookie has one spelling: what is escaped is another', async t => {
  const { app } = await testApp(t)
  await register(app)
  const { cookie } = await browserLogin(app)
  t.strictSame(problemOf(await refresh(app, cookie.replace('=A', '=%41'))), BAD_GRANT)
  t.equal((await refresh(app, cookie)).statusCode, 200)
})

t.test('a token of the body moves into the cookie where that is asked for', async t => {
  const { app } = await testApp(t)
  await register(app)
  const { refresh_token: token } = await login(app)
  const answer = await post(app, '/refresh', { refresh_token: token, refresh_token_in: 'cookie' }, PAGE)
  t.equal(answer.statusCode, 200)
  t.notOk('refresh_token' in answer.json<object>())
  t.equal((await refresh(app, `__Host-signet=${tokenOf(answer)}`)).statusCode, 200)
})

t.test('without a word about the cookie everything is as it was', async t => {
  const { app } = await testApp(t)
  await register(app)
  for (const url of ['/login', '/change-password']) {
    const answer = url === '/login'
      ? await post(app, url, { email: EMAIL, password: PASSWORD })
      : await post(app, url, { current_password: PASSWORD, new_password: 'another harbour' }, bearer(await login(app)))
    t.strictSame([answer.statusCode, answer.headers['set-cookie']], [200, undefined])
    t.equal((await post(app, '/refresh', { refresh_token: answer.json<Pair>().refresh_token })).headers['set-cookie'], undefined)
  }
})

t.test('a log-in closes the family whose cookie came with it, whosever that is, and the cookie is the new one\'s or cleared', async t => {
  const { app, store } = await testApp(t)
  const ada = await register(app)
  await register(app, 'bob@example.org')
  for (const email of [EMAIL, 'bob@example.org']) {
    const [mine, phone] = [await browserLogin(app), await login(app)]
    const answer = await post(app, '/login', { email, password: PASSWORD, refresh_token_in: 'cookie' }, { ...PAGE, cookie: mine.cookie })
    t.equal(answer.statusCode, 200)
    t.strictSame(problemOf(await refresh(app, mine.cookie)), BAD_GRANT)
    t.equal((await app.inject({ url: '/user-info', headers: bearer(mine) })).statusCode, 401)
    t.equal((await post(app, '/refresh', { refresh_token: phone.refresh_token })).statusCode, 200, 'another device is left alone')
    const next = `__Host-signet=${tokenOf(answer)}`
    const inBody = await post(app, '/login', { email: EMAIL, password: PASSWORD }, { ...PAGE, cookie: next })
    t.strictSame([inBody.statusCode, inBody.headers['set-cookie']], [200, CLEARED])
    t.ok(inBody.json<Pair>().refresh_token)
    t.strictSame(problemOf(await refresh(app, next)), BAD_GRANT)
  }
  t.equal((await store.findUser(ada))!.families.length, 4, 'two phones, and two log-ins in the body')
})

t.test('an old cookie closes its family as the one that stands does', async t => {
  const { app, clock } = await testApp(t)
  await register(app)
  const { cookie } = await browserLogin(app)
  const successor = `__Host-signet=${tokenOf(await refresh(app, cookie))}`
  clock.now += 31_000
  t.equal((await post(app, '/login', { email: EMAIL, password: PASSWORD }, { ...PAGE, cookie })).statusCode, 200)
  t.strictSame(problemOf(await refresh(app, successor)), BAD_GRANT)
})

t.test('at a log-in a cookie that is forged or of a family that is gone is as none', async t => {
  const { app, store } = await testApp(t, { RATE_LIMIT: 'on' })
  const id = await register(app)
  const { cookie } = await browserLogin(app)
  const gone = (await browserLogin(app)).cookie
  await post(app, '/login', { email: EMAIL, password: PASSWORD }, { ...PAGE, cookie: gone })
  const before = (await store.findUser(id))!.families.length
  for (const stale of ['__Host-signet=garbage', '__Host-signet=', `${cookie.slice(0, -2)}AA`, gone]) {
    const answer = await post(app, '/login', { email: EMAIL, password: PASSWORD, refresh_token_in: 'cookie' }, { ...PAGE, cookie: stale })
    t.equal(answer.statusCode, 200, stale)
    t.match(answer.headers['set-cookie'], [/^__Host-signet=A/, DEVICE_COOKIE])
  }
  t.equal((await store.findUser(id))!.families.length, before + 4)
})

t.test('a log-in that is refused closes nothing and leaves the cookie', async t => {
  const { app } = await testApp(t, { ACTIVE_TOKENS_POLICY: 'refuse', MAX_ACTIVE_TOKENS: '1' })
  await register(app)
  await register(app, 'bob@example.org')
  await login(app, 'bob@example.org')
  const mine = await browserLogin(app)
  for (const [email, password, status] of [[EMAIL, 'wrong', 401], ['bob@example.org', PASSWORD, 409]] as const) {
    const answer = await post(app, '/login', { email, password, refresh_token_in: 'cookie' }, { ...PAGE, cookie: mine.cookie })
    t.strictSame([answer.statusCode, answer.headers['set-cookie']], [status, undefined])
  }
  t.equal((await post(app, '/login', { email: EMAIL, password: PASSWORD, refresh_token_in: 'cookie' }, { ...PAGE, cookie: mine.cookie })).statusCode, 200, 'the own place is free')
})

t.test('a log-in of another user whose old family cannot be closed is not answered, and the cookie still tells of it', async t => {
  const { app, store } = await testApp(t)
  await register(app)
  await register(app, 'bob@example.org')
  const mine = await browserLogin(app)
  const close = store.closeFamily.bind(store)
  store.closeFamily = async () => { throw new AuthError('unavailable') }
  const again = async () => await post(app, '/login', { email: 'bob@example.org', password: PASSWORD, refresh_token_in: 'cookie' }, { ...PAGE, cookie: mine.cookie })
  const answer = await again()
  t.strictSame([answer.statusCode, answer.headers['set-cookie']], [503, undefined])
  store.closeFamily = close
  t.equal((await again()).statusCode, 200)
  t.strictSame(problemOf(await refresh(app, mine.cookie)), BAD_GRANT)
})

t.test('a password change answers in the cookie where that is asked for, or where the cookie is the caller\'s own', async t => {
  const { app } = await testApp(t)
  await register(app)
  let password = PASSWORD
  const change = async (pair: Pick<Pair, 'access_token'>, cookie: string | undefined, wish: object = {}) => {
    const body = { current_password: password, new_password: `${password} and more`, ...wish }
    const answer = await post(app, '/change-password', body, { ...PAGE, ...bearer(pair), ...(cookie && { cookie }) })
    if (answer.statusCode === 200) password = body.new_password
    return answer
  }
  const browser = async () => {
    const answer = await post(app, '/login', { email: EMAIL, password, refresh_token_in: 'cookie' }, PAGE)
    return { ...answer.json<Pair>(), cookie: `__Host-signet=${tokenOf(answer)}` }
  }
  const inCookie = async (answer: LightMyRequestResponse, old: string | undefined) => {
    t.equal(answer.statusCode, 200)
    t.notOk('refresh_token' in answer.json<object>())
    t.match(answer.headers['set-cookie'], [/^__Host-signet=A[\w-]{102}; Max-Age=1209600; Path=\/; HttpOnly; Secure; SameSite=Strict$/, DEVICE_COOKIE])
    t.equal((await app.inject({ url: '/user-info', headers: bearer(answer.json<Pair>()) })).statusCode, 200)
    if (old) t.strictSame(problemOf(await refresh(app, old)), BAD_GRANT)
    t.equal((await refresh(app, `__Host-signet=${tokenOf(answer)}`)).statusCode, 200)
  }
  const mine = await browser()
  await inCookie(await change(mine, mine.cookie), mine.cookie)
  await inCookie(await change(await login(app, EMAIL, password), undefined, { refresh_token_in: 'cookie' }), undefined)
  const other = await browser()
  for (const cookie of [other.cookie, '__Host-signet=garbage']) {
    const answer = await change(await login(app, EMAIL, password), cookie)
    t.strictSame([answer.statusCode, answer.headers['set-cookie'], typeof answer.json<Pair>().refresh_token], [200, undefined, 'string'], 'a cookie that is not the caller\'s')
  }
  const failing = await browser()
  const weak = await post(app, '/change-password', { current_password: password, new_password: 'short' }, { ...PAGE, ...bearer(failing), cookie: failing.cookie })
  t.strictSame([weak.statusCode, weak.headers['set-cookie']], [400, undefined])
  t.equal((await refresh(app, failing.cookie)).statusCode, 200)
})

t.test('a token in both places is refused and stays good; a place that is none is refused', async t => {
  const { app } = await testApp(t)
  await register(app)
  const [{ cookie }, { refresh_token: token }] = [await browserLogin(app), await login(app)]
  const both = await refresh(app, cookie, { refresh_token: token })
  t.strictSame(problemOf(both), problem(400, 'Bad Request', 'invalid_request', INPUT, [{ field: 'refresh_token', detail: 'It came in the body and in the cookie; send one of them.' }]))
  t.equal(both.headers['set-cookie'], undefined)
  t.equal((await refresh(app, cookie)).statusCode, 200)
  t.equal((await post(app, '/refresh', { refresh_token: token })).statusCode, 200)
  for (const url of ['/login', '/refresh']) {
    const answer = await post(app, url, { ...(url === '/login' && { email: EMAIL, password: PASSWORD }), refresh_token_in: 'body' }, PAGE)
    t.strictSame(problemOf(answer), problem(400, 'Bad Request', 'invalid_request', INPUT, [{ field: 'refresh_token_in', detail: 'It must be equal to one of the allowed values.' }]))
  }
})

t.test('a refresh with no token anywhere is of a session that has ended, for a cookie that has ended comes no more', async t => {
  const { app } = await testApp(t)
  for (const body of [undefined, {}]) t.strictSame(problemOf(await post(app, '/refresh', body)), BAD_GRANT)
  const ended = await post(app, '/refresh', { refresh_token_in: 'cookie' }, PAGE)
  t.strictSame(problemOf(ended), BAD_GRANT)
  t.equal(ended.headers['set-cookie'], undefined, 'there is nothing to clear')
})

t.test('a dead refresh clears the cookie; a 429 and a 503 leave it', async t => {
  const { app, clock } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '5' })
  await register(app)
  const { cookie } = await browserLogin(app)
  const dead = await refresh(app, '__Host-signet=garbage')
  t.strictSame([problemOf(dead), dead.headers['set-cookie']], [BAD_GRANT, CLEARED])
  await refresh(app, cookie)
  clock.now += 31_000
  const reused = await refresh(app, cookie)
  t.strictSame([problemOf(reused), reused.headers['set-cookie']], [BAD_GRANT, CLEARED])
  const limited = await refresh(app, cookie)
  t.strictSame([limited.statusCode, limited.headers['set-cookie']], [429, undefined])
  const other = await testApp(t)
  await register(other.app)
  const mine = await browserLogin(other.app)
  await other.store.close()
  const down = await refresh(other.app, mine.cookie)
  t.strictSame([down.statusCode, down.headers['set-cookie']], [503, undefined])
})

t.test('what ends the own log-in clears the cookie, and nothing else does', async t => {
  const { app } = await testApp(t)
  await register(app)
  const ends: Array<['POST' | 'DELETE', (own: string) => string]> = [['POST', () => '/logout'], ['POST', () => '/revoke-all-tokens'], ['DELETE', own => `/tokens/${own}`]]
  for (const [method, url] of ends) {
    const tokens = await browserLogin(app)
    const other = await login(app)
    const send = async (url: string) => await app.inject({ method, url, headers: { ...PAGE, ...bearer(tokens), cookie: tokens.cookie } })
    if (method === 'DELETE') t.equal((await send(`/tokens/${familyOf(other)}`)).headers['set-cookie'], undefined, 'another device')
    const answer = await send(url(familyOf(tokens as unknown as Pair)))
    t.equal(answer.headers['set-cookie'], CLEARED)
    t.strictSame(problemOf(await refresh(app, tokens.cookie)), BAD_GRANT)
    const body = await login(app)
    t.equal((await app.inject({ method, url: url(familyOf(body)), headers: bearer(body) })).headers['set-cookie'], undefined, 'no cookie, nothing to clear')
    const refused = await app.inject({ method, url: url(familyOf(body)), headers: { ...PAGE, cookie: tokens.cookie } })
    t.strictSame([refused.statusCode, refused.headers['set-cookie']], [401, undefined], 'a log-out that was refused')
  }
})

// From where the cookie is taken: Origin, Sec-Fetch-Site, and whether it may. ISSUER is https://id.example, CORS_ORIGINS has APP.
const CASES: Array<[origin: string | undefined, site: string | undefined, may: boolean, why: string]> = [
  [OWN, 'same-origin', true, 'the address that was asked'],
  [OWN, undefined, true, 'the address that was asked, in a browser without fetch metadata'],
  ['https://id.example', 'same-origin', true, 'the origin of ISSUER, behind a proxy that is not trusted'],
  [APP, 'same-site', true, 'a listed origin of this site'],
  [APP, undefined, true, 'a listed origin, in a browser without fetch metadata'],
  [undefined, 'same-origin', true, 'an own page, without its Origin'],
  [APP, 'cross-site', false, 'a listed origin of another site'],
  [OWN, 'cross-site', false, 'headers that contradict each other'],
  ['http://evil.example', 'cross-site', false, 'a foreign page'],
  ['http://evil.example', 'same-site', false, 'an origin of this site that is not listed'],
  ['http://evil.example', undefined, false, 'a foreign page, in a browser without fetch metadata'],
  ['null', 'cross-site', false, 'a sandbox'],
  ['null', undefined, false, 'a sandbox, in a browser without fetch metadata'],
  ['https://127.0.0.1:3000', undefined, false, 'another scheme'],
  ['http://127.0.0.1:3001', 'same-site', false, 'another port'],
  [`${APP}.evil.example`, undefined, false, 'a name that begins like a listed one'],
  [`${APP}/`, undefined, false, 'not quite a listed one'],
  ['HTTP://APP.EXAMPLE', undefined, false, 'a spelling that no browser uses'],
  ['', undefined, false, 'an empty Origin'],
  [undefined, 'same-site', false, 'some origin of this site'],
  [undefined, 'none', false, 'nobody types a request of these routes'],
  [undefined, 'cross-site', false, 'a foreign page that hides its Origin'],
  [undefined, undefined, false, 'nobody knows from where'],
]

t.test('the cookie is taken from own pages and listed ones of this site, and refused beside any other Origin', async t => {
  const { app } = await testApp(t, { ISSUER: 'https://id.example', CORS_ORIGINS: APP })
  await register(app)
  const mine = await browserLogin(app)
  for (const [origin, site, may, why] of CASES) {
    const from = { host: '127.0.0.1:3000', ...(origin !== undefined && { origin }), ...(site !== undefined && { 'sec-fetch-site': site }) }
    const answers = {
      'asks for it': await post(app, '/login', { email: EMAIL, password: PASSWORD, refresh_token_in: 'cookie' }, from),
      'brings it': await post(app, '/refresh', {}, { ...from, cookie: mine.cookie }),
      'brings it without a body': await post(app, '/refresh', undefined, { ...from, cookie: mine.cookie }),
      'brings it to a log-in': await post(app, '/login', { email: EMAIL, password: 'wrong' }, { ...from, cookie: mine.cookie }),
      'brings it to a password change': await post(app, '/change-password', { current_password: 'wrong', new_password: 'short' }, { ...from, ...bearer(mine), cookie: mine.cookie }),
      'asks a password change for it': await post(app, '/change-password', { current_password: 'wrong', new_password: 'short', refresh_token_in: 'cookie' }, { ...from, ...bearer(mine) }),
      'would lose it': await app.inject({ method: 'DELETE', url: '/tokens/garbage', headers: { ...from, ...bearer(mine), cookie: mine.cookie } }),
    }
    for (const [how, answer] of Object.entries(answers)) {
      if (may) t.not(answer.statusCode, 403, `${why}, ${how}`)
      else t.strictSame([problemOf(answer), answer.headers['set-cookie']], [FOREIGN, undefined], `${why}, ${how}`)
    }
    for (const url of ['/logout', '/revoke-all-tokens']) if (!may) t.strictSame(problemOf(await post(app, url, undefined, { ...from, ...bearer(mine), cookie: mine.cookie })), FOREIGN, `${why} at ${url}`)
    if (may) t.equal(mayUseCookie({ origin, secFetchSite: site, addressedTo: OWN }, new Set(['https://id.example', APP])), true)
  }
  t.equal((await app.inject({ url: '/user-info', headers: bearer(mine) })).statusCode, 200, 'no refusal changed anything')
})

t.test('the address that was asked is the proxy\'s word only where TRUST_PROXY names the proxy', async t => {
  const forwarded = { origin: 'https://login.example', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'login.example' }
  for (const [env, expected] of [[{ TRUST_PROXY: '127.0.0.1' }, BAD_GRANT], [{}, FOREIGN]] as const) {
    const { app } = await testApp(t, env)
    t.strictSame(problemOf(await post(app, '/refresh', { refresh_token_in: 'cookie' }, forwarded)), expected)
  }
})

t.test('a request that was addressed to nothing readable is nobody\'s own', async t => {
  const { app } = await testApp(t)
  t.strictSame(problemOf(await post(app, '/refresh', { refresh_token_in: 'cookie' }, { host: 'a:99999', origin: 'http://a:99999' })), FOREIGN)
})

/** The device tokens that an answer puts into the cookie. */
function deviceTokensOf (answer: LightMyRequestResponse): string[] {
  return /__Host-signet-device=([^;]*)/.exec(String(answer.headers['set-cookie']))![1]!.split('.')
}

t.test('a device token comes with every pair: in the cookie beside the refresh token, or in the body', async t => {
  const { app } = await testApp(t)
  await register(app)
  const { cookie } = await browserLogin(app)
  const inCookie = await refresh(app, cookie)
  t.match(inCookie.headers['set-cookie'], [/^__Host-signet=A/, DEVICE_COOKIE])
  t.notOk('device_token' in inCookie.json<object>())
  const pair = await login(app)
  const answers = [pair, (await post(app, '/refresh', { refresh_token: pair.refresh_token })).json<Pair>(), (await post(app, '/change-password', { current_password: PASSWORD, new_password: 'another harbour' }, bearer(pair))).json<Pair>()]
  t.strictSame(answers.map(({ device_token: token }) => /^A[g-v][\w-]{102}$/.test(token)), [true, true, true])
})

t.test('a log-out leaves the device token, and a browser that several people use has one of each', async t => {
  const { app } = await testApp(t)
  const log = async (email: string, cookie: string, headers: object = PAGE) => await post(app, '/login', { email, password: PASSWORD, refresh_token_in: 'cookie' }, { ...headers, cookie })
  for (const email of [EMAIL, 'eve@example.com']) await register(app, email)
  const first = await log(EMAIL, '')
  const [ofAda] = deviceTokensOf(first)
  const cookie = `__Host-signet=${tokenOf(first)}; __Host-signet-device=${ofAda}`
  t.equal((await post(app, '/logout', undefined, { ...PAGE, ...bearer(first.json<Pair>()), cookie })).headers['set-cookie'], CLEARED)
  const second = await log('eve@example.com', cookie)
  const [ofEve, ...others] = deviceTokensOf(second)
  t.strictSame(others, [ofAda])
  const third = await refresh(app, `__Host-signet=${tokenOf(second)}; __Host-signet-device=${ofEve}.${ofAda}`)
  t.strictSame(deviceTokensOf(third).slice(1), [ofAda], 'by a refresh, too')
  const again = await log(EMAIL, `__Host-signet-device=${deviceTokensOf(third).join('.')}`)
  t.strictSame(deviceTokensOf(again).slice(1), [deviceTokensOf(third)[0]])
  t.not(deviceTokensOf(again)[0], ofAda)
})

t.test('who deletes the account takes the own device token along, and nobody else\'s', async t => {
  const { app } = await testApp(t)
  const log = async (email: string) => await post(app, '/login', { email, password: PASSWORD, refresh_token_in: 'cookie' }, PAGE)
  const remove = async (answer: LightMyRequestResponse, ...devices: string[]) => {
    const cookie = `__Host-signet=${tokenOf(answer)}; __Host-signet-device=${devices.join('.')}`
    return (await app.inject({ method: 'DELETE', url: '/account', headers: { ...PAGE, ...bearer(answer.json<Pair>()), cookie }, payload: { password: PASSWORD } })).headers['set-cookie']
  }
  for (const email of [EMAIL, 'eve@example.com']) await register(app, email)
  const [ada, eve] = [await log(EMAIL), await log('eve@example.com')]
  const [[ofAda], [ofEve]] = [deviceTokensOf(ada), deviceTokensOf(eve)]
  t.strictSame(await remove(ada, ofAda!, ofEve!), [CLEARED, `__Host-signet-device=${ofEve}; Max-Age=7776000; Path=/; HttpOnly; Secure; SameSite=Strict`])
  t.strictSame(await remove(eve, ofEve!), [CLEARED, '__Host-signet-device=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict'])
})

t.test('a device token that is damaged, another\'s, old, or from another\'s page is as none, and refuses nothing', async t => {
  const { app, clock } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_ACCOUNT_MAX: '1', TRUST_PROXY: '127.0.0.1' })
  for (const email of [EMAIL, 'eve@example.com']) await register(app, email)
  const { device_token: own } = await login(app)
  const { device_token: others } = await login(app, 'eve@example.com')
  const send = async (password: string, body: object, headers: Record<string, string> = {}) => (await post(app, '/login', { email: EMAIL, password, ...body }, { 'x-forwarded-for': '198.51.100.1', ...headers })).statusCode
  t.equal(await send('wrong', {}), 401)
  t.equal(await send(PASSWORD, {}), 429)
  const cookie = (token: string) => ({ cookie: `__Host-signet-device=${token}` })
  const page = { host: '127.0.0.1:3000', 'sec-fetch-site': 'same-origin' }
  for (const token of ['', 'A', `${own.slice(0, -1)}!`, others, `${own}.`, 'A'.repeat(12_000)]) {
    t.equal(await send(PASSWORD, { device_token: token }), 429, token.slice(0, 20))
    if (!token.startsWith(own)) t.equal(await send(PASSWORD, {}, { ...page, ...cookie(token.slice(0, 5000)) }), 429)
  }
  t.equal(await send(PASSWORD, {}, { ...page, 'sec-fetch-site': 'cross-site', ...cookie(own) }), 429)
  t.equal(await send(PASSWORD, {}, cookie(own)), 429, 'nothing says from where')
  for (const token of [1, null, [own]]) t.equal(await send(PASSWORD, { device_token: token }), 400)
  t.equal(await send(PASSWORD, { device_token: own }), 200)
  t.equal(await send(PASSWORD, { device_token: others }, { ...page, ...cookie(`${others}.${own}`) }), 200)
  clock.now += 90 * 86_400_000
  t.equal(await send('wrong', {}), 401)
  t.equal(await send(PASSWORD, { device_token: own }), 429)
})

t.test('a device token of before a change of the password is good, and one of a secret that is gone is as none', async t => {
  const { app, keyRing } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_ACCOUNT_MAX: '1', TRUST_PROXY: '127.0.0.1' })
  await register(app)
  const pair = await login(app)
  t.equal((await post(app, '/change-password', { current_password: PASSWORD, new_password: 'another harbour' }, bearer(pair))).statusCode, 200)
  const send = async (password: string, body: object = {}) => (await post(app, '/login', { email: EMAIL, password, ...body }, { 'x-forwarded-for': '198.51.100.1' })).statusCode
  t.strictSame([await send('wrong'), await send('another harbour'), await send('another harbour', { device_token: pair.device_token })], [401, 429, 200])
  Object.defineProperty(keyRing, 'findSecret', { value: () => undefined })
  t.equal(await send('another harbour', { device_token: pair.device_token }), 429)
})
