// When a service asks for a status list, whom it makes wait, and what it says without an answer.
import type { RequestListener } from 'node:http'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { KeptStatusList, type UnavailablePolicy } from '../../src/verifier/kept-status-list.js'
import { down, hang, NOW, until } from './authority.js'
import { listAuthority } from './list-authority.js'

const at = (seconds: number) => NOW + seconds * 1000

/** A list of which entry 1 is closed, as it is kept. */
async function kept (test: Test, { onUnavailable = 'refuse', timeout = 5 }: { onUnavailable?: UnavailablePolicy, timeout?: number } = {}) {
  const stub = await listAuthority(test)
  const findKey = async () => stub.one.publicKey
  const list = new KeptStatusList({ uri: stub.uri, subject: stub.uri, issuer: stub.issuer, fetch, timeout, findKey, onUnavailable, now: () => stub.now })
  const look = async (index: number) => (await list.look(index)).standing
  await stub.publish([1])
  return Object.assign(stub, { list, look })
}

/** The same after its first fetch. */
async function fetched (test: Test, options: { onUnavailable?: UnavailablePolicy, timeout?: number } = {}) {
  const stub = await kept(test, options)
  await stub.look(0)
  return stub
}

/** Until what a test has the server answer is taken or refused. */
const settled = async (isSo: () => Promise<boolean>) => {
  for (let tries = 0; !await isSo(); tries++) {
    if (tries === 200) throw new Error('it does not happen')
    await new Promise(resolve => { setTimeout(resolve, 10) })
  }
}

t.test('a list is fetched for the first look and not again while it is young', async t => {
  const stub = await kept(t)
  t.strictSame(stub.asked, [])
  for (const seconds of [0, 1, 7.999]) {
    stub.now = at(seconds)
    t.strictSame([await stub.look(0), await stub.look(1), await stub.look(2 ** 53)], ['live', 'closed', 'beyond'])
  }
  t.equal(stub.asked.length, 1)
})

t.test('a hundred looks before the first list share one fetch', async t => {
  const stub = await kept(t)
  const said = await Promise.all(Array.from({ length: 100 }, async (_, index) => await stub.look(index)))
  t.strictSame(said.flatMap((standing, index) => standing === 'live' ? [] : [[standing, index]]), [['closed', 1]])
  t.equal(stub.asked.length, 1)
})

t.test('a list is renewed in the background from 80 % of its ttl on, once, and nobody waits for it', async t => {
  const stub = await fetched(t)
  stub.answerList = hang
  for (const seconds of [8, 9, 9.999]) {
    stub.now = at(seconds)
    for (let times = 0; times < 30; times++) t.equal(await stub.look(0), 'live')
  }
  await until(() => stub.asked.length > 1)
  t.equal(stub.asked.length, 2)
})

t.test('past its ttl a look waits for the fetch, and a hundred for the same one', async t => {
  const stub = await fetched(t)
  stub.now = at(10)
  await stub.publish([0])
  t.strictSame(new Set(await Promise.all(Array.from({ length: 100 }, async () => await stub.look(0)))), new Set(['closed']))
  t.equal(stub.asked.length, 2)
  t.equal(await stub.look(1), 'live', 'a younger list counts whole')
})

t.test('a list counts for its ttl, from when its fetch began', async t => {
  for (const ttl of [1, 10, 60, 300]) {
    const stub = await kept(t)
    await stub.publish([], { ttl, exp: NOW / 1000 + 3000 })
    await stub.look(0)
    stub.now = at(ttl * 0.8) - 1
    await stub.publish([0])
    t.equal(await stub.look(0), 'live')
    t.equal(stub.asked.length, 1, `young within 80 % of ${ttl} s`)
    stub.now = at(ttl)
    t.equal(await stub.look(0), 'closed')
  }
  const slow = await kept(t)
  const { answerList } = slow
  slow.answerList = (request, response) => {
    slow.now = at(4)
    answerList(request, response)
  }
  await slow.look(0)
  await slow.publish([0])
  slow.now = at(10)
  t.equal(await slow.look(0), 'closed')
})

t.test('a list that has not changed counts anew, and is not sent again', async t => {
  const stub = await kept(t)
  await stub.publish([1], {}, { etag: '"a"' })
  await stub.look(0)
  const sent: unknown[] = []
  stub.answerList = (request, response) => {
    sent.push(request.headers['if-none-match'])
    response.writeHead(304).end()
  }
  for (const seconds of [10, 20, 299]) {
    stub.now = at(seconds)
    t.strictSame([await stub.look(0), await stub.look(1)], ['live', 'closed'])
  }
  t.strictSame(sent, ['"a"', '"a"', '"a"'])
  stub.now = at(300)
  t.equal(await stub.look(0), 'unknown', 'but not beyond its expiry')
  t.strictSame(sent.at(-1), undefined, 'a list that has expired is asked for whole')
})

