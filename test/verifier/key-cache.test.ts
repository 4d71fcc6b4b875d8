// When a service asks the authority for keys, whom it makes wait, and what it goes on taking without an answer.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { KeyCache, DEFAULT_LIMITS } from '../../src/verifier/key-cache.js'
import type { VerifierOptions } from '../../src/verifier/verifier.js'
import { authority, down, hang, newKey, NOW, until } from './authority.js'

const at = (seconds: number) => NOW + seconds * 1000

/** An authority that has been asked once, and a token that was good then. */
async function asked (test: Test, options: Partial<VerifierOptions> = {}) {
  const stub = await authority(test, options)
  const token = await stub.sign()
  await stub.judge(token)
  return Object.assign(stub, { token })
}

t.test('keys are fetched for the first token and not again while they are young', async t => {
  const stub = await authority(t)
  t.strictSame(stub.asked, [])
  const token = await stub.sign()
  for (const seconds of [0, 1, 239]) {
    stub.now = at(seconds)
    t.equal(await stub.judge(token), 'good')
  }
  t.equal(stub.asked.length, 1)
})

t.test('64 verifications before the first key share one fetch', async t => {
  const stub = await authority(t)
  const token = await stub.sign()
  const said = await Promise.all(Array.from({ length: 64 }, async () => await stub.judge(token)))
  t.strictSame(new Set(said), new Set(['good']))
  t.equal(stub.asked.length, 1)
})

t.test('keys are renewed in the background before they lapse, once, and no request waits for it', async t => {
  const stub = await asked(t)
  stub.answer = hang
  stub.now = at(240)
  for (let times = 0; times < 64; times++) t.equal(await stub.judge(stub.token), 'good')
  await until(() => stub.asked.length > 1)
  t.equal(stub.asked.length, 2)
})

t.test('after a quiet time longer than max-age the keys are fetched before anything is taken', async t => {
  const stub = await asked(t)
  stub.published = [stub.two.jwk]
  stub.now = at(300)
  t.equal(await stub.judge(stub.token), 'unknown_key')
  t.equal(stub.asked.length, 2)
})

t.test('max-age is obeyed within bounds, less what a cache on the way used up', async t => {
  const lives: Array<[headers: Record<string, string>, seconds: number, limits?: object]> = [
    [{ 'cache-control': 'public, max-age=60' }, 60],
    [{ 'cache-control': 'MAX-AGE="60", must-revalidate' }, 60],
    [{ 'cache-control': 'public, max-age=300', age: '200' }, 100],
    [{ 'cache-control': 'public, max-age=300', age: 'x' }, 300],
    [{ 'cache-control': 's-maxage=20' }, 300],
    [{}, 300],
    [{ 'cache-control': 'max-age=86400' }, 900],
    [{ 'cache-control': 'max-age=86400' }, 1200, { maxAge: 1200 }],
    [{ 'cache-control': 'max-age=0' }, 10],
    [{ 'cache-control': 'max-age=0' }, 10, { staleFor: 0 }],
    [{ 'cache-control': 'max-age=60', age: '90' }, 10],
    [{ 'cache-control': 'max-age=2' }, 2, { coolDown: 1 }],
  ]
  for (const [headers, seconds, limits = {}] of lives) {
    const name = JSON.stringify([headers, limits])
    const stub = await authority(t, { limits })
    stub.headers = headers
    const token = await stub.sign()
    await stub.judge(token)
    stub.published = [stub.two.jwk]
    stub.answer = hang
    stub.now = at(seconds * 0.8) - 1
    t.equal(await stub.judge(token), 'good', name)
    t.equal(stub.asked.length, 1, name)
    stub.now = at(seconds) - 1
    t.equal(await stub.judge(token), 'good', name)
    // Where the cool-down is the whole of an age, there is no time in it to renew ahead.
    await until(() => seconds === 10 || stub.asked.length === 2)

    const other = await authority(t, { limits })
    other.headers = headers
    const same = await other.sign()
    await other.judge(same)
    other.published = [other.two.jwk]
    other.now = at(seconds)
    t.equal(await other.judge(same), 'unknown_key', name)
  }
})

