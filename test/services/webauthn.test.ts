// What is taken of a browser's answer about a passkey, and what is not: of each kind of key, and of each way to be wrong.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { Passkey } from '../../src/core/factors.js'
import { challengeOf, handleOf, isCopied, readAssertion, readRegistration, relyingPartyOf, userOfHandle, type CreationOptions, type RegistrationResponse, type RequestOptions } from '../../src/services/webauthn.js'
import { Authenticator, BOUND, cbor, SYNCED, UNVERIFIED, type Wrong } from '../authenticator.js'

const [ORIGIN, OTHER] = ['https://signet.example', 'https://app.signet.example']
const rp = relyingPartyOf(`${ORIGIN}/auth`, [OTHER])
const CHALLENGE = randomBytes(97).toString('base64url')
const USER = '6f1d3c1e-9b1a-4c58-8c55-2f3a0d9b7e42'
const creation = { rp: { id: rp.id, name: rp.id }, user: { id: handleOf(USER), name: '', displayName: '' }, challenge: CHALLENGE } as CreationOptions
const request = { challenge: CHALLENGE, rpId: rp.id } as RequestOptions

async function made (authenticator: Authenticator, wrong?: Wrong): Promise<Passkey> {
  const passkey = await readRegistration(authenticator.create(creation, wrong), CHALLENGE, rp)
  return { ...passkey!, name: 'phone', addedAt: 0, lastUsedAt: null }
}

t.test('passkeys are of the host of the issuer, and used on its pages and those of the other origins', async t => {
  t.strictSame(rp, { id: 'signet.example', origins: [ORIGIN, OTHER] })
  t.strictSame(relyingPartyOf('http://localhost:3000', []), { id: 'localhost', origins: ['http://localhost:3000'] })
})

t.test('a handle is the id of a user in sixteen bytes', async t => {
  t.equal(handleOf(USER), 'bx08HpsaTFiMVS86DZt-Qg')
  t.equal(userOfHandle(handleOf(USER)), USER)
  t.strictSame([undefined, null, '', 'bx08', `${handleOf(USER)}AA`].map(userOfHandle), Array(5).fill(undefined))
})

t.test('the challenge is read of what a page of ours had signed, in no frame of another', async t => {
  const encode = (data: unknown) => Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64url')
  const good = { challenge: 'abc', origin: ORIGIN }
  // Of which JavaScript makes no text, or one of something else.
  const untold = [{ toString: 1 }, [ORIGIN], ['abc'], null]
  t.strictSame([good, { ...good, origin: OTHER, crossOrigin: false }].map(data => challengeOf(encode(data), rp)), ['abc', 'abc'])
  for (const data of [{ ...good, origin: 'https://evil.example' }, { ...good, origin: undefined }, { ...good, crossOrigin: true }, 'no JSON', 'null', '7', '', ...untold.flatMap(one => [{ ...good, challenge: one }, { ...good, origin: one }])]) t.equal(challengeOf(encode(data), rp), '')
})

for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
  t.test(`a passkey of ${algorithm} is read as it was made, and its signature verified`, async t => {
    const authenticator = new Authenticator(ORIGIN, algorithm)
    const passkey = await readRegistration(authenticator.create(creation), CHALLENGE, rp)
    t.strictSame(passkey, { id: authenticator.id, publicKey: authenticator.coseKey().toString('base64url'), counter: 0, transports: ['internal', 'hybrid'], isBackedUp: true })
    t.strictSame(await readAssertion(authenticator.get(request), CHALLENGE, await made(authenticator), rp), { counter: 0, isBackedUp: true })
  })
}

t.test('what an authenticator counts is kept, and whether the passkey is kept beyond it', async t => {
  const authenticator = new Authenticator(OTHER)
  const passkey = await made(authenticator, { flags: BOUND, counter: 7 })
  t.match(passkey, { counter: 7, isBackedUp: false })
  t.strictSame(await readAssertion(authenticator.get(request, { counter: 8, flags: SYNCED }), CHALLENGE, passkey, rp), { counter: 8, isBackedUp: true })
})

t.test('a counter that stood still or went back shows a copy, where it was counted before', async t => {
  const used = (counter: number) => ({ counter, isBackedUp: false })
  t.strictSame(([[0, 0], [0, 5], [5, 6]] as const).map(([before, now]) => isCopied({ counter: before }, used(now))), [false, false, false])
  t.strictSame(([[5, 5], [5, 4], [5, 0]] as const).map(([before, now]) => isCopied({ counter: before }, used(now))), [true, true, true])
})

t.test('of what says which device it was nothing is looked at', async t => {
  const authenticator = new Authenticator(ORIGIN)
  // An address in it would be asked.
  const attStmt = new Map<string, unknown>([['alg', -7], ['sig', Buffer.alloc(70)], ['x5c', [Buffer.alloc(300)]]])
  t.equal((await made(authenticator, { attestation: { fmt: 'packed', attStmt } })).id, authenticator.id)
})

