// Hashing: bounded, the same time for nobody, and in threads that give way.
import { readdirSync, readFileSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import bcrypt from 'bcrypt'
import { Piscina } from 'piscina'
import t, { type Test } from 'tap'
import { Hasher } from '../../src/hashing/hasher.js'
import { digestOf } from '../../src/hashing/long-passwords.js'
import work from '../../src/hashing/bcrypt-worker.js'

const SOMEBODY = { address: '192.0.2.1', isKnown: false }

function open (test: Test, queue = 100) {
  const hasher = new Hasher({ cost: 4, threads: 2, queue })
  test.teardown(async () => { await hasher.close() })
  return hasher
}

t.test('a password is its own hash, and nobody else', async t => {
  const hasher = open(t)
  const hash = await hasher.hash('correct horse', SOMEBODY)
  t.match(hash, /^\$2b\$04\$.{53}$/)
  t.equal(await hasher.verify('correct horse', hash, SOMEBODY), true)
  t.equal(await hasher.verify('correct horsf', hash, SOMEBODY), false)
  t.equal(await hasher.verify('correct horse', undefined, SOMEBODY), false)
  t.match(work({ password: 'correct horse', cost: 4 }), /^\$2b\$04\$/)
})

t.test('a password is hashed whole, however long it is and whatever it holds', async t => {
  const hasher = open(t)
  for (const [password, other] of [['x'.repeat(73), 'x'.repeat(72)], ['абвгдежз'.repeat(8), `${'абвгдежз'.repeat(7)}абвгдежи`], ['one\0two', 'one\0three'], ['one\0two', 'one']] as const) {
    const hash = await hasher.hash(password, SOMEBODY)
    t.match(hash, /^\$hmac-sha384\$2b\$04\$.{53}$/)
    t.equal(await hasher.verify(password, hash, SOMEBODY), true)
    t.equal(await hasher.verify(other, hash, SOMEBODY), false)
  }
  for (const password of ['x'.repeat(72), 'é'.repeat(36)]) t.match(await hasher.hash(password, SOMEBODY), /^\$2b\$04\$.{53}$/)
})

t.test('a digest is no password for the hash of a digest, and a long password none for a hash of its beginning', async t => {
  const hasher = open(t)
  const long = 'x'.repeat(100)
  const hash = await hasher.hash(long, SOMEBODY)
  t.equal(bcrypt.compareSync(digestOf(long), hash.replace('$hmac-sha384', '')), true)
  t.equal(await hasher.verify(digestOf(long), hash, SOMEBODY), false)
  t.equal(await hasher.verify(long, bcrypt.hashSync(digestOf(long), 4), SOMEBODY), false)
  t.equal(await hasher.verify(long, bcrypt.hashSync(long, 4), SOMEBODY), false)
})

t.test('a digest never changes, for hashes of it are stored', async t => {
  t.equal(digestOf('x'.repeat(100)), 'vlzJO8zFbgbJItfxnxAqqS/88Nm3ctNq4Em0ybVDhQ6O4Y7FiedVBKSKlRVY9r/d')
})

t.test('bcrypt hashes of other systems are compared with; what is none is nobody\'s', async t => {
  const hasher = open(t)
  const hash = bcrypt.hashSync('correct horse', 5)
  for (const name of ['$2a$', '$2b$', '$2y$']) {
    t.equal(await hasher.verify('correct horse', hash.replace('$2b$', name), SOMEBODY), true, name)
    t.equal(await hasher.verify('correct horsf', hash.replace('$2b$', name), SOMEBODY), false, name)
    t.equal(hasher.isCurrent(hash.replace('$2b$', name)), false, name)
  }
  for (const other of ['', '$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$aGFzaA', hash.slice(0, -1), hash.replace('$05$', '$03$'), hash.replace('$05$', '$31$')]) t.equal(await hasher.verify('correct horse', other, SOMEBODY), false, other)
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
    t.equal(work({ password: 'wrong', cost: 7, hash }), false)
    t.equal(workSince(cost), 2 ** 7)
    t.equal(work({ password: 'correct horse', cost: 7, hash }), true)
    t.equal(workSince(cost), 2 ** cost)
  }
})

t.test('an unknown account is refused at today\'s cost, and once a dearer hash was met at that one\'s', async t => {
  const tasks = t.capture(Piscina.prototype, 'run', Piscina.prototype.run)
  const hasher = open(t)
  const [cheap, dear] = [4, 6].map(cost => bcrypt.hashSync('correct horse', cost))
  for (const hash of [undefined, cheap, dear, undefined, cheap]) await hasher.verify('wrong', hash, SOMEBODY)
  const nobodys = (cost: number) => `$2b$0${cost}$${'.'.repeat(53)}`
  t.strictSame(tasks().map(({ args: [task] }) => task), [
    { password: 'wrong', cost: 4, hash: nobodys(4) }, { password: 'wrong', cost: 4, hash: cheap }, { password: 'wrong', cost: 6, hash: dear },
    { password: 'wrong', cost: 6, hash: nobodys(6) }, { password: 'wrong', cost: 6, hash: cheap },
  ])
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
