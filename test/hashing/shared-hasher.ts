// The hasher of all tests of a process whose rule is not how it hashes, for to start its thread took longer than most of them; holds no assertion.
import t from 'tap'
import { Hasher } from '../../src/hashing/hasher.js'

const hashers = new Map<string, Hasher>()

/** The one of this cost and queue, until the last test has ended. */
export function sharedHasher ({ cost, queue }: { cost: number, queue: number }): Hasher {
  const name = `${cost} ${queue}`
  const hasher = hashers.get(name) ?? new Hasher({ cost, threads: 1, queue })
  if (!hashers.has(name)) t.teardown(async () => { await hasher.close() })
  hashers.set(name, hasher)
  return hasher
}
