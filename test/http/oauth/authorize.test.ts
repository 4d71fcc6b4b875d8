// The authorization endpoint: who is asked what, who is sent where, and who is sent nowhere.
import t from 'tap'
import { EMAIL } from '../../test-app.js'
import { CALLBACK, client, decisionIn, ISSUER, oauthApp, OWN, requestOf, sent } from './oauth-app.js'

const PAGE = { 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'content-security-policy': /frame-ancestors 'none'/ }
const REFUSED = { statusCode: 303, to: CALLBACK, state: 'a state', iss: ISSUER }

t.test('a user who is logged in lets a client in, once, and the client is answered with a code', async t => {
  const { authorize, decide, cookie, web, tokens } = await oauthApp(t)
  const page = await authorize(requestOf(web), { cookie })
  t.equal(page.statusCode, 200)
  t.match(page.headers, PAGE)
  for (const said of ['The App', 'app.example', EMAIL]) t.ok(page.body.includes(said), said)
  const decided = await decide(page, cookie)
  t.match(decided.headers, { 'cache-control': 'no-store' })
  const { location } = decided.json<{ location: string }>()
  t.match(Object.fromEntries(new URL(location).searchParams), { code: /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/, state: 'a state', iss: ISSUER })
  await tokens(web, cookie)
  const again = await authorize(requestOf(web), { cookie })
  t.match(sent(again), { ...REFUSED, code: /^\S+$/ })
  t.match(again.headers, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  t.notOk(again.headers['set-cookie'], 'the cookie is read, never rotated')
})

t.test('what a user did not let a client do before is asked again', async t => {
  const { authorize, cookie, put, web, spa, tokens } = await oauthApp(t)
  await tokens(web, cookie, { scope: 'openid' })
  t.equal((await authorize({ ...requestOf(web), scope: 'openid' }, { cookie })).statusCode, 303)
  t.equal((await authorize({ ...requestOf(web), scope: 'openid notes' }, { cookie })).statusCode, 200, 'another scope')
  t.equal((await authorize({ ...requestOf(web), scope: 'openid', prompt: 'consent' }, { cookie })).statusCode, 200, 'the client wants it asked')
  t.equal((await authorize({ ...requestOf(spa), scope: 'openid' }, { cookie })).statusCode, 200, 'another client')
  const ours = await put({ isOurs: true })
  t.equal((await authorize(requestOf(ours), { cookie })).statusCode, 303, 'one of ours is never asked for')
})

t.test('whoever is not logged in logs in first, and goes on from there', async t => {
  const { authorize, web } = await oauthApp(t)
  const page = await authorize({ ...requestOf(web), login_hint: 'grace@example.com' })
  t.match(page.headers, PAGE)
  for (const said of ['The App', 'value="grace@example.com"', `${CALLBACK}?error=access_denied&amp;error_description=`]) t.ok(page.body.includes(said), said)
  t.match(/data-address="([^"]+)"/.exec(page.body)![1]!.replaceAll('&amp;', '&'), /^authorize\?response_type=code&client_id=.*&asked=\d+\.[\da-f]{16}\.[\w-]{43}$/)
})

t.test('a navigation from another site goes on by itself, once, so that the cookie comes along', async t => {
  const { app, authorize, cookie, web } = await oauthApp(t)
  // The second is of a person who typed the address of a client that leads here at once, by Firefox and WebKit.
  for (const elsewhere of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'none' }]) {
    const page = await authorize(requestOf(web), elsewhere)
    t.match(page.headers, PAGE)
    t.notOk(page.body.includes('<script'), 'no script is needed')
    const address = /url=([^"]+)"/.exec(page.body)![1]!.replaceAll('&amp;', '&')
    t.match((await app.inject({ url: `/${address}`, headers: { cookie, 'sec-fetch-site': 'same-origin' } })).body, 'data-action="authorize/decision"')
    t.match((await app.inject({ url: `/${address}`, headers: elsewhere })).body, 'data-address=', 'who has none logs in, and is not sent round in circles')
    t.match((await authorize(requestOf(web), { ...elsewhere, cookie })).body, 'data-action="authorize/decision"', 'a browser that sends it all the same')
    t.match(sent(await authorize({ ...requestOf(web), prompt: 'none' }, { ...elsewhere, 'sec-fetch-dest': 'iframe' })), { ...REFUSED, error: 'login_required' }, 'in a frame of a stranger it never comes')
  }
})

