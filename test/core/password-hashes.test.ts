// The text of a hash: one for each, read as it was written, and never one that would hold a thread.
import t from 'tap'
import { readForeignHash } from '../../src/core/imports/hash-forms.js'
import { checkHash, readPasswordHash, writePasswordHash, type ForeignHash } from '../../src/core/password-hashes.js'
import { HASHES, OF_LONG } from '../foreign-hashes.js'

const SALT = 'c2l4dGVlbi1ieXRlLXNhbA'
const DIGEST = 'tzZ26626cPTp3ALKabzx+zyurV5uBiXWCDhzMsWQlhg'
const BCRYPT = `$2b$04$${'.'.repeat(53)}`

/** What is kept of the hash of another system. */
function kept (text: string): string {
  const hash = readForeignHash(text)
  return typeof hash === 'string' ? hash : writePasswordHash(hash)
}

t.test('a hash is read as it was written, and what was written stays as it is', async t => {
  for (const [name, text] of Object.entries(HASHES)) {
    const hash = readForeignHash(text)
    if (typeof hash === 'string') { t.fail(`${name}: ${hash}`); continue }
    const written = writePasswordHash(hash)
    t.strictSame(readPasswordHash(written), hash, name)
    t.equal(kept(written), written, name)
  }
})

t.test('each kind is kept in one form', async t => {
  const { argon2id, 'argon2id v16': older, 'pbkdf2-sha256': phc, 'passlib pbkdf2-sha1': passlib, 'scrypt @phc': named, 'django scrypt': django, 'bcrypt 2a': bcrypt } = HASHES
  t.equal(kept(argon2id), argon2id)
  t.equal(kept(older.replace('$v=16', '')), older)
  t.equal(kept(phc), phc.replace(',l=32', ''))
  t.equal(kept(passlib), '$pbkdf2-sha1$i=1000$/+/+IHNhbHQ$G7sgqJP1XLUWuStSYyspQzYA2dM')
  t.equal(kept(named), named.replace('n=8', 'ln=8'))
  t.match(kept(django), /^\$scrypt\$ln=8,r=8,p=2\$YTFCMmMzRDRlNUY2ZzdIOA\$[\w+/]{86}$/)
  t.match(kept(HASHES['django pbkdf2_sha1']), /^\$pbkdf2-sha1\$i=1000\$YTFCMmMzRDRlNUY2ZzdIOA\$[\w+/]{27}$/)
  t.match(kept(HASHES.fbscrypt), /^\$fbscrypt\$v=1,n=8,r=8,p=1,ss=Bw,sk=[\w+/]{86}\$[\w+/]{15}\$[\w+/]{86}$/)
  t.equal(kept(bcrypt), `$first-72${bcrypt.replace('$2a$', '$2b$')}`)
  t.equal(kept(HASHES['django bcrypt']), `$first-72${HASHES['bcrypt 2b']}`)
  t.equal(kept(OF_LONG.django), OF_LONG.django.replace('bcrypt_sha256$', '$hex-sha256'))
})

t.test('our own hashes are read, and taken as they are where they come back', async t => {
  t.strictSame(readPasswordHash(BCRYPT), { scheme: 'bcrypt', of: 'password', hash: BCRYPT, cost: 4 })
  t.strictSame(readPasswordHash(`$hmac-sha384${BCRYPT}`), { scheme: 'bcrypt', of: 'hmac-sha384', hash: BCRYPT, cost: 4 })
  t.equal(kept(`$hmac-sha384${BCRYPT}`), `$hmac-sha384${BCRYPT}`)
})

