// What each system tells of a user, and what becomes of it.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { judge, type Candidate, type Told } from '../../../src/core/imports/candidate.js'
import { formatOf, readAs, readFirebaseParameters, type Format, type Reading } from '../../../src/core/imports/formats.js'
import { readForeignHash } from '../../../src/core/imports/hash-forms.js'
import { writePasswordHash, type PasswordHash } from '../../../src/core/password-hashes.js'
import { HASHES } from '../../foreign-hashes.js'

const NOW = 1_800_000_000_000
const MADE = Date.parse('2021-03-05T16:34:49.502Z')
const { 'bcrypt 2b': HASH } = HASHES
const SALT = 'c2l4dGVlbi1ieXRlLXNhbA=='
const DIGEST = 'wuGWGqyxxa5FpnDN1ZcG1rJIZVNqdbKu2N3LZuK3nvk='

function take (entry: unknown, format: Format = formatOf(entry), reading: Reading = { now: NOW }, withoutPassword: 'refuse' | 'take' = 'refuse') {
  const told = readAs(format, entry, reading)
  return typeof told === 'string' ? told : judge(told, { source: format, now: NOW, withoutPassword })
}

/** What is made of a line of our own, which differs in this from a good one. */
const own = (change: object) => take({ email: 'ada@example.com', password_hash: HASH, ...change }, 'jsonl')

t.test('a line with no more than an address and a hash is a user', async t => {
  t.strictSame(own({}), { id: undefined, email: 'ada@example.com', typed: 'ada@example.com', emailVerified: undefined, name: null, passwordHash: `$first-72${HASH}`, roles: [], createdAt: NOW, isDisabled: false })
})

t.test('every member is made what is kept, or is the reason of a refusal', async t => {
  t.match(own({ email: ' ADA@Bücher.example ' }), { email: 'ada@xn--bcher-kva.example', typed: ' ADA@Bücher.example ' })
  t.match(own({ id: '7D6C3A52-1F0E-4B7A-9A55-0D3F6C1E2B01', email_verified: true, name: '  Ada ', roles: ['b', 'a', 'b'], created_at: '2021-03-05T17:34:49.502+01:00' }), { id: '7d6c3a52-1f0e-4b7a-9a55-0d3f6c1e2b01', emailVerified: true, name: 'Ada', roles: ['a', 'b'], createdAt: MADE })
  for (const created of [MADE, String(MADE), '2021-03-05 16:34:49.502', '2021-03-05 16:34:49.502+00', '2021-03-05T16:34:49.502Z', '2021-03-05 18:04:49.502+0130']) t.match(own({ created_at: created }), { createdAt: MADE }, String(created))
  for (const nothing of [undefined, null, '']) t.match(own({ id: nothing, name: nothing, created_at: nothing, email_verified: nothing === '' ? null : nothing, roles: nothing === '' ? null : nothing }), { id: undefined, name: null, createdAt: NOW, roles: [] })
  t.match(own({ name: ' ' }), { name: null })
  const refusals: Array<[string, object[]]> = [
    ['email_missing', [{ email: undefined }, { email: null }, { email: '' }]], ['email_invalid', [{ email: 'ada' }, { email: 1 }, { email: ['ada@example.com'] }, { email: 'a\0@example.com' }]],
    ['id_invalid', [{ id: {} }, { id: 1.5 }, { id: 'x'.repeat(256) }, { id: true }]], ['email_verified_invalid', [{ email_verified: 'true' }, { email_verified: 1 }]],
    ['name_invalid', [{ name: 'x'.repeat(101) }, { name: 1 }, { name: 'a\0b' }]], ['roles_invalid', [{ roles: 'admin' }, { roles: [1] }, { roles: ['no role'] }, { roles: {} }]],
    ['created_at_invalid', [{ created_at: 'yesterday' }, { created_at: -1 }, { created_at: NOW + 90_000_000 }, { created_at: {} }, { created_at: '2021-13-05T16:34:49Z' }]],
    ['password_missing', [{ password_hash: undefined }, { password_hash: null }, { password_hash: '' }]], ['hash_malformed', [{ password_hash: 1 }, { password_hash: '$2b$x' }]], ['hash_unknown', [{ password_hash: 'plain' }]],
    ['hash_too_dear', [{ password_hash: HASH.replace('$04$', '$19$') }]], ['member_unknown', [{ passwordhash: HASH }, JSON.parse('{"__proto__":{"id":1}}') as object, { constructor: 1 }]],
  ]
  for (const [reason, changes] of refusals) for (const change of changes) t.equal(own(change), reason, JSON.stringify(change))
  for (const nobody of [null, 1, 'x', [], true]) t.equal(take(nobody), 'not_a_user')
})

