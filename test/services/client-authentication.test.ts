// How a client proves who it is: in one way, that of its record, and by guessing never.
import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { makeSecret, type Client } from '../../src/core/client.js'
import { ClientAuthentication, type SecretLimits } from '../../src/services/client-authentication.js'
import { openOAuth, parametersOf } from './oauth-parts.js'
import { ISSUER, NOW } from './parts.js'

const ADDRESS = '203.0.113.9'
const BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const UNPROVED = { code: 'invalid_client', status: 401 }
const LIMITS = { window: 60_000, max: 3 }

function basic (id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}

async function open (t: Test, limits?: SecretLimits) {
  const { parts, addClient, events } = await openOAuth(t)
  events.splice(0)
  const authentication = new ClientAuthentication({ clients: parts.clients, audiences: [ISSUER], limits, record: parts.record })
  const authenticate = async (form: Record<string, string | undefined>, authorization?: string, address = ADDRESS, now = NOW) => await authentication.authenticate({ authorization, values: parametersOf(form).values, address }, now)
  const { secret, kept } = makeSecret(NOW)
  const add = async (authMethod: Client['authMethod'], changes: Partial<Client> = {}) => await addClient({ authMethod, secrets: authMethod.startsWith('client_secret') ? [kept] : [], ...changes })
  return { authenticate, add, secret, events }
}

t.test('a client is known by the method of its record, and by no other', async t => {
  const { authenticate, add, secret } = await open(t)
  const clients = { none: await add('none'), client_secret_basic: await add('client_secret_basic'), client_secret_post: await add('client_secret_post') }
  const ways: Array<[string, (id: string) => [Record<string, string>, string?]]> = [
    ['none', id => [{ client_id: id }]],
    ['client_secret_basic', id => [{}, basic(id, secret)]],
    ['client_secret_basic', id => [{ client_id: id }, basic(id, secret)]],
    ['client_secret_post', id => [{ client_id: id, client_secret: secret }]],
  ]
  for (const client of Object.values(clients)) {
    for (const [method, way] of ways) {
      const attempt = authenticate(...way(client.id))
      if (method === client.authMethod) t.strictSame(await attempt, client)
      else await t.rejects(attempt, { ...UNPROVED, message: `This client authenticates by ${client.authMethod}.` }, `${method} for ${client.authMethod}`)
    }
  }
})

t.test('two secrets are good at once, and nothing that is like one', async t => {
  const { authenticate, add, secret } = await open(t)
  const [one, other] = [makeSecret(NOW), makeSecret(NOW)]
  const client = await add('client_secret_post', { secrets: [one.kept, other.kept] })
  for (const good of [one, other]) t.strictSame(await authenticate({ client_id: client.id, client_secret: good.secret }), client)
  for (const wrong of [secret, one.kept.hash, `${one.secret} `, one.secret.slice(1), one.secret.toLowerCase()]) await t.rejects(authenticate({ client_id: client.id, client_secret: wrong }), UNPROVED)
  await t.rejects(authenticate({ client_id: client.id, client_secret: '' }), UNPROVED, 'nor an empty one, which is none')
  await t.rejects(authenticate({ client_id: (await add('client_secret_post', { secrets: [] })).id, client_secret: secret }), UNPROVED, 'nor any, where there is none')
})

t.test('a header of Basic is encoded as in a form first', async t => {
  const { authenticate, add } = await open(t)
  const { secret, kept } = makeSecret(NOW)
  const client = await add('client_secret_basic', { secrets: [kept] })
  for (const scheme of ['basic ', 'BASIC ', 'Basic   ']) t.ok(await authenticate({}, basic(client.id.replaceAll('-', '%2D'), secret.replaceAll('_', '%5f')).replace('Basic ', scheme)))
  for (const header of ['', 'Basic', 'Basic ', `Bearer ${secret}`, 'Basic ####', `${basic(client.id, secret)} `, `Basic ${Buffer.from(client.id).toString('base64')}`, basic('%', secret), basic(client.id, '%zz'), basic(client.id, ''), basic('', secret), basic(client.id, `${secret}:`)]) {
    await t.rejects(authenticate({}, header), UNPROVED, header)
  }
})

