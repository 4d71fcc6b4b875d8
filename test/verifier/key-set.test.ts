// Which answers of a JWKS are taken, and which of its keys.
import { generateKeyPairSync } from 'node:crypto'
import type { RequestListener } from 'node:http'
import t from 'tap'
import { fetchKeySet } from '../../src/verifier/key-set.js'
import { authority, down, hang } from './authority.js'

const send = (status: number, body: string | Buffer, headers: Record<string, string> = {}): RequestListener => (_request, response) => { response.writeHead(status, headers).end(body) }

t.test('an answer that is no set of keys is refused with its reason', async t => {
  const stub = await authority(t)
  const uri = `${stub.issuer}/.well-known/jwks.json`
  const set = JSON.stringify({ keys: stub.published })
  const answers: Array<[name: string, answer: RequestListener, message: string | RegExp]> = [
    ['down', down, 'fetch failed'],
    ['hung', hang, 'The operation was aborted due to timeout'],
    ['hung in the middle', (_request, response) => { response.writeHead(200).write('{"keys":[') }, 'The operation was aborted due to timeout'],
    ['500', send(500, set), `${uri} answered 500`],
    ['404', send(404, set), `${uri} answered 404`],
    ['another 2xx', send(203, set), `${uri} answered 203`],
    ['a redirect', send(302, set, { location: `${stub.issuer}/elsewhere` }), `${uri} answered 302`],
    ['a lasting redirect', send(308, set, { location: `${stub.issuer}/elsewhere` }), `${uri} answered 308`],
    ['a page', send(200, '<html>', { 'content-type': 'text/html' }), /is not valid JSON|Unexpected token/],
    ['nothing', send(200, ''), /JSON/],
    ['half of it', send(200, set.slice(0, -10)), /JSON/],
    ['null', send(200, 'null'), 'the answer is not a JWKS'],
    ['a list', send(200, '[]'), 'the answer is not a JWKS'],
    ['an error as JSON', send(200, '{"error":"no"}'), 'the answer is not a JWKS'],
    ['keys that are no list', send(200, '{"keys":{}}'), 'the answer is not a JWKS'],
    ['no key', send(200, '{"keys":[]}'), `${uri} holds no RSA key for RS256 signatures`],
    ['more than 64 KiB', send(200, Buffer.alloc(64 * 1024 + 1, ' ')), `${uri} is longer than 65536 bytes`],
  ]
  for (const [name, answer, message] of answers) {
    stub.answer = answer
    await t.rejects(fetchKeySet({ uri, fetch, timeout: name.startsWith('hung') ? 0.1 : 5 }), { message }, name)
  }
  stub.answer = stub.serveKeys
  t.strictSame([...(await fetchKeySet({ uri, fetch, timeout: 5 })).keys.keys()], ['one'])
  t.equal(stub.asked.length, answers.length + 1, 'no redirect was followed')
})

t.test('an answer without a body is refused', async t => {
  const fetch = (async () => new Response(null)) as typeof globalThis.fetch
  await t.rejects(fetchKeySet({ uri: 'https://id.example', fetch, timeout: 1 }), { message: /JSON/ })
})

t.test('an answer without an end is cut off', async t => {
  const stub = await authority(t)
  stub.answer = (_request, response) => {
    response.writeHead(200)
    const pour = () => { while (!response.destroyed && response.write(Buffer.alloc(16 * 1024, ' '))); }
    response.on('drain', pour)
    pour()
  }
  await t.rejects(fetchKeySet({ uri: stub.issuer, fetch, timeout: 5 }), { message: /is longer than 65536 bytes$/ })
})

t.test('a key that is not an RSA key for RS256 signatures is left out, and costs the others nothing', async t => {
  const stub = await authority(t)
  const { one, two } = stub
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  stub.published = [
    null, 'key', [], {}, { kid: 'x' },
    { ...two.jwk, kid: 'ec', kty: 'EC' }, { kty: 'oct', k: 'AAAA', kid: 'oct', use: 'sig', alg: 'HS256' }, { kty: 'AKP', kid: 'pq', alg: 'ML-DSA-44', pub: 'AAAA', use: 'sig' },
    { ...two.jwk, kid: 'encryption', use: 'enc' }, { ...two.jwk, kid: 'any use', use: undefined },
    { ...two.jwk, kid: 'RS512', alg: 'RS512' }, { ...two.jwk, kid: 'any algorithm', alg: undefined },
    { ...two.jwk, kid: 1 }, { ...two.jwk, kid: undefined },
    { ...two.jwk, kid: 'damaged', n: '!' }, { ...two.jwk, kid: 'no modulus', n: undefined }, { ...short, kid: 'short', use: 'sig', alg: 'RS256' },
    { ...one.jwk, x5u: `${stub.issuer}/certificate`, 'x-unknown': {}, key_ops: ['verify'] },
  ]
  const { keys, maxAge } = await fetchKeySet({ uri: stub.issuer, fetch, timeout: 5 })
  t.strictSame([...keys.keys()], ['one'])
  t.equal(maxAge, 300)
  t.strictSame(stub.asked, ['/'], 'no certificate was asked for')
  t.equal(await stub.judge(await stub.sign()), 'good')
})