t.test('an id that is no UUID becomes one, always the same, and another for another source', async t => {
  const idOf = (id: unknown, source: string) => (judge({ id, email: 'ada@example.com', emailVerified: null, name: null, hash: 'password_missing', createdAt: null, isDisabled: false }, { source, now: NOW, withoutPassword: 'take' }) as Candidate).id
  // As Python's uuid.uuid5 has them.
  t.equal(idOf(1207, 'jsonl'), 'c62e60e9-8344-55a3-9758-09884ad3d716')
  t.equal(idOf('1207', 'shop'), 'a5ea1187-764f-5dd5-a042-4e25850a9e3a')
})

t.test('who has no password that can be verified is taken without one, if that is wanted', async t => {
  for (const hash of [undefined, 'plain', HASH.replace('$04$', '$19$')]) t.match(take({ email: 'ada@example.com', password_hash: hash }, 'jsonl', { now: NOW }, 'take'), { email: 'ada@example.com', passwordHash: '' })
})

t.test('an entry tells of which system it is', async t => {
  const entries: Array<[Format, object]> = [['jsonl', { email: 'x' }], ['auth0', { user_id: 'x' }], ['auth0', { passwordHash: 'x' }], ['firebase', { localId: 'x', passwordHash: 'x' }], ['keycloak', { credentials: [] }], ['supabase', { encrypted_password: 'x' }], ['django', { model: 'x', fields: {} }], ['jsonl', JSON.parse('{"__proto__":{"localId":"x"}}') as object]]
  for (const [format, entry] of entries) t.equal(formatOf(entry), format, JSON.stringify(entry))
  t.equal(formatOf(null), 'jsonl')
})

t.test('Auth0: a name that is the address is none, and who is blocked is disabled', async t => {
  const user = { email: 'ada@example.com', user_id: 'auth0|1', passwordHash: HASH }
  t.match(take({ ...user, name: 'ada@example.com' }), { name: null, isDisabled: false })
  t.match(take({ ...user, name: 'ada@example.com', given_name: 'Ada', family_name: 'Example', blocked: true, created_at: '2021-03-05T16:34:49.502Z' }), { name: 'Ada Example', isDisabled: true, createdAt: MADE })
  t.equal((take(user) as Candidate).id, (take({ ...user, user_id: '1' }) as Candidate).id)
  t.equal((take(user) as Candidate).id, (take({ ...user, user_id: undefined, _id: { $oid: '1' } }, 'auth0') as Candidate).id)
  t.equal((take({ ...user, user_id: undefined }) as Candidate).id, undefined)
  const custom = (hash: object) => {
    const { passwordHash } = take({ ...user, passwordHash: undefined, custom_password_hash: hash }) as Candidate
    return passwordHash ?? take({ ...user, passwordHash: undefined, custom_password_hash: hash })
  }
  const scrypt = { algorithm: 'scrypt', hash: { value: DIGEST, encoding: 'base64' }, salt: { value: 'sixteen-byte-sal' } }
  t.equal(custom(scrypt), `$scrypt$ln=14,r=8,p=1$${SALT.replaceAll('=', '')}$${DIGEST.replace('=', '')}`)
  t.equal(custom({ ...scrypt, cost: 256, blockSize: 4, parallelization: 2, keylen: 32, salt: { value: 'ff00', encoding: 'hex' }, password: { encoding: 'utf8' } }), `$scrypt$ln=8,r=4,p=2$/wA$${DIGEST.replace('=', '')}`)
  t.equal(custom({ algorithm: 'bcrypt', hash: { value: HASH }, password: {} }), `$first-72${HASH}`)
  for (const change of [{ hash: undefined }, { hash: { value: 1 } }, { hash: { value: 'x', encoding: 'hex' } }, { hash: { value: 'x', encoding: 'latin1' } }, { salt: undefined }, { salt: { value: 1 } }, { cost: 300 }, { cost: 'x' }, { keylen: 64 }]) t.equal(custom({ ...scrypt, ...change }), 'hash_malformed', JSON.stringify(change))
  for (const change of [{ algorithm: 'md5' }, { algorithm: 'ldap' }, { password: { encoding: 'utf16le' } }]) t.equal(custom({ ...scrypt, ...change }), 'hash_unknown', JSON.stringify(change))
})

