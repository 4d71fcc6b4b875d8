// Users of other systems come along: from files as those systems write them, with their passwords, each once; and what is not taken is said.
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Entry } from '../../src/core/imports/entries.js'
import { readEntries } from '../../src/core/imports/entries.js'
import { readFirebaseParameters } from '../../src/core/imports/formats.js'
import { importUsers, type Importing, type Refused } from '../../src/services/import-users.js'
import { SqliteStore } from '../../src/store/sqlite-store.js'
import type { Store } from '../../src/store/store.js'
import { HASHES, PASSWORD } from '../foreign-hashes.js'
import { newUser } from '../store/store-contract.js'
import { testApp } from '../test-app.js'

const NOW = 1_800_000_000_000
const firebase = readFirebaseParameters(readFileSync('test/imports/firebase-hash-config.txt', 'utf8'))
const COUNTS = { entries: 0, added: 0, withoutPassword: 0, there: 0, refused: 0 }

function open (t: Test): SqliteStore {
  const store = new SqliteStore(join(t.testdir(), 'signet.db'))
  t.teardown(async () => { await store.close() })
  return store
}

async function * listed (values: unknown[]): AsyncGenerator<Entry> {
  for (const [at, value] of values.entries()) yield { line: at + 1, value }
}

/** Imports a file or these values; what is reported of it, and each refusal as "line reason". */
async function bring (store: Store | undefined, from: string | unknown[], change: Partial<Importing> = {}) {
  const refused: Refused[] = []
  const entries = typeof from === 'string' ? readEntries(createReadStream(join('test/imports', from)) as AsyncIterable<Buffer>) : listed(from)
  const report = await importUsers({
    entries, format: undefined, reading: { now: NOW, firebase }, terms: { now: NOW, source: undefined, withoutPassword: 'refuse' }, store, writes: 'write', onRefused: one => { refused.push(one) }, onProgress: () => {}, ...change,
  })
  return { ...report, refusals: refused.map(({ line, reason }) => `${line} ${reason}`) }
}

const user = (name: string, change: object = {}) => ({ email: `${name}@example.com`, password_hash: HASHES['bcrypt 2b'], ...change })

/** Of each file: how many there are, who may log in, who may not, and who is refused. */
const FILES = {
  'users.jsonl': ['jsonl', ['ada@example.com', 'grace@example.com', 'zoë@bücher.example'], [], ['4 hash_unknown']],
  'auth0-hashes.ndjson': ['auth0', ['ada@example.com', 'grace@example.com'], [], []],
  'auth0-users.json': ['auth0', ['ada@example.com', 'pat@example.com', 'sam@example.com'], ['grace@example.com'], ['54 hash_unknown']],
  'firebase.json': ['firebase', ['ada@example.com'], ['grace@example.com'], ['25 password_missing']],
  'firebase.csv': ['firebase', ['ada@example.com'], ['grace@example.com'], ['3 password_missing', '4 email_missing', '5 not_csv']],
  'keycloak-realms.json': ['keycloak', ['ada@example.com'], ['grace@example.com'], ['105 password_missing']],
  'keycloak.json': ['keycloak', ['ada@example.com', 'pat@example.com', 'sam@example.com'], ['grace@example.com'], ['131 password_missing', '150 email_missing']],
  'supabase.json': ['supabase', ['ada@example.com', 'pat@example.com'], ['grace@example.com'], ['62 deleted']],
  'supabase.csv': ['supabase', ['ada@example.com', 'pat@example.com'], ['grace@example.com'], ['17 deleted']],
  'django.json': ['django', ['ada@example.com', 'pat@example.com', 'sam@example.com', 'kim@example.com', 'lee@example.com'], ['grace@example.com'], ['110 password_missing', '128 email_missing']],
} as const