t.test('who logged in a moment ago, and comes by a link of another site, logs in again where a client asks for that', async t => {
  const { app, authorize, clock, cookie, web } = await oauthApp(t)
  for (const parameters of [{ prompt: 'login' }, { max_age: '0' }]) {
    const page = await authorize({ ...requestOf(web), ...parameters }, { 'sec-fetch-site': 'cross-site' })
    const address = /url=([^"]+)"/.exec(page.body)![1]!.replaceAll('&amp;', '&')
    clock.now += 1
    t.match((await app.inject({ url: `/${address}`, headers: { cookie, 'sec-fetch-site': 'same-origin' } })).body, 'data-address=', JSON.stringify(parameters))
  }
})

t.test('a request by POST is the same request', async t => {
  const { app, form, cookie, web } = await oauthApp(t)
  const page = await form('/authorize', requestOf(web), { cookie, ...OWN })
  t.match(page.headers, PAGE)
  t.match(page.body, 'data-action="authorize/decision"')
  t.equal((await form('/authorize', 'client_id=%', { cookie })).statusCode, 400)
  t.equal((await app.inject({ method: 'POST', url: '/authorize' })).statusCode, 400, 'nothing at all')
})

t.test('a client or an address that cannot be trusted is told on a page, and nobody is sent anywhere', async t => {
  const { app, cookie, web } = await oauthApp(t)
  const { client_id: _, ...nobody } = requestOf(web)
  const { redirect_uri: __, ...nowhere } = requestOf(web)
  const wrong: Record<string, Record<string, string> | string> = {
    'no client': nobody, 'an unknown client': { ...requestOf(web), client_id: client().id }, 'no address': nowhere,
    'two clients': `${new URLSearchParams(requestOf(web))}&client_id=${web.id}`, 'two addresses': `${new URLSearchParams(requestOf(web))}&redirect_uri=${encodeURIComponent(CALLBACK)}`,
    'a query that cannot be read': 'client_id=%zz',
  }
  const near = [
    `${CALLBACK}/`, 'https://app.example/Callback', 'https://APP.example/callback', 'http://app.example/callback', 'https://app.example:443/callback', 'https://app.example.evil.example/callback', 'https://evil.app.example/callback',
    'https://app.example@evil.example/callback', 'https://app.example/callback?x', `${CALLBACK}#x`, 'https://app.example/%63allback', 'https://app.example/x/../callback', 'https://app.example//callback', `${CALLBACK} `, 'https://app.example\\callback', 'javascript:alert(1)', 'callback', '//app.example/callback', `${CALLBACK}\r\nx: y`,
  ]
  for (const uri of near) wrong[uri] = { ...requestOf(web), redirect_uri: uri }
  for (const [name, parameters] of Object.entries(wrong)) {
    const answer = await app.inject({ url: `/authorize?${typeof parameters === 'string' ? parameters : new URLSearchParams(parameters)}`, headers: { cookie, 'sec-fetch-site': 'same-origin' } })
    t.equal(answer.statusCode, 400, name)
    t.match(answer.headers, PAGE, name)
    t.notOk(answer.headers.location, name)
    t.match(answer.body, /name this request: <code>[\da-f-]{36}</, name)
    t.notMatch(answer.body, /href="(?!oauth\/|#mark")/, name)
  }
})

t.test('what a client asks for wrongly is told to it, at its address, with its state', async t => {
  const { app, put, cookie, web, spa } = await oauthApp(t)
  const wrong: Array<[string, Record<string, string>, string]> = [
    ['invalid_request', { response_type: '' }, 'The parameter response_type is missing.'],
    ['unsupported_response_type', { response_type: 'token' }, 'The only response_type is code.'],
    ['unsupported_response_type', { response_type: 'code id_token' }, 'The only response_type is code.'],
    ['invalid_request', { response_mode: 'fragment' }, 'The only response_mode is query.'],
    ['request_not_supported', { request: 'x' }, 'Request objects are not supported.'],
    ['request_uri_not_supported', { request_uri: 'https://app.example/request' }, 'Request objects are not supported.'],
    ['registration_not_supported', { registration: '{}' }, 'A request cannot register a client.'],
    ['invalid_request', { code_challenge: '' }, 'The parameter code_challenge is missing: this client must use PKCE.'],
    ['invalid_request', { code_challenge_method: '' }, 'The parameter code_challenge_method must be S256.'],
    ['invalid_request', { code_challenge_method: 'plain' }, 'The parameter code_challenge_method must be S256.'],
    ['invalid_request', { code_challenge: 'short' }, 'The parameter code_challenge must be a SHA-256 in base64url.'],
    ['invalid_request', { prompt: 'create' }, 'The parameter prompt takes none, login, consent, select_account.'],
    ['invalid_request', { prompt: 'none login' }, 'The prompt none stands alone.'],
    ['invalid_request', { max_age: '-1' }, 'The parameter max_age must be whole seconds.'],
    ['invalid_request', { nonce: 'n'.repeat(513) }, 'The parameter nonce has more than 512 characters.'],
    ['invalid_target', { resource: 'https://other.example' }, 'This client may have no tokens for that resource.'],
    ['invalid_scope', { scope: 'address phone' }, 'This client may have none of the scopes that it asks for.'],
    ['login_required', { prompt: 'none', max_age: '0', id_token_hint: 'x' }, 'The user has to log in.'],
    ['consent_required', { prompt: 'none' }, 'The user has to let the client in.'],
  ]
  const ask = async (query: string) => await app.inject({ url: `/authorize?${query}`, headers: { cookie, 'sec-fetch-site': 'same-origin' } })
  for (const [error, parameters, description] of wrong) {
    for (const who of [web, spa]) t.strictSame(sent(await ask(String(new URLSearchParams({ ...requestOf(who), ...parameters })))), { ...REFUSED, error, error_description: description }, `${error} ${JSON.stringify(parameters)}`)
  }
  const twice = String(new URLSearchParams(requestOf(web)))
  t.strictSame(sent(await ask(`${twice}&scope=openid`)), { ...REFUSED, error: 'invalid_request', error_description: 'The parameter scope came twice.' })
  const { state: _, ...stateless } = REFUSED
  t.strictSame(sent(await ask(`${twice}&state=b`)), { ...stateless, error: 'invalid_request', error_description: 'The parameter state came twice.' })
  const service = await put({ grantTypes: ['client_credentials'] })
  t.match(sent(await ask(String(new URLSearchParams(requestOf(service))))), { ...REFUSED, error: 'unauthorized_client' })
})

t.test('a log-in is asked for where a client asks for one, and is good once it was made', async t => {
  const { app, authorize, clock, cookie, logIn, web } = await oauthApp(t)
  clock.now += 60_000
  const goesOn = (body: string) => /data-address="([^"]+)"/.exec(body)?.[1]?.replaceAll('&amp;', '&')
  for (const parameters of [{ prompt: 'login' }, { prompt: 'select_account' }, { max_age: '59' }]) {
    const address = goesOn((await authorize({ ...requestOf(web), ...parameters }, { cookie })).body)!
    t.ok(address, JSON.stringify(parameters))
    clock.now += 20_000
    t.ok(goesOn((await app.inject({ url: `/${address}`, headers: { cookie } })).body), 'the log-in of before is none')
    t.match((await app.inject({ url: `/${address}`, headers: { cookie: await logIn() } })).body, 'data-action="authorize/decision"')
  }
  const address = goesOn((await authorize({ ...requestOf(web), prompt: 'login' }, { cookie })).body)!
  t.ok(goesOn((await app.inject({ url: `/${address.replace('a+state', 'another')}`, headers: { cookie: await logIn() } })).body), 'a stamp is of one request')
  clock.now += 3_600_000
  t.ok(goesOn((await app.inject({ url: `/${address}`, headers: { cookie: await logIn() } })).body), 'and of one hour')
  t.match((await authorize({ ...requestOf(web), max_age: '3600' }, { cookie: await logIn() })).body, 'data-action="authorize/decision"')
})

