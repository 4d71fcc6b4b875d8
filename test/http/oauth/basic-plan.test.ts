// The modules of OpenID's certification plan for Basic OpenID Providers, by the suite's own names, with a certified client; what of the suite is run by people is not here.
import { readFileSync } from 'node:fs'
import { decodeProtectedHeader } from 'jose'
import * as oidc from 'openid-client'
import t, { type Test } from 'tap'
import { makeSecret } from '../../../src/core/client.js'
import { freePort } from '../../free-port.js'
import { Person } from '../../proofs/clients/person.js'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'

const CALLBACK = 'https://app.example/callback'
const SCOPE = 'openid'

/** A Signet that listens, a client with or without PKCE, and a person with a browser. Its clock may be a minute ahead. */
async function stage (t: Test, { authMethod = 'client_secret_basic', requiresPkce = false }: { authMethod?: 'client_secret_basic' | 'client_secret_post', requiresPkce?: boolean } = {}) {
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const { app, clock, post, store } = await testApp(t, { ISSUER: issuer })
  await app.listen({ host: '127.0.0.1', port })
  const { secret, kept } = makeSecret(clock.now)
  const id = '00000000-0000-4000-8000-000000000000'
  await store.insertClient({
    id, version: 1, name: 'App', redirectUris: [CALLBACK], grantTypes: ['authorization_code', 'refresh_token'], authMethod, secrets: [kept], scopes: [], audiences: [], postLogoutRedirectUris: [], isOurs: false, requiresPkce, createdAt: clock.now,
  })
  await post('/register', { email: EMAIL, password: PASSWORD, name: 'Ada' })
  const person = new Person(issuer, { email: EMAIL, password: PASSWORD })
  const config = await oidc.discovery(new URL(issuer), id, { client_secret: secret, [oidc.clockTolerance]: 90 }, authMethod === 'client_secret_basic' ? oidc.ClientSecretBasic() : oidc.ClientSecretPost(), { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] })
  const addressOf = (asked: Record<string, string>) => oidc.buildAuthorizationUrl(config, { redirect_uri: CALLBACK, scope: SCOPE, state: 'a state', ...asked })
  const visit = async (asked: Record<string, string> = {}) => new URL(await person.visit(addressOf(asked).href))
  const redeem = async (answer: URL, asked: Record<string, string> = {}, more: oidc.AuthorizationCodeGrantChecks = {}) =>
    await oidc.authorizationCodeGrant(config, answer, { expectedState: 'a state', idTokenExpected: true, ...(asked['nonce'] && { expectedNonce: asked['nonce'] }), ...(asked['max_age'] && { maxAge: Number(asked['max_age']) }), ...more })
  const logIn = async (asked: Record<string, string> = {}) => await redeem(await visit(asked), asked)
  /** What is told of the user. */
  const told = async (asked: Record<string, string>) => {
    const { access_token: token, ...answer } = await logIn(asked)
    const { sub, ...others } = await oidc.fetchUserInfo(config, token, oidc.skipSubjectCheck)
    return { scope: answer.scope, ...others }
  }
  return { addressOf, clock, config, issuer, logIn, person, redeem, told, visit }
}

const NAME = { name: 'Ada' }
const ADDRESS = { email: EMAIL, email_verified: false }
const refusal = (error: string) => ({ error, state: 'a state', code: undefined })
const refused = (location: URL) => ({ error: location.searchParams.get('error') ?? undefined, state: location.searchParams.get('state'), code: location.searchParams.get('code') ?? undefined })
/** How a call is refused. */
const reasonOf = async (call: Promise<unknown>) => await call.then(() => undefined, ({ error, status }: { error?: string, status: number }) => ({ status, ...(error && { error }) }))
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** What is asked for beside the rest changes nothing. */
const ignored = (asked: Record<string, string>) => async (t: Test) => {
  const { logIn, person } = await stage(t)
  t.match((await logIn({ nonce: 'a nonce', ...asked })).claims(), { nonce: 'a nonce' })
  t.equal(person.logIns, 1)
}

const rejected = (parameter: string, error: string) => async (t: Test) => {
  const { visit } = await stage(t)
  t.strictSame(refused(await visit({ [parameter]: parameter === 'request_uri' ? 'https://app.example/request' : 'eyJhbGciOiJub25lIn0.e30.' })), refusal(error))
}

