// Assertions by which a client proves who it is: each once, by a key of its record, made for this authority; and keys that are fetched from a real server, whatever that does.
import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import t, { type Test } from 'tap'
import type { Client } from '../../src/core/client.js'
import { ClientAssertions } from '../../src/services/client-assertions.js'
import { ownClient } from './oauth-parts.js'
import { ISSUER, NOW } from './parts.js'

const TOKEN_ENDPOINT = `${ISSUER}/token`
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
let jtis = 0

function jwkOf (key: KeyObject, more: object = {}): object {
  return { ...key.export({ format: 'jwk' }), ...more }
}

function clientWith (...keys: object[]): Client {
  return ownClient({ authMethod: 'private_key_jwt', jwks: { keys } })
}

async function assertion (client: Client, claims: JWTPayload = {}, key: KeyObject = ec.privateKey, header: { alg?: string, kid?: string } = {}): Promise<string> {
  return await new SignJWT({ iss: client.id, sub: client.id, aud: ISSUER, jti: `${jtis++}`, exp: NOW / 1000 + 60, ...claims }).setProtectedHeader({ alg: 'ES256', ...header }).sign(key)
}

const open = () => new ClientAssertions([ISSUER, TOKEN_ENDPOINT])

t.test('an assertion by a key of the record is the client\'s, of each algorithm that a record may have a key for', async t => {
  const assertions = open()
  for (const [pair, algorithms] of [[rsa, ['RS256', 'PS256']], [ec, ['ES256']], [ed, ['EdDSA', 'Ed25519']]] as const) {
    const client = clientWith(jwkOf(pair.publicKey))
    for (const alg of algorithms) t.equal(await assertions.isOf(client, await assertion(client, {}, pair.privateKey, { alg }), NOW), true, alg)
  }
})

t.test('no other algorithm counts, and the public key is no secret', async t => {
  const assertions = open()
  const client = clientWith(jwkOf(rsa.publicKey))
  for (const alg of ['RS384', 'RS512', 'PS512']) t.equal(await assertions.isOf(client, await assertion(client, {}, rsa.privateKey, { alg }), NOW), false, alg)
  for (const text of [rsa.publicKey.export({ format: 'pem', type: 'spki' }), JSON.stringify(jwkOf(rsa.publicKey))]) t.equal(await assertions.isOf(client, await assertion(client, {}, createSecretKey(Buffer.from(text)), { alg: 'HS256' }), NOW), false, 'HS256')
  const unsigned = new UnsecuredJWT({ iss: client.id, sub: client.id, aud: ISSUER, jti: 'none', exp: NOW / 1000 + 60 }).encode()
  t.equal(await assertions.isOf(client, unsigned, NOW), false, 'none')
  for (const text of ['', 'a.b.c', 'nonsense']) t.equal(await assertions.isOf(client, text, NOW), false)
  const good = await assertion(client, {}, rsa.privateKey, { alg: 'RS256' })
  t.equal(await assertions.isOf(client, `${good.slice(0, -8)}AAAAAAAA`, NOW), false, 'another signature')
  t.equal(await assertions.isOf(client, good, NOW), true)
})

t.test('an assertion is of the client that it names, by a key of that client', async t => {
  const assertions = open()
  const [client, other] = [clientWith(jwkOf(ec.publicKey)), clientWith(jwkOf(ec.publicKey))]
  t.equal(await assertions.isOf(other, await assertion(client), NOW), false)
  for (const claims of [{ iss: other.id }, { sub: other.id }, { iss: undefined }, { sub: undefined }] as JWTPayload[]) t.equal(await assertions.isOf(client, await assertion(client, claims), NOW), false, JSON.stringify(claims))
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  t.equal(await assertions.isOf(client, await assertion(client, {}, stranger.privateKey), NOW), false)
  t.equal(await assertions.isOf(ownClient({ authMethod: 'private_key_jwt' }), await assertion(client), NOW), false, 'a record without keys')
})

t.test('an assertion is meant for this authority, and for nobody else beside', async t => {
  const assertions = open()
  const client = clientWith(jwkOf(ec.publicKey))
  for (const aud of [ISSUER, TOKEN_ENDPOINT, [ISSUER], [TOKEN_ENDPOINT]]) t.equal(await assertions.isOf(client, await assertion(client, { aud }), NOW), true, JSON.stringify(aud))
  for (const aud of [undefined, '', [], `${ISSUER}/`, 'https://evil.example', client.id, [ISSUER, TOKEN_ENDPOINT], [ISSUER, 'https://evil.example']] as Array<string | string[] | undefined>) t.equal(await assertions.isOf(client, await assertion(client, { aud } as JWTPayload), NOW), false, JSON.stringify(aud))
})