for (const [file, [format, who, disabled, refusals]] of Object.entries(FILES)) {
  t.test(`${file}: its users log in with their passwords, which are ours from then on, and a second import changes nothing`, async t => {
    const { app, store, post, login } = await testApp(t)
    const added = who.length + disabled.length
    const report = { ...COUNTS, format, entries: added + refusals.length, refused: refusals.length, refusals: [...refusals] }
    t.strictSame(await bring(undefined, file), { ...report, added })
    t.strictSame(await bring(store, file, { writes: 'rehearse' }), { ...report, added })
    t.strictSame(await store.listUsers('', 10), [])
    t.strictSame(await bring(store, file), { ...report, added })
    const before = await store.listUsers('', 100)
    for (const writes of ['write', 'rehearse'] as const) t.strictSame(await bring(store, file, { writes }), { ...report, there: added })
    t.strictSame(await store.listUsers('', 100), before)
    for (const email of who) {
      t.equal((await post('/login', { email, password: 'correct horse' })).statusCode, 401, email)
      const { access_token: token } = await login(email)
      const [kept] = await store.searchUsers({ emailPart: email.startsWith('zoë') ? 'zoë' : email }, '', 2)
      t.match(kept!.passwordHash, /^\$2b\$04\$/, email)
      t.equal((await app.inject({ url: '/user-info', headers: { authorization: `Bearer ${token}` } })).statusCode, 200)
      t.ok((await login(email)).access_token)
    }
    for (const email of disabled) {
      const { id, disabledAt } = (await store.findUserByEmail(email))!
      t.equal(disabledAt, NOW, email)
      await store.enableUser(id)
      t.ok((await login(email)).access_token, email)
    }
  })
}

t.test('a user is kept with all that the file tells', async t => {
  const store = open(t)
  await bring(store, 'users.jsonl')
  const [first] = readFileSync('test/imports/users.jsonl', 'utf8').split('\n')
  const { password_hash: hash } = JSON.parse(first!) as { password_hash: string }
  t.strictSame(await store.findUser('7d6c3a52-1f0e-4b7a-9a55-0d3f6c1e2b01'), {
    id: '7d6c3a52-1f0e-4b7a-9a55-0d3f6c1e2b01', email: 'ada@example.com', name: 'Ada', passwordHash: `$first-72${hash}`, createdAt: Date.parse('2021-03-05T16:34:49.502Z'), families: [], roles: ['billing:read', 'editor'], emailVerified: true,
  })
  t.match(await store.findUserByEmail('zoë@xn--bcher-kva.example'), { name: 'Zoë', emailVerified: false, createdAt: 1_614_962_089_502 })
})

t.test('many are written in batches, and one that is there, by id or by address, is not written again', async t => {
  const store = open(t)
  const users = Array.from({ length: 1203 }, (_, at) => user(`user${at}`, at % 2 ? { id: at } : {}))
  const told: number[] = []
  t.match(await bring(store, users.slice(0, 700)), { added: 700 })
  t.match(await bring(store, users, { onProgress: ({ entries }) => { told.push(entries) } }), { entries: 1203, added: 503, there: 700, refused: 0 })
  t.strictSame(told, [500, 1000, 1203])
  t.match(await bring(store, users), { added: 0, there: 1203, refused: 0 })
  t.equal((await store.listUsers('', 2000)).length, 1203)
})

t.test('of one address, in whichever spelling, or one id the first is taken', async t => {
  const store = open(t)
  const users = [user('ada', { id: 1 }), user('ADA'), user('grace', { id: 1 }), user('pat', { password_hash: 'x' }), user('pat'), user('zoë'.normalize('NFD')), user('zoë')]
  t.match(await bring(store, users), { entries: 7, added: 3, refused: 4, refusals: ['2 repeated', '3 repeated', '4 hash_unknown', '7 repeated'] })
})

t.test('what is another user\'s here is refused, and who was deleted does not come back', async t => {
  const store = open(t)
  const [there, before, deleted] = [{ ...newUser(), email: 'ada@example.com' }, { ...newUser(), email: 'zoë@bücher.example' }, newUser()]
  for (const one of [there, before, deleted]) await store.insertUser(one)
  await store.deleteUser({ userId: deleted.id, closing: { at: NOW, countsAfter: 0 } })
  const spelt = { ...user('x'), email: 'Zoë@Bücher.example' }
  t.match(await bring(store, [user('ada', { id: 1 }), user('grace', { id: there.id }), user('gone', { id: deleted.id }), { ...spelt, id: 2 }]), { added: 0, there: 0, refusals: ['1 email_taken', '2 id_taken', '3 id_taken', '4 email_taken'] })
  t.match(await bring(store, [user('ada'), spelt, user('x', { id: 3 })]), { added: 1, there: 2, refused: 0 })
  t.match(await bring(store, [user('ada', { id: there.id }), { ...spelt, id: before.id }]), { there: 2, refused: 0 })
  t.strictSame(await store.findUser(there.id), there)
})