t.test('Firebase: hashes of its own need the parameters of their project', async t => {
  const parameters = readFirebaseParameters(readFileSync('test/imports/firebase-hash-config.txt', 'utf8'))!
  const { users: [user] } = JSON.parse(readFileSync('test/imports/firebase.json', 'utf8')) as { users: object[] }
  t.match(take(user, 'firebase', { now: NOW, firebase: parameters }), { email: 'ada@example.com', emailVerified: true, name: 'Ada', passwordHash: writePasswordHash(readForeignHash(HASHES.fbscrypt) as PasswordHash), createdAt: 1_514_962_089_502 })
  t.equal(take(user), 'hash_parameters_missing')
  for (const change of [{ passwordHash: '*' }, { passwordHash: 1 }, { salt: '*' }, { salt: undefined }, { passwordHash: 'AAAA' }]) t.equal(take({ ...user, ...change }, 'firebase', { now: NOW, firebase: parameters }), 'hash_malformed', JSON.stringify(change))
  t.match(readFirebaseParameters('{"base64_signer_key": "AAAA", "base64_salt_separator": "Bw==", "rounds": 8, "mem_cost": "14"}'), { rounds: 8, memCost: 14 })
  const row = (change: Record<number, string | null>, length = 29) => Object.assign(Array.from({ length }, () => null), { 0: 'x', 1: 'ada@example.com', 2: 'true', 3: Buffer.from(HASH).toString('base64'), 23: '1514962089502', ...change })
  t.match(take(row({ 5: 'Ada, A' })), { emailVerified: true, name: 'Ada, A', createdAt: 1_514_962_089_502, isDisabled: false })
  t.match([take(row({ 2: 'false', 26: 'true' })), take(row({ 2: null, 26: 'false' })), take(row({}, 26))], [{ emailVerified: false, isDisabled: true }, { emailVerified: undefined, isDisabled: false }, { isDisabled: false }])
  t.strictSame([row({ 2: 'x' }), row({ 26: '+15550100' }), row({ 1: null }), row({ 23: 'x' })].map(one => take(one)), ['email_verified_invalid', 'not_a_user', 'email_missing', 'created_at_invalid'])
  t.equal(take(row({}, 25), 'firebase'), 'not_a_user')
  for (const text of ['', 'base64_signer_key: AAAA', 'base64_signer_key: AAAA, base64_salt_separator: Bw==, rounds: 8', 'base64_signer_key: AAAA, base64_salt_separator: Bw==, mem_cost: 8', 'base64_signer_key: =A, base64_salt_separator: Bw==, rounds: 8, mem_cost: 14']) t.equal(readFirebaseParameters(text), undefined, text)
})

t.test('Keycloak: a realm is no user', async t => {
  t.equal(take({ id: 'empty', realm: 'empty' }), 'not_a_user')
})