t.test('an assertion ends, and soon; clocks may differ by ten seconds', async t => {
  const assertions = open()
  const client = clientWith(jwkOf(ec.publicKey))
  const seconds = NOW / 1000
  for (const claims of [{ exp: seconds + 3_610 }, { exp: seconds + 1 }, { exp: seconds - 9 }, { nbf: seconds + 10 }, { iat: seconds }]) t.equal(await assertions.isOf(client, await assertion(client, claims), NOW), true, JSON.stringify(claims))
  for (const claims of [{ exp: seconds + 3_611 }, { exp: seconds - 10 }, { exp: undefined }, { nbf: seconds + 11 }, { exp: 'soon' }, { exp: null }] as unknown as JWTPayload[]) t.equal(await assertions.isOf(client, await assertion(client, claims), NOW), false, JSON.stringify(claims))
})

t.test('an assertion is good once, raced or long after, and its jti is each client\'s own', async t => {
  const assertions = open()
  const [client, other] = [clientWith(jwkOf(ec.publicKey)), clientWith(jwkOf(ec.publicKey))]
  const once = await assertion(client, { jti: 'once', exp: NOW / 1000 + 600 })
  const outcomes = await Promise.all(Array.from({ length: 64 }, async () => await assertions.isOf(client, once, NOW)))
  t.equal(outcomes.filter(Boolean).length, 1)
  t.equal(await assertions.isOf(client, once, NOW + 609_999), false)
  t.equal(await assertions.isOf(client, await assertion(client, { jti: 'once' }), NOW), false, 'another of the same jti')
  t.equal(await assertions.isOf(other, await assertion(other, { jti: 'once' }), NOW), true)
  for (const jti of [undefined, 1, null, ['once']]) t.equal(await assertions.isOf(client, await assertion(client, { jti } as unknown as JWTPayload), NOW), false)
  t.equal(await assertions.isOf(client, await assertion(client, { jti: 'j'.repeat(10_000) }), NOW), true)
})

t.test('of assertions that have ended nothing is remembered, but one is for as long as clocks differ', async t => {
  const assertions = open()
  const client = clientWith(jwkOf(ec.publicKey))
  const text = await assertion(client, { jti: 'first' })
  t.equal(await assertions.isOf(client, text, NOW), true)
  t.equal(await assertions.isOf(client, await assertion(client, { exp: NOW / 1000 + 69 }), NOW + 69_000), true)
  t.equal(await assertions.isOf(client, text, NOW + 69_000), false)
  const later = NOW + 70_000
  t.equal(await assertions.isOf(client, await assertion(client, { exp: later / 1000 + 60 }), later), true)
  t.equal(await assertions.isOf(client, await assertion(client, { jti: 'first', exp: later / 1000 + 60 }), later), true, 'the first is forgotten, and had ended')
})

t.test('of several keys that one counts by which an assertion is, whether it says so or not', async t => {
  const assertions = open()
  const pairs = [rsa, generateKeyPairSync('rsa', { modulusLength: 2048 })] as const
  const client = clientWith(...pairs.map(({ publicKey }, at) => jwkOf(publicKey, { kid: `${at}` })), jwkOf(ec.publicKey))
  for (const [at, { privateKey }] of pairs.entries()) {
    t.equal(await assertions.isOf(client, await assertion(client, {}, privateKey, { alg: 'RS256' }), NOW), true, 'no kid')
    t.equal(await assertions.isOf(client, await assertion(client, {}, privateKey, { alg: 'RS256', kid: `${at}` }), NOW), true)
    t.equal(await assertions.isOf(client, await assertion(client, {}, privateKey, { alg: 'RS256', kid: `${1 - at}` }), NOW), false, 'the kid of another')
  }
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
  t.equal(await assertions.isOf(client, await assertion(client, {}, stranger.privateKey, { alg: 'RS256' }), NOW), false)
  t.equal(await assertions.isOf(client, await assertion(client, { exp: NOW / 1000 - 60 }, rsa.privateKey, { alg: 'RS256' }), NOW), false, 'and what is wrong with it otherwise counts')
})

/** A server of keys, and a client that has its keys there. */
async function serveKeys (t: Test, listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise(resolve => server.close(resolve))
  }
  t.teardown(close)
  const { port } = server.address() as AddressInfo
  const client = ownClient({ authMethod: 'private_key_jwt', jwksUri: `http://127.0.0.1:${port}/jwks` })
  return { client, close, port }
}

