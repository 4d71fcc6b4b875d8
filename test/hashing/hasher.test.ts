// Hashing: bounded, the same time for nobody, and in threads that give way.
import { readdirSync, readFileSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import bcrypt from 'bcrypt'
import { Piscina } from 'piscina'
import t, { type Test } from 'tap'
import { readForeignHash } from '../../src/core/imports/hash-forms.js'
import { readPasswordHash, writePasswordHash, type ForeignHash, type PasswordHash } from '../../src/core/password-hashes.js'
import { spendAs, workOf } from '../../src/hashing/foreign-hashes.js'
import { Hasher } from '../../src/hashing/hasher.js'
import work, { workLeft, type Comparing } from '../../src/hashing/hashing-worker.js'
import { digestOf } from '../../src/hashing/long-passwords.js'
import { DECOMPOSED, HASHES, LONG, OF_DECOMPOSED, OF_LONG, PASSWORD } from '../foreign-hashes.js'

const SOMEBODY = { address: '192.0.2.1', isKnown: false }

function open (test: Test, queue = 100) {
  const hasher = new Hasher({ cost: 4, threads: 2, queue })
  test.teardown(async () => { await hasher.close() })
  return hasher
}

/** What is kept of the hash of another system. */
function kept (text: string): string {
  return writePasswordHash(readForeignHash(text) as PasswordHash)
}

t.test('a password is its own hash, and nobody else', async t => {
  const hasher = open(t)
  const hash = await hasher.hash('correct horse', SOMEBODY)
  t.match(hash, /^\$2b\$04\$.{53}$/)
  t.equal(await hasher.verify(['correct horse'], hash, SOMEBODY), true)
  t.equal(await hasher.verify(['correct horsf'], hash, SOMEBODY), false)
  t.equal(await hasher.verify(['correct horse'], undefined, SOMEBODY), false)
  t.match(work({ password: 'correct horse', cost: 4 }), /^\$2b\$04\$/)
})

t.test('a password is hashed whole, however long it is and whatever it holds', async t => {
  const hasher = open(t)
  for (const [password, other] of [['x'.repeat(73), 'x'.repeat(72)], ['абвгдежз'.repeat(8), `${'абвгдежз'.repeat(7)}абвгдежи`], ['one\0two', 'one\0three'], ['one\0two', 'one']] as const) {
    const hash = await hasher.hash(password, SOMEBODY)
    t.match(hash, /^\$hmac-sha384\$2b\$04\$.{53}$/)
    t.equal(await hasher.verify([password], hash, SOMEBODY), true)
    t.equal(await hasher.verify([other], hash, SOMEBODY), false)
  }
  for (const password of ['x'.repeat(72), 'é'.repeat(36)]) t.match(await hasher.hash(password, SOMEBODY), /^\$2b\$04\$.{53}$/)
})

t.test('a digest is no password for the hash of a digest, and a long password none for a hash of its beginning', async t => {
  const hasher = open(t)
  const long = 'x'.repeat(100)
  const hash = await hasher.hash(long, SOMEBODY)
  t.equal(bcrypt.compareSync(digestOf(long), hash.replace('$hmac-sha384', '')), true)
  t.equal(await hasher.verify([digestOf(long)], hash, SOMEBODY), false)
  t.equal(await hasher.verify([long], bcrypt.hashSync(digestOf(long), 4), SOMEBODY), false)
  t.equal(await hasher.verify([long], bcrypt.hashSync(long, 4), SOMEBODY), false)
})

t.test('a digest never changes, for hashes of it are stored', async t => {
  t.equal(digestOf('x'.repeat(100)), 'vlzJO8zFbgbJItfxnxAqqS/88Nm3ctNq4Em0ybVDhQ6O4Y7FiedVBKSKlRVY9r/d')
})

t.test('bcrypt hashes of other systems are compared with; what is none is nobody\'s', async t => {
  const hasher = open(t)
  const hash = bcrypt.hashSync('correct horse', 5)
  for (const name of ['$2a$', '$2b$', '$2y$']) {
    t.equal(await hasher.verify(['correct horse'], hash.replace('$2b$', name), SOMEBODY), true, name)
    t.equal(await hasher.verify(['correct horsf'], hash.replace('$2b$', name), SOMEBODY), false, name)
    t.equal(hasher.isCurrent(hash.replace('$2b$', name)), false, name)
  }
  for (const other of ['', '$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA', hash.slice(0, -1), hash.replace('$05$', '$03$'), hash.replace('$05$', '$31$')]) t.equal(await hasher.verify(['correct horse'], other, SOMEBODY), false, other)
})

t.test('a refusal takes as much work whatever the hash, and a success no more than it must', async t => {
  const spent: number[] = []
  const { hashSync } = bcrypt
  t.teardown(() => { bcrypt.hashSync = hashSync })
  bcrypt.hashSync = (password, cost) => {
    spent.push(2 ** Number(cost))
    return hashSync(password, cost)
  }
  const workSince = (cost: number) => spent.splice(0).reduce((sum, each) => sum + each, 2 ** cost)
  for (const cost of [4, 5, 6, 7]) {
    const hash = hashSync('correct horse', cost)
    const task = { hash: { scheme: 'bcrypt', of: 'password', hash, cost } as const, spellingsTyped: 1, refusal: { bcryptCost: 7, foreign: [] } }
    t.equal(work({ ...task, spellings: ['wrong'] }), false)
    t.equal(workSince(cost), 2 ** 7)
    t.equal(work({ ...task, spellings: ['correct horse'] }), true)
    t.equal(workSince(cost), 2 ** cost)
  }
})

t.test('an unknown account is refused at today\'s cost, and once a dearer hash was met at that one\'s', async t => {
  const tasks = t.capture(Piscina.prototype, 'run', Piscina.prototype.run)
  const hasher = open(t)
  const [cheap, dear] = [4, 6].map(cost => bcrypt.hashSync('correct horse', cost))
  for (const hash of [undefined, cheap, dear, undefined, cheap]) await hasher.verify(['wrong'], hash, SOMEBODY)
  const asked = (bcryptCost: number, cost?: number) => ({
    spellings: ['wrong'], hash: cost && { scheme: 'bcrypt', of: 'password', hash: cost === 4 ? cheap : dear, cost }, spellingsTyped: 1, refusal: { bcryptCost, foreign: [] },
  })
  t.strictSame(tasks().map(({ args: [task] }) => task), [asked(4), asked(4, 4), asked(6, 6), asked(6), asked(6, 4)])
})

t.test('only a hash of today\'s cost is current', async t => {
  const hasher = open(t)
  for (const password of ['x', 'x'.repeat(73)]) t.equal(hasher.isCurrent(await hasher.hash(password, SOMEBODY)), true)
  for (const other of ['$2b$05$...', '$hmac-sha384$2b$05$...']) t.equal(hasher.isCurrent(other), false)
})

t.test('beyond the queue the answer is busy, with a time to come back', async t => {
  const hasher = open(t, 3)
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, async () => await hasher.hash('x', SOMEBODY)))
  const refused = outcomes.filter(outcome => outcome.status === 'rejected')
  t.ok(refused.length >= 30, `${refused.length} refused`)
  for (const { reason } of refused) t.match(reason, { code: 'busy', status: 503, retryAfter: 2 })
  t.match(await hasher.hash('x', SOMEBODY), /^\$2b\$/, 'and it goes on')
})