t.test('Keycloak: the password among the credentials is taken', async t => {
  const argon2 = { algorithm: 'argon2', hashIterations: 2, additionalParameters: { type: ['i'], version: ['1.0'], memory: ['256'], parallelism: ['2'] } }
  const hashOf = (data: unknown, secret: unknown = { value: DIGEST, salt: SALT }) => {
    const taken = take({ email: 'ada@example.com', credentials: ['x', { type: 'otp' }, { type: 'password', secretData: JSON.stringify(secret), credentialData: JSON.stringify(data) }] })
    return typeof taken === 'string' ? taken : taken.passwordHash
  }
  t.equal(hashOf(argon2), `$argon2i$v=16$m=256,t=2,p=2$${SALT.replaceAll('=', '')}$${DIGEST.replace('=', '')}`)
  for (const type of ['d', 'id']) t.match(hashOf({ ...argon2, additionalParameters: { ...argon2.additionalParameters, type: [type], version: ['1.3'] } }), `$argon2${type}$v=19$`)
  for (const change of [{ type: ['x'] }, { type: undefined }, { version: ['2'] }]) t.equal(hashOf({ ...argon2, additionalParameters: { ...argon2.additionalParameters, ...change } }), 'hash_unknown')
  for (const algorithm of ['pbkdf2-md5', 'bcrypt', '__proto__', undefined]) t.equal(hashOf({ algorithm, hashIterations: 1 }), 'hash_unknown')
  t.equal(hashOf({ ...argon2, additionalParameters: { ...argon2.additionalParameters, memory: ['x'] } }), 'hash_malformed')
  for (const [data, secret] of [[argon2, {}], [argon2, 'x'], [argon2, { value: DIGEST }], ['x', undefined], [{ ...argon2, hashIterations: '2' }, undefined]]) t.equal(hashOf(data, secret), 'hash_malformed')
  t.equal(take({ email: 'ada@example.com', credentials: [{ type: 'password', secretData: '{', credentialData: '{}' }] }), 'hash_malformed')
  t.equal(take({ email: 'ada@example.com', createdTimestamp: 1 }), 'password_missing')
})

t.test('Supabase: who was deleted is refused, and who is banned until a time to come is disabled', async t => {
  const user = { email: 'ada@example.com', encrypted_password: HASH }
  t.match(take(user), { emailVerified: false, name: null, isDisabled: false })
  t.match(take({ ...user, email_confirmed_at: '2021-03-05 16:34:49+00', raw_user_meta_data: { name: 'Ada', full_name: 'Ada Example' } }), { emailVerified: true, name: 'Ada' })
  t.match(take({ ...user, raw_user_meta_data: '{"full_name":"Ada"}' }), { name: 'Ada' })
  t.equal(take({ ...user, deleted_at: '2021-03-05 16:34:49+00' }), 'deleted')
  for (const [until, isDisabled] of [['2021-03-05 16:34:49+00', false], ['2921-03-05 16:34:49+00', true], ['infinity', true], [new Date(NOW + 1000).toISOString(), true]]) t.match(take({ ...user, banned_until: until }), { isDisabled }, String(until))
})

t.test('Django: what is no user of its is refused, and an unusable password is none', async t => {
  t.equal(take({ model: 'auth.group', pk: 1, fields: { name: 'x' } }), 'not_a_user')
  t.equal(take({ model: 'auth.user', pk: 1, fields: [] }), 'not_a_user')
  t.equal(take({ model: 'auth.user', pk: 1, fields: { email: 'ada@example.com', password: '!x' } }), 'password_missing')
  t.match(take({ model: 'accounts.user', pk: 1, fields: { email: 'ada@example.com', password: HASHES['django argon2'], is_active: false } }), { passwordHash: /^\$argon2id\$/, isDisabled: true, name: null } satisfies Partial<Record<keyof Candidate, unknown>>)
})

t.test('what is told is told by all of its names', async t => {
  const told: Told = readAs('jsonl', { email: 'x' }, { now: NOW }) as Told
  t.strictSame(told, { id: undefined, email: 'x', emailVerified: undefined, name: undefined, hash: 'password_missing', roles: undefined, createdAt: undefined, isDisabled: false })
})