t.test('ids of another source are others', async t => {
  const store = open(t)
  t.match(await bring(store, [user('ada', { id: 1 })]), { added: 1 })
  t.match(await bring(store, [user('grace', { id: 1 })]), { refusals: ['1 id_taken'] })
  t.match(await bring(store, [user('grace', { id: 1 })], { terms: { now: NOW, source: 'shop', withoutPassword: 'refuse' } }), { added: 1 })
})

t.test('who is taken without a password may not log in until there is one', async t => {
  const { store, post } = await testApp(t)
  const terms = { now: NOW, source: undefined, withoutPassword: 'take' } as const
  t.match(await bring(store, [user('ada', { password_hash: 'x' }), user('grace')], { terms }), { added: 2, withoutPassword: 1, refused: 0 })
  for (const password of ['', 'x', PASSWORD]) t.not((await post('/login', { email: 'ada@example.com', password })).statusCode, 200)
  const { id } = (await store.findUserByEmail('ada@example.com'))!
  t.equal(await store.resetPassword({ userId: id, email: 'ada@example.com', verifiedHash: '', passwordHash: `$first-72${HASHES['bcrypt 2b']}`, closing: { at: NOW, countsAfter: 0 } }), true)
  t.equal((await post('/login', { email: 'ada@example.com', password: PASSWORD })).statusCode, 200)
})

t.test('what cannot be read is refused where it stands, and a store that fails ends it with what was written kept', async t => {
  const store = open(t)
  async function * hostile (): AsyncGenerator<Entry> {
    yield { line: 1, fault: 'not_json' }
    yield { line: 2, value: user('ada') }
    yield { line: 3, fault: 'entry_too_long' }
    yield { line: 4, value: null }
  }
  t.match(await bring(store, [], { entries: hostile(), format: 'jsonl' }), { entries: 4, added: 1, refusals: ['1 not_json', '3 entry_too_long', '4 not_a_user'] })
  const users = Array.from({ length: 1001 }, (_, at) => user(`user${at}`))
  const insertUsers = store.insertUsers.bind(store)
  let left = 1
  store.insertUsers = async users => {
    if (left-- > 0) return await insertUsers(users)
    throw new Error('no space left on the device')
  }
  await t.rejects(bring(store, users), { message: 'no space left on the device' })
  t.equal((await store.listUsers('', 2000)).length, 501)
  left = Infinity
  t.match(await bring(store, users), { added: 501, there: 500 })
})

t.test('a refusal names the address where it is one, and the member that is unknown', async t => {
  const refused: Refused[] = []
  await bring(undefined, [user('ada', { roles: 7 }), user('bob', { ['x'.repeat(65)]: 1 }), { email: 'typed by mistake', secret: '' }, null, user('eve'), user('eve')], { format: 'jsonl', onRefused: one => { refused.push(one) } })
  t.strictSame(refused, [
    { line: 1, entry: 1, email: 'ada@example.com', reason: 'roles_invalid' }, { line: 2, entry: 2, email: 'bob@example.com', member: 'x'.repeat(64), reason: 'member_unknown' },
    { line: 3, entry: 3, member: 'secret', reason: 'member_unknown' }, { line: 4, entry: 4, reason: 'not_a_user' }, { line: 6, entry: 6, email: 'eve@example.com', reason: 'repeated' },
  ])
})

t.test('of several files a refusal names its own, whenever it is known', async t => {
  const store = open(t)
  await bring(store, [user('ada', { id: 1 })])
  const refused: Refused[] = []
  async function * entries (): AsyncGenerator<Entry> {
    for (const file of ['a', 'b']) for (const value of [user('ada', { id: file }), 1]) yield { file, line: 1, value }
  }
  await bring(store, [], { entries: entries(), onRefused: one => { refused.push(one) } })
  t.strictSame(refused.map(({ file, entry, reason }) => [file, entry, reason]), [['a', 2, 'not_a_user'], ['b', 3, 'repeated'], ['b', 4, 'not_a_user'], ['a', 1, 'email_taken']])
})

t.test('more addresses than are remembered are written once all the same', async t => {
  const store = open(t)
  t.match(await bring(store, [user('ada'), user('grace'), user('ada'), user('grace')], { remembered: 1 }), { added: 2, there: 1, refusals: ['3 repeated'] })
})
