// How keys are made, written and read again.
import { createPrivateKey } from 'node:crypto'
import t from 'tap'
import { makeRefreshSecret, makeSigningKey, readRefreshSecret, readSigningKey, type Material } from '../../src/keyring/key-material.js'

t.test('a signing key is PKCS#8 of the size asked for, and its id its thumbprint', async t => {
  const material = await makeSigningKey(3072, undefined)
  t.match(material.text, /^-----BEGIN PRIVATE KEY-----/)
  t.equal(createPrivateKey(material.text).asymmetricKeyDetails?.modulusLength, 3072)
  const key = await readSigningKey(material, undefined)
  t.match(key, { id: material.id, jwk: { kid: material.id, kty: 'RSA', use: 'sig', alg: 'RS256' } })
  await t.rejects(readSigningKey({ ...material, id: 'another' }, undefined), { message: 'it is another key than its id says' })
})

t.test('an id never looks like an option', async t => {
  const ids = ['-looks-like-an-option', 'does-not']
  const material = await t.mockImport<typeof import('../../src/keyring/key-material.js')>('../../src/keyring/key-material.js', {
    jose: { ...await import('jose'), calculateJwkThumbprint: async () => ids.shift()! },
  })
  t.equal((await material.makeSigningKey(2048, undefined)).id, 'does-not')
})

t.test('under a passphrase a key is encrypted PKCS#8 and a secret a JWE, and both are read with that passphrase only', async t => {
  type Make = (passphrase: string | undefined) => Promise<Material>
  type Read = (material: Material, passphrase: string | undefined) => Promise<{ id: string }>
  const kinds: Array<[Make, Read, RegExp]> = [
    [async passphrase => await makeSigningKey(2048, passphrase), readSigningKey, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/],
    [makeRefreshSecret, readRefreshSecret, /^eyJ/],
  ]
  for (const [make, read, shape] of kinds) {
    const material = await make('a passphrase')
    t.match(material.text, shape)
    t.equal((await read(material, 'a passphrase')).id, material.id)
    await t.rejects(read(material, 'another'))
    await t.rejects(read(material, undefined), { message: 'it is encrypted, so KEYS_PASSPHRASE_FILE must be set' })
    const clear = await make(undefined)
    t.equal((await read(clear, 'a passphrase')).id, clear.id, 'what is in clear is read with a passphrase too')
  }
})

t.test('a refresh secret has 32 bytes, no two are alike, and a shorter one is refused', async t => {
  const [one, other] = [await makeRefreshSecret(undefined), await makeRefreshSecret(undefined)]
  t.match(one, { id: /^[\da-f]{16}$/, text: /^[\w-]{43}\n$/ })
  t.not(one.text, other.text)
  t.equal((await readRefreshSecret(one, undefined)).secret.length, 32)
  await t.rejects(readRefreshSecret({ id: one.id, text: 'short' }, undefined), { message: 'it must be 32 bytes' })
})
