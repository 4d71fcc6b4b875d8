// Goes through all steps with oauth4webapi, which leaves each request and each check to its caller; holds no rule of the protocol.
import { importJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { browse, clients, refused, same, take } from './report.js'

const { ISSUER = '', CALLBACK = '', AFTER_LOG_OUT = '', RESOURCE = '', OTHER_RESOURCE = '' } = process.env
const SCOPE = 'openid profile email offline_access orders'
const HTTP = { [oauth.allowInsecureRequests]: true }

/** Who asks, and how it proves that. @typedef {{ client: oauth.Client, proof: oauth.ClientAuth }} Party */

/** @param {'oidc' | 'oauth2'} algorithm */
async function discover (algorithm) {
  const issuer = new URL(ISSUER)
  return await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...HTTP }))
}

const server = await discover('oidc')

/** @param {keyof typeof clients} name @param {(secret: string) => oauth.ClientAuth} prove @returns {Party} */
function party (name, prove) {
  const { client_id: id, client_secret: secret = '' } = clients[name]
  return { client: { client_id: id }, proof: prove(secret) }
}

/** @param {Party} asking @param {Record<string, string>} [asked] @param {string} [decision] */
async function authorize ({ client }, asked = {}, decision = undefined) {
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()]
  const parameters = { client_id: client.client_id, response_type: 'code', redirect_uri: CALLBACK, scope: SCOPE, state, nonce, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...asked }
  const answer = await browse(`${server.authorization_endpoint}?${new URLSearchParams(parameters)}`, decision)
  return { callback: oauth.validateAuthResponse(server, client, answer, state), verifier, nonce, redirect: parameters.redirect_uri }
}

/** @param {Party} asking @param {Awaited<ReturnType<typeof authorize>>} answer @param {{ resource?: string, maxAge?: number }} [more] */
async function redeem ({ client, proof }, { callback, verifier, nonce, redirect }, { resource, maxAge } = {}) {
  const options = { ...HTTP, ...(resource && { additionalParameters: { resource } }) }
  const response = await oauth.authorizationCodeGrantRequest(server, client, proof, callback, redirect, verifier, options)
  const copy = response.clone()
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, requireIdToken: true, ...(maxAge !== undefined && { maxAge }) })
  await oauth.validateApplicationLevelSignature(server, response, HTTP)
  same([copy.headers.get('cache-control'), copy.status], ['no-store', 200])
  return tokens
}

/** @param {Party} asking @param {Record<string, string>} [asked] @param {string} [decision] */
async function logIn (asking, asked, decision) {
  return await redeem(asking, await authorize(asking, asked, decision), asked?.['max_age'] === undefined ? {} : { maxAge: Number(asked['max_age']) })
}

/** @param {Party} asking @param {string | undefined} token @param {Record<string, string>} [more] */
async function refresh ({ client, proof }, token = '', more = {}) {
  return await oauth.processRefreshTokenResponse(server, client, await oauth.refreshTokenGrantRequest(server, client, proof, token, { ...HTTP, additionalParameters: more }))
}

/** @param {Party} asking @param {Record<string, string>} asked */
async function ownToken ({ client, proof }, asked) {
  return await oauth.processClientCredentialsResponse(server, client, await oauth.clientCredentialsGrantRequest(server, client, proof, asked, HTTP))
}

/** @param {Party} asking @param {string | undefined} token */
async function introspect ({ client, proof }, token = '') {
  return await oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, proof, token, HTTP))
}

/** @param {Party} asking @param {string | undefined} token */
async function revoke ({ client, proof }, token = '') {
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, proof, token, HTTP))
}

/** @param {string} token @param {string | typeof oauth.skipSubjectCheck} [subject] */
async function userInfo (token, subject = oauth.skipSubjectCheck) {
  return await oauth.processUserInfoResponse(server, web.client, subject, await oauth.userInfoRequest(server, web.client, token, HTTP))
}

/** What a service reads of an access token (RFC 9068). @param {string} token @param {string} audience */
async function readToken (token, audience) {
  return await oauth.validateJwtAccessToken(server, new Request('https://orders.example/', { headers: { authorization: `Bearer ${token}` } }), audience, HTTP)
}

const web = party('web', oauth.ClientSecretBasic)
const service = party('service', oauth.ClientSecretBasic)
const open = party('public', oauth.None)
const tokens = await logIn(web)
const claims = oauth.getValidatedIdTokenClaims(tokens)