t.test('a decision is that of the user who was asked, in a page of ours', async t => {
  const { authorize, clock, cookie, decide, form, logIn, put, register, store, web } = await oauthApp(t)
  await register('grace@example.com')
  const grace = await logIn('grace@example.com')
  const page = await authorize(requestOf(web), { cookie })
  const late = { error: 'invalid_request', error_description: 'This page stood open for too long, or somebody else has signed in since.' }
  t.match((await decide(page, grace)).json(), late, 'of another user')
  for (const headers of [{}, { origin: 'https://evil.example' }, { origin: 'null' }, { origin: ISSUER, 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'none' }]) t.equal((await decide(page, cookie, headers)).statusCode, 403, JSON.stringify(headers))
  t.equal((await form('/authorize/decision', { decision: decisionIn(page) }, OWN)).statusCode, 400, 'without the cookie')
  t.match((await form('/authorize/decision', { decision: 'x' }, { cookie, ...OWN })).json(), late)
  clock.now += 600_000
  t.match((await decide(page, cookie)).json(), late, 'ten minutes later')
  const other = await put()
  const open = await authorize(requestOf(other), { cookie })
  await store.removeClient(other.id)
  clock.now += 4_000
  t.match((await decide(open, cookie)).json(), late, 'of a client that is no more')
})