t.test('a storm from one network keeps nobody else out, and is refused itself', async t => {
  const hasher = open(t, 8)
  const outcomes: string[] = []
  const ask = async (name: string, address: string) => {
    const outcome = await hasher.hash('x', { address, isKnown: false }).then(() => 'served', ({ code }: { code: string }) => code)
    outcomes.push(`${name} ${outcome}`)
  }
  const storm = Array.from({ length: 40 }, async (_, n) => { await ask('storm', `2001:db8:0:${n}::1`) })
  await Promise.all([...storm, ask('honest', '192.0.2.1'), ask('honest', '192.0.2.2')])
  t.strictSame(outcomes.filter(outcome => outcome.startsWith('honest')), ['honest served', 'honest served'])
  t.equal(outcomes.filter(outcome => outcome === 'storm served').length, 6)
  t.equal(outcomes.filter(outcome => outcome === 'storm busy').length, 34)
})

t.test('a hasher that is closed finishes what it has begun, and nothing that waits', async t => {
  const hasher = new Hasher({ cost: 4, threads: 1, queue: 10 })
  let hashed = 0
  for (let job = 0; job < 5; job++) void hasher.hash('x', SOMEBODY).then(() => { hashed++ })
  await hasher.close()
  t.equal(hashed, 1)
})

t.test('what bcrypt itself refuses is no busy queue', async t => {
  await t.rejects(open(t).hash(Buffer.from('x') as unknown as string, SOMEBODY), { message: /data/ })
})

t.test('the hashing threads have a low priority, the main thread has not', async t => {
  const hasher = open(t)
  await Promise.all([hasher.hash('x', SOMEBODY), hasher.hash('x', SOMEBODY)])
  const nice = (thread: string) => Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1]!.split(' ')[16])
  const threads = readdirSync('/proc/self/task')
  const main = nice(String(process.pid))
  // No thread is nicer than 19, however nice the process is.
  t.equal(threads.filter(thread => nice(thread) === Math.min(main + 15, 19)).length >= 2, true)
})

// A thread that is ended while it loads native code aborts the process, once in a few hundred times; so the order is what is asserted.
t.test('threads start when somebody needs them, and a hasher that is closed at once ends none before it has started', async t => {
  const order: string[] = []
  const watch = (thread: Worker) => {
    thread.once('message', () => order.push('started')).once('exit', () => order.push('ended'))
  }
  process.on('worker', watch)
  t.teardown(() => process.off('worker', watch))
  await new Hasher({ cost: 4, threads: 2, queue: 1 }).close()
  t.strictSame(order, [])
  const hasher = new Hasher({ cost: 4, threads: 2, queue: 1 })
  const hashed = hasher.hash('x', SOMEBODY)
  await hasher.close()
  t.match(await hashed, /^\$2b\$/)
  t.strictSame(order, ['started', 'started', 'ended', 'ended'])
})