const MODULES: Record<string, (t: Test) => Promise<void>> = {
  'oidcc-server': async t => {
    const { config, issuer, logIn } = await stage(t)
    const tokens = await logIn({ nonce: 'a nonce' })
    const claims = tokens.claims()!
    t.match(claims, { iss: issuer, aud: config.clientMetadata().client_id, nonce: 'a nonce', sub: /^[\da-f-]{36}$/, at_hash: /^[\w-]{22}$/, iat: Number, exp: Number, auth_time: Number })
    t.strictSame(await oidc.fetchUserInfo(config, tokens.access_token, claims.sub), { sub: claims.sub })
  },
  'oidcc-response-type-missing': async t => {
    const { visit } = await stage(t)
    t.strictSame(refused(await visit({ response_type: '' })), refusal('invalid_request'))
  },
  'oidcc-idtoken-signature': async t => {
    const { config, logIn } = await stage(t)
    const { keys } = await (await fetch(config.serverMetadata().jwks_uri!)).json() as { keys: Array<{ kid: string }> }
    const { alg, kid } = decodeProtectedHeader((await logIn()).id_token!)
    t.strictSame([alg, keys.some(key => key.kid === kid)], ['RS256', true], 'the signature itself is checked by the library at each log-in')
  },
  'oidcc-idtoken-unsigned': async t => {
    t.strictSame((await stage(t)).config.serverMetadata().id_token_signing_alg_values_supported, ['RS256'])
  },
  'oidcc-userinfo-get': async t => { t.strictSame(await (await stage(t)).told({ scope: 'openid email' }), { scope: 'openid email', ...ADDRESS }) },
  'oidcc-userinfo-post-header': async t => {
    const { config, logIn } = await stage(t)
    const tokens = await logIn()
    const answer = await fetch(config.serverMetadata().userinfo_endpoint!, { method: 'POST', headers: bearer(tokens.access_token) })
    t.strictSame(await answer.json(), { sub: tokens.claims()!.sub })
  },
  'oidcc-userinfo-post-body': async t => {
    const { config, logIn } = await stage(t)
    const tokens = await logIn()
    const answer = await fetch(config.serverMetadata().userinfo_endpoint!, { method: 'POST', body: new URLSearchParams({ access_token: tokens.access_token }) })
    t.strictSame(await answer.json(), { sub: tokens.claims()!.sub })
  },
  'oidcc-ensure-request-without-nonce-succeeds-for-code-flow': async t => { t.equal((await (await stage(t)).logIn()).claims()!.nonce, undefined) },
  'oidcc-scope-profile': async t => { t.strictSame(await (await stage(t)).told({ scope: 'openid profile' }), { scope: 'openid profile', ...NAME }) },
  'oidcc-scope-email': async t => { t.strictSame(await (await stage(t)).told({ scope: 'openid email' }), { scope: 'openid email', ...ADDRESS }) },
  'oidcc-scope-address': async t => { t.strictSame(await (await stage(t)).told({ scope: 'openid address' }), { scope: 'openid' }, 'Signet knows no addresses, and says so in the scope') },
  'oidcc-scope-phone': async t => { t.strictSame(await (await stage(t)).told({ scope: 'openid phone' }), { scope: 'openid' }, 'nor numbers') },
  'oidcc-scope-all': async t => { t.strictSame(await (await stage(t)).told({ scope: 'openid profile email address phone' }), { scope: 'openid profile email', ...NAME, ...ADDRESS }) },
  'oidcc-ensure-other-scope-order-succeeds': async t => { t.strictSame(await (await stage(t)).told({ scope: 'email openid' }), { scope: 'email openid', ...ADDRESS }) },
  'oidcc-display-page': ignored({ display: 'page' }),
  'oidcc-display-popup': ignored({ display: 'popup' }),
  'oidcc-prompt-login': async t => {
    const { clock, logIn, person } = await stage(t)
    const first = (await logIn()).claims()!
    clock.now += 1_000
    const second = (await logIn({ prompt: 'login' })).claims()!
    t.strictSame([person.logIns, second.sub, second.auth_time! - first.auth_time!], [2, first.sub, 1])
  },
  'oidcc-prompt-none-not-logged-in': async t => { t.strictSame(refused(await (await stage(t)).visit({ prompt: 'none' })), refusal('login_required')) },
  'oidcc-prompt-none-logged-in': async t => {
    const { clock, logIn, person } = await stage(t)
    const first = (await logIn()).claims()!
    clock.now += 1_000
    const second = (await logIn({ prompt: 'none' })).claims()!
    t.strictSame([person.logIns, second.sub, second.auth_time], [1, first.sub, first.auth_time])
  },
  'oidcc-max-age-1': async t => {
    const { clock, logIn, person } = await stage(t)
    const first = (await logIn()).claims()!
    clock.now += 2_000
    const second = (await logIn({ max_age: '1' })).claims()!
    t.strictSame([person.logIns, second.auth_time! - first.auth_time!], [2, 2])
  },
  'oidcc-max-age-10000': async t => {
    const { clock, logIn, person } = await stage(t)
    const first = (await logIn({ max_age: '10000' })).claims()!
    clock.now += 2_000
    const second = (await logIn({ max_age: '10000' })).claims()!
    t.strictSame([person.logIns, second.auth_time], [1, first.auth_time])
  },
  'oidcc-ensure-request-with-unknown-parameter-succeeds': ignored({ extra: 'foobar' }),
  'oidcc-id-token-hint': async t => {
    const { logIn, person, visit } = await stage(t)
    const { id_token: hint = '', claims } = await logIn()
    t.strictSame([(await logIn({ prompt: 'none', id_token_hint: hint })).claims()!.sub, person.logIns], [claims()!.sub, 1])
    t.strictSame(refused(await visit({ prompt: 'none', id_token_hint: 'somebody else' })), refusal('login_required'))
  },
  'oidcc-login-hint': ignored({ login_hint: EMAIL }),
  'oidcc-ui-locales': ignored({ ui_locales: 'se' }),
  'oidcc-claims-locales': ignored({ claims_locales: 'se' }),
  'oidcc-ensure-request-with-acr-values-succeeds': ignored({ acr_values: '1 2' }),
  'oidcc-codereuse': async t => {
    const { redeem, visit } = await stage(t)
    const answer = await visit()
    await redeem(answer)
    t.strictSame(await reasonOf(redeem(answer)), { status: 400, error: 'invalid_grant' })
  },
  'oidcc-codereuse-30seconds': async t => {
    const { clock, config, redeem, visit } = await stage(t)
    const answer = await visit()
    const { access_token: token, claims } = await redeem(answer)
    clock.now += 30_000
    t.strictSame(await reasonOf(redeem(answer)), { status: 400, error: 'invalid_grant' })
    t.strictSame(await reasonOf(oidc.fetchUserInfo(config, token, claims()!.sub)), { status: 401 }, 'and what it was exchanged for first is good no more')
  },
  'oidcc-ensure-registered-redirect-uri': async t => { await t.rejects((await stage(t)).visit({ redirect_uri: `${CALLBACK}/other` }), { message: '400 You cannot be sent on' }) },
  'oidcc-ensure-post-request-succeeds': async t => {
    const { addressOf, person, redeem } = await stage(t)
    const { origin, pathname, searchParams } = addressOf({})
    t.ok((await redeem(new URL(await person.visit(`${origin}${pathname}`, 'allow', searchParams)))).claims())
  },
  'oidcc-server-client-secret-post': async t => { t.ok((await (await stage(t, { authMethod: 'client_secret_post' })).logIn()).claims()) },
  'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported': rejected('request_uri', 'request_uri_not_supported'),
  'oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported': rejected('request', 'request_not_supported'),
  'oidcc-claims-essential': ignored({ claims: '{"userinfo":{"name":{"essential":true}}}' }),
  'oidcc-ensure-request-object-with-redirect-uri': rejected('request', 'request_not_supported'),
  'oidcc-refresh-token': async t => {
    const { clock, config, logIn } = await stage(t)
    const first = await logIn({ scope: 'openid offline_access' })
    clock.now += 1_000
    const second = await oidc.refreshTokenGrant(config, first.refresh_token!)
    const [old, now] = [first.claims()!, second.claims()!]
    t.strictSame([now.iss, now.sub, now.aud, now.auth_time, now.iat - old.iat], [old.iss, old.sub, old.aud, old.auth_time, 1])
  },
  'oidcc-ensure-request-with-valid-pkce-succeeds': async t => {
    const { redeem, visit } = await stage(t, { requiresPkce: true })
    const verifier = oidc.randomPKCECodeVerifier()
    const asked = { code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' }
    t.ok((await redeem(await visit(asked), {}, { pkceCodeVerifier: verifier })).claims())
    t.strictSame(refused(await visit()), refusal('invalid_request'), 'and without, where the record demands it, fails')
  },
}

for (const [name, prove] of Object.entries(MODULES)) t.test(name, prove)

t.test('the page about OAuth names each module', async t => {
  const [, rows = ''] = readFileSync('docs/oauth.md', 'utf8').split(/^## The OpenID Basic plan$/m)
  t.strictSame([...rows.matchAll(/^\| `(oidcc-[\w-]+)` \|/gm)].map(([, name]) => name), Object.keys(MODULES))
  t.equal(Object.keys(MODULES).length, 38)
})
