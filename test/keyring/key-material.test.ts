// How keys are made, written and read again.
import crypto, { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, CompactEncrypt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { makeSecret, makeSigningKey, readSecret, readSigningKey, type Material } from '../../src/keyring/key-material.js'

t.test('a signing key is PKCS#8 of the size asked for, and its id its thumbprint', async t => {
  const material = await makeSigningKey(3072, undefined)
  t.match(material.text, /^-----BEGIN PRIVATE KEY-----/)
  t.equal(createPrivateKey(material.text).asymmetricKeyDetails?.modulusLength, 3072)
  const key = await readSigningKey(material, undefined)
  t.match(key, { id: material.id, jwk: { kid: material.id, kty: 'RSA', use: 'sig', alg: 'RS256' } })
  await t.rejects(readSigningKey({ ...material, id: 'another' }, undefined), { message: 'it is another key than its id says' })
})

t.test('an id never looks like an option', async t => {
  const n = 'tfCt5uw5lHuTdZc-ZIH5JIddkG7-uNOUNV4y0QTxg2Co097hu9QHQHGlK9AfYezzWUMbMgCTGOjPTZT1fh6D-w'
  const unlucky = crypto.createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' })
  t.equal(await calculateJwkThumbprint(unlucky.export({ format: 'jwk' })), '-Vbsvkd7GXadnojVIYHczWN1FiD_cHtoMoTqTBKrND4')
  // One of 64 keys is as unlucky, and so may some of these be.
  const others = Array.from({ length: 4 }, () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }))
  const ids = await Promise.all(others.map(async ({ publicKey }) => await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }))))
  const made = [{ publicKey: unlucky }, ...others]
  const material = await t.mockImport<typeof import('../../src/keyring/key-material.js')>('../../src/keyring/key-material.js', {
    'node:crypto': { ...crypto, generateKeyPair: (_type: string, _options: object, done: (error: null, pair: object) => void) => { done(null, made.shift()!) } },
  })
  t.equal((await material.makeSigningKey(2048, undefined)).id, ids.find(id => !id.startsWith('-')))
})

t.test('under a passphrase a key is encrypted PKCS#8 and a secret a JWE, and both are read with that passphrase only', async t => {
  type Make = (passphrase: string | undefined) => Promise<Material>
  type Read = (material: Material, passphrase: string | undefined) => Promise<{ id: string }>
  const kinds: Array<[Make, Read, RegExp]> = [
    [async passphrase => await makeSigningKey(2048, passphrase), readSigningKey, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/],
    [makeSecret, readSecret, /^eyJ/],
  ]
  for (const [make, read, shape] of kinds) {
    const material = await make('a passphrase')
    t.match(material.text, shape)
    t.equal((await read(material, 'a passphrase')).id, material.id)
    await t.rejects(read(material, 'another'), { message: 'the passphrase in KEYS_PASSPHRASE_FILE does not open it, or it is damaged; of that file every blank counts, and every line break but the last' })
    await t.rejects(read(material, undefined), { message: 'it is encrypted, so KEYS_PASSPHRASE_FILE must be set' })
    const clear = await make(undefined)
    t.equal((await read(clear, 'a passphrase')).id, clear.id, 'what is in clear is read with a passphrase too')
  }
})

t.test('a secret has 32 bytes, no two are alike, and a shorter one is refused', async t => {
  const [one, other] = [await makeSecret(undefined), await makeSecret(undefined)]
  t.match(one, { id: /^[\da-f]{16}$/, text: /^[\w-]{43}\n$/ })
  t.not(one.text, other.text)
  t.equal((await readSecret(one, undefined)).secret.symmetricKeySize, 32)
  await t.rejects(readSecret({ id: one.id, text: 'short' }, undefined), { message: 'it must be 32 bytes' })
})

t.test('what opens a secret under a passphrase takes 600,000 rounds', async t => {
  const { text } = await makeSecret('a passphrase')
  t.match(decodeProtectedHeader(text.trim()), { alg: 'PBES2-HS256+A128KW', p2c: 600_000 })
})

t.test('keys of the time when there were 2,048 rounds are read as they are', async t => {
  const signing = await makeSigningKey(2048, undefined)
  const pem = createPrivateKey(signing.text).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'a passphrase' }) as string
  t.equal((await readSigningKey({ ...signing, text: pem }, 'a passphrase')).id, signing.id)
  await t.rejects(readSigningKey({ ...signing, text: pem }, 'another'), { message: /^the passphrase in KEYS_PASSPHRASE_FILE does not open it/ })
  const text = await new CompactEncrypt(Buffer.alloc(32, 1)).setProtectedHeader({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM' }).encrypt(Buffer.from('a passphrase'))
  t.equal(decodeProtectedHeader(text)['p2c'], 2048)
  t.strictSame((await readSecret({ id: 'old', text: `${text}\n` }, 'a passphrase')).secret.export(), Buffer.alloc(32, 1))
})

t.test('what is no key is said in words', async t => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  for (const [text, message] of [['', 'it is not a private key in PEM'], ['x', 'it is not a private key in PEM'], [ec, 'it is not an RSA key']] as const) {
    await t.rejects(readSigningKey({ id: 'any', text }, undefined), { message })
  }
  const damaged = /^the passphrase in KEYS_PASSPHRASE_FILE does not open it, or it is damaged; /
  for (const text of ['-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n', 'ENCRYPTED']) await t.rejects(readSigningKey({ id: 'any', text }, 'a passphrase'), { message: damaged })
  await t.rejects(readSecret({ id: 'any', text: 'a.b.c' }, 'a passphrase'), { message: damaged })
})
