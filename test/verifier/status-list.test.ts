// Which answers of a status list are taken, and how its entries are read.
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { getListFromStatusListJWT, StatusList as Oracle } from '@sd-jwt/jwt-status-list'
import { SignJWT, UnsecuredJWT } from 'jose'
import t, { type Test } from 'tap'
import { fetchStatusList, joinLists, standingOf, type StatusList } from '../../src/verifier/status-list.js'
import { TokenVerificationError } from '../../src/verifier/token-verification-error.js'
import { down, hang, NOW, SECONDS } from './authority.js'
import { bytesOf, ENTRIES, listAuthority, pack } from './list-authority.js'

interface Vector { name: string, bits: number, entries: number, set: number[], lst: string }

const { lists: VECTORS } = JSON.parse(readFileSync('test/verifier/status-list-vectors.json', 'utf8')) as { lists: [Vector, Vector, Vector] }
const MIB = 1024 * 1024
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function publisher (test: Test) {
  const stub = await listAuthority(test)
  const keyIds: string[] = []
  const findKey = async (id: string) => {
    keyIds.push(id)
    if (id !== 'one') throw new TokenVerificationError('unknown_key')
    return stub.one.publicKey
  }
  const read = async (etag?: string, timeout = 5) =>
    await fetchStatusList({ uri: stub.uri, fetch, timeout, issuer: stub.issuer, subject: stub.uri, findKey, etag, now: () => stub.now })
  const serve = async (more: object, header: object = {}, key = stub.one) => { stub.answerList = stub.send(await stub.signList(more, header, key)) }
  return Object.assign(stub, { read, serve, keyIds })
}

/** The indices up to some bound that stand so. */
const those = (standing: string, list: StatusList, bound: number) => Array.from({ length: bound }, (_, index) => index).filter(index => standingOf(index, list) === standing)

t.test('a good list is read, with its times and its validator', async t => {
  const stub = await publisher(t)
  await stub.publish([1], {}, { etag: '"a"' })
  const list = (await stub.read())!
  t.strictSame({ ...list, bits: list.bits.length }, { bits: ENTRIES / 8, issuedAt: SECONDS, expiresAt: SECONDS + 300, ttl: 10, etag: '"a"' })
  t.strictSame(those('closed', list, ENTRIES), [1])
  await stub.publish()
  t.equal((await stub.read())!.etag, undefined)
  for (const typ of ['application/statuslist+jwt', 'StatusList+JWT']) {
    await stub.serve({}, { typ })
    t.ok(await stub.read(), typ)
  }
  stub.answerList = stub.send(gzipSync(await stub.signList()), { 'content-encoding': 'gzip' })
  t.ok(await stub.read(), 'gzip of the answer')
})

t.test('the draft\'s own vectors are read entry by entry, and lists of more than one bit an entry are refused', async t => {
  const stub = await publisher(t)
  const [short, long, twoBits] = VECTORS
  for (const { name, set, entries, bits, lst } of [short, long]) {
    await stub.serve({ status_list: { bits, lst } })
    const list = (await stub.read())!
    t.equal(list.bits.length * 8, entries)
    t.strictSame(those('closed', list, entries), set, name)
    t.equal(those('live', list, entries).length, entries - set.length)
    t.equal(standingOf(entries, list), 'beyond')
  }
  for (const [bits, lst] of [[2, twoBits.lst], [4, twoBits.lst], [8, twoBits.lst], [0, long.lst], ['1', long.lst], [true, long.lst], [undefined, long.lst]]) {
    await stub.serve({ status_list: { bits, lst } })
    await t.rejects(stub.read(), { message: 'the list is not of one bit an entry' }, String(bits))
  }
})