t.test('while lists cannot be had the last one counts until it expires, and what was closed stays closed for ever', async t => {
  for (const failure of [down, (_request: unknown, response: Parameters<RequestListener>[1]) => { response.writeHead(503).end() }] as RequestListener[]) {
    const stub = await fetched(t)
    stub.answerList = failure
    for (let seconds = 5; seconds < 300; seconds += 5) {
      stub.now = at(seconds)
      t.strictSame([await stub.look(0), await stub.look(1)], ['live', 'closed'])
    }
    stub.now = at(300) - 1
    t.equal(await stub.look(0), 'live')
    stub.now = at(300)
    t.strictSame([await stub.look(0), await stub.look(1), await stub.look(2 ** 40)], ['unknown', 'closed', 'unknown'])
    stub.now = at(100_000)
    t.strictSame([await stub.look(0), await stub.look(1)], ['unknown', 'closed'])
    stub.now = at(100_002)
    await stub.publish([])
    t.strictSame([await stub.look(0), await stub.look(1)], ['live', 'live'], 'the next list is believed')
  }
})

t.test('an answer that is no good list changes nothing, and is tried again', async t => {
  const stub = await fetched(t)
  const bad = [{ sub: `${stub.issuer}/status-lists/1` }, { iss: 'https://evil.example' }, { exp: NOW / 1000 }, { status_list: { bits: 2, lst: '' } }, { ttl: 0 }]
  for (const [index, claims] of bad.entries()) {
    stub.now = at(10 + 10 * index)
    await stub.publish([0], claims)
    t.strictSame([await stub.look(0), await stub.look(1)], ['live', 'closed'], JSON.stringify(claims))
  }
  stub.now = at(100)
  await stub.publish([0])
  t.equal(await stub.look(0), 'closed')
})

t.test('after a failure the next try is a tenth of the ttl later, and from one second to ten', async t => {
  for (const [ttl, seconds] of [[undefined, 1], [1, 1], [10, 1], [60, 6], [300, 10]] as const) {
    const stub = await kept(t)
    if (ttl !== undefined) {
      await stub.publish([1], { ttl, exp: NOW / 1000 + 3000 })
      await stub.look(0)
    }
    const [before, start] = [stub.asked.length, ttl ?? 0]
    stub.answerList = down
    stub.now = at(start)
    await stub.look(0)
    stub.now = at(start + seconds) - 1
    await stub.look(0)
    t.equal(stub.asked.length, before + 1, `ttl ${ttl}`)
    await stub.publish([0])
    stub.now = at(start + seconds)
    await settled(async () => await stub.look(0) === 'closed')
    t.equal(stub.asked.length, before + 2)
  }
})

t.test('what is said of a list that cannot be had: why, and when to try again', async t => {
  const stub = await kept(t)
  stub.answerList = down
  t.match(await stub.list.look(0), { standing: 'unknown', cause: { message: 'fetch failed' }, retryAfter: 1 })
  stub.now = at(0.5)
  t.match(await stub.list.look(0), { standing: 'unknown', cause: { message: 'fetch failed' }, retryAfter: 1 })
  t.equal(stub.asked.length, 1)
  const late = await kept(t)
  const { answerList } = late
  late.answerList = (request, response) => {
    late.now = at(400)
    answerList(request, response)
  }
  t.match(await late.list.look(0), { standing: 'unknown', cause: { message: '"exp" claim timestamp check failed' } }, 'a list that expired on its way')
})

t.test('a list that hangs holds a look up for no longer than the time-out, and the looks after it not at all while there is something to go on with', async t => {
  const stub = await fetched(t, { timeout: 0.5 })
  stub.answerList = hang
  stub.now = at(10)
  t.equal(await stub.look(0), 'live')
  stub.now = at(11)
  for (let times = 0; times < 64; times++) t.equal(await stub.look(0), 'live')
  await until(() => stub.asked.length > 2)
  t.equal(stub.asked.length, 3)

  const others: Array<[onUnavailable: UnavailablePolicy, isHeldUp: boolean]> = [['accept', false], ['refuse', true]]
  for (const [onUnavailable, isHeldUp] of others) {
    const stub = await kept(t, { onUnavailable, timeout: 1 })
    stub.answerList = hang
    t.equal(await stub.look(0), 'unknown', 'the first look waits')
    await stub.publish([0])
    stub.now = at(1)
    t.equal(await stub.look(0), isHeldUp ? 'closed' : 'unknown', onUnavailable)
    await settled(async () => await stub.look(0) === 'closed')
  }
})

