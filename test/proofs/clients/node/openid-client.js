// Goes through all steps with openid-client; holds no rule of the protocol, which is the library's.
import { importJWK } from 'jose'
import * as oidc from 'openid-client'
import { browse, clients, refused, same, take } from './report.js'

const { ISSUER = '', CALLBACK = '', AFTER_LOG_OUT = '', RESOURCE = '', OTHER_RESOURCE = '' } = process.env
const SCOPE = 'openid profile email offline_access orders'

/** @param {keyof typeof clients} name @param {oidc.ClientAuth} [authentication] */
async function configure (name, authentication) {
  const { client_id: id, client_secret: secret } = clients[name]
  return await oidc.discovery(new URL(ISSUER), id, secret, authentication, { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] })
}

/** @param {oidc.Configuration} config @param {Record<string, string>} [asked] @param {string} [decision] */
async function authorize (config, asked = {}, decision) {
  const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()]
  const parameters = { redirect_uri: CALLBACK, scope: SCOPE, state, nonce, code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...asked }
  const answer = await browse(oidc.buildAuthorizationUrl(config, parameters).href, decision)
  const maxAge = asked['max_age'] === undefined ? {} : { maxAge: Number(asked['max_age']) }
  return { answer, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, ...maxAge } }
}

/** @param {oidc.Configuration} config @param {Record<string, string>} [asked] @param {string} [decision] */
async function logIn (config, asked, decision) {
  const { answer, checks } = await authorize(config, asked, decision)
  return await oidc.authorizationCodeGrant(config, answer, checks)
}

const web = await configure('web', oidc.ClientSecretBasic())
const tokens = await logIn(web)
const claims = tokens.claims()

