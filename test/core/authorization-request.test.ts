// What a client asks for at the authorization endpoint: read whole, or refused in the words of the standard.
import t from 'tap'
import { audienceFor, readAuthorizationRequest } from '../../src/core/authorization-request.js'
import type { Client } from '../../src/core/client.js'
import { readParameters } from '../../src/core/parameters.js'
import { newClient } from '../store/client-contract.js'

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const REDIRECT_URI = 'https://app.example/cb'
const ISSUER = 'https://signet.example'
const client: Client = { ...newClient(), scopes: ['read'], audiences: ['https://api.example', 'https://other.example'] }
const ASKED = { response_type: 'code', scope: 'openid', code_challenge: CHALLENGE, code_challenge_method: 'S256' }

function read (changes: Record<string, string | undefined> = {}, of: Partial<Client> = {}, more = '') {
  const pairs = Object.entries({ ...ASKED, ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return readAuthorizationRequest(readParameters(`${new URLSearchParams(pairs)}${more}`)!, { ...client, ...of }, REDIRECT_URI, ISSUER)
}

t.test('the least that is asked for, and what stands where nothing is said', async t => {
  t.strictSame(read(), {
    client, redirectUri: REDIRECT_URI, scope: ['openid'], audience: ['https://api.example'], state: undefined, challenge: CHALLENGE, nonce: undefined, prompts: [], acrValues: [], maxAge: undefined, loginHint: undefined, idTokenHint: undefined,
  })
})

t.test('all that can be asked for', async t => {
  t.strictSame(read({ scope: 'openid read unknown', response_mode: 'query', state: 'a b', nonce: 'n', prompt: 'login  consent', acr_values: 'any http://idmanagement.gov/ns/assurance/aal/2', max_age: '0', login_hint: 'ada', id_token_hint: 'token', display: 'page', unknown: '1' }, {}, '&resource=https://other.example&resource=https://api.example&resource=https://api.example'), {
    client, redirectUri: REDIRECT_URI, scope: ['openid', 'read'], audience: ['https://other.example', 'https://api.example'], state: 'a b', challenge: CHALLENGE, nonce: 'n', prompts: ['login', 'consent'], acrValues: ['http://idmanagement.gov/ns/assurance/aal/2'], maxAge: 0, loginHint: 'ada', idTokenHint: 'token',
  })
})

t.test('what cannot be asked for is refused in the words of the standard', async t => {
  const cases: Array<[error: string, changes: Record<string, string | undefined>, of?: Partial<Client>]> = [
    ['request_not_supported', { request: 'eyJ.eyJ.c2ln' }],
    ['request_uri_not_supported', { request_uri: 'https://app.example/request' }],
    ['registration_not_supported', { registration: '{}' }],
    ['invalid_request', { response_type: undefined }],
    ['invalid_request', { response_type: '' }],
    ...['token', 'id_token', 'code id_token', 'none', 'Code', 'code '].map(type => ['unsupported_response_type', { response_type: type }] as [string, Record<string, string>]),
    ...['fragment', 'form_post', 'query.jwt', 'Query'].map(mode => ['invalid_request', { response_mode: mode }] as [string, Record<string, string>]),
    ['unauthorized_client', {}, { grantTypes: ['client_credentials'] }],
    ...['none login', 'none consent', 'Login', 'create', 'login,consent'].map(prompt => ['invalid_request', { prompt }] as [string, Record<string, string>]),
    ...['-1', '1.5', '1e3', ' 1', '0x1', 'x', '1000000000'].map(age => ['invalid_request', { max_age: age }] as [string, Record<string, string>]),
    ['invalid_request', { nonce: 'n'.repeat(513) }],
    ['invalid_request', { state: 's'.repeat(4_001) }],
    ['invalid_request', { scope: 'openid '.repeat(286) }],
    ['invalid_target', { resource: 'https://api.example/' }],
    ['invalid_target', { resource: 'urn:stranger' }],
    ['invalid_target', { resource: ISSUER }],
    ['invalid_scope', { scope: 'unknown' }],
    ['invalid_scope', { scope: undefined }, { scopes: [] }],
  ]
  for (const [error, changes, of] of cases) {
    const refusal = read(changes, of) as { error: string, description: string }
    t.equal(refusal.error, error, JSON.stringify([changes, of]))
    t.match(refusal.description, /^[ !#-[\]-~]+\.$/, 'in a sentence of the characters that RFC 6749, section 4.1.2.1, allows')
  }
  t.match(read({ nonce: 'n'.repeat(512), max_age: '999999999', prompt: 'select_account' }), { nonce: 'n'.repeat(512), maxAge: 999_999_999, prompts: ['select_account'] })
})

t.test('a description holds no character that it must not, whatever a parameter is called', async t => {
  for (const name of ['a%0D%0Ab', '%22', '%5C', '%EF%BF%BF', 'a'.repeat(41)]) t.match(read({}, {}, `&${name}=1&${name}=2`), { error: 'invalid_request', description: 'A parameter came twice.' })
})

t.test('a parameter that came twice is refused, whichever it is', async t => {
  for (const name of ['state', 'scope', 'nonce', 'unknown']) t.match(read({ [name]: 'openid' }, {}, `&${name}=openid`), { error: 'invalid_request', description: `The parameter ${name} came twice.` })
})

t.test('a challenge is by S256, and nobody takes it or its method away from a client that must have it', async t => {
  for (const changes of [{ code_challenge: undefined }, { code_challenge: '' }, { code_challenge: undefined, code_challenge_method: undefined }]) t.match(read(changes), { error: 'invalid_request' }, JSON.stringify(changes))
  for (const method of [undefined, 'plain', 's256', 'S512']) t.match(read({ code_challenge_method: method }, { requiresPkce: false }), { error: 'invalid_request' }, 'nor from one that need not')
  for (const challenge of ['short', `${CHALLENGE}=`, CHALLENGE.replace('-', '+')]) t.match(read({ code_challenge: challenge }), { error: 'invalid_request' }, challenge)
  t.match(read({ code_challenge: undefined }, { requiresPkce: false }), { error: 'invalid_request' }, 'a method without a challenge is one that was taken away')
  t.match(read({ code_challenge: undefined, code_challenge_method: undefined }, { requiresPkce: false }), { challenge: undefined })
  t.match(read({}, { requiresPkce: false }), { challenge: CHALLENGE })
})

t.test('tokens are for the first audience of a record, for those that are named of it, and for the issuer where it has none', async t => {
  t.strictSame(audienceFor(undefined, client, ISSUER), ['https://api.example'])
  t.strictSame(audienceFor(['https://other.example'], client, ISSUER), ['https://other.example'])
  t.equal(audienceFor(['https://other.example', 'https://stranger.example'], client, ISSUER), undefined)
  t.strictSame(audienceFor(undefined, { audiences: [] }, ISSUER), [ISSUER])
  t.strictSame(audienceFor([ISSUER], { audiences: [] }, ISSUER), [ISSUER], 'which may be named')
  t.equal(audienceFor(['https://api.example'], { audiences: [] }, ISSUER), undefined)
})
