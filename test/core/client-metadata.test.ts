// Metadata of a client: RFC 7591's names and defaults, every fault said by name, and written as it was read.
import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { makeClient } from '../../src/core/client-changes.js'
import { changeMetadata, describeClient, metadataOf, readMetadata, registrationOf, type ClientSettings, type Metadata } from '../../src/core/client-metadata.js'
import { scopesOf } from '../../src/core/scopes.js'

const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const WEB = { client_name: 'Notes', redirect_uris: ['https://app.example/callback'] }
const SERVICE = { client_name: 'Reports' }

const settings: ClientSettings = {
  name: 'Notes', redirectUris: ['https://app.example/callback'], grantTypes: ['authorization_code', 'refresh_token'], authMethod: 'client_secret_basic',
  scopes: [], audiences: [], postLogoutRedirectUris: [], isOurs: false, requiresPkce: true,
}

function read (metadata: Metadata): ClientSettings {
  const verdict = readMetadata(metadata)
  if ('faults' in verdict) throw new Error(JSON.stringify(verdict.faults))
  return verdict.settings
}

const faultsOf = (metadata: Metadata) => {
  const verdict = readMetadata(metadata)
  return 'faults' in verdict ? verdict.faults.map(({ field, detail }) => `${field}: ${detail}`) : []
}

t.test('what is not said has the defaults: a client with redirect URIs logs people in, one without any acts for itself', async t => {
  t.strictSame(readMetadata(WEB), { settings, ignored: [] })
  t.strictSame(readMetadata({ ...WEB, jwks: null, scope: null, grant_types: null }), { settings, ignored: [] }, 'null is not said')
  t.strictSame(read(SERVICE), { ...settings, name: 'Reports', redirectUris: [], grantTypes: ['client_credentials'] })
  t.strictSame(faultsOf({ ...SERVICE, token_endpoint_auth_method: 'none' }), ['redirect_uris: The grant type authorization_code needs one at least.'], 'a public client can only log people in')
})

t.test('all that may be said is read', async t => {
  t.strictSame(read({
    client_name: ' Caf\u0065\u0301 ', redirect_uris: ['https://app.example/callback', 'https://app.example/callback', 'http://127.0.0.1/'], grant_types: ['client_credentials', 'refresh_token', 'authorization_code'],
    token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [KEY] }, scope: ' openid read  write:all read email', audiences: ['signet', 'https://api.example/v1?x=1'],
    post_logout_redirect_uris: ['https://app.example/bye'], first_party: true, require_pkce: false,
  }), {
    name: 'Café', redirectUris: ['https://app.example/callback', 'http://127.0.0.1/'], grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'], authMethod: 'private_key_jwt', jwks: { keys: [{ ...KEY, use: 'sig' }] },
    scopes: ['read', 'write:all'], audiences: ['signet', 'https://api.example/v1?x=1'], postLogoutRedirectUris: ['https://app.example/bye'], isOurs: true, requiresPkce: false,
  })
  t.match(read({ ...SERVICE, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example/jwks' }), { jwksUri: 'https://app.example/jwks', grantTypes: ['client_credentials'] })
  t.match(read({ ...WEB, redirect_uris: ['com.example.app:/callback'], token_endpoint_auth_method: 'none' }), { authMethod: 'none', redirectUris: ['com.example.app:/callback'] })
})

t.test('every fault is said at once, by the member\'s name', async t => {
  t.strictSame(faultsOf({ redirect_uris: ['http://app.example/', 'com.example.app:/', 'https://app.example/#'], grant_types: ['implicit'], token_endpoint_auth_method: 'tls_client_auth', jwks: {}, jwks_uri: 'ftp://x.example/', scope: 'a"b', audiences: [''], post_logout_redirect_uris: 'x', first_party: 'yes', require_pkce: 0, nonsense: 1 }), [
    'token_endpoint_auth_method: It must be one of none, client_secret_basic, client_secret_post, private_key_jwt.',
    'redirect_uris: "http://app.example/" is plain HTTP, which is for 127.0.0.1, [::1] and localhost alone.',
    'redirect_uris: "com.example.app:/" has a scheme of its own, which is for redirect URIs of public clients alone (token_endpoint_auth_method none).',
    'redirect_uris: "https://app.example/#" has a fragment.',
    'client_name: A client needs a name, which people are shown.',
    'grant_types: It must be a list of one or more of authorization_code, refresh_token, client_credentials.',
    'jwks: It must be a JWKS, an object with a list `keys` (RFC 7517, section 5).',
    'jwks_uri: "ftp://x.example/" has the scheme ftp:, which is neither https: nor one of an application\'s own, such as com.example.app:.',
    'scope: "a\\"b" is no scope: that is of 1 to 100 characters of ASCII without quotation marks, backslashes and blanks (RFC 6749, section 3.3).',
    'audiences: "" is not of 1 to 300 characters of ASCII without blanks and without #.',
    'post_logout_redirect_uris: It must be a list of texts, 20 at the most.',
    'first_party: It must be true or false.',
    'require_pkce: It must be true or false.',
    'nonsense: Signet does nothing of that name: leave it out.',
  ])
})

t.test('a member of another type is refused, whichever it is', async t => {
  const wrong: Record<string, unknown[]> = {
    client_name: [1, [], {}, true], redirect_uris: [1, 'https://app.example/', {}, [1], [['https://app.example/']]], grant_types: ['authorization_code', [], {}, [1]], token_endpoint_auth_method: [1, '', 'NONE', ['none']],
    jwks: [1, '{}', []], jwks_uri: [1, ['https://app.example/']], scope: [1, ['read']], audiences: ['signet', [1]], post_logout_redirect_uris: [{}], first_party: ['true', 1], require_pkce: ['false', 0],
  }
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) t.match(readMetadata({ ...WEB, [field]: value }), { faults: [{ field }] }, `${field} ${JSON.stringify(value)}`)
  }
})

