// Which access tokens are refused.
import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import t from 'tap'
import { readKeyFile, readManifest } from '../../../src/keyring/ring-files.js'
import { testApp } from '../../test-app.js'
import { otherSpellings } from '../../spellings.js'
import { bearer, claimsOf, keysOf, login, problem, problemOf, register } from '../client.js'

const REFUSED = problem(401, 'Unauthorized', 'invalid_token', 'A valid access token is needed; refresh it or log in again.')

t.test('only a token of ours, of this type, issuer, audience and key, is good', async t => {
  const { app, clock, folder, keyRing } = await testApp(t)
  const keysDir = keysOf(folder)
  await register(app)
  const { access_token: good } = await login(app)
  const active = (await readManifest(keysDir)).signing.find(({ state }) => state === 'active')!
  const key = createPrivateKey(await readKeyFile(keysDir, active))
  const jwk = (JSON.parse(keyRing.jwks.body) as { keys: Array<{ kid: string }> }).keys.find(({ kid }) => kid === active.id)!
  const header = { alg: 'RS256', typ: 'at+jwt', kid: jwk.kid }
  const claims = claimsOf(good)
  const sign = async (head: object, more: object = {}, by: KeyObject = key) => await new SignJWT({ ...claims, ...more }).setProtectedHeader({ ...header, ...head }).sign(by)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hs = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
  const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' })
  const ask = async (token: string) => await app.inject({ url: '/user-info', headers: bearer(token) })
  t.equal((await ask(await sign({}))).statusCode, 200, 'the same made by hand is good')
  // What separates a scheme from a token may be more than one blank (RFC 6750, section 2.1).
  const { 'a blank before it': _, ...spellings } = otherSpellings(good)
  const refused: Record<string, string> = {
    'another algorithm': await sign({ alg: 'PS256' }),
    'the algorithm none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
    'a MAC under the public key': `${hs}.${createHmac('sha256', pem).update(hs).digest('base64url')}`,
    'another type': await sign({ typ: 'JWT' }),
    'another issuer': await sign({}, { iss: 'https://evil.example' }),
    'another audience': await sign({}, { aud: 'else' }),
    'an expired one': await sign({}, { exp: Math.floor(clock.now / 1000) - 1 }),
    'a header that points to a key': await sign({ jku: 'https://evil.example/jwks' }),
    'a header that brings a key': await sign({ jwk }),
    'an unknown key id': await sign({ kid: 'x' }),
    'no key id': await sign({ kid: undefined }),
    'no such user': await sign({}, { sub: '00000000-0000-4000-8000-000000000000' }),
    'no such family': await sign({}, { sid: '00000000-0000-4000-8000-000000000000' }),
    'one that is not good yet': await sign({}, { nbf: Math.floor(clock.now / 1000) + 1 }),
    'an expiry that is text': await sign({}, { exp: '4000000000' }),
    'no time of the log-in': await sign({}, { auth_time: undefined }),
    'no id': await sign({}, { jti: undefined }),
    garbage: 'garbage',
    ...spellings,
  }
  for (const [name, token] of Object.entries(refused)) {
    const answer = await ask(token)
    t.strictSame(problemOf(answer), REFUSED, name)
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="signet", error="invalid_token", error_description="A valid access token is needed; refresh it or log in again."')
  }
})

t.test('without credentials no error is named; a header of another scheme is a bad token', async t => {
  const { app } = await testApp(t)
  const none = await app.inject('/user-info')
  t.strictSame(problemOf(none), REFUSED)
  t.equal(none.headers['www-authenticate'], 'Bearer realm="signet"')
  const basic = await app.inject({ url: '/user-info', headers: { authorization: 'Basic eA==' } })
  t.strictSame(problemOf(basic), REFUSED)
  t.match(basic.headers['www-authenticate'], 'error="invalid_token"')
})