t.test('a passkey that was not made for it is refused', async t => {
  const authenticator = new Authenticator(ORIGIN)
  const wrongs: Record<string, Wrong> = {
    'another origin': { origin: 'https://evil.example' },
    'the same host by plain HTTP': { origin: 'http://signet.example' },
    'another host': { rpId: 'evil.example' },
    'another challenge': { challenge: randomBytes(97).toString('base64url') },
    'a signature in its place': { type: 'webauthn.get' },
    'nobody was there': { flags: 0 },
    'whoever was there was not verified': { flags: UNVERIFIED },
    'backed up where it may not be': { flags: BOUND | 16 },
    'an algorithm that was not asked for': { algorithm: -35 },
    'another id than the credential\'s': { id: randomBytes(20).toString('base64url') },
  }
  for (const [what, wrong] of Object.entries(wrongs)) t.equal(await readRegistration(authenticator.create(creation, wrong), CHALLENGE, rp), undefined, what)
  const good = authenticator.create(creation)
  const bytes = Buffer.from(good.response.attestationObject, 'base64url')
  const withAttestation = (attestation: Buffer): RegistrationResponse => ({ ...good, response: { ...good.response, attestationObject: attestation.toString('base64url') } })
  for (const length of [0, 1, 10, 60, 100, 180, bytes.length - 1]) t.equal(await readRegistration(withAttestation(bytes.subarray(0, length)), CHALLENGE, rp), undefined, `the first ${length} bytes of it`)
  const bombs = { 'a list of more than there is': Buffer.from('9bffffffffffffffff', 'hex'), 'a text of more than there is': Buffer.from('7bffffffffffffffff', 'hex'), 'lists in lists': Buffer.alloc(12_000, 0x81), 'no map': cbor([1]), 'a map of nothing': cbor(new Map()), 'random bytes': randomBytes(200) }
  for (const [what, bomb] of Object.entries(bombs)) t.equal(await readRegistration(withAttestation(bomb), CHALLENGE, rp), undefined, what)
  for (const clientDataJSON of ['', 'bnVsbA', Buffer.alloc(3_000, 91).toString('base64url')]) t.equal(await readRegistration({ ...good, response: { ...good.response, clientDataJSON } }, CHALLENGE, rp), undefined)
  t.ok(await readRegistration(good, CHALLENGE, rp))
})

t.test('a key that is none, or has more in it than a key, is refused', async t => {
  const authenticator = new Authenticator(ORIGIN)
  const whole = authenticator.coseKey()
  authenticator.coseKey = () => Buffer.concat([whole.subarray(0, -1), Buffer.from([whole.at(-1)! ^ 1])])
  t.equal(await readRegistration(authenticator.create(creation), CHALLENGE, rp), undefined, 'a point beside the curve')
  authenticator.coseKey = () => Buffer.concat([Buffer.from([whole[0]! + 1]), whole.subarray(1), cbor(-4), cbor(Buffer.alloc(600))])
  t.equal(await readRegistration(authenticator.create(creation), CHALLENGE, rp), undefined, 'a member that is not the key\'s')
})

t.test('a signature that is not of this passkey, for this challenge, is refused', async t => {
  const [authenticator, other] = [new Authenticator(ORIGIN), new Authenticator(ORIGIN)]
  const passkey = await made(authenticator)
  const wrongs: Record<string, Wrong> = {
    'another origin': { origin: 'https://evil.example' },
    'another host': { rpId: 'evil.example' },
    'another challenge': { challenge: randomBytes(97).toString('base64url') },
    'a passkey that was made': { type: 'webauthn.create' },
    'nobody was there': { flags: 0 },
    'whoever was there was not verified': { flags: UNVERIFIED },
    'no signature': { signature: '' },
    'random bytes': { signature: randomBytes(70).toString('base64url') },
    'a page around it of which nobody said so': { clientData: { topOrigin: 'https://evil.example' } },
  }
  for (const [what, wrong] of Object.entries(wrongs)) t.equal(await readAssertion(authenticator.get(request, wrong), CHALLENGE, passkey, rp), undefined, what)
  t.equal(await readAssertion(other.get(request, { id: authenticator.id }), CHALLENGE, passkey, rp), undefined, 'another key')
  const good = authenticator.get(request)
  for (const authenticatorData of ['', good.response.authenticatorData.slice(0, 40), `${good.response.authenticatorData}AAAA`]) t.equal(await readAssertion({ ...good, response: { ...good.response, authenticatorData } }, CHALLENGE, passkey, rp), undefined)
  t.equal(await readAssertion(good, CHALLENGE, { ...passkey, publicKey: 'AAAA' }, rp), undefined, 'a key that is none')
  t.ok(await readAssertion(good, CHALLENGE, passkey, rp))
})
