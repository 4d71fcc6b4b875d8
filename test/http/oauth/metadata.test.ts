// The metadata: the same facts under both names, and each of them served.
import t from 'tap'
import { testApp } from '../../test-app.js'
import { ISSUER, oauthApp, requestOf, sent } from './oauth-app.js'

interface Facts { grant_types_supported: string[], scopes_supported: string[], prompt_values_supported: string[] }

t.test('both documents say the same, to anybody, for a while', async t => {
  const { app } = await testApp(t, { ISSUER })
  const [one, other] = await Promise.all(['oauth-authorization-server', 'openid-configuration'].map(async name => await app.inject(`/.well-known/${name}`)))
  t.strictSame(one!.json(), other!.json())
  t.match(one!.headers, { 'cache-control': 'public, max-age=300', 'access-control-allow-origin': '*', 'content-type': 'application/json; charset=utf-8' })
  t.match(one!.json(), {
    issuer: ISSUER, code_challenge_methods_supported: ['S256'], response_types_supported: ['code'], authorization_response_iss_parameter_supported: true, subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'],
    status_list_aggregation_endpoint: `${ISSUER}/status-lists`,
  })
})

t.test('they name each algorithm that a client may sign with', async t => {
  const { app } = await testApp(t, { ISSUER })
  const facts = (await app.inject('/.well-known/openid-configuration')).json<Record<string, unknown>>()
  for (const door of ['token', 'revocation', 'introspection']) t.strictSame(facts[`${door}_endpoint_auth_signing_alg_values_supported`], ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'], door)
})

t.test('every address in them is of a door that is there', async t => {
  const { app, ask, authorize, cookie, web } = await oauthApp(t)
  const facts = (await app.inject('/.well-known/openid-configuration')).json<Facts>()
  const addresses = Object.entries(facts as object).filter(([name]) => /_(endpoint|uri)$/.test(name))
  t.equal(addresses.length, 8)
  for (const [name, address] of addresses) {
    const { statusCode } = await app.inject({ method: /token|revocation|introspection/.test(name) ? 'POST' : 'GET', url: new URL(String(address)).pathname })
    t.not(statusCode, 404, name)
    t.not(statusCode, 405, name)
  }
  for (const grantType of facts.grant_types_supported) t.not((await ask('/token', web, { grant_type: grantType })).json<{ error?: string }>().error, 'unsupported_grant_type', grantType)
  for (const prompt of facts.prompt_values_supported) t.not((await authorize({ ...requestOf(web), prompt }, { cookie })).headers.location?.includes('invalid_request'), true, prompt)
  t.match(sent(await authorize({ ...requestOf(web), scope: facts.scopes_supported.join(' '), prompt: 'none' }, { cookie })), { error: 'consent_required' })
})

t.test('without status lists none is named; an issuer with a path is found by either rule', async t => {
  const { app } = await testApp(t, { ISSUER: 'https://example.com/id/', STATUS_LIST: 'false' })
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    const facts = (await app.inject(`/.well-known/${name}/id`)).json<Facts>()
    t.strictSame(facts, (await app.inject(`/.well-known/${name}`)).json())
    t.match(facts, { issuer: 'https://example.com/id/', token_endpoint: 'https://example.com/id/token' })
    t.notOk('status_list_aggregation_endpoint' in facts)
  }
})