await take({
  discovery: async () => { same(await discover('oauth2'), server) },
  code: async () => { same([tokens.token_type, tokens.scope, tokens.expires_in], ['bearer', SCOPE, 600]) },
  'id-token': async () => { same([claims?.aud, claims?.['amr'], claims?.['email_verified'], typeof claims?.['sid'], typeof claims?.auth_time, typeof claims?.['at_hash']], [web.client.client_id, ['pwd'], false, 'string', 'number', 'string']) },
  userinfo: async () => { same(await userInfo(tokens.access_token, claims?.sub), { sub: claims?.sub, name: 'Ada', email: claims?.['email'], email_verified: false }) },
  refresh: async () => {
    const next = await refresh(web, tokens.refresh_token, { scope: 'openid orders' })
    same([next.refresh_token === tokens.refresh_token, next.scope, oauth.getValidatedIdTokenClaims(next)?.sub], [false, 'openid orders', claims?.sub])
    await refused(refresh(web, next.refresh_token, { scope: 'openid admin' }), 'invalid_scope')
  },
  repeat: async () => {
    const answers = await Promise.all([1, 2].map(async () => await refresh(web, tokens.refresh_token)))
    same(answers[0]?.refresh_token, answers[1]?.refresh_token)
  },
  reuse: async () => {
    const first = await logIn(web)
    const third = await refresh(web, (await refresh(web, first.refresh_token)).refresh_token)
    for (const used of [first, third]) await refused(refresh(web, used.refresh_token), 'invalid_grant')
  },
  resource: async () => {
    const answer = await authorize(web, { resource: OTHER_RESOURCE })
    const { access_token: token, refresh_token: next } = await redeem(web, answer, { resource: OTHER_RESOURCE })
    const { aud, scope, sub, client_id: client } = await readToken(token, OTHER_RESOURCE)
    same([aud, scope, sub, client], [OTHER_RESOURCE, SCOPE, claims?.sub, web.client.client_id])
    await refused(refresh(web, next, { resource: RESOURCE }), 'invalid_target')
  },
  silent: async () => { same(oauth.getValidatedIdTokenClaims(await logIn(web, { prompt: 'none' }))?.sub, claims?.sub) },
  'max-age': async () => { await logIn(web, { max_age: '0' }) },
  public: async () => { same((await refresh(open, (await logIn(open)).refresh_token)).token_type, 'bearer') },
  loopback: async () => { same((await logIn(open, { redirect_uri: CALLBACK.replace(/:\d+/, ':65000') })).scope, SCOPE) },
  'secret-post': async () => {
    const post = party('post', oauth.ClientSecretPost)
    same(oauth.getValidatedIdTokenClaims(await logIn(post))?.aud, post.client.client_id)
  },
  'private-key': async () => {
    const { jwk } = clients.key
    const key = /** @type {oauth.CryptoKey} */ (await importJWK(/** @type {import('jose').JWK} */ (jwk), 'ES256'))
    const signing = party('key', () => oauth.PrivateKeyJwt({ key, kid: String(jwk?.kid) }))
    same(oauth.getValidatedIdTokenClaims(await refresh(signing, (await logIn(signing)).refresh_token))?.aud, signing.client.client_id)
  },
  'client-credentials': async () => {
    const { access_token: token, ...answer } = await ownToken(service, { scope: 'orders', resource: OTHER_RESOURCE })
    same(answer, { token_type: 'bearer', expires_in: 600, scope: 'orders' })
    const { sub, aud } = await readToken(token, OTHER_RESOURCE)
    same([sub, aud], [service.client.client_id, OTHER_RESOURCE])
    await refused(userInfo(token), 'insufficient_scope')
    await refused(revoke(service, token), 'unsupported_token_type')
  },
  introspection: async () => {
    const { active, sub, aud, scope } = await introspect(web, tokens.access_token)
    same([active, sub, aud, scope], [true, claims?.sub, RESOURCE, SCOPE])
    same(await introspect(party('post', oauth.ClientSecretPost), tokens.refresh_token), { active: false })
    same(await introspect(web, 'no token'), { active: false })
    await refused(introspect(open, tokens.access_token), 'invalid_client')
  },
  revocation: async () => {
    const { access_token: access, refresh_token: next } = await logIn(web)
    await refused(revoke(open, next), 'invalid_grant')
    await revoke(web, access)
    same(await introspect(web, access), { active: false })
    await refused(userInfo(access), 'invalid_token')
    await refused(refresh(web, next), 'invalid_grant')
    await revoke(web, 'no token')
  },
  'access-denied': async () => { await refused(logIn(web, { prompt: 'consent' }, 'deny'), 'access_denied') },
  'untrusted-redirect': async () => { await refused(logIn(web, { redirect_uri: 'https://stranger.example/' }), '400 You cannot be sent on') },
  'no-challenge': async () => {
    await refused(logIn(open, { code_challenge: '', code_challenge_method: '' }), 'invalid_request')
    await refused(logIn(open, { code_challenge_method: 'plain' }), 'invalid_request')
  },
  'unknown-scope': async () => { await refused(ownToken(service, { scope: 'admin' }), 'invalid_scope') },
  'unknown-resource': async () => {
    await refused(logIn(web, { resource: 'https://stranger.example/' }), 'invalid_target')
    await refused(ownToken(service, { resource: 'https://stranger.example/' }), 'invalid_target')
  },
  'code-twice': async () => {
    const answer = await authorize(web)
    const { refresh_token: next } = await redeem(web, answer)
    await refused(redeem(web, answer), 'invalid_grant')
    await refused(refresh(web, next), 'invalid_grant')
  },
  'wrong-verifier': async () => {
    const answer = await authorize(web)
    await refused(redeem(web, { ...answer, verifier: oauth.generateRandomCodeVerifier() }), 'invalid_grant')
    await refused(redeem(web, { ...answer, redirect: `${CALLBACK}/other` }), 'invalid_grant')
    await refused(redeem(open, answer), 'invalid_grant')
    same((await redeem(web, answer)).scope, SCOPE)
  },
  'wrong-secret': async () => {
    await refused(refresh(party('post', () => oauth.ClientSecretPost('wrong')), tokens.refresh_token), 'invalid_client')
    await refused(refresh(party('web', () => oauth.ClientSecretBasic('wrong')), tokens.refresh_token), '"scheme":"basic"')
  },
  'wrong-grant': async () => { await refused(ownToken(web, {}), 'unauthorized_client') },
  'wrong-token': async () => { await refused(userInfo(`${tokens.access_token}x`), 'invalid_token') },
  logout: async () => {
    const { id_token: hint = '', access_token: access } = await logIn(web)
    const end = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: AFTER_LOG_OUT, state: 'over' })
    same((await browse(`${server.end_session_endpoint}?${end}`)).href, `${AFTER_LOG_OUT}?state=over`)
    same(await introspect(web, access), { active: false })
  },
  'login-required': async () => { await refused(logIn(web, { prompt: 'none' }), 'login_required') },
})