await take({
  discovery: async () => {
    const { issuer, status_list_aggregation_endpoint: lists } = web.serverMetadata()
    same([issuer, lists], [ISSUER, `${ISSUER}/status-lists`])
    const oauth = await oidc.discovery(new URL(ISSUER), 'any', undefined, undefined, { algorithm: 'oauth2', execute: [oidc.allowInsecureRequests] })
    same(oauth.serverMetadata(), web.serverMetadata())
  },
  code: async () => { same([tokens.token_type, tokens.scope, tokens.expires_in], ['bearer', SCOPE, 600]) },
  'id-token': async () => { same([claims?.aud, claims?.amr, claims?.email_verified, typeof claims?.sid, typeof claims?.auth_time, typeof claims?.at_hash], [clients.web.client_id, ['pwd'], false, 'string', 'number', 'string']) },
  userinfo: async () => { same(await oidc.fetchUserInfo(web, tokens.access_token, claims?.sub ?? ''), { sub: claims?.sub, name: 'Ada', email: claims?.email, email_verified: false }) },
  refresh: async () => {
    const next = await oidc.refreshTokenGrant(web, tokens.refresh_token ?? '', { scope: 'openid orders' })
    same([next.refresh_token === tokens.refresh_token, next.scope, next.claims()?.sub], [false, 'openid orders', claims?.sub])
  },
  repeat: async () => {
    const answers = await Promise.all([1, 2].map(async () => await oidc.refreshTokenGrant(web, tokens.refresh_token ?? '')))
    same(answers[0]?.refresh_token, answers[1]?.refresh_token)
  },
  reuse: async () => {
    const first = await logIn(web)
    const second = await oidc.refreshTokenGrant(web, first.refresh_token ?? '')
    const third = await oidc.refreshTokenGrant(web, second.refresh_token ?? '')
    await refused(oidc.refreshTokenGrant(web, first.refresh_token ?? ''), 'invalid_grant')
    await refused(oidc.refreshTokenGrant(web, third.refresh_token ?? ''), 'invalid_grant')
  },
  resource: async () => {
    const { access_token: token, refresh_token: refresh } = await logIn(web, { resource: OTHER_RESOURCE })
    same((await oidc.tokenIntrospection(web, token)).aud, OTHER_RESOURCE)
    await refused(oidc.refreshTokenGrant(web, refresh ?? '', { resource: RESOURCE }), 'invalid_target')
  },
  silent: async () => { same((await logIn(web, { prompt: 'none' })).claims()?.sub, claims?.sub) },
  'max-age': async () => { await logIn(web, { max_age: '0' }) },
  public: async () => { same((await oidc.refreshTokenGrant(await configure('public', oidc.None()), (await logIn(await configure('public', oidc.None()))).refresh_token ?? '')).token_type, 'bearer') },
  loopback: async () => {
    const redirect = CALLBACK.replace(/:\d+/, ':65000')
    same((await logIn(await configure('public', oidc.None()), { redirect_uri: redirect })).scope, SCOPE)
  },
  'secret-post': async () => { same((await logIn(await configure('post', oidc.ClientSecretPost()))).claims()?.aud, clients.post.client_id) },
  'private-key': async () => {
    const { jwk } = clients.key
    const key = /** @type {import('jose').CryptoKey} */ (await importJWK(/** @type {import('jose').JWK} */ (jwk), 'ES256'))
    const config = await configure('key', oidc.PrivateKeyJwt({ key, kid: String(jwk?.kid) }))
    const answer = await logIn(config)
    same((await oidc.refreshTokenGrant(config, answer.refresh_token ?? '')).claims()?.aud, clients.key.client_id)
  },
  'client-credentials': async () => {
    const { scope, refresh_token: refresh } = await oidc.clientCredentialsGrant(await configure('service', oidc.ClientSecretBasic()), { scope: 'orders', resource: RESOURCE })
    same([scope, refresh], ['orders', undefined])
  },
  introspection: async () => {
    const { active, client_id: client, sub, aud, scope } = await oidc.tokenIntrospection(web, tokens.access_token)
    same([active, client, sub, aud, scope], [true, clients.web.client_id, claims?.sub, RESOURCE, SCOPE])
    same(await oidc.tokenIntrospection(await configure('post', oidc.ClientSecretPost()), tokens.refresh_token ?? ''), { active: false })
    same(await oidc.tokenIntrospection(web, 'no token'), { active: false })
  },
  revocation: async () => {
    const { access_token: access, refresh_token: refresh } = await logIn(web)
    await oidc.tokenRevocation(web, refresh ?? '', { token_type_hint: 'refresh_token' })
    same(await oidc.tokenIntrospection(web, access), { active: false })
    await refused(oidc.fetchUserInfo(web, access, oidc.skipSubjectCheck), 'invalid_token')
    await oidc.tokenRevocation(web, 'no token')
  },
  'access-denied': async () => { await refused(logIn(web, { prompt: 'consent' }, 'deny'), 'access_denied') },
  'untrusted-redirect': async () => { await refused(logIn(web, { redirect_uri: 'https://stranger.example/' }), '400 You cannot be sent on') },
  'no-challenge': async () => { await refused(logIn(web, { code_challenge: '' }), 'invalid_request') },
  'unknown-scope': async () => { await refused(oidc.clientCredentialsGrant(await configure('service', oidc.ClientSecretBasic()), { scope: 'admin' }), 'invalid_scope') },
  'unknown-resource': async () => { await refused(logIn(web, { resource: 'https://stranger.example/' }), 'invalid_target') },
  'code-twice': async () => {
    const { answer, checks } = await authorize(web)
    const { refresh_token: refresh } = await oidc.authorizationCodeGrant(web, answer, checks)
    await refused(oidc.authorizationCodeGrant(web, answer, checks), 'invalid_grant')
    await refused(oidc.refreshTokenGrant(web, refresh ?? ''), 'invalid_grant')
  },
  'wrong-verifier': async () => {
    const { answer, checks } = await authorize(web)
    await refused(oidc.authorizationCodeGrant(web, answer, { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() }), 'invalid_grant')
    same((await oidc.authorizationCodeGrant(web, answer, checks)).scope, SCOPE)
  },
  'wrong-secret': async () => {
    const { client_id: id } = clients.post
    const config = await oidc.discovery(new URL(ISSUER), id, 'wrong', oidc.ClientSecretPost(), { execute: [oidc.allowInsecureRequests] })
    await refused(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ''), 'invalid_client')
    const basic = await oidc.discovery(new URL(ISSUER), clients.web.client_id, 'wrong', oidc.ClientSecretBasic(), { execute: [oidc.allowInsecureRequests] })
    await refused(oidc.refreshTokenGrant(await configure('web', oidc.ClientSecretPost()), tokens.refresh_token ?? ''), 'This client authenticates by client_secret_basic.')
    await refused(oidc.refreshTokenGrant(basic, tokens.refresh_token ?? ''), '"scheme":"basic"')
  },
  'wrong-grant': async () => { await refused(oidc.clientCredentialsGrant(web), 'unauthorized_client') },
  'wrong-token': async () => { await refused(oidc.fetchUserInfo(web, `${tokens.access_token}x`, oidc.skipSubjectCheck), 'invalid_token') },
  logout: async () => {
    const { id_token: hint, access_token: access } = await logIn(web)
    const end = oidc.buildEndSessionUrl(web, { id_token_hint: hint ?? '', post_logout_redirect_uri: AFTER_LOG_OUT, state: 'over' })
    same((await browse(end.href)).href, `${AFTER_LOG_OUT}?state=over`)
    same(await oidc.tokenIntrospection(web, access), { active: false })
  },
  'login-required': async () => { await refused(logIn(web, { prompt: 'none' }), 'login_required') },
})
