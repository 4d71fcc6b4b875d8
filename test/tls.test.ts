// The certificate and its key before a server stands on them: whatever is wrong is one sentence that names the setting.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readTls } from '../src/tls.js'

const folder = t.testdir()
const at = (name: string) => join(folder, name)
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
const make = (name: string, ...kind: string[]) => openssl('req', '-x509', '-newkey', ...kind, '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '1')

make('good', 'rsa:2048')
make('other', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256')
make('short', 'rsa:512')
openssl('pkey', '-in', 'good.key', '-aes256', '-passout', 'pass:x', '-out', 'encrypted.key')
openssl('x509', '-in', 'good.pem', '-outform', 'DER', '-out', 'good.der')
writeFileSync(at('reversed.pem'), readFileSync(at('other.pem'), 'utf8') + readFileSync(at('good.pem'), 'utf8'))
writeFileSync(at('text'), 'not PEM')
mkdirSync(at('folder'))

const read = async (cert: string, key: string) => await readTls({ TLS_CERT_FILE: at(cert), TLS_KEY_FILE: at(key) })

t.test('a pair that belongs together is read, of either kind of key', async t => {
  for (const name of ['good', 'other']) t.strictSame(await read(`${name}.pem`, `${name}.key`), { cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)) })
  t.equal(await readTls({ TLS_CERT_FILE: '', TLS_KEY_FILE: '' }), undefined)
})

const NO_CERTIFICATE = 'The setting TLS_CERT_FILE names a file that does not hold a certificate in PEM.'
const NO_KEY = 'The setting TLS_KEY_FILE names a file that does not hold a private key in PEM.'
const NO_PAIR = 'The settings TLS_CERT_FILE and TLS_KEY_FILE do not belong together: the key is not that of the first certificate.'

for (const [cert, key, message] of [
  ['none', 'good.key', 'The setting TLS_CERT_FILE names a file that cannot be read: it is not there.'],
  ['good.pem', 'folder', 'The setting TLS_KEY_FILE names a file that cannot be read: it is a folder.'],
  ['good.pem', 'text/key', 'The setting TLS_KEY_FILE names a file that cannot be read: a part of its path is not a folder.'],
  ['text', 'good.key', NO_CERTIFICATE],
  ['good.der', 'good.key', NO_CERTIFICATE],
  ['good.key', 'good.pem', NO_CERTIFICATE],
  ['good.pem', 'text', NO_KEY],
  ['good.pem', 'good.pem', NO_KEY],
  ['good.pem', 'encrypted.key', 'The setting TLS_KEY_FILE names a file whose key is under a passphrase: write it in clear, for this user alone.'],
  ['good.pem', 'other.key', NO_PAIR],
  ['reversed.pem', 'good.key', NO_PAIR],
  ['short.pem', 'short.key', 'The setting TLS_CERT_FILE names a certificate that OpenSSL does not take: its key is too short, its digest too weak, or its chain is damaged.'],
] as const) t.test(`${cert} with ${key} is one sentence`, async t => { await t.rejects(read(cert, key), { message }) })