t.test('a reader that is not ours reads the same from our format, and ours the same from another\'s', async t => {
  const stub = await publisher(t)
  const closed = Array.from({ length: 1000 }, (_, place) => place * 1037 + place % 8)
  const token = await stub.signList(stub.listClaims(closed))
  const theirs = getListFromStatusListJWT(token)
  stub.answerList = stub.send(token)
  const ours = (await stub.read())!
  t.equal(theirs.statusList.length, ENTRIES)
  t.strictSame(theirs.statusList.flatMap((bit, index) => bit ? [index] : []), closed)
  t.strictSame(those('closed', ours, ENTRIES), closed)
  const lst = new Oracle(theirs.statusList, 1).compressStatusList()
  t.equal(lst.includes('='), false)
  await stub.serve({ status_list: { bits: 1, lst } })
  t.strictSame((await stub.read())!.bits, ours.bits)
})

t.test('every level of compression is read, and what is no zlib is refused', async t => {
  const stub = await publisher(t)
  const bytes = bytesOf([7, 8, 4096])
  for (const level of [0, 1, 3, 6, 9]) {
    await stub.serve({ status_list: { bits: 1, lst: deflateSync(bytes, { level }).toString('base64url') } })
    t.strictSame(Buffer.from((await stub.read())!.bits), bytes, `level ${level}`)
  }
  const faults: Array<[name: string, lst: unknown, message: string | RegExp]> = [
    ['raw deflate', deflateRawSync(bytes).toString('base64url'), 'incorrect header check'],
    ['gzip', gzipSync(bytes).toString('base64url'), 'incorrect header check'],
    ['cut off', deflateSync(bytes).subarray(0, -1).toString('base64url'), 'unexpected end of file'],
    ['another checksum', Buffer.concat([deflateSync(bytes).subarray(0, -1), Buffer.from([9])]).toString('base64url'), 'incorrect data check'],
    ['with padding', deflateSync(Buffer.alloc(9)).toString('base64'), 'the list is not in base64url'],
    ['in base64', deflateSync(bytes).toString('base64').replaceAll('=', '').replaceAll('A', '+'), 'the list is not in base64url'],
    ['with a line break', `${pack(bytes)}\n`, 'the list is not in base64url'],
    ['empty', '', 'the list is not in base64url'],
    ['no text', 1, 'the list is not in base64url'],
    ['missing', undefined, 'the list is not in base64url'],
  ]
  for (const [name, lst, message] of faults) {
    await stub.serve({ status_list: { bits: 1, lst } })
    await t.rejects(stub.read(), { message }, name)
  }
})

t.test('a list may inflate to 8 MiB and not to more, however small it came', async t => {
  const stub = await publisher(t)
  await stub.serve({ status_list: { bits: 1, lst: pack(Buffer.alloc(8 * MIB)) } })
  t.equal((await stub.read())!.bits.length, 8 * MIB)
  for (const size of [8 * MIB + 1, 256 * MIB]) {
    await stub.serve({ status_list: { bits: 1, lst: pack(Buffer.alloc(size)) } })
    await t.rejects(stub.read(), { code: 'ERR_BUFFER_TOO_LARGE' }, `${size} bytes`)
  }
})

