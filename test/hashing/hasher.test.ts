// Hashing: bounded, the same time for nobody, and in threads that give way.
import { readdirSync, readFileSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { Hasher } from '../../src/hashing/hasher.js'
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
  t.equal(work({ password: 'correct horse', hash }), true)
  t.match(work({ password: 'correct horse', cost: 4 }), /^\$2b\$04\$/)
})

t.test('only a hash of today\'s cost is current', async t => {
  const hasher = open(t)
  t.equal(hasher.isCurrent(await hasher.hash('x', SOMEBODY)), true)
  t.equal(hasher.isCurrent('$2b$05$...'), false)
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

t.test('a hasher that is closed finishes what is queued', async t => {
  const hasher = new Hasher({ cost: 4, threads: 1, queue: 10 })
  const hashes = Promise.all(Array.from({ length: 5 }, async () => await hasher.hash('x', SOMEBODY)))
  await hasher.close()
  t.equal((await hashes).length, 5)
})

t.test('what bcrypt itself refuses is no busy queue', async t => {
  await t.rejects(open(t).hash(undefined as unknown as string, SOMEBODY), { message: /data/ })
})

t.test('the hashing threads have a low priority, the main thread has not', async t => {
  const hasher = open(t)
  await Promise.all([hasher.hash('x', SOMEBODY), hasher.hash('x', SOMEBODY)])
  const nice = (thread: string) => Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1]!.split(' ')[16])
  const threads = readdirSync('/proc/self/task')
  const main = nice(String(process.pid))
  t.equal(threads.filter(thread => nice(thread) === main + 15).length >= 2, true)
})

// A thread that is ended while it loads native code aborts the process, once in a few hundred times; so the order is what is asserted.
t.test('a hasher that is closed at once ends no thread before it has started', async t => {
  const order: string[] = []
  const watch = (thread: Worker) => {
    thread.once('message', () => order.push('started')).once('exit', () => order.push('ended'))
  }
  process.on('worker', watch)
  t.teardown(() => process.off('worker', watch))
  await new Hasher({ cost: 4, threads: 2, queue: 1 }).close()
  t.strictSame(order, ['started', 'started', 'ended', 'ended'])
  t.match(await open(t).hash('x', SOMEBODY), /^\$2b\$/)
})
