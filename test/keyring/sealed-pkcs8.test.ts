// Private keys under a passphrase: as OpenSSL reads them, in as many rounds as are asked for, and nobody waits while one is opened.
import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openPkcs8, ROUNDS, sealPkcs8 } from '../../src/keyring/sealed-pkcs8.js'

const PASSPHRASE = 'a p\u00E4ssphrase'
const [key, large] = [2048, 4096].map(modulusLength => generateKeyPairSync('rsa', { modulusLength }).privateKey)

t.test('a key is opened with its passphrase, and with no other', async t => {
  for (const each of [key!, large!]) {
    const pem = await sealPkcs8(each, PASSPHRASE)
    t.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n([\w+/=]{1,64}\n)+-----END ENCRYPTED PRIVATE KEY-----\n$/)
    t.ok((await openPkcs8(pem, PASSPHRASE)).equals(each))
    t.ok((await openPkcs8(pem.replaceAll('\n', '\r\n'), PASSPHRASE)).equals(each), 'however its lines end')
    await t.rejects(openPkcs8(pem, 'another'))
    await t.rejects(openPkcs8(pem.replace(/.{8}\n-----END/, '\n-----END'), PASSPHRASE), 'nor where a piece is missing')
  }
  t.not(await sealPkcs8(key!, PASSPHRASE), await sealPkcs8(key!, PASSPHRASE), 'no two are alike')
})

t.test('OpenSSL reads it, and sees the rounds and the cipher', async t => {
  const folder = t.testdir({ passphrase: PASSPHRASE })
  const file = join(folder, 'key.pem')
  writeFileSync(file, await sealPkcs8(key!, PASSPHRASE))
  const clear = execFileSync('openssl', ['pkey', '-in', file, '-passin', `file:${join(folder, 'passphrase')}`], { encoding: 'utf8' })
  t.ok(createPrivateKey(clear).equals(key!))
  const parts = execFileSync('openssl', ['asn1parse', '-in', file], { encoding: 'utf8' })
  t.match(parts, new RegExp(`PBES2[^]*PBKDF2[^]*INTEGER +:0?${ROUNDS.toString(16)}[^]*hmacWithSHA256[^]*aes-256-cbc`, 'i'))
  t.equal(ROUNDS, 600_000)
})

t.test('a key that another program sealed is opened too, in whatever rounds', async t => {
  const folder = t.testdir({ passphrase: PASSPHRASE, key: key!.export({ type: 'pkcs8', format: 'pem' }) as string })
  for (const kind of [['-v2', 'aes-256-cbc', '-iter', '10000'], ['-v2', 'aes-128-cbc'], ['-scrypt']]) {
    const pem = execFileSync('openssl', ['pkcs8', '-topk8', '-in', join(folder, 'key'), '-passout', `file:${join(folder, 'passphrase')}`, ...kind], { encoding: 'utf8' })
    t.ok((await openPkcs8(pem, PASSPHRASE)).equals(key!), kind.join(' '))
    await t.rejects(openPkcs8(pem, 'another'), kind.join(' '))
  }
})

t.test('the loop goes on while a key is opened', async t => {
  const pem = await sealPkcs8(key!, PASSPHRASE)
  let turns = 0
  const timer = setInterval(() => { turns++ }, 1)
  await openPkcs8(pem, PASSPHRASE)
  clearInterval(timer)
  t.ok(turns > 10, `${turns} turns`)
})