t.test('a failure of long ago is not believed: the next look waits, whatever there is to go on with', async t => {
  for (const onUnavailable of ['accept', 'refuse'] as const) {
    const stub = await fetched(t, { onUnavailable })
    stub.answerList = down
    stub.now = at(10)
    t.equal(await stub.look(0), 'live')
    await stub.publish([0])
    stub.now = at(16)
    t.equal(await stub.look(0), 'closed')
  }
})

t.test('a clock that is set back makes no list last longer', async t => {
  const stub = await fetched(t)
  stub.now = at(-1)
  await stub.publish([0])
  t.equal(await stub.look(0), 'closed')
  t.equal(stub.asked.length, 2)
  stub.answerList = down
  stub.now = at(-100)
  t.strictSame([await stub.look(2), await stub.look(0)], ['unknown', 'closed'])
})

t.test('a list of a server that is behind opens nothing', async t => {
  const stub = await fetched(t)
  stub.now = at(10)
  await stub.publish([2], { iat: NOW / 1000 - 5 })
  t.strictSame([await stub.look(1), await stub.look(2)], ['closed', 'closed'])
  stub.now = at(20)
  await stub.publish([2])
  t.strictSame([await stub.look(1), await stub.look(2)], ['live', 'closed'])
})

// A model of a day in the life of a kept list: what it says is compared with what the authority published and when.
t.test('whatever happens: fetches are bounded, a closing is seen in time, and what was seen closed is never live in an outage', async t => {
  const step = fc.record({
    wait: fc.oneof(fc.double({ min: 0, max: 12, noNaN: true }), fc.integer({ min: 0, max: 500 })),
    isUp: fc.boolean(),
    isClosed: fc.boolean(),
    looks: fc.integer({ min: 1, max: 4 }),
  })
  const stub = await listAuthority(t)
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.constantFrom<UnavailablePolicy>('accept', 'refuse'), async (steps, onUnavailable) => {
    let [now, isUp, isClosed] = [NOW, true, false]
    let known: { at: number, isClosed: boolean } | undefined
    let [failedAt, isTooSoon] = [-Infinity, false]
    let underWay: Promise<unknown> = Promise.resolve()
    /** An entry that is closed in the lists of one step alone, by which a list is seen to have come. */
    let mark = 0
    const answer = async () => {
      isTooSoon ||= now - failedAt < 1000
      if (!isUp) {
        failedAt = now
        throw new Error('down')
      }
      known = { at: now, isClosed }
      return new Response(await stub.signList({ ...stub.listClaims(isClosed ? [0, mark] : [mark]), iat: now / 1000, exp: now / 1000 + 300 }))
    }
    const fetch = (async () => {
      const answering = answer()
      underWay = answering.catch(() => {})
      return await answering
    }) as typeof globalThis.fetch
    const list = new KeptStatusList({ uri: stub.uri, subject: stub.uri, issuer: stub.issuer, timeout: 5, findKey: async () => stub.one.publicKey, onUnavailable, now: () => now, fetch })
    for (const next of steps) {
      now += Math.round(next.wait * 1000)
      mark++
      ;({ isUp, isClosed } = next)
      const [before, wasDown] = [known, now - failedAt < 6000]
      const said = new Set((await Promise.all(Array.from({ length: next.looks }, async () => await list.look(0)))).map(({ standing }) => standing))
      // What was started in the background ends before the clock moves on.
      await underWay
      await new Promise(resolve => { setImmediate(resolve) })
      if (known !== before) await settled(async () => (await list.look(mark)).standing === 'closed')
      if (isTooSoon) throw new Error('two tries in one cool-down')
      if (said.size > 1) throw new Error('looks of one moment differ')
      const [standing] = said
      if (isUp && !wasDown && (!before || now - before.at >= 10_000) && standing !== (isClosed ? 'closed' : 'live')) throw new Error('a look past the ttl does not say what the authority does')
      if (before?.isClosed && standing === 'live' && known === before) throw new Error('a closing was forgotten')
      if (standing === 'live' && now - known!.at >= 300_000) throw new Error('a list outlived its expiry')
    }
  }), { numRuns: 60 })
})