t.test('what would not go together is refused', async t => {
  const cases: Array<[Metadata, string]> = [
    [{ ...WEB, grant_types: ['refresh_token'] }, 'grant_types: A refresh_token comes of an authorization_code, so that needs to be there, too.'],
    [{ ...SERVICE, grant_types: ['authorization_code'] }, 'redirect_uris: The grant type authorization_code needs one at least.'],
    [{ ...WEB, grant_types: ['authorization_code', 'client_credentials'], token_endpoint_auth_method: 'none' }, 'grant_types: A public client (token_endpoint_auth_method none) has no credentials, and so no client_credentials.'],
    [{ ...WEB, require_pkce: false, token_endpoint_auth_method: 'none' }, 'require_pkce: A public client (token_endpoint_auth_method none) cannot do without PKCE.'],
    [{ ...SERVICE, token_endpoint_auth_method: 'private_key_jwt' }, 'jwks: The method private_key_jwt needs the public keys of the client, in jwks or at jwks_uri.'],
    [{ ...SERVICE, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [KEY] }, jwks_uri: 'https://app.example/jwks' }, 'jwks_uri: A client has its keys in jwks or at jwks_uri, and not in both.'],
    [{ ...SERVICE, jwks: { keys: [KEY] } }, 'token_endpoint_auth_method: Keys are for the method private_key_jwt alone: name it, or leave jwks and jwks_uri out.'],
    [{ ...SERVICE, jwks_uri: 'https://app.example/jwks' }, 'token_endpoint_auth_method: Keys are for the method private_key_jwt alone: name it, or leave jwks and jwks_uri out.'],
  ]
  for (const [metadata, fault] of cases) t.strictSame(faultsOf(metadata), [fault])
  t.strictSame(faultsOf({ ...SERVICE, token_endpoint_auth_method: 'private_key_jwt', jwks: {} }), ['jwks: It must be a JWKS, an object with a list `keys` (RFC 7517, section 5).'], 'what is wrong already is said once')
})