t.test('a client proves who it is in one way alone, and names itself once', async t => {
  const { authenticate, add, secret } = await open(t)
  const [client, other] = [await add('client_secret_basic'), await add('client_secret_post')]
  const assertion = { client_assertion: 'a.b.c', client_assertion_type: BEARER }
  const invalid = { code: 'invalid_request', status: 400 }
  await t.rejects(authenticate({ client_id: client.id, client_secret: secret }, basic(client.id, secret)), invalid)
  await t.rejects(authenticate(assertion, basic(client.id, secret)), invalid)
  await t.rejects(authenticate({ client_id: client.id, client_secret: secret, ...assertion }), invalid)
  await t.rejects(authenticate({ client_id: other.id }, basic(client.id, secret)), invalid)
  for (const type of [undefined, '', 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer']) await t.rejects(authenticate({ client_assertion: 'a.b.c', client_assertion_type: type }), invalid)
  for (const form of [{}, { client_id: '' }, { client_secret: secret }]) await t.rejects(authenticate(form), { ...UNPROVED, message: 'The request names no client.' })
})

t.test('a client that there is not is refused as one that is not proved', async t => {
  const { authenticate, secret } = await open(t)
  const nobody = '00000000-0000-4000-8000-000000000000'
  const refusal = { ...UNPROVED, message: 'There is no such client, or it is not proved that this is it.' }
  for (const id of [nobody, 'client', '$ne', 'x'.repeat(10_000)]) {
    await t.rejects(authenticate({ client_id: id }), refusal)
    await t.rejects(authenticate({ client_id: id, client_secret: secret }), refusal)
    await t.rejects(authenticate({}, basic(id, secret)), refusal)
  }
})

t.test('an assertion names its client by itself, or with the form', async t => {
  const { authenticate, add } = await open(t)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const client = await add('private_key_jwt', { jwks: { keys: [publicKey.export({ format: 'jwk' })] } })
  const other = await add('private_key_jwt', { jwks: client.jwks })
  const assert = async (jti: string) => ({ client_assertion_type: BEARER, client_assertion: await new SignJWT({ iss: client.id, sub: client.id, aud: ISSUER, jti, exp: NOW / 1000 + 60 }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey) })
  t.strictSame(await authenticate(await assert('1')), client)
  t.strictSame(await authenticate({ ...await assert('2'), client_id: client.id }), client)
  await t.rejects(authenticate({ ...await assert('3'), client_id: other.id }), UNPROVED, 'not another, even with the same keys')
  for (const text of ['', 'x', 'a.b.c', `a.${Buffer.from('null').toString('base64url')}.c`, `a.${Buffer.from('{"sub":{}}').toString('base64url')}.c`]) await t.rejects(authenticate({ client_assertion_type: BEARER, client_assertion: text || '.' }), UNPROVED)
})

t.test('an address that is wrong about a client too often is told to wait, and whoever knows the secret never is', async t => {
  const { authenticate, add, secret } = await open(t, LIMITS)
  const [client, other] = [await add('client_secret_basic'), await add('client_secret_basic')]
  const guess = async (at = ADDRESS, now = NOW, id = client.id) => await authenticate({}, basic(id, 'wrong'), at, now)
  for (let wrong = 0; wrong < LIMITS.max; wrong++) await t.rejects(guess(), UNPROVED)
  await t.rejects(guess(), { code: 'rate_limited', status: 429, retryAfter: 60, isRepeated: false })
  await t.rejects(guess(), { code: 'rate_limited', isRepeated: true })
  t.strictSame(await authenticate({}, basic(client.id, secret)), client, 'from the same address')
  await t.rejects(guess('198.51.100.7'), UNPROVED, 'another address')
  await t.rejects(guess(ADDRESS, NOW, other.id), UNPROVED, 'another client')
  await t.rejects(guess(ADDRESS, NOW + 59_999), { code: 'rate_limited' })
  await t.rejects(guess(ADDRESS, NOW + 60_000), UNPROVED)
})

t.test('all ids that are nobody\'s are one to an address', async t => {
  const { authenticate } = await open(t, LIMITS)
  for (let wrong = 0; wrong < LIMITS.max; wrong++) await t.rejects(authenticate({ client_id: `${wrong}`.repeat(5_000) }), UNPROVED)
  await t.rejects(authenticate({ client_id: 'another' }), { code: 'rate_limited' })
  await t.rejects(authenticate({ client_id: 'another' }, undefined, '198.51.100.7'), UNPROVED)
})

t.test('without limits anybody may guess without end', async t => {
  const { authenticate, add } = await open(t)
  const client = await add('client_secret_basic')
  for (let wrong = 0; wrong < 20; wrong++) await t.rejects(authenticate({}, basic(client.id, 'wrong')), UNPROVED)
})

t.test('what fails is recorded, and beyond the limit once', async t => {
  const { authenticate, add, events } = await open(t, LIMITS)
  const { id } = await add('client_secret_post')
  for (let guess = 0; guess < 8; guess++) await t.rejects(authenticate({ client_id: id, client_secret: 'wrong' }))
  await t.rejects(authenticate({ client_id: 'nobody', client_secret: 'wrong' }))
  const [failed, limited] = [{ kind: 'client.authentication_failed', at: NOW, clientId: id, ip: ADDRESS }, { kind: 'client.authentication_limited', at: NOW, clientId: id, ip: ADDRESS }]
  t.strictSame(events, [failed, failed, failed, limited, { ...failed, clientId: undefined }])
})