t.test('a rotation of a published key is never noticed', async t => {
  const stub = await authority(t)
  stub.published = [stub.one.jwk, stub.two.jwk]
  const [old, fresh] = [await stub.sign(stub.one), await stub.sign(stub.two)]
  t.equal(await stub.judge(old), 'good')
  stub.answer = down
  t.equal(await stub.judge(fresh), 'good')
  t.equal(stub.asked.length, 1)
})

t.test('a key that was never published before it signs is found by one fetch, which everybody who needs it shares', async t => {
  const stub = await asked(t)
  stub.published = [stub.two.jwk]
  stub.now = at(10)
  const fresh = await stub.sign(stub.two)
  const said = await Promise.all(Array.from({ length: 64 }, async () => await stub.judge(fresh)))
  t.strictSame(new Set(said), new Set(['good']))
  t.equal(stub.asked.length, 2)
  t.equal(await stub.judge(stub.token), 'unknown_key', 'and the key that was revoked is gone')
})

t.test('a flood of made-up key ids causes one fetch in ten seconds, and holds up no good token', async t => {
  const stub = await asked(t)
  for (let seconds = 0; seconds < 60; seconds++) {
    stub.now = at(seconds)
    const bogus = await Promise.all(Array.from({ length: 5 }, async (_, index) => await stub.sign(stub.two, {}, { kid: `bogus-${seconds}-${index}` })))
    t.strictSame(await Promise.all(bogus.map(stub.judge)), bogus.map(() => 'unknown_key'))
  }
  t.equal(stub.asked.length, 6)
  stub.answer = hang
  stub.now = at(61)
  void stub.judge(await stub.sign(stub.two))
  await until(() => stub.asked.length === 7)
  t.equal(await stub.judge(stub.token), 'good')
})

t.test('a key that appears right after a fetch is taken when the cool-down is over', async t => {
  const stub = await asked(t)
  stub.published.push(stub.two.jwk)
  const fresh = await stub.sign(stub.two)
  stub.now = at(10) - 1
  t.equal(await stub.judge(fresh), 'unknown_key')
  stub.now = at(10)
  t.equal(await stub.judge(fresh), 'good')
})

t.test('while the authority is down keys count for an hour more, and the outage is over at the next try', async t => {
  const stub = await asked(t)
  stub.answer = down
  for (let seconds = 0; seconds < 300 + 3600; seconds += 30) {
    stub.now = at(seconds)
    t.equal(await stub.judge(stub.token), 'good')
  }
  stub.now = at(300 + 3600) - 1
  t.equal(await stub.judge(stub.token), 'good')
  stub.now = at(300 + 3600)
  t.equal(await stub.judge(stub.token), 'keys_unavailable')
  stub.answer = stub.serveKeys
  stub.now = at(300 + 3600 + 9)
  t.equal(await stub.judge(stub.token), 'keys_unavailable', 'the cool-down holds after a failure too')
  stub.now = at(300 + 3600 + 10)
  t.equal(await stub.judge(stub.token), 'good')
})

t.test('how long lapsed keys count is an option', async t => {
  const stub = await asked(t, { limits: { staleFor: 0 } })
  stub.answer = down
  stub.now = at(300)
  t.equal(await stub.judge(stub.token), 'keys_unavailable')
})

t.test('an authority that hangs holds a request up for no longer than the time-out', async t => {
  const stub = await authority(t, { limits: { timeout: 0.1 } })
  const token = await stub.sign()
  stub.answer = hang
  t.equal(await stub.judge(token), 'keys_unavailable')
  t.equal(stub.asked.length, 1)
})

t.test('while an authority is believed to be down it is tried in the background, and no request waits for it', async t => {
  const stub = await asked(t)
  stub.answer = down
  stub.now = at(300)
  t.equal(await stub.judge(stub.token), 'good')
  stub.answer = hang
  stub.now = at(599)
  const before = performance.now()
  for (let times = 0; times < 64; times++) t.equal(await stub.judge(stub.token), 'good')
  t.ok(performance.now() - before < DEFAULT_LIMITS.timeout * 900, 'long before the time-out')
  await until(() => stub.asked.length > 2)
  t.equal(stub.asked.length, 3)
})

