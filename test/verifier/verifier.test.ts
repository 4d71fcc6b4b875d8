// Which access tokens a service takes, and the code of every refusal.
import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { DEFAULT_LIMITS } from '../../src/verifier/key-cache.js'
import { REFUSALS } from '../../src/verifier/token-verification-error.js'
import { createVerifier, TokenVerificationError, type VerifierOptions } from '../../src/verifier/verifier.js'
import { otherSpellings } from '../spellings.js'
import { AUDIENCE, authority, down, newKey, SECONDS } from './authority.js'
import { listAuthority } from './list-authority.js'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const lacks = (names: string) => `The token lacks claims, or has them in another form: ${names}.`
const isFor = (audiences: string) => `The token was issued for ${audiences}, not for '${AUDIENCE}'.`

t.test('a good token is answered with its claims', async t => {
  const { verify, sign, claims, two } = await authority(t)
  t.strictSame(await verify(await sign()), claims)
  t.strictSame(await verify(await sign(undefined, { aud: ['billing', AUDIENCE], nbf: SECONDS, scope: 'read', roles: ['admin'], amr: ['pwd', 'otp', 'mfa'], acr: 'two' })), { ...claims, aud: ['billing', AUDIENCE], nbf: SECONDS, scope: 'read', roles: ['admin'], amr: ['pwd', 'otp', 'mfa'], acr: 'two' })
  for (const typ of ['application/at+jwt', 'AT+JWT']) t.strictSame(await verify(await sign(undefined, {}, { typ })), claims, typ)
  const jku = `${claims.iss}/evil`
  t.strictSame(await verify(await sign(undefined, {}, { jku, x5u: jku, jwk: two.jwk })), claims, 'what a header brings or points to is not looked at')
})

t.test('a token that a client has for itself tells of no log-in', async t => {
  const { verify, sign, claims } = await authority(t)
  const { sid, auth_time: authTime, ...others } = claims
  const own = { sub: claims.client_id, scope: 'read', aud: ['billing', AUDIENCE] }
  t.strictSame(await verify(await sign(undefined, { ...own, sid: undefined, auth_time: undefined })), { ...others, ...own })
  t.strictSame(await verify(await sign(undefined, own)), { ...claims, ...own })
  await t.rejects(verify(await sign(undefined, { ...own, sid: '', auth_time: '0' })), { code: 'missing_claim', message: lacks('sid, auth_time') }, 'what it tells all the same has its form')
})