t.test('keys at an address are fetched once for many assertions', async t => {
  let asked = 0
  const { client } = await serveKeys(t, (_request, response) => { asked++; response.end(JSON.stringify({ keys: [jwkOf(ec.publicKey)] })) })
  const assertions = open()
  const texts = await Promise.all(Array.from({ length: 16 }, async () => await assertion(client)))
  t.strictSame(new Set(await Promise.all(texts.map(async text => await assertions.isOf(client, text, NOW)))), new Set([true]))
  t.equal(asked, 1)
})

t.test('a key that is new at an address is found within seconds, and no stranger\'s has it asked again and again', async t => {
  let [asked, keys] = [0, [jwkOf(ec.publicKey, { kid: 'old' })]]
  const { client } = await serveKeys(t, (_request, response) => { asked++; response.end(JSON.stringify({ keys })) })
  const assertions = open()
  t.equal(await assertions.isOf(client, await assertion(client, {}, ec.privateKey, { kid: 'old' }), NOW), true)
  const renewed = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const isGood = async () => await assertions.isOf(client, await assertion(client, {}, renewed.privateKey, { kid: 'new' }), NOW)
  for (let strangers = 0; strangers < 16; strangers++) await isGood()
  t.ok(asked <= 2)
  keys = [jwkOf(renewed.publicKey, { kid: 'new' })]
  while (!await isGood()) await new Promise(resolve => setTimeout(resolve, 100))
  t.equal(await assertions.isOf(client, await assertion(client, {}, ec.privateKey, { kid: 'old' }), NOW), false, 'and the old one is gone')
})

t.test('an address that answers with no keys, too many bytes, a way elsewhere, too late, or not at all proves nobody', async t => {
  const keys = JSON.stringify({ keys: [jwkOf(ec.publicKey)] })
  const elsewhere = await serveKeys(t, (_request, response) => { response.end(keys) })
  const cases: Array<[string, RequestListener]> = [
    ['no JSON', (_request, response) => { response.end('<html>') }],
    ['no keys', (_request, response) => { response.end('{"keys":{}}') }],
    ['nothing', (_request, response) => { response.end() }],
    ['an error', (_request, response) => { response.writeHead(500).end(keys) }],
    ['no content', (_request, response) => { response.writeHead(204).end() }],
    ['elsewhere', (_request, response) => { response.writeHead(302, { location: elsewhere.client.jwksUri }).end() }],
    ['a megabyte', (_request, response) => { response.end(keys.padStart(1_000_000)) }],
    ['too late', () => {}],
    ['a body that drips', (_request, response) => { response.write('{'); const timer = setInterval(() => response.write(' '), 50); response.once('close', () => { clearInterval(timer) }) }],
    ['a broken connection', (_request, response) => { response.destroy() }],
  ]
  const outcomes = await Promise.all(cases.map(async ([name, listener]) => {
    const { client } = await serveKeys(t, listener)
    return [name, await open().isOf(client, await assertion(client), NOW)]
  }))
  t.strictSame(outcomes, cases.map(([name]) => [name, false]))
  const away = await serveKeys(t, () => {})
  await away.close()
  t.equal(await open().isOf(away.client, await assertion(away.client), NOW), false, 'nobody there')
  t.equal(await open().isOf(elsewhere.client, await assertion(elsewhere.client), NOW), true)
})

t.test('an address that was away is asked again when it is back', async t => {
  let isAway = true
  const { client } = await serveKeys(t, (_request, response) => { if (isAway) response.writeHead(503).end(); else response.end(JSON.stringify({ keys: [jwkOf(ec.publicKey)] })) })
  const assertions = open()
  t.equal(await assertions.isOf(client, await assertion(client), NOW), false)
  isAway = false
  t.equal(await assertions.isOf(client, await assertion(client), NOW), true)
})

t.test('of more than a hundred addresses the one that was asked for longest ago is forgotten', async t => {
  const asked: string[] = []
  const { client, port } = await serveKeys(t, (request, response) => { asked.push(request.url!); response.end(JSON.stringify({ keys: [jwkOf(ec.publicKey)] })) })
  const assertions = open()
  const at = async (path: string) => await assertions.isOf({ ...client, jwksUri: `http://127.0.0.1:${port}/${path}` }, await assertion(client), NOW)
  await at('first')
  for (let other = 0; other < 99; other++) await at(`${other}`)
  await at('first')
  await at('one more')
  asked.length = 0
  await at('first')
  t.strictSame(asked, [], 'one in use stays')
  await at('0')
  t.strictSame(asked, ['/0'])
})