t.test('a used token in the cookie ends its log-in here, too', async t => {
  const { app, authorize, clock, cookie, web } = await oauthApp(t)
  const refresh = async (with_: string) => String((await app.inject({ method: 'POST', url: '/refresh', headers: { cookie: with_, ...OWN } })).headers['set-cookie']).split(';')[0]!
  const second = await refresh(cookie)
  t.match((await authorize(requestOf(web), { cookie })).body, 'data-action="authorize/decision"', 'within the grace')
  await refresh(second)
  clock.now += 31_000
  t.match((await authorize(requestOf(web), { cookie })).body, 'data-address=')
  t.match((await authorize(requestOf(web), { cookie: second })).body, 'data-address=', 'whoever had the other copy is out as well')
})

t.test('a client\'s own refresh token is no log-in of a browser', async t => {
  const { authorize, cookie, tokens, web } = await oauthApp(t)
  const { refresh_token: token } = await tokens(web, cookie)
  t.match((await authorize(requestOf(web), { cookie: `__Host-signet=${token}` })).body, 'data-address=')
})

t.test('whoever is sent to a device of their own is told what to think of, but not where the client has a secret', async t => {
  const { authorize, cookie, put } = await oauthApp(t)
  const hintFor = async (more: Parameters<typeof put>[0]) => /on your own device\. Allow it only if you have just [^.]*\./.exec((await authorize(requestOf(await put(more)), { cookie })).body)?.[0]
  const redirectUris = ['http://127.0.0.1:4000/callback']
  t.equal(await hintFor({ redirectUris }), undefined)
  t.equal(await hintFor({ redirectUris, authMethod: 'none' }), 'on your own device. Allow it only if you have just started it.')
  t.equal(await hintFor({ redirectUris: ['com.example.app:/callback'], authMethod: 'none' }), 'on your own device. Allow it only if you have just used it.')
  t.equal(await hintFor({ authMethod: 'none' }), undefined)
})
