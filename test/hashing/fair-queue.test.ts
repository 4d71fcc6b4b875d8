// Who waits, who gives way, and whose turn it is.
import fc from 'fast-check'
import t from 'tap'
import { FairQueue } from '../../src/hashing/fair-queue.js'

const job = (name: string, address: string, isKnown = false) => ({ name, requester: { address, isKnown } })
type Job = ReturnType<typeof job>

/** Lets each wait, and returns the names of those that had no place. */
function fill (queue: FairQueue<Job>, jobs: Job[]): string[] {
  return jobs.flatMap(each => queue.add(each)?.name ?? [])
}

function drain (queue: FairQueue<Job>): string[] {
  const job = queue.next()
  return job ? [job.name, ...drain(queue)] : []
}

t.test('of one address who came first is first', async t => {
  const queue = new FairQueue<Job>(8)
  t.strictSame(fill(queue, ['a', 'b', 'c'].map(name => job(name, '192.0.2.1'))), [])
  t.strictSame(drain(queue), ['a', 'b', 'c'])
  t.equal(queue.next(), undefined)
})

t.test('networks take turns, and in a /48 its /64s do', async t => {
  const queue = new FairQueue<Job>(16)
  fill(queue, [job('a1', '192.0.2.1'), job('a2', '192.0.2.1'), job('a3', '192.0.2.1'), job('s1', '2001:db8::1'), job('s2', '2001:db8::2'), job('s3', '2001:db8:0:1::1'), job('b1', '192.0.2.2')])
  t.strictSame(drain(queue), ['a1', 's1', 'b1', 'a2', 's3', 'a3', 's2'])
})

t.test('where no place is left the newest of the busiest network gives way, and who has as many as it is refused', async t => {
  const queue = new FairQueue<Job>(4)
  t.strictSame(fill(queue, ['a1', 'a2', 'a3', 'a4'].map(name => job(name, '192.0.2.1'))), ['a4'], 'one place is kept')
  t.strictSame(fill(queue, [job('b1', '192.0.2.2')]), ['a3'])
  t.strictSame(fill(queue, [job('b2', '192.0.2.2'), job('c1', '192.0.2.3')]), ['b2', 'a2'])
  t.strictSame(fill(queue, [job('d1', '192.0.2.4')]), ['d1'])
  t.strictSame(drain(queue), ['a1', 'b1', 'c1'])
})

t.test('a /56 is one network, in which the busiest /64 gives way first', async t => {
  const queue = new FairQueue<Job>(8)
  const storm = Array.from({ length: 256 }, (_, subnet) => job(`s${subnet}`, `2001:db8:0:${subnet.toString(16)}::1`))
  fill(queue, storm)
  t.match(fill(queue, [job('a1', '192.0.2.1'), job('a2', '192.0.2.1')]), [/^s/, /^s/])
  t.match(drain(queue).slice(0, 4), [/^s/, 'a1', /^s/, 'a2'])
  fill(queue, Array.from({ length: 6 }, (_, n) => job(`s${n}`, '2001:db8::1')))
  t.strictSame(fill(queue, [job('neighbour', '2001:db8:0:1::1')]), ['s5'])
})

t.test('places are kept for those who are known, and turns are the same for all', async t => {
  const queue = new FairQueue<Job>(8)
  t.strictSame(fill(queue, Array.from({ length: 8 }, (_, n) => job(`o${n}`, `192.0.2.${n}`))), ['o6', 'o7'])
  t.strictSame(fill(queue, [job('k1', '192.0.2.1', true), job('k2', '198.51.100.1', true)]), [])
  t.strictSame(fill(queue, [job('k3', '198.51.100.2', true)]), ['k1'])
  t.strictSame(drain(queue), ['o0', 'o1', 'o2', 'o3', 'o4', 'o5', 'k2', 'k3'])
})

t.test('a stranger takes the place of a stranger alone', async t => {
  const queue = new FairQueue<Job>(4)
  t.strictSame(fill(queue, [job('o1', '192.0.2.1'), job('o2', '192.0.2.1'), job('k1', '192.0.2.1', true), job('o3', '192.0.2.2'), job('o4', '192.0.2.3')]), ['o2'])
  t.strictSame(drain(queue), ['o1', 'o3', 'o4', 'k1'])
})

t.test('those who are known may take every place', async t => {
  const queue = new FairQueue<Job>(4)
  t.strictSame(fill(queue, ['k1', 'k2', 'k3', 'k4', 'k5'].map(name => job(name, '192.0.2.1', true))), ['k5'])
})

t.test('nobody is lost or served twice, and no more wait than there are places', async t => {
  const arrivals = fc.array(fc.record({ network: fc.nat(5), isKnown: fc.boolean(), served: fc.nat(2) }), { maxLength: 60 })
  fc.assert(fc.property(arrivals, fc.integer({ min: 1, max: 12 }), (steps, places) => {
    const queue = new FairQueue<Job>(places)
    const out: string[] = []
    steps.forEach(({ network, isKnown, served }, n) => {
      out.push(...fill(queue, [job(String(n), `2001:db8:${network}::1`, isKnown)]))
      for (let turn = 0; turn < served; turn++) out.push(...[queue.next()].flatMap(each => each?.name ?? []))
    })
    const left = drain(queue)
    return left.length <= places && new Set([...out, ...left]).size === steps.length && out.length + left.length === steps.length
  }))
})