t.test('every refusal has its code and its sentence', async t => {
  const { verify, sign, claims, one, two, asked, issuer, publish, tokenAt } = await listAuthority(t)
  await publish([1])
  const good = await sign()
  const [header, payload, signature] = good.split('.') as [string, string, string]
  const head = { alg: 'RS256', typ: 'at+jwt', kid: 'one' }
  const hs = `${encode({ ...head, alg: 'HS256' })}.${payload}`
  const pem = createPublicKey({ key: one.jwk as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const refused: Array<[name: string, code: keyof typeof REFUSALS, token: string, detail?: string]> = [
    ['nothing', 'malformed_token', ''],
    ['no text', 'malformed_token', undefined as unknown as string],
    ['a JWS in JSON', 'malformed_token', { protected: header, payload, signature } as unknown as string],
    ['two parts', 'malformed_token', `${header}.${payload}`],
    ['four parts', 'malformed_token', `${good}.x`],
    ['a header that is no JSON', 'malformed_token', `e30x.${payload}.${signature}`],
    ['a payload that is no JSON', 'malformed_token', `${header}.e30x.${signature}`],
    ['a payload that is no object', 'malformed_token', `${header}.${encode([1])}.${signature}`],
    ['the algorithm none', 'unsupported_algorithm', `${encode({ ...head, alg: 'none' })}.${payload}.`],
    ['no algorithm', 'unsupported_algorithm', `${encode({ typ: 'at+jwt', kid: 'one' })}.${payload}.${signature}`],
    ['a MAC under the public key', 'unsupported_algorithm', `${hs}.${createHmac('sha256', pem).update(hs).digest('base64url')}`],
    ['another RSA algorithm', 'unsupported_algorithm', `${encode({ ...head, alg: 'PS256' })}.${payload}.${signature}`],
    ['an ID token', 'wrong_type', await sign(undefined, {}, { typ: 'JWT' })],
    ['a type that begins so', 'wrong_type', await sign(undefined, {}, { typ: 'at+jwt+x' })],
    ['a type that ends so', 'wrong_type', await sign(undefined, {}, { typ: 'logout/at+jwt' })],
    ['no type', 'wrong_type', await sign(undefined, {}, { typ: undefined })],
    ['a critical extension that nobody knows', 'unsupported_critical_header', `${encode({ ...head, crit: ['exp'], exp: 1 })}.${payload}.${signature}`],
    ['a critical extension that jose knows', 'unsupported_critical_header', await sign(undefined, {}, { crit: ['b64'], b64: true })],
    ['an unknown key id', 'unknown_key', await sign(two)],
    ['an unknown key that the header brings', 'unknown_key', await sign(two, {}, { jwk: two.jwk, jku: `${issuer}/evil`, x5u: `${issuer}/evil` })],
    ['no key id', 'unknown_key', await sign(undefined, {}, { kid: undefined })],
    ['the signature of another key', 'bad_signature', await sign(two, {}, { kid: 'one' })],
    ['a damaged payload', 'bad_signature', `${header}.${encode({ ...claims, sub: 'admin' })}.${signature}`],
    ['a damaged signature', 'bad_signature', `${header}.${payload}.${signature.slice(0, -4)}AAAA`],
    ['a signature that is no base64url', 'malformed_token', `${header}.${payload}.!`],
    ['no signature', 'bad_signature', `${header}.${payload}.`],
    ['another issuer', 'wrong_issuer', await sign(undefined, { iss: `${issuer}/` }), `The token was issued by '${issuer}/', not by '${issuer}'.`],
    ['another audience', 'wrong_audience', await sign(undefined, { aud: 'billing' }), isFor("'billing'")],
    ['an audience that ends so', 'wrong_audience', await sign(undefined, { aud: 'reorders' }), isFor("'reorders'")],
    ['other audiences', 'wrong_audience', await sign(undefined, { aud: ['billing', 'order'] }), isFor("'billing', 'order'")],
    ['no audience in the list', 'wrong_audience', await sign(undefined, { aud: [] }), isFor('nobody')],
    ['expired this very second', 'token_expired', await sign(undefined, { exp: SECONDS })],
    ['not active for another second', 'token_not_active', await sign(undefined, { nbf: SECONDS + 1 })],
    ['issued in the future', 'token_not_active', await sign(undefined, { iat: SECONDS + 301, exp: SECONDS + 901 })],
    ['a time that is text', 'missing_claim', await sign(undefined, { nbf: '0', exp: '4000000000' }), lacks('exp, nbf')],
    ['an audience that is a number', 'missing_claim', await sign(undefined, { aud: 1 }), lacks('aud')],
    ['roles that are a text', 'missing_claim', await sign(undefined, { roles: 'admin' }), lacks('roles')],
    ['methods that are a text', 'missing_claim', await sign(undefined, { amr: 'mfa' }), lacks('amr')],
    ['a level that is none', 'missing_claim', await sign(undefined, { acr: 2 }), lacks('acr')],
    ['a role that is none', 'missing_claim', await sign(undefined, { roles: ['admin', ''] }), lacks('roles')],
    ['a scope that is a list', 'missing_claim', await sign(undefined, { scope: ['read'] }), lacks('scope')],
    ['an empty subject', 'missing_claim', await sign(undefined, { sub: '' }), lacks('sub')],
    ['a status that is text', 'missing_claim', await sign(undefined, { status: 'good' }), lacks('status')],
    ['a log-in that has ended', 'token_revoked', await tokenAt(1)],
  ]
  for (const [name, token] of Object.entries(otherSpellings(good))) refused.push([name, 'malformed_token', token])
  for (const name of Object.keys(claims)) refused.push([`no ${name}`, 'missing_claim', await sign(undefined, { [name]: undefined }), lacks(name)])
  for (const [name, code, token, detail] of refused) {
    const error = await verify(token).catch((error: unknown) => error)
    t.type(error, TokenVerificationError, name)
    const { code: said, message, retryAfter } = error as TokenVerificationError
    t.strictSame({ said, message, retryAfter }, { said: code, message: detail ?? REFUSALS[code], retryAfter: undefined }, name)
  }
  const met = new Set<string>([...refused.map(([, code]) => code), 'keys_unavailable', 'status_unavailable'])
  t.strictSame(met, new Set(Object.keys(REFUSALS)), 'the table is whole')
  t.strictSame(new Set(asked), new Set(['/.well-known/jwks.json', '/status-lists/0']), 'nothing but the JWKS and the list was ever asked for')
})

t.test('a token that is refused for what it says of itself costs no fetch', async t => {
  const { judge, sign, two, asked } = await authority(t)
  t.equal(await judge(await sign(two, { exp: SECONDS - 1 })), 'token_expired')
  t.equal(await judge(await sign(two, { iss: 'https://evil.example' })), 'wrong_issuer')
  t.equal(await judge(await sign(undefined, {}, { kid: undefined })), 'unknown_key')
  t.strictSame(asked, [])
})

t.test('without keys the error says why and when to try again', async t => {
  const stub = await authority(t)
  stub.answer = down
  const error = await stub.verify(await stub.sign()).catch((error: TokenVerificationError) => error) as TokenVerificationError
  t.match(error, { name: 'TokenVerificationError', code: 'keys_unavailable', message: REFUSALS.keys_unavailable, retryAfter: 10, cause: { message: 'fetch failed' } })
})

t.test('the clock tolerance counts at both ends, to the millisecond', async t => {
  const stub = await authority(t, { clockTolerance: 5 })
  const [ended, starting] = [await stub.sign(undefined, { exp: SECONDS }), await stub.sign(undefined, { nbf: SECONDS + 10 })]
  const ahead = await stub.sign(undefined, { iat: SECONDS + 310 })
  const at = async (milliseconds: number) => {
    stub.now = SECONDS * 1000 + milliseconds
    return [await stub.judge(ended), await stub.judge(starting), await stub.judge(ahead)]
  }
  t.strictSame(await at(4_999), ['good', 'token_not_active', 'token_not_active'])
  t.strictSame(await at(5_000), ['token_expired', 'good', 'good'])
})

t.test('keys come from where the options say; a slash at the end of the issuer is not doubled', async t => {
  const stub = await authority(t)
  const issuer = `${stub.issuer}/`
  await createVerifier({ issuer, audience: AUDIENCE, now: () => stub.now }).verify(await stub.sign(undefined, { iss: issuer }))
  await createVerifier({ issuer, audience: AUDIENCE, now: () => stub.now, jwksUri: `${stub.issuer}/keys` }).verify(await stub.sign(undefined, { iss: issuer }))
  const fetched: unknown[] = []
  const fetch = async (uri: unknown) => {
    fetched.push(uri)
    return Response.json({ keys: stub.published })
  }
  const key = await newKey('one')
  await t.rejects(createVerifier({ issuer: 'https://id.example', audience: AUDIENCE, now: () => stub.now, fetch: fetch as typeof globalThis.fetch }).verify(await stub.sign(key, { iss: 'https://id.example' })), { code: 'bad_signature' })
  t.strictSame([...stub.asked, ...fetched], ['/.well-known/jwks.json', '/keys', 'https://id.example/.well-known/jwks.json'])
})

t.test('by default the clock is the system\'s', async t => {
  const stub = await authority(t)
  const iat = Math.floor(Date.now() / 1000)
  const { verify } = createVerifier({ issuer: stub.issuer, audience: AUDIENCE })
  t.strictSame(await verify(await stub.sign(undefined, { iat, exp: iat + 60 })), { ...stub.claims, iat, exp: iat + 60 })
  await t.rejects(verify(await stub.sign(undefined, { iat, exp: iat })), { code: 'token_expired' })
})

t.test('an option that cannot be used is refused in a sentence that names it', async t => {
  const good = { issuer: 'https://id.example', audience: AUDIENCE }
  const faults: Array<[object, string]> = [
    [{ issuer: undefined }, 'The option issuer must be text.'],
    [{ issuer: '', jwksUri: 'https://id.example/keys' }, 'The option issuer must be text.'],
    [{ issuer: 'id.example' }, 'The option issuer must be an http or https URL.'],
    [{ issuer: 'localhost:3000' }, 'The option issuer must be an http or https URL.'],
    [{ jwksUri: '/keys' }, 'The option jwksUri must be an http or https URL.'],
    [{ jwksUri: 'file:///keys' }, 'The option jwksUri must be an http or https URL.'],
    [{ audience: undefined }, 'The option audience must be text.'],
    [{ audience: '' }, 'The option audience must be text.'],
    [{ clockTolerance: -1 }, 'The option clockTolerance must be a number of seconds.'],
    [{ limits: { staleFor: '1h' } }, 'The option staleFor must be a number of seconds.'],
    [{ limits: { maxAge: Infinity } }, 'The option maxAge must be a number of seconds.'],
    [{ limits: { coolDown: undefined } }, 'The option coolDown must be a number of seconds.'],
    [{ status: 'off' }, "The option status must be 'check' or 'ignore'."],
    [{ status: false }, "The option status must be 'check' or 'ignore'."],
    [{ status: null }, "The option status must be 'check' or 'ignore'."],
    [{ onStatusUnavailable: 'deny' }, "The option onStatusUnavailable must be 'accept' or 'refuse'."],
    [{ status: 'ignore', onStatusUnavailable: true }, "The option onStatusUnavailable must be 'accept' or 'refuse'."],
    [{ onStatusUnchecked: 'warn' }, 'The option onStatusUnchecked must be a function.'],
    [{ onStatusUnchecked: null }, 'The option onStatusUnchecked must be a function.'],
  ]
  for (const [fault, message] of faults) t.throws(() => createVerifier({ ...good, ...fault } as VerifierOptions), { name: 'TypeError', message }, JSON.stringify(fault))
})

t.test('the page about verifying has every code and every limit with its default, in order', async t => {
  const page = readFileSync('docs/verifying.md', 'utf8')
  const [, codes = '', cache = ''] = page.split(/^## (?:Codes|The cache of keys)$/m)
  t.strictSame([...codes.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code), Object.keys(REFUSALS))
  t.strictSame([...cache.matchAll(/^\| `(\w+)` \| `(\d+)` \|/gm)].map(([, name, value]) => [name, Number(value)]), Object.entries(DEFAULT_LIMITS))
})