t.test('there is an end to how much and how long', async t => {
  const many = (count: number, make: (index: number) => string) => Array.from({ length: count }, (_, index) => make(index))
  const uri = (index: number) => `https://app.example/${index}`
  t.strictSame(faultsOf({ ...WEB, redirect_uris: many(20, uri), post_logout_redirect_uris: many(20, uri), audiences: many(20, uri), scope: many(50, index => `s${index}`).join(' ') }), [])
  t.strictSame(faultsOf({ ...WEB, redirect_uris: many(21, uri), post_logout_redirect_uris: many(21, uri), audiences: many(21, uri), scope: many(51, index => `s${index}`).join(' ') }).map(fault => fault.split(':')[0]), ['redirect_uris', 'scope', 'audiences', 'post_logout_redirect_uris'])
  t.strictSame(faultsOf({ ...WEB, scope: 's'.repeat(100), audiences: ['a'.repeat(300)], client_name: 'n'.repeat(100) }), [])
  for (const more of [{ scope: 's'.repeat(101) }, { audiences: ['a'.repeat(301)] }, { client_name: 'n'.repeat(101) }, { redirect_uris: [`https://app.example/${'a'.repeat(10_000)}`] }]) {
    const [fault, ...others] = faultsOf({ ...WEB, ...more })
    t.ok(others.length === 0 && fault!.length < 400, fault!)
  }
})

t.test('a scope and an audience are of the letters that their standards have', async t => {
  t.strictSame(read({ ...WEB, scope: "!#[]~ a'b urn:x/y" }).scopes, ['!#[]~', "a'b", 'urn:x/y'])
  for (const scope of ['a\\b', '"', 'ü', 'a\tb', 'a\nb', '\u0000', 'a\u00a0b', '\ud800']) t.match(faultsOf({ ...WEB, scope }), [/^scope: .* is no scope/], JSON.stringify(scope))
  for (const audience of ['a b', 'ü', '\n', 'https://api.example/#x', ' a', 'a\u007f']) t.match(faultsOf({ ...WEB, audiences: [audience] }), [/^audiences: /], JSON.stringify(audience))
})

t.test('a name of which nothing is seen, or that bends the text around it, is no name', async t => {
  for (const name of ['', ' ', '\u200b', 'a\nb', 'a\u202eb']) t.strictSame(faultsOf({ ...WEB, client_name: name }), ['client_name: A name has from 1 to 100 characters that are seen, in one line.'], JSON.stringify(name))
})

t.test('what tells people something is ignored, and what Signet does anyway is taken', async t => {
  const informative = { client_uri: 'https://app.example', 'client_uri#de': 'x', logo_uri: 'x', contacts: ['ada@example.com'], tos_uri: 'x', policy_uri: 'x', software_id: 'x', software_version: '1', 'client_name#ja-Jpan-JP': 'x', initiate_login_uri: 'x' }
  t.strictSame(readMetadata({ ...WEB, ...informative }), { settings, ignored: Object.keys(informative) })
  const fixed = { response_types: ['code'], application_type: 'native', subject_type: 'public', id_token_signed_response_alg: 'RS256', token_endpoint_auth_signing_alg: 'ES256', require_auth_time: true, dpop_bound_access_tokens: false }
  t.strictSame(readMetadata({ ...WEB, ...fixed }), { settings, ignored: [] })
  const others = { response_types: ['code', 'id_token'], application_type: 'service', subject_type: 'pairwise', id_token_signed_response_alg: 'ES256', token_endpoint_auth_signing_alg: 'HS256', require_auth_time: 1, dpop_bound_access_tokens: true, require_pushed_authorization_requests: true }
  t.strictSame(faultsOf({ ...WEB, ...others }).map(fault => fault.split(':')[0]), Object.keys(others))
  t.strictSame(faultsOf({ ...WEB, response_types: 'token' }), ['response_types: It can be ["code"] or [] and nothing else.'])
})

t.test('a slip, and what Signet does not do or says itself, is refused by name', async t => {
  for (const field of ['redirect_uri', 'grant_type', 'Client_name', 'client_name ', 'scopes', 'constructor', 'toString', '', 'backchannel_logout_uri', 'request_uris', 'sector_identifier_uri', 'software_statement']) t.strictSame(faultsOf({ ...WEB, [field]: 'x' }), [`${field}: Signet does nothing of that name: leave it out.`])
  for (const field of ['client_id', 'client_secret', 'client_id_issued_at', 'client_secret_expires_at', 'client_secrets_issued_at']) t.strictSame(faultsOf({ ...WEB, [field]: 'x' }), [`${field}: Signet says that itself: leave it out.`])
})