t.test('a failure of long ago is not believed: what was revoked since is not taken', async t => {
  const stub = await asked(t)
  stub.answer = down
  stub.now = at(300)
  t.equal(await stub.judge(stub.token), 'good')
  stub.answer = stub.serveKeys
  stub.published = [stub.two.jwk]
  stub.now = at(600)
  t.equal(await stub.judge(stub.token), 'unknown_key')
})

t.test('whether a key is unknown is said on the word of the authority alone', async t => {
  const stub = await asked(t)
  const other = await stub.sign(stub.two)
  stub.answer = down
  stub.now = at(20)
  const error = await stub.verify(other).catch((error: unknown) => error)
  t.match(error, { code: 'keys_unavailable', retryAfter: 10 })
  stub.now = at(29.5)
  t.match(await stub.verify(other).catch((error: unknown) => error), { code: 'keys_unavailable', retryAfter: 1 })
  stub.answer = stub.serveKeys
  stub.now = at(30)
  t.equal(await stub.judge(other), 'unknown_key')
})

t.test('an answer from which no key can be had changes nothing', async t => {
  const stub = await asked(t)
  stub.published = []
  stub.now = at(300)
  t.equal(await stub.judge(stub.token), 'good')
  t.equal(stub.asked.length, 2)
})

t.test('a clock that is set back makes no key last longer', async t => {
  const stub = await asked(t)
  stub.published = [stub.two.jwk]
  stub.now = at(-1)
  t.equal(await stub.judge(stub.token), 'unknown_key')
})

// A model of a day in the life of a verifier: what it says is compared with what the authority published and when.
t.test('whatever happens: fetches are bounded, a key that left is gone in time, and one that stays is taken', async t => {
  const keys = await Promise.all(['a', 'b', 'c'].map(async id => await newKey(id)))
  const { coolDown, staleFor } = DEFAULT_LIMITS
  const step = fc.record({
    wait: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 5000 })),
    published: fc.option(fc.subarray(keys, { minLength: 1 }), { freq: 3 }),
    isUp: fc.boolean(),
    ids: fc.array(fc.constantFrom('a', 'b', 'c', 'bogus'), { minLength: 1, maxLength: 4 }),
  })
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async steps => {
    let now = NOW
    let isUp = true
    let published = keys
    const fetches: number[] = []
    const seen = new Map<string, number>()
    let read = Promise.resolve()
    let [failedSince, isTooSoon] = [false, false]
    const fetch = (async () => {
      isTooSoon ||= now - (fetches.at(-1) ?? -Infinity) < coolDown * 1000
      fetches.push(now)
      failedSince = !isUp
      if (!isUp) throw new Error('down')
      for (const { jwk } of published) seen.set(jwk.kid, now)
      const response = Response.json({ keys: published.map(key => key.jwk) })
      // The headers are the last that is read of an answer.
      read = new Promise(resolve => {
        Object.defineProperty(response, 'headers', { get: () => { resolve(); return new Headers({ 'cache-control': 'max-age=300' }) } })
      })
      return response
    }) as typeof globalThis.fetch
    const cache = new KeyCache({ uri: 'https://id.example/jwks', fetch, now: () => now, limits: DEFAULT_LIMITS })
    for (const { wait, published: change, isUp: next, ids } of steps) {
      now += wait * 1000
      published = change ?? published
      isUp = next
      const isTrusted = isUp && !failedSince
      const said = await Promise.all(ids.map(async id => await cache.find(id).then(() => 'found', (error: { code: string }) => error.code)))
      // What was started in the background ends before the clock moves on.
      await read
      await new Promise(resolve => { setImmediate(resolve) })
      if (isTooSoon) throw new Error('two fetches in one cool-down')
      for (const [index, id] of ids.entries()) {
        const age = (now - (seen.get(id) ?? -Infinity)) / 1000
        if (said[index] === 'found' && age >= 300 + staleFor) throw new Error(`${id} outlived its bound`)
        if (said[index] === 'found' && isTrusted && age >= 300) throw new Error(`${id} was taken though the authority would have said no`)
        if (said[index] === 'unknown_key' && failedSince) throw new Error(`${id} is said to be unknown by nobody`)
        if (said[index] !== 'found' && age === 0) throw new Error(`${id} was just published and is not taken`)
      }
    }
  }), { numRuns: 50 })
})