t.test('what is none that can be verified is refused', async t => {
  const unknown = ['', 'plain', 'bcrypt$x', 'bcrypt_sha256$x', '!unusable', 'd41d8cd98f00b204e9800998ecf8427e', 'md5$salt$d41d8cd98f00b204e9800998ecf8427e', '$1$salt$hash', '$6$salt$hash', '$sha1$x$y', '{SSHA}x', `$argon2x$v=19$m=256,t=2,p=2$${SALT}$${DIGEST}`, `$argon2id$v=18$m=256,t=2,p=2$${SALT}$${DIGEST}`, BCRYPT.replace('$2b', '$2x'), BCRYPT.replace('$2b', '$2'), `$pbkdf2-md5$i=1$${SALT}$${DIGEST}`]
  for (const text of unknown) t.equal(readForeignHash(text), 'hash_unknown', text)
  const malformed = [
    BCRYPT.slice(0, -1), `${BCRYPT}.`, BCRYPT.replace('04', '03'), BCRYPT.replace('04', '32'), '$2b$', 'pbkdf2_sha256$x', 'pbkdf2_sha256$0$salt$aGFzaGhhc2hoYXNoaGFzaA==', 'pbkdf2_sha256$1$salt$*', 'scrypt$x',
    'scrypt$300$salt$8$1$aGFzaGhhc2hoYXNoaGFzaA==', 'scrypt$256$salt$8$1$*', `$argon2id$v=19$m=256,t=2$${SALT}$${DIGEST}`, `$argon2id$v=19$m=256,t=2,p=2,data=x$${SALT}$${DIGEST}`.replace('data=x', 'data=1'), `$argon2id$v=19$m=256,t=2,p=2$${SALT}`,
    `$argon2id$v=19$m=256,t=2,p=2$${SALT}$${DIGEST}$x`, `$argon2id$v=19$m=256,t=2,p=2$*$${DIGEST}`, `$argon2id$v=19$m=15,t=2,p=2$${SALT}$${DIGEST}`, `$argon2id$v=19$m=256,t=0,p=2$${SALT}$${DIGEST}`, `$argon2id$v=19$m=256,t=2,p=0$${SALT}$${DIGEST}`,
    `$argon2id$v=19$m=9999,t=2,p=256$${SALT}$${DIGEST}`, `$argon2id$v=19$m=256,t=2,p=2$c2FsdA$${DIGEST}`, `$argon2id$v=19$m=256,t=2,p=2$${SALT}$c2hvcnQ`, `$argon2id$v=19$m=256,t=2,p=2$$${DIGEST}`, '$argon2id', `$scrypt$r=8,p=1$${SALT}$${DIGEST}`, `$scrypt$ln=8,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=8,r=8$${SALT}$${DIGEST}`, `$scrypt$ln=0,r=8,p=1$${SALT}$${DIGEST}`, `$scrypt$ln=8,r=0,p=1$${SALT}$${DIGEST}`, `$scrypt$ln=8,r=8,p=0$${SALT}$${DIGEST}`, `$scrypt$ln=8,r=8,p=1$${SALT}`, `$pbkdf2-sha256$i=0$${SALT}$${DIGEST}`, `$pbkdf2-sha256$l=32$${SALT}$${DIGEST}`,
    `$pbkdf2-sha256$i=1,l=20$${SALT}$${DIGEST}`, `$pbkdf2-sha256$i=1$${SALT}`, '$pbkdf2-sha256', `$pbkdf2-sha256$i=1$${SALT}$${'A'.repeat(344)}`, `$pbkdf2-sha256$i=1$${'A'.repeat(344)}$${DIGEST}`,
    '$fbscrypt$', HASHES.fbscrypt.replace('v=1', 'v=2'), HASHES.fbscrypt.replace('p=1', 'p=2'), HASHES.fbscrypt.replace('n=8', 'n=0'), HASHES.fbscrypt.replace('r=8', 'r=0'), HASHES.fbscrypt.replace('ss=', 'ss=*'), HASHES.fbscrypt.replace('sk=', 'sk=*'), HASHES.fbscrypt.replace('sk=', 'sk=AAAA'), HASHES.fbscrypt.replace('Bw==', 'A'.repeat(344)), HASHES.fbscrypt.replace('n=8', 'n=00000000000008'), HASHES.fbscrypt.replace('r=8', 'r=00000000000008'), `${HASHES.fbscrypt}$x`,
  ]
  for (const text of malformed) t.equal(readForeignHash(text), 'hash_malformed', text)
})

t.test('what would hold a thread for minutes, or take gigabytes, is refused, and what others recommend is taken', async t => {
  const dear = [
    BCRYPT.replace('04', '19'), BCRYPT.replace('04', '31'), `$argon2id$v=19$m=264000,t=1,p=1$${SALT}$${DIGEST}`, `$argon2id$v=19$m=262144,t=17,p=1$${SALT}$${DIGEST}`, `$argon2id$v=19$m=64,t=4294967295,p=1$${SALT}$${DIGEST}`,
    `$scrypt$ln=19,r=8,p=1$${SALT}$${DIGEST}`, `$scrypt$ln=63,r=8,p=1$${SALT}$${DIGEST}`, `$scrypt$ln=14,r=8,p=129$${SALT}$${DIGEST}`, `$scrypt$ln=1,r=99999999,p=1$${SALT}$${DIGEST}`, `$scrypt$ln=1,r=8,p=999999$${SALT}$${DIGEST}`, HASHES.fbscrypt.replace('n=8', 'n=19'),
    `$pbkdf2-sha256$i=10000001$${SALT}$${DIGEST}`, `$pbkdf2-sha1$i=5000001$${SALT}$${DIGEST}`, 'pbkdf2_sha256$9999999999$salt$aGFzaGhhc2hoYXNoaGFzaA==',
  ]
  for (const text of dear) t.equal(readForeignHash(text), 'hash_too_dear', text)
  const usual = [`$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${DIGEST}`, `$argon2id$v=19$m=262144,t=3,p=1$${SALT}$${DIGEST}`, `$scrypt$ln=17,r=8,p=1$${SALT}$${DIGEST}`, `$scrypt$ln=14,r=8,p=5$${SALT}$${DIGEST}`, HASHES.fbscrypt.replace('n=8', 'n=14'), `$pbkdf2-sha256$i=1000000$${SALT}$${DIGEST}`, `$pbkdf2-sha1$i=1300000$${SALT}$${DIGEST}`, BCRYPT.replace('04', '18')]
  for (const text of usual) t.notMatch(readForeignHash(text), /^hash/, text)
  const hash = readPasswordHash(HASHES.argon2id) as ForeignHash
  t.equal(checkHash(hash), hash)
})
