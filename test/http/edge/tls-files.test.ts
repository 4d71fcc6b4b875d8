// Certificates are followed, as files, by symlinks and file by file; what cannot serve is refused in a sentence, and the one before it kept.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { TlsFiles, type TlsPair } from '../../../src/http/edge/tls-files.js'
import { certificateFor, type Certificate } from '../../certificates.js'

const FOREIGN = { message: 'The settings TLS_CERT_FILE and TLS_KEY_FILE do not belong together: the key is not that of the first certificate.' }
const NO_CERTIFICATE = { message: 'The setting TLS_CERT_FILE names a file that does not hold a certificate in PEM.' }
const NO_KEY = { message: 'The setting TLS_KEY_FILE names a file that does not hold a private key in PEM.' }

function use () {
  const [used, said, clock]: [TlsPair[], string[], { now: number }] = [[], [], { now: 0 }]
  return { used, said, clock, use: { use: (pair: TlsPair) => { used.push(pair) }, clock: () => clock.now, adopted: () => { said.push('adopted') }, refused: (fault: Error) => { said.push(fault.message) } } }
}

function replace (from: Certificate, to: Certificate): void {
  for (const name of ['cert', 'key'] as const) {
    copyFileSync(from.paths[name], `${to.paths[name]}.new`)
    renameSync(`${to.paths[name]}.new`, to.paths[name])
  }
}

function certificates (t: Test): [Certificate, Certificate] {
  t.testdir()
  return [certificateFor(t), certificateFor(t)]
}

t.test('a pair that is replaced is used at the next look, and once', async t => {
  const [old, next] = certificates(t)
  const files = await TlsFiles.open(old.paths)
  t.strictSame(files.pair, old.pair)
  const { use: followed, used, said } = use()
  await files.look(followed)
  replace(next, old)
  for (let look = 0; look < 2; look++) await files.look(followed)
  t.strictSame([used, said], [[next.pair], ['adopted']])
  t.strictSame(files.pair, next.pair)
})

t.test('a symlink that is swapped is followed, by itself', async t => {
  const [old, next] = certificates(t)
  const folder = join(t.testdirName, 'live')
  mkdirSync(folder)
  const link = join(folder, 'data')
  const point = (at: Certificate) => {
    symlinkSync(join(at.paths.cert, '..'), `${link}-new`)
    renameSync(`${link}-new`, link)
  }
  point(old)
  const files = await TlsFiles.open({ cert: join(link, 'cert.pem'), key: join(link, 'key.pem') })
  const { use: followed, said } = use()
  const stop = files.follow(followed)
  point(next)
  while (said.length === 0) await pause(20)
  stop()
  t.strictSame([files.pair, said], [next.pair, ['adopted']])
})

t.test('a pair that cannot serve is said at once and each minute, and the one before it is kept until there is one that can', async t => {
  const [old, next] = certificates(t)
  const files = await TlsFiles.open(old.paths)
  const { use: followed, used, said, clock } = use()
  copyFileSync(next.paths.cert, old.paths.cert)
  for (const now of [0, 59_999, 60_000]) {
    clock.now = now
    await files.look(followed)
  }
  t.match(files.fault, FOREIGN)
  writeFileSync(old.paths.cert, '')
  await files.look(followed)
  t.strictSame(said, [FOREIGN.message, FOREIGN.message, NO_CERTIFICATE.message])
  t.strictSame([used, files.pair], [[], old.pair])
  replace(next, old)
  await files.look(followed)
  t.strictSame([used, said.at(-1), files.fault], [[next.pair], 'adopted', undefined])
})

t.test('a fault that goes by itself leaves the pair that was in use', async t => {
  const [old] = certificates(t)
  const files = await TlsFiles.open(old.paths)
  const { use: followed, said } = use()
  writeFileSync(old.paths.key, 'nonsense')
  await files.look(followed)
  writeFileSync(old.paths.key, old.pair.key)
  await files.look(followed)
  t.strictSame([said.length, files.fault, files.pair], [1, undefined, old.pair])
})

t.test('what cannot be used is refused in a sentence that names the setting', async t => {
  const [one, other] = certificates(t)
  const folder = t.testdirName
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const encrypted = join(folder, 'encrypted.pem')
  execFileSync('openssl', ['pkcs8', '-topk8', '-in', one.paths.key, '-out', encrypted, '-passout', 'pass:secret'])
  chmodSync(encrypted, 0o600)
  const weak = { cert: join(folder, 'weak-cert.pem'), key: join(folder, 'weak-key.pem') }
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:512', '-nodes', '-subj', '/CN=localhost', '-keyout', weak.key, '-out', weak.cert], { stdio: 'ignore' })
  const der = join(folder, 'cert.der')
  execFileSync('openssl', ['x509', '-in', one.paths.cert, '-outform', 'DER', '-out', der])
  const cases: Array<[cert: string, key: string, refusal: { message: string }]> = [
    [one.paths.cert, other.paths.key, FOREIGN],
    [file('reversed', `${String(other.pair.cert)}${String(one.pair.cert)}`), one.paths.key, FOREIGN],
    ...[file('cert', 'x'), der, one.paths.key].map((cert): [string, string, typeof NO_CERTIFICATE] => [cert, one.paths.key, NO_CERTIFICATE]),
    ...[file('key', 'x'), file('chain', String(one.pair.cert))].map((key): [string, string, typeof NO_KEY] => [one.paths.cert, key, NO_KEY]),
    [one.paths.cert, encrypted, { message: 'The setting TLS_KEY_FILE names a file whose key is under a passphrase: write it in clear, for this user alone.' }],
    [weak.cert, weak.key, { message: 'The setting TLS_CERT_FILE names a certificate that OpenSSL does not take: its key is too short, its digest too weak, or its chain is damaged.' }],
    ['/nowhere/cert.pem', one.paths.key, { message: 'The setting TLS_CERT_FILE names a file that cannot be read: it is not there.' }],
    [one.paths.cert, folder, { message: 'The setting TLS_KEY_FILE names a file that cannot be read: it is a folder.' }],
    [one.paths.cert, join(one.paths.cert, 'key'), { message: 'The setting TLS_KEY_FILE names a file that cannot be read: a part of its path is not a folder.' }],
  ]
  for (const [cert, key, refusal] of cases) await t.rejects(TlsFiles.open({ cert, key }), refusal, refusal.message)
})

t.test('a key that others may read is refused with the chmod; its group may where that is how it is ours to read', async t => {
  const [{ paths }] = certificates(t)
  const refusal = (mode: string) => ({ message: `${paths.key} is open to others: chmod ${mode} ${paths.key}` })
  for (const mode of [0o644, 0o640, 0o604, 0o660]) {
    chmodSync(paths.key, mode)
    await t.rejects(TlsFiles.open(paths), refusal('600'), mode.toString(8))
  }
  const { getuid } = process
  t.teardown(() => { process.getuid = getuid! })
  process.getuid = () => getuid!() + 1
  chmodSync(paths.key, 0o640)
  await t.resolves(TlsFiles.open(paths))
  chmodSync(paths.key, 0o644)
  await t.rejects(TlsFiles.open(paths), refusal('640'))
})