t.test('a hash of another system is its password\'s, and nobody else\'s', async t => {
  const hasher = open(t)
  for (const [name, text] of Object.entries(HASHES)) {
    const stored = kept(text)
    t.equal(await hasher.verify([PASSWORD], stored, SOMEBODY), true, name)
    t.equal(await hasher.verify(['correct horse'], stored, SOMEBODY), false, name)
    t.equal(hasher.isCurrent(stored), false, name)
  }
})

t.test('what another system hashed as it was typed is found, and of our own hashes the normalised spelling alone', async t => {
  const hasher = open(t)
  const typed: [string, string] = [DECOMPOSED.normalize('NFKC'), DECOMPOSED]
  for (const text of OF_DECOMPOSED) {
    t.equal(await hasher.verify(typed, kept(text), SOMEBODY), true)
    t.equal(await hasher.verify([typed[0]], kept(text), SOMEBODY), false)
  }
  t.equal(await hasher.verify(typed, bcrypt.hashSync(DECOMPOSED, 4), SOMEBODY), false)
  t.equal(await hasher.verify(typed, await hasher.hash(typed[0], SOMEBODY), SOMEBODY), true)
})

t.test('a password that another system\'s bcrypt has cut off gets in with all of it, and so does its beginning, until it is hashed here', async t => {
  const hasher = open(t)
  for (const password of [LONG, LONG.slice(0, 72)]) t.equal(await hasher.verify([password], kept(OF_LONG.bcrypt), SOMEBODY), true)
  t.equal(await hasher.verify([LONG], kept(OF_LONG.django), SOMEBODY), true)
  t.equal(await hasher.verify([LONG.slice(0, 72)], kept(OF_LONG.django), SOMEBODY), false)
})

t.test('once a hash of another system was met, every refusal does its work too, and none does that of one it has done', async t => {
  const tasks = t.capture(Piscina.prototype, 'run', Piscina.prototype.run)
  const hasher = open(t)
  const [cheap, dear] = [HASHES['pbkdf2-sha256'], HASHES['pbkdf2-sha256'].replace('1000', '3000')].map(kept)
  for (const stored of [undefined, cheap, undefined, dear, cheap, kept(HASHES.argon2id), undefined]) await hasher.verify(['wrong'], stored, SOMEBODY)
  const [cheapHash, dearHash, argon2] = [cheap!, dear!, HASHES.argon2id].map(text => readPasswordHash(text) as ForeignHash)
  const foreign = [[], [cheapHash], [cheapHash], [dearHash], [dearHash], [dearHash, argon2], [dearHash, argon2]]
  t.strictSame(tasks().map(({ args: [task] }) => (task as Comparing).refusal), foreign.map(foreign => ({ bcryptCost: 4, foreign })))
})

t.test('a refusal takes as much work of each kind, whatever was compared and however many spellings there are', async t => {
  const cases = [['pbkdf2-sha512', 'i=1000', 'i=300'], ['argon2id', 'm=256,t=2', 'm=64,t=1'], ['argon2i', 'm=256,t=2', 'm=200,t=1'], ['scrypt @phc', 'ln=8', 'ln=5'], ['fbscrypt', 'n=8', 'n=3']] as const
  for (const [name, dear, cheap] of cases) {
    const [dearest, cheaper] = [dear, cheap].map(parameters => readPasswordHash(kept(HASHES[name]).replace(dear, parameters)) as ForeignHash) as [ForeignHash, ForeignHash]
    const rest = workOf(dearest) - workOf(cheaper)
    t.equal(spendAs(dearest, workOf(dearest)), 0, name)
    t.ok(spendAs(dearest, rest) < 16, `${name}: ${rest}`)
    t.equal(spendAs(dearest, 1), name === 'pbkdf2-sha512' ? 0 : 1, 'next to nothing is left')
    const task = { refusal: { bcryptCost: 5, foreign: [dearest] }, spellings: ['wrong', 'wrong too'], spellingsTyped: 2 }
    const ours = { scheme: 'bcrypt', of: 'password', hash: HASHES['bcrypt 2b'], cost: 4 } as const
    for (const [comparing, bcrypt, foreign] of [
      [{ ...task, hash: undefined }, 64, 2 * workOf(dearest)],
      [{ ...task, hash: ours, spellings: ['wrong'] }, 48, 2 * workOf(dearest)],
      [{ ...task, hash: cheaper }, 64, 2 * rest],
      [{ ...task, hash: dearest }, 64, 0],
    ] as Array<[Comparing, number, number]>) {
      t.strictSame(workLeft(comparing), { bcrypt, foreign: [{ dearest, work: foreign }] }, name)
      t.equal(work(comparing), false)
    }
    t.equal(work({ ...task, hash: { ...ours, of: 'first-72' }, spellings: ['wrong', PASSWORD] }), true)
  }
})
