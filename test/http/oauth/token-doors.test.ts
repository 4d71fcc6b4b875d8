// The doors that clients ask at: what they are answered for what they have, and what a stranger gets for it.
import t from 'tap'
import { EMAIL } from '../../test-app.js'
import { API, basic, CALLBACK, claimsOf, ISSUER, oauthApp, pkce, requestOf, type Known, type Tokens } from './oauth-app.js'

const NOT_KEPT = { 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8', 'access-control-allow-origin': '*' }
const badCode = { error: 'invalid_grant', error_description: 'The code is not good, or not any more, or not for this client.' }
const badToken = { error: 'invalid_grant', error_description: 'The refresh token is not good, or not this client\'s.' }
const badClient = { error: 'invalid_client', error_description: 'There is no such client, or it is not proved that this is it.' }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

t.test('a code is good for tokens of the user, of what was granted, for whom it was asked for', async t => {
  const { ask, clock, code, cookie, store, web } = await oauthApp(t)
  const answer = await ask('/token', web, await code(web, cookie))
  t.equal(answer.statusCode, 200)
  t.match(answer.headers, { ...NOT_KEPT, pragma: 'no-cache' })
  const tokens = answer.json<Tokens>()
  t.match(tokens, { access_token: /^\S+$/, token_type: 'Bearer', expires_in: 600, refresh_token: /^A\S+$/, refresh_token_expires_in: 1_209_600, id_token: /^\S+$/, scope: 'openid email offline_access notes' })
  const access = claimsOf(tokens.access_token)
  const seconds = Math.floor(clock.now / 1000)
  t.match(access, { iss: ISSUER, aud: API, client_id: web.id, scope: 'openid email offline_access notes', iat: seconds, exp: seconds + 600, auth_time: seconds, status: { status_list: {} } })
  t.strictSame(claimsOf(tokens.id_token!), {
    iss: ISSUER, sub: access['sub'], aud: web.id, iat: seconds, exp: seconds + 600, auth_time: seconds, amr: ['pwd'], acr: 'http://idmanagement.gov/ns/assurance/aal/1', sid: access['sid'], at_hash: claimsOf(tokens.id_token!)['at_hash'], nonce: 'a nonce', email: EMAIL, email_verified: false,
  })
  const family = (await store.findUserByEmail(EMAIL))!.families.find(({ id }) => id === access['sid'])
  t.match(family?.grant, { clientId: web.id, scope: 'openid email offline_access notes', audience: [API] })
})

t.test('without offline_access no refresh token is given, and without openid no ID token', async t => {
  const { cookie, put, tokens, web } = await oauthApp(t)
  t.strictSame(Object.keys(await tokens(web, cookie, { scope: 'notes' })), ['access_token', 'token_type', 'expires_in', 'scope'])
  t.strictSame(Object.keys(await tokens(web, cookie, { scope: 'openid' })), ['access_token', 'token_type', 'expires_in', 'id_token', 'scope'])
  const online = await put({ grantTypes: ['authorization_code'] })
  t.equal((await tokens(online, cookie)).scope, 'openid email notes')
  const bare = await put({ audiences: [], scopes: [] })
  t.equal(claimsOf((await tokens(bare, cookie)).access_token)['aud'], ISSUER, 'a client whose record names nobody has tokens for the issuer alone')
})

t.test('a code works once: who brings it again closes what it opened', async t => {
  const { ask, code, cookie, web } = await oauthApp(t)
  const sentWith = await code(web, cookie)
  const { access_token: token, refresh_token: refreshToken } = (await ask('/token', web, sentWith)).json<Tokens>()
  const again = await ask('/token', web, sentWith)
  t.equal(again.statusCode, 400)
  t.strictSame(again.json(), badCode)
  t.strictSame((await ask('/introspect', web, { token })).json(), { active: false })
  t.strictSame((await ask('/token', web, { grant_type: 'refresh_token', refresh_token: refreshToken! })).json(), badToken)
})

t.test('of 64 that bring one code at once exactly one gets tokens, which the others have closed', async t => {
  for (const env of [{}, { STATUS_LIST: 'false' }]) {
    const { ask, code, cookie, web } = await oauthApp(t, env)
    const sentWith = await code(web, cookie)
    const answers = await Promise.all(Array.from({ length: 64 }, async () => await ask('/token', web, sentWith)))
    const won = answers.filter(({ statusCode }) => statusCode === 200)
    t.equal(won.length, 1)
    for (const answer of answers.filter(({ statusCode }) => statusCode !== 200)) t.strictSame(answer.json(), badCode)
    t.strictSame((await ask('/introspect', web, { token: won[0]!.json<Tokens>().access_token })).json(), { active: false })
    t.strictSame((await ask('/token', web, sentWith)).json(), badCode)
  }
})

t.test('a code lives for a minute', async t => {
  const { ask, clock, code, cookie, web } = await oauthApp(t)
  const [early, late] = [await code(web, cookie), await code(web, cookie)]
  clock.now += 59_000
  t.equal((await ask('/token', web, early)).statusCode, 200)
  clock.now += 1_000
  t.strictSame((await ask('/token', web, late)).json(), badCode)
})

t.test('whoever has found a code has nothing of it, and takes nothing away', async t => {
  const { ask, code, cookie, put, spa, web } = await oauthApp(t)
  const other = await put({ authMethod: 'client_secret_post', redirectUris: [CALLBACK] })
  const sentWith = await code(web, cookie)
  const wrongVerifier = { error: 'invalid_grant', error_description: 'The code_verifier is not that of the code_challenge.' }
  const { code_verifier: _, ...unproved } = sentWith
  const tries: Array<[Known, Record<string, string>, object]> = [
    [other, sentWith, badCode], [spa, sentWith, badCode], [web, unproved, wrongVerifier], [web, { ...sentWith, code_verifier: pkce().verifier }, wrongVerifier], [web, { ...sentWith, code_verifier: pkce().challenge }, wrongVerifier],
    [web, { ...sentWith, redirect_uri: `${CALLBACK}/` }, { error: 'invalid_grant', error_description: 'The redirect_uri is not that of the authorization request.' }],
    [web, { ...sentWith, code: `${sentWith.code}x` }, badCode], [web, { ...sentWith, code: 'x' }, badCode], [web, { ...sentWith, code: '' }, { error: 'invalid_request', error_description: 'The parameter code is missing.' }],
    [web, { ...sentWith, resource: 'https://other.example' }, { error: 'invalid_target', error_description: 'This client may have no tokens for that resource.' }],
  ]
  for (const [who, parameters, refusal] of tries) t.strictSame((await ask('/token', who, parameters)).json(), refusal)
  t.equal((await ask('/token', web, sentWith)).statusCode, 200, 'it is the honest client\'s still')
})

t.test('a verifier without a challenge is somebody who took the challenge away', async t => {
  const { allowed, ask, cookie, put } = await oauthApp(t)
  const exempt = await put({ requiresPkce: false })
  const sentWith = async () => ({ grant_type: 'authorization_code', code: (await allowed(exempt, cookie, { code_challenge: '', code_challenge_method: '' })).searchParams.get('code')!, redirect_uri: CALLBACK })
  t.match((await ask('/token', exempt, { ...await sentWith(), code_verifier: pkce().verifier })).json(), { error: 'invalid_grant' })
  const { redirect_uri: _, ...anywhere } = await sentWith()
  t.match((await ask('/token', exempt, anywhere)).json(), { error: 'invalid_grant' })
  t.equal((await ask('/token', exempt, await sentWith())).statusCode, 200)
})

t.test('a client that is another by now, a password that is, and a log-in that has ended are looked at while a code is out', async t => {
  const { app, ask, authorize, clock, code, cookie, logIn, login, post, put, store } = await oauthApp(t)
  const change = async (who: Known, more: object) => {
    const { secret: _, ...record } = { ...who, ...more, version: 2 }
    await store.replaceClient(record, 1)
    clock.now += 4_000
  }
  const moved = await put()
  const first = await code(moved, cookie)
  await change(moved, { redirectUris: ['https://app.example/elsewhere'] })
  t.strictSame((await ask('/token', moved, first)).json(), badCode)
  const narrowed = await put()
  const second = await code(narrowed, cookie)
  await change(narrowed, { scopes: [] })
  t.equal((await ask('/token', narrowed, second)).json<Tokens>().scope, 'openid email offline_access')
  const retargeted = await put()
  const third = await code(retargeted, cookie)
  await change(retargeted, { audiences: ['https://new.example'] })
  t.match((await ask('/token', retargeted, third)).json(), { error: 'invalid_target' })
  const removed = await put()
  const fourth = await code(removed, cookie)
  await store.removeClient(removed.id)
  clock.now += 4_000
  t.strictSame((await ask('/token', removed, fourth)).json(), badClient)
  const web = await put()
  const { access_token: token } = await login()
  const fifth = await code(web, await logIn())
  await post('/change-password', { current_password: 'correct horse battery', new_password: 'another horse, another battery' }, bearer(token))
  t.strictSame((await ask('/token', web, fifth)).json(), badCode)
  const { access_token: another, refresh_token: held } = await login(EMAIL, 'another horse, another battery')
  const sixth = await code(web, `__Host-signet=${held}`)
  await app.inject({ method: 'POST', url: '/logout', headers: bearer(another) })
  t.strictSame((await ask('/token', web, sixth)).json(), badCode)
  t.match((await authorize(requestOf(web), { cookie: `__Host-signet=${held}` })).body, 'data-address=')
})

t.test('a refresh token is its client\'s alone, works once, and a stolen one closes its family', async t => {
  const { app, ask, clock, cookie, login, put, tokens, web } = await oauthApp(t)
  const other = await put()
  const first = (await tokens(web, cookie)).refresh_token!
  const refresh = async (who: Known, token: string, more = {}) => await ask('/token', who, { grant_type: 'refresh_token', refresh_token: token, ...more })
  t.strictSame((await refresh(other, first)).json(), badToken, 'another client')
  t.equal((await app.inject({ method: 'POST', url: '/refresh', payload: { refresh_token: first } })).statusCode, 401, 'Signet\'s own route')
  t.strictSame((await refresh(web, (await login()).refresh_token)).json(), badToken, 'a log-in of the user\'s own')
  const second = (await refresh(web, first)).json<Tokens>()
  t.strictSame(Object.keys(second), ['access_token', 'token_type', 'expires_in', 'refresh_token', 'refresh_token_expires_in', 'id_token', 'scope'])
  t.match(claimsOf(second.id_token!), { sub: claimsOf(second.access_token)['sub'], aud: web.id, nonce: undefined })
  t.equal((await refresh(web, first)).json<Tokens>().refresh_token, second.refresh_token, 'asked again within the grace, it is the same answer')
  await refresh(web, second.refresh_token!)
  clock.now += 31_000
  t.strictSame((await refresh(other, first)).json(), badToken)
  t.equal((await refresh(web, second.refresh_token!)).json<{ error?: string }>().error, 'invalid_grant')
  t.strictSame((await ask('/introspect', web, { token: second.access_token })).json(), { active: false })
})

t.test('a refresh may ask for less, and what it may not ask for leaves the token good', async t => {
  const { ask, cookie, put, tokens } = await oauthApp(t)
  const web = await put({ audiences: [API, 'https://files.example'] })
  const first = (await tokens(web, cookie, { resource: API })).refresh_token!
  const refresh = async (more: Record<string, string>) => await ask('/token', web, { grant_type: 'refresh_token', refresh_token: first, ...more })
  t.strictSame((await refresh({ scope: 'openid profile' })).json(), { error: 'invalid_scope', error_description: 'The user did not let the client have that scope, or it is not the client\'s any more.' })
  t.match((await refresh({ resource: 'https://files.example' })).json(), { error: 'invalid_target' })
  t.strictSame((await refresh({ scope: 'notes', resource: API })).json<Tokens>().scope, 'notes')
})

t.test('one client\'s families are listed among the user\'s own, and closed there', async t => {
  const { app, ask, cookie, login, tokens, web } = await oauthApp(t)
  const { access_token: token } = await tokens(web, cookie)
  const sid = String(claimsOf(token)['sid'])
  const { access_token: own } = await login()
  t.ok((await app.inject({ url: '/tokens', headers: bearer(own) })).json<{ tokens: Array<{ id: string }> }>().tokens.some(({ id }) => id === sid))
  for (const [method, url] of [['GET', '/user-info'], ['GET', '/tokens'], ['POST', '/logout'], ['POST', '/revoke-all-tokens'], ['DELETE', `/tokens/${sid}`]] as const) {
    t.equal((await app.inject({ method, url, headers: bearer(token) })).statusCode, 401, `${url} is no client's`)
  }
  t.equal((await app.inject({ method: 'DELETE', url: `/tokens/${sid}`, headers: bearer(own) })).statusCode, 204)
  t.strictSame((await ask('/introspect', web, { token })).json(), { active: false })
})

t.test('a client has tokens of its own, for what its record says', async t => {
  const { ask, clock, put, spa, store, web } = await oauthApp(t)
  const own = (await ask('/token', web, { grant_type: 'client_credentials' })).json<Tokens>()
  const seconds = Math.floor(clock.now / 1000)
  t.strictSame(Object.keys(own), ['access_token', 'token_type', 'expires_in', 'scope'])
  t.strictSame(claimsOf(own.access_token), { iss: ISSUER, aud: API, sub: web.id, client_id: web.id, jti: claimsOf(own.access_token)['jti'], iat: seconds, exp: seconds + 600, scope: 'notes' })
  t.match((await ask('/introspect', web, { token: own.access_token })).json(), { active: true, sub: web.id, client_id: web.id, scope: 'notes' })
  t.match((await ask('/token', web, { grant_type: 'client_credentials', scope: 'openid' })).json(), { error: 'invalid_scope' })
  t.match((await ask('/token', web, { grant_type: 'client_credentials', resource: 'https://other.example' })).json(), { error: 'invalid_target' })
  t.match((await ask('/token', spa, { grant_type: 'client_credentials' })).json(), { error: 'unauthorized_client' })
  t.match((await ask('/token', await put({ grantTypes: ['client_credentials'] }), { grant_type: 'refresh_token', refresh_token: 'x' })).json(), { error: 'unauthorized_client' })
  t.strictSame((await ask('/revoke', web, { token: own.access_token })).json(), { error: 'unsupported_token_type', error_description: 'A token that a client has for itself ends when it expires.' })
  await store.removeClient(web.id)
  clock.now += 4_000
  t.strictSame((await ask('/introspect', await put(), { token: own.access_token })).json(), { active: false }, 'of a client that is no more')
})

t.test('a client revokes what it was given, which the status list shows, and nothing else', async t => {
  const { app, ask, cookie, login, put, tokens, web } = await oauthApp(t)
  const other = await put()
  for (const kind of ['access_token', 'refresh_token'] as const) {
    const { [kind]: token, access_token: access } = await tokens(web, cookie)
    t.strictSame((await ask('/revoke', other, { token: token! })).json(), { error: 'invalid_grant', error_description: 'The token is another client\'s.' })
    t.match((await ask('/introspect', web, { token: token! })).json(), { active: true, client_id: web.id })
    const revoked = await ask('/revoke', web, { token: token! })
    t.strictSame([revoked.statusCode, revoked.body], [200, ''])
    t.strictSame((await ask('/introspect', web, { token: access })).json(), { active: false })
    t.equal((await ask('/revoke', web, { token: token! })).statusCode, 200, 'again')
  }
  t.equal((await ask('/revoke', web, { token: 'x' })).statusCode, 200, 'what is no token')
  const { access_token: own, refresh_token: ownRefresh } = await login()
  for (const token of [own, ownRefresh]) t.match((await ask('/revoke', web, { token })).json(), { error: 'invalid_grant' })
  t.equal((await app.inject({ url: '/user-info', headers: bearer(own) })).statusCode, 200)
})

t.test('what a token is worth is told to whom it was issued, and to whom it is for', async t => {
  const { ask, clock, cookie, put, spa, tokens, web } = await oauthApp(t)
  const [api, stranger] = [await put({ grantTypes: ['client_credentials'], redirectUris: [] }), await put({ audiences: ['https://other.example'] })]
  const { access_token: access, refresh_token: refreshToken } = await tokens(web, cookie)
  for (const who of [web, api]) t.strictSame((await ask('/introspect', who, { token: access, token_type_hint: 'refresh_token' })).json(), { active: true, token_type: 'Bearer', ...claimsOf(access) })
  t.match((await ask('/introspect', web, { token: refreshToken! })).json(), { active: true, client_id: web.id, sub: claimsOf(access)['sub'], aud: [API], iss: ISSUER })
  for (const [who, token] of [[stranger, access], [stranger, refreshToken!], [api, refreshToken!], [web, 'x'], [web, `${access}x`]] as const) t.strictSame((await ask('/introspect', who, { token })).json(), { active: false })
  t.match((await ask('/introspect', spa, { token: access })).json(), { error: 'invalid_client' })
  clock.now += 600_000
  t.strictSame((await ask('/introspect', web, { token: access })).json(), { active: false }, 'expired')
})

t.test('userinfo says of a user what the scope lets it', async t => {
  const { app, ask, cookie, form, login, tokens, web } = await oauthApp(t)
  const { access_token: token } = await tokens(web, cookie)
  const said = { sub: claimsOf(token)['sub'], email: EMAIL, email_verified: false }
  const get = async (headers: Record<string, string>) => await app.inject({ url: '/userinfo', headers })
  t.strictSame((await get(bearer(token))).json(), said)
  t.match((await get(bearer(token))).headers, NOT_KEPT)
  t.strictSame((await form('/userinfo', {}, bearer(token))).json(), said)
  t.strictSame((await form('/userinfo', { access_token: token })).json(), said)
  t.strictSame((await get(bearer((await tokens(web, cookie, { scope: 'openid profile' })).access_token))).json(), { sub: said.sub })
  t.match((await form('/userinfo', { access_token: token }, bearer(token))).json(), { error: 'invalid_request' })
  const narrow = await get(bearer((await tokens(web, cookie, { scope: 'notes' })).access_token))
  t.equal(narrow.headers['www-authenticate'], 'Bearer realm="signet", error="insufficient_scope", error_description="The access token has not the scope openid.", scope="openid"')
  t.strictSame([narrow.statusCode, narrow.json()], [403, { error: 'insufficient_scope', error_description: 'The access token has not the scope openid.' }])
  t.equal((await get(bearer((await login()).access_token))).statusCode, 403, 'a log-in of the user\'s own has no scope')
  t.equal((await get(bearer((await ask('/token', web, { grant_type: 'client_credentials' })).json<Tokens>().access_token))).statusCode, 403)
  const none = await get({})
  t.match([none.statusCode, none.headers['www-authenticate']], [401, 'Bearer realm="signet"'])
  const bad = await get(bearer('x.y.z'))
  t.match([bad.statusCode, bad.headers['www-authenticate'], bad.json()], [401, /^Bearer realm="signet", error="invalid_token"/, { error: 'invalid_token' }])
})

t.test('a client proves who it is in the way of its record, and in no other', async t => {
  const { app, ask, form, put, spa, web } = await oauthApp(t)
  const posted = await put({ authMethod: 'client_secret_post' })
  const grant = { grant_type: 'client_credentials' }
  const asked = async (body: Record<string, string>, headers: Record<string, string> = {}) => await form('/token', { ...grant, ...body }, headers)
  t.equal((await ask('/token', posted, grant)).statusCode, 200)
  const withHeader = await asked({}, { authorization: basic(web.id, 'wrong') })
  t.match([withHeader.statusCode, withHeader.headers['www-authenticate'], withHeader.json()], [401, 'Basic realm="signet", charset="UTF-8"', badClient])
  for (const body of [{ client_id: posted.id, client_secret: 'wrong' }, { client_id: '00000000-0000-4000-8000-000000000000' }, { client_id: 'x', client_secret: 'y' }]) {
    const refused = await asked(body)
    t.match([refused.statusCode, refused.headers['www-authenticate'], refused.json()], [401, undefined, badClient], 'libraries that find a challenge do not look at the body')
  }
  t.match((await asked({ client_id: web.id, client_secret: web.secret })).json(), { error: 'invalid_client', error_description: 'This client authenticates by client_secret_basic.' })
  t.match((await asked({ client_id: web.id })).json(), { error: 'invalid_client' })
  t.match((await asked({})).json(), { error: 'invalid_client', error_description: 'The request names no client.' })
  t.match((await asked({ client_secret: posted.secret }, { authorization: basic(web.id, web.secret) })).json(), { error: 'invalid_request' })
  t.match((await asked({ client_id: spa.id }, { authorization: basic(web.id, web.secret) })).json(), { error: 'invalid_request' })
  for (const authorization of ['Basic !', 'Bearer x', `Basic ${Buffer.from('nobody').toString('base64')}`, `Basic ${Buffer.from('%:x').toString('base64')}`]) t.match((await asked({}, { authorization })).json(), { error: 'invalid_client' }, authorization)
  t.match((await asked({ client_assertion: 'x', client_assertion_type: 'y' })).json(), { error: 'invalid_request' })
  t.ok(app)
})

t.test('a form says each thing once, in UTF-8, as a form', async t => {
  const { app, form, web } = await oauthApp(t)
  const headers = { authorization: basic(web.id, web.secret) }
  t.strictSame((await form('/token', 'grant_type=client_credentials&grant_type=client_credentials', headers)).json(), { error: 'invalid_request', error_description: 'A parameter came twice.' })
  t.match((await form('/token', {}, headers)).json(), { error: 'invalid_request', error_description: 'The parameter grant_type is missing.' })
  t.match((await form('/token', { grant_type: 'password' }, headers)).json(), { error: 'unsupported_grant_type' })
  const raw = async (payload: string | Buffer, more: Record<string, string>) => await app.inject({ method: 'POST', url: '/token', payload, headers: { ...headers, ...more } })
  for (const [payload, type] of [['{"grant_type":"client_credentials"}', 'application/json'], ['grant_type=client_credentials', 'text/plain'], ['grant_type=client_credentials', 'application/x-www-form-urlencoded; charset=latin1'], ['grant_type=%ff', 'application/x-www-form-urlencoded'], [Buffer.from([0x61, 0x3d, 0xff]), 'application/x-www-form-urlencoded']] as const) {
    const refused = await raw(payload, { 'content-type': type })
    t.equal(refused.statusCode, 400, type)
    t.match(refused.json(), { error: 'invalid_request' }, type)
  }
  t.match((await raw('grant_type=client_credentials', { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' })).json(), { error: 'invalid_request' })
  t.equal((await raw('grant_type=client_credentials', { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' })).statusCode, 200)
  t.match((await raw('a='.padEnd(20_000, 'x'), { 'content-type': 'application/x-www-form-urlencoded' })).json(), { error: 'invalid_request' })
  t.match((await app.inject({ method: 'POST', url: '/token' })).json(), { error: 'invalid_client' })
})

t.test('any page may ask, for no cookie opens these doors', async t => {
  const { app } = await oauthApp(t)
  for (const url of ['/token', '/revoke', '/introspect', '/userinfo']) {
    const preflight = await app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://spa.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } })
    t.equal(preflight.statusCode, 204, url)
    t.match(preflight.headers, { 'access-control-allow-origin': '*', 'access-control-allow-methods': /POST/, 'access-control-allow-headers': /authorization/, 'access-control-allow-credentials': undefined })
  }
})

t.test('who guesses at a secret is slowed down, and who knows it is not', async t => {
  const { app, form, web } = await oauthApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_LOGIN_MAX: '3' })
  const guess = async (secret: string) => await form('/token', { grant_type: 'client_credentials' }, { authorization: basic(web.id, secret) })
  for (let tries = 0; tries < 3; tries++) t.equal((await guess('wrong')).statusCode, 401)
  const slowed = await guess('wrong')
  t.match([slowed.statusCode, slowed.headers['retry-after'], slowed.json()], [429, '60', { error: 'temporarily_unavailable' }])
  t.equal((await guess(web.secret)).statusCode, 200)
  t.ok(app)
})

t.test('an account that is logged in on as many devices as may be lets no client in where the policy is to refuse', async t => {
  const { ask, code, cookie, web } = await oauthApp(t, { MAX_ACTIVE_TOKENS: '1', ACTIVE_TOKENS_POLICY: 'refuse' })
  t.match((await ask('/token', web, await code(web, cookie))).json(), { error: 'invalid_grant', error_description: 'The account is logged in on as many devices as are allowed.' })
})