t.test('an answer that is no list is refused with its reason', async t => {
  const stub = await publisher(t)
  const good = await stub.signList()
  const [header, payload, signature] = good.split('.') as [string, string, string]
  const send = (status: number, body: string | Buffer = good, headers: Record<string, string> = {}): RequestListener => (_request, response) => { response.writeHead(status, headers).end(body) }
  const endless: RequestListener = (_request, response) => {
    response.writeHead(200)
    const pour = () => { while (!response.destroyed && response.write(Buffer.alloc(256 * 1024, 'e'))); }
    response.on('drain', pour)
    pour()
  }
  const answers: Array<[name: string, answer: RequestListener, message: string | RegExp]> = [
    ['down', down, 'fetch failed'],
    ['hung', hang, 'The operation was aborted due to timeout'],
    ['hung in the middle', (_request, response) => { response.writeHead(200).write(good.slice(0, 40)) }, 'The operation was aborted due to timeout'],
    ['cut off by the connection', (_request, response) => { response.writeHead(200, { 'content-length': '4000' }).write(good.slice(0, 40), () => { response.destroy() }) }, 'terminated'],
    ['404', send(404), `${stub.uri} answered 404`],
    ['501', send(501), `${stub.uri} answered 501`],
    ['503', send(503), `${stub.uri} answered 503`],
    ['another 2xx', send(203), `${stub.uri} answered 203`],
    ['a redirect', send(302, good, { location: `${stub.issuer}/elsewhere` }), `${stub.uri} answered 302`],
    ['a lasting redirect', send(308, good, { location: `${stub.issuer}/elsewhere` }), `${stub.uri} answered 308`],
    ['not modified, to nobody who has one', (_request, response) => { response.writeHead(304).end() }, `${stub.uri} answered 304`],
    ['no end', endless, `${stub.uri} is longer than 16777216 bytes`],
    ['a body that inflates without an end', send(200, gzipSync(Buffer.alloc(64 * MIB, 'e')), { 'content-encoding': 'gzip' }), `${stub.uri} is longer than 16777216 bytes`],
    ['nothing', send(200, ''), 'Invalid Compact JWS'],
    ['a page', send(200, '<html>'), 'Invalid Compact JWS'],
    ['an unsigned list', send(200, new UnsecuredJWT(stub.listClaims()).encode()), /Unsupported|not allowed/],
    ['a signature of nothing', send(200, `${header}.${payload}.`), 'signature verification failed'],
    ['another payload', send(200, `${header}.${encode(stub.listClaims([1]))}.${signature}`), 'signature verification failed'],
    ['an extension that nobody knows', send(200, `${encode({ alg: 'RS256', kid: 'one', typ: 'statuslist+jwt', crit: ['x'], x: 1 })}.${payload}.${signature}`), 'Extension Header Parameter "x" is not recognized'],
  ]
  for (const [name, answer, message] of answers) {
    stub.answerList = answer
    await t.rejects(stub.read(undefined, name.startsWith('hung') ? 0.1 : 5), { message }, name)
  }
  t.equal(stub.asked.length, answers.length, 'no redirect was followed')
})

t.test('a list of another, for another, of another time or type is refused', async t => {
  const stub = await publisher(t)
  const faults: Array<[name: string, claims: object, message: string | RegExp, header?: object]> = [
    ['another issuer', { iss: `${stub.issuer}/` }, 'unexpected "iss" claim value'],
    ['no issuer', { iss: undefined }, 'missing required "iss" claim'],
    ['another list', { sub: `${stub.issuer}/status-lists/1` }, 'unexpected "sub" claim value'],
    ['a list of another spelling', { sub: `${stub.issuer}/status-lists/00` }, 'unexpected "sub" claim value'],
    ['no subject', { sub: undefined }, 'missing required "sub" claim'],
    ['expired this very second', { exp: SECONDS }, '"exp" claim timestamp check failed'],
    ['no expiry', { exp: undefined }, 'missing required "exp" claim'],
    ['an expiry that is text', { exp: String(SECONDS + 300) }, '"exp" claim must be a number'],
    ['no time of issue', { iat: undefined }, 'missing required "iat" claim'],
    ['a time of issue that is text', { iat: String(SECONDS) }, '"iat" claim must be a number'],
    ['issued in the future', { iat: SECONDS + 301 }, 'the list was issued in the future'],
    ['no list', { status_list: undefined }, 'the list is not of one bit an entry'],
    ['a list that is null', { status_list: null }, 'the list is not of one bit an entry'],
    ['a ttl of 0', { ttl: 0 }, 'the ttl of the list is not a positive number'],
    ['a ttl below 0', { ttl: -1 }, 'the ttl of the list is not a positive number'],
    ['a ttl that is text', { ttl: '10' }, 'the ttl of the list is not a positive number'],
    ['a ttl that is null', { ttl: null }, 'the ttl of the list is not a positive number'],
    ['an access token', {}, 'unexpected "typ" JWT header value', { typ: 'at+jwt' }],
    ['a type that ends so', {}, 'unexpected "typ" JWT header value', { typ: 'x/statuslist+jwt' }],
    ['no type', {}, 'unexpected "typ" JWT header value', { typ: undefined }],
    ['no key id', {}, 'the list names no key', { kid: undefined }],
  ]
  for (const [name, claims, message, header] of faults) {
    await stub.serve(claims, header)
    await t.rejects(stub.read(), { message }, name)
  }
  await stub.serve({ iat: SECONDS + 300, exp: SECONDS + 1 })
  t.ok(await stub.read(), 'a clock that is five minutes ahead, a list that is good for a second more')
})