t.test('the answer is RFC 7591\'s, with the secret once, and times in seconds', async t => {
  const { client, secret } = makeClient(read({ ...WEB, scope: 'read', audiences: ['signet'] }), 1_999_999)
  const metadata = {
    client_name: 'Notes', redirect_uris: ['https://app.example/callback'], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid profile email offline_access read', audiences: ['signet'], post_logout_redirect_uris: [], first_party: false, require_pkce: true,
  }
  t.strictSame(registrationOf(client, secret), { client_id: client.id, client_id_issued_at: 1999, client_secret: secret, client_secret_expires_at: 0, ...metadata })
  t.strictSame(registrationOf(client), { client_id: client.id, client_id_issued_at: 1999, ...metadata })
  t.strictSame(describeClient(client), { ...registrationOf(client), client_secrets_issued_at: [1999] })
  const service = read({ ...SERVICE, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [KEY] } })
  t.strictSame(metadataOf(service), {
    client_name: 'Reports', redirect_uris: [], grant_types: ['client_credentials'], response_types: [], token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...KEY, use: 'sig' }] }, audiences: [], post_logout_redirect_uris: [], first_party: false, require_pkce: true,
  })
  const { client: other } = makeClient(service, 1000)
  t.strictSame(describeClient(other), registrationOf(other), 'one without a secret')
})

t.test('what is written is read as the same client', async t => {
  for (const metadata of [WEB, SERVICE, { ...WEB, scope: 'read', first_party: true, require_pkce: false }, { ...SERVICE, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example/jwks' }, { ...WEB, token_endpoint_auth_method: 'none', redirect_uris: ['com.example.app:/'] }]) {
    t.strictSame(read(metadataOf(read(metadata))), read(metadata))
  }
  t.strictSame(scopesOf({ grantTypes: ['client_credentials'], scopes: ['read'] }), ['read'])
})

t.test('a change is of the members that it names, and what a client was said to be may be given back', async t => {
  const { client } = makeClient(read({ ...WEB, scope: 'read', audiences: ['signet'] }), 1000)
  const { id: _, version: __, secrets: ___, createdAt: ____, ...before } = client
  t.strictSame(changeMetadata(client, {}), { settings: before, ignored: [] })
  t.strictSame(changeMetadata(client, { client_name: 'Papers', scope: null }), { settings: { ...before, name: 'Papers', scopes: [] }, ignored: [] })
  t.strictSame(changeMetadata(client, { ...describeClient(client), first_party: true, contacts: [] }), { settings: { ...before, isOurs: true }, ignored: ['contacts'] })
  t.match(changeMetadata(client, { client_id: 'another', redirect_uris: [], nonsense: 1 }), { faults: [{ field: 'client_id' }, { field: 'nonsense' }, { field: 'redirect_uris' }] })
  t.match(changeMetadata(client, { client_secret: 'mine' }), { faults: [{ field: 'client_secret' }] })
})

t.test('keys that a change names come in the stead of those that were', async t => {
  const [inline, remote] = [{ jwks: { keys: [KEY] } }, { jwks_uri: 'https://app.example/jwks' }]
  const method = { ...SERVICE, token_endpoint_auth_method: 'private_key_jwt' }
  const [one, other] = [makeClient(read({ ...method, ...inline }), 1000).client, makeClient(read({ ...method, ...remote }), 1000).client]
  t.strictSame(changeMetadata(one, remote), { settings: read({ ...method, ...remote }), ignored: [] })
  t.strictSame(changeMetadata(other, inline), { settings: read({ ...method, ...inline }), ignored: [] })
  t.match(changeMetadata(one, { client_name: 'Papers' }), { settings: { name: 'Papers', jwks: { keys: [{ x: KEY.x }] } } })
  t.match(changeMetadata(one, { jwks: null }), { faults: [{ field: 'jwks' }] })
  t.match(changeMetadata(one, { jwks: null, token_endpoint_auth_method: 'client_secret_post' }), { settings: { authMethod: 'client_secret_post', jwks: undefined } })
})
