// Which keys a client may sign with: public ones of three kinds, of a good size, and kept in one spelling.
import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { readKeySet } from '../../src/core/client-keys.js'

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = ({ publicKey }: typeof ec) => publicKey.export({ format: 'jwk' })
const one = (key: unknown) => readKeySet({ keys: [key] })

t.test('public keys of the three kinds are kept, with what a verification needs and nothing else', async t => {
  t.strictSame(readKeySet({ keys: [jwk(ec), { ...jwk(ed), kid: 'two', alg: 'EdDSA' }, { ...jwk(rsa), kid: 'three', use: 'sig', alg: 'PS256', key_ops: ['verify'], x5c: ['x'], $set: 1 }], more: 1 }), {
    keys: [{ ...jwk(ec), use: 'sig' }, { ...jwk(ed), kid: 'two', alg: 'EdDSA', use: 'sig' }, { ...jwk(rsa), kid: 'three', alg: 'PS256', use: 'sig' }],
  })
  const { x, ...others } = jwk(ec)
  t.strictSame(one({ ...others, x: `${x}=` }), { keys: [{ ...jwk(ec), use: 'sig' }] }, 'in one spelling')
})

t.test('a key that is private, or a secret, is refused before anything else of it is looked at', async t => {
  for (const { privateKey } of [ec, ed, rsa]) t.match(one(privateKey.export({ format: 'jwk' })), /^Key 1 is private/)
  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) t.match(one({ ...jwk(rsa), [member]: null }), /^Key 1 is private/, member)
  t.match(one({ kty: 'oct', k: 'c2VjcmV0' }), /^Key 1 is private, or a secret/)
})

t.test('what is no JWKS, or holds none or too many keys, is refused', async t => {
  for (const no of [undefined, null, 'keys', [], {}, { keys: {} }, jwk(ec)]) t.match(readKeySet(no), /^It must be a JWKS/)
  for (const count of [0, 17]) t.equal(readKeySet({ keys: Array.from({ length: count }, () => jwk(ec)) }), 'It must have from 1 to 16 keys.')
  t.match(readKeySet({ keys: Array.from({ length: 16 }, () => jwk(ec)) }), { keys: Array })
})

t.test('a key of another kind, use, algorithm or size is refused, and its place is said', async t => {
  const other = (namedCurve: string) => jwk(generateKeyPairSync('ec', { namedCurve }))
  t.equal(readKeySet({ keys: [jwk(ec), other('P-384')] }), 'Key 2 is neither RSA nor EC P-256 nor Ed25519.')
  const kind = 'Key 1 is neither RSA nor EC P-256 nor Ed25519.'
  for (const key of [other('secp256k1'), generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' }), generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }), {}, { ...jwk(rsa), kty: 'EC' }, { ...jwk(ec), crv: { toString: 1 } }, { ...jwk(ec), kty: 'ec' }]) t.equal(one(key), kind)
  for (const no of [null, 1, 'key', []]) t.equal(one(no), 'Key 1 is no JWK.')
  t.equal(one({ ...jwk(ec), use: 'enc' }), 'Key 1 is not for signatures.')
  for (const alg of ['RS256', 'none', 'HS256', 'ES384', 1, { toString: 1 }]) t.equal(one({ ...jwk(ec), alg }), 'Key 1 has an alg that is not ES256.')
  for (const alg of ['RS1', 'HS256', 'RSA-OAEP', 'ES256']) t.equal(one({ ...jwk(rsa), alg }), 'Key 1 has an alg that is not RS256 or PS256.')
  for (const kid of [1, {}, 'k'.repeat(301)]) t.equal(one({ ...jwk(ec), kid }), 'Key 1 has a kid that is no text of at most 300 characters.')
  t.equal(one(jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }) as typeof rsa)), 'Key 1 has 1024 bits; it must have from 2048 to 8192.')
  t.match(one({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(1025, 0xff).toString('base64url') }), 'Key 1 has 8200 bits')
})

t.test('what cannot be read as a key is refused: a point that is not on the curve, a member that is missing, an exponent of nothing', async t => {
  const { x: _, ...without } = jwk(ec)
  for (const key of [without, { ...jwk(ec), y: jwk(ec).x }, { ...jwk(ec), x: 1 }, { ...jwk(ed), x: 'AA' }, { kty: 'RSA' }, { ...jwk(rsa), n: 1 }]) t.equal(one(key), 'Key 1 cannot be read.', JSON.stringify(key))
  for (const e of ['AQ', '']) t.match(one({ ...jwk(rsa), e }), /^Key 1 (has an exponent by which anybody could sign|cannot be read)\.$/)
  t.equal(one({ ...jwk(rsa), e: 'AQ' }), 'Key 1 has an exponent by which anybody could sign.')
})
