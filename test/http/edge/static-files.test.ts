// How files are served from memory: compressed where that is taken, and not again to whoever has them.
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import Fastify from 'fastify'
import t from 'tap'
import { sendStatic, staticFile } from '../../../src/http/edge/static-files.js'
import { testApp } from '../../test-app.js'

const DECODE = { br: brotliDecompressSync, gzip: gunzipSync, identity: (bytes: Buffer) => bytes }
const TEXT = 'a text that is worth it. '.repeat(100)

t.test('a file is compressed as the client says that it takes it, and each encoding is a representation with a tag of its own', async t => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  const [file, small] = [staticFile(TEXT, '.css'), staticFile('short', '.css')]
  app.get('/file', async (request, reply) => await sendStatic(request, reply, file))
  app.get('/small', async (request, reply) => await sendStatic(request, reply, small))
  const cases: Array<[accept: string | undefined, encoding: 'br' | 'gzip' | undefined]> = [
    [undefined, undefined], ['', undefined], ['identity', undefined], ['deflate, zstd', undefined], ['*', undefined], ['brotli', undefined],
    ['gzip, deflate, br, zstd', 'br'], ['gzip;q=1, br;q=0.1', 'br'], ['gzip', 'gzip'], ['GZIP', 'gzip'], ['br;q=0, gzip', 'gzip'], ['br ; q=0.0 , gzip;q=0', undefined],
  ]
  const tags = new Set<unknown>()
  for (const [accept, encoding] of cases) {
    const headers = accept === undefined ? {} : { 'accept-encoding': accept }
    const answer = await app.inject({ url: '/file', headers })
    t.strictSame([answer.headers['content-encoding'], answer.headers.vary, answer.headers['content-length']], [encoding, 'Accept-Encoding', String(answer.rawPayload.length)], String(accept))
    t.equal(DECODE[encoding ?? 'identity'](answer.rawPayload).toString(), TEXT)
    const { etag } = answer.headers
    tags.add(etag)
    for (const known of [String(etag), `"other", W/${String(etag)}`, '*']) {
      const again = await app.inject({ url: '/file', headers: { ...headers, 'if-none-match': known } })
      t.strictSame([again.statusCode, again.headers.etag, again.headers.vary, again.body], [304, etag, 'Accept-Encoding', ''], known)
    }
    t.equal((await app.inject({ url: '/file', headers: { ...headers, 'if-none-match': '"other"' } })).statusCode, 200)
    t.equal((await app.inject({ method: 'HEAD', url: '/file', headers })).headers['content-length'], answer.headers['content-length'])
    t.strictSame([(await app.inject({ url: '/small', headers })).headers['content-encoding'], (await app.inject({ url: '/small', headers })).body], [undefined, 'short'], 'what fits into a packet')
  }
  t.equal(tags.size, 3)
})

t.test('the pages are compressed; tokens, problems and keys never are', async t => {
  const { app, register, post } = await testApp(t)
  const headers = { 'accept-encoding': 'gzip, br' }
  for (const url of ['/account', '/account/account.css', '/account/account.js', '/docs', '/docs/json', '/docs/docs.js']) t.equal((await app.inject({ url, headers })).headers['content-encoding'], 'br', url)
  await register()
  const answers = [await post('/login', { email: 'ada@example.com', password: 'correct horse battery' }, headers), await post('/login', {}, headers), await app.inject({ url: '/.well-known/jwks.json', headers })]
  for (const answer of answers) t.equal(answer.headers['content-encoding'], undefined)
})