t.test('a list is signed with RS256 by a key that the authority publishes', async t => {
  const stub = await publisher(t)
  const secret = Buffer.from(JSON.stringify(stub.one.jwk))
  const mac = await new SignJWT(stub.listClaims()).setProtectedHeader({ alg: 'HS256', typ: 'statuslist+jwt', kid: 'one' }).sign(secret)
  stub.answerList = stub.send(mac)
  await t.rejects(stub.read(), { code: 'ERR_JOSE_ALG_NOT_ALLOWED' })
  t.strictSame(stub.keyIds, [], 'no key is looked for')
  await stub.serve({}, {}, stub.two)
  await t.rejects(stub.read(), { code: 'unknown_key' })
  await stub.serve({}, { kid: 'one' }, stub.two)
  await t.rejects(stub.read(), { message: 'signature verification failed' })
  await stub.serve({}, { kid: 'one', jwk: stub.two.jwk, jku: `${stub.issuer}/evil`, x5u: `${stub.issuer}/evil` }, stub.two)
  await t.rejects(stub.read(), { message: 'signature verification failed' })
  t.strictSame(new Set(stub.asked), new Set(['/status-lists/0']))
})

t.test('the times of a list are bounded', async t => {
  const stub = await publisher(t)
  const bounded: Array<[ttl: unknown, seconds: number]> = [[undefined, 10], [1, 1], [0.001, 1], [2.5, 2.5], [300, 300], [43_200, 300], [Number.MAX_VALUE, 300]]
  for (const [ttl, seconds] of bounded) {
    await stub.serve({ ttl })
    t.equal((await stub.read())!.ttl, seconds, String(ttl))
  }
  await stub.serve({ exp: SECONDS + 10_000_000 })
  t.equal((await stub.read())!.expiresAt, NOW / 1000 + 3600, 'an hour, whatever it says')
})

t.test('a list that has not changed is not sent again', async t => {
  const stub = await publisher(t)
  const sent: unknown[] = []
  stub.answerList = (request, response) => {
    sent.push(request.headers['if-none-match'])
    response.writeHead(304).end()
  }
  t.equal(await stub.read('"a"'), undefined)
  await t.rejects(stub.read(), { message: `${stub.uri} answered 304` })
  t.strictSame(sent, ['"a"', undefined])
})

t.test('an index stands for its own bit alone, however large it is', async t => {
  const list = { bits: bytesOf([0, 9, ENTRIES - 1]) } as unknown as StatusList
  t.strictSame([0, 9, ENTRIES - 1].map(index => standingOf(index, list)), ['closed', 'closed', 'closed'])
  t.strictSame([1, 8, ENTRIES - 2].map(index => standingOf(index, list)), ['live', 'live', 'live'])
  for (const index of [ENTRIES, 2 ** 31, 2 ** 32, 2 ** 32 + 9, 2 ** 35, 2 ** 53 - 1, 2 ** 53, 1e300]) t.equal(standingOf(index, list), 'beyond', String(index))
})

t.test('a list that is no younger than the last opens nothing that was closed, and one that is younger may', async t => {
  const listOf = (closed: number[], issuedAt: number, entries = 16) => ({ bits: bytesOf(closed, entries), issuedAt, expiresAt: 0, ttl: 10, etag: String(issuedAt) })
  const last = listOf([1, 9], 100)
  t.strictSame(joinLists(undefined, last), last)
  t.strictSame(joinLists(last, listOf([2], 101)), listOf([2], 101))
  for (const issuedAt of [100, 40]) t.strictSame(joinLists(last, listOf([2], issuedAt)), { ...listOf([1, 2, 9], 100), etag: String(issuedAt) })
  t.strictSame(joinLists(last, listOf([2], 100, 8)).bits, bytesOf([1, 2], 8))
  t.strictSame(joinLists(listOf([1], 100, 8), listOf([9], 100)).bits, bytesOf([1, 9], 16))
})
