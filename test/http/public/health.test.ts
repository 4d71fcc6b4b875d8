// Whether Signet lives and can serve, and why not.
import { createSecretKey, KeyObject } from 'node:crypto'
import t from 'tap'
import { Readiness } from '../../../src/http/public/health.js'
import { KeyRing, type KeyRingParts } from '../../../src/keyring/key-ring.js'
import { generateKeyPair, exportJWK } from 'jose'
import { testApp } from '../../test-app.js'

t.test('a server that can serve says so', async t => {
  const { app } = await testApp(t)
  for (const url of ['/health/live', '/health/ready']) {
    const response = await app.inject(url)
    t.strictSame([response.statusCode, response.json()], [200, { status: 'ok' }], url)
  }
})

t.test('without its store Signet lives, is not ready, and publishes its keys', async t => {
  const { app, store } = await testApp(t)
  await store.close()
  const ready = await app.inject('/health/ready')
  t.strictSame([ready.statusCode, ready.json()], [503, { status: 'unavailable', reason: 'The store does not answer.' }])
  t.equal((await app.inject('/health/live')).statusCode, 200)
  t.equal((await app.inject('/.well-known/jwks.json')).statusCode, 200)
})

t.test('a ring whose signatures its own keys do not verify is not ready', async t => {
  const [one, other] = [await generateKeyPair('RS256', { extractable: true }), await generateKeyPair('RS256', { extractable: true })]
  const { n, e } = await exportJWK(one.publicKey)
  const key = { id: 'key', privateKey: KeyObject.from(other.privateKey), publicKey: KeyObject.from(one.publicKey), jwk: { kty: 'RSA', n: n!, e: e!, kid: 'key', use: 'sig', alg: 'RS256' } } satisfies KeyRingParts['active']
  const secret = { id: '0000000000000000', secret: createSecretKey(Buffer.alloc(32)) }
  const { app } = await testApp(t, {}, { keyRing: new KeyRing({ active: key, verifying: [key], activeSecret: secret, secrets: [secret] }) })
  const ready = await app.inject('/health/ready')
  t.strictSame([ready.statusCode, ready.json()], [503, { status: 'unavailable', reason: 'The key ring cannot sign.' }])
})

t.test('a server that goes on with its old keys serves, and says that somebody has to see to the new ones', async t => {
  const { app, keyRing, clock } = await testApp(t)
  const ask = async () => {
    clock.now += 1000
    const response = await app.inject('/health/ready')
    return [response.statusCode, response.json()]
  }
  keyRing.fault = new Error('The key ring in /secret/place cannot be read.')
  t.strictSame(await ask(), [200, { status: 'degraded', reason: 'The key ring on disk cannot be used, and the one before it is kept; the log says why.' }])
  keyRing.fault = undefined
  t.strictSame(await ask(), [200, { status: 'ok' }])
})

t.test('however often it is asked, it probes once a second', async t => {
  let probes = 0
  const readiness = new Readiness([async () => { probes++ }], () => undefined, () => {})
  for (const now of [5000, 5000, 5999, 6000, 4000]) t.strictSame(await readiness.check(now), { status: 'ok' })
  t.equal(probes, 3)
})

t.test('what is wrong is recorded at first and once a change, with its cause', async t => {
  const fault = new Error('The part does not work.', { cause: new Error('why') })
  let isBroken = false
  const recorded: Error[][] = []
  const readiness = new Readiness([async () => { if (isBroken) throw fault }], () => undefined, faults => { recorded.push(faults) })
  for (const [now, broken] of [[0, false], [1000, false], [2000, true], [3000, true], [4000, false]] as const) {
    isBroken = broken
    await readiness.check(now)
  }
  t.strictSame(recorded, [[], [fault], []])
})
