// That a GET ends in time and holds nothing, whatever answers it.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { get, textOf } from '../../src/verifier/bounded-get.js'
import { down } from './authority.js'

async function served (test: Test, answer: RequestListener) {
  const server = createServer(answer)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  test.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const drip: RequestListener = (_request, response) => {
  response.writeHead(200)
  const timer = setInterval(() => { response.write('.') }, 20)
  response.on('close', () => { clearInterval(timer) })
}

t.test('an answer in another coding than it says fails', async t => {
  const damaged = Buffer.concat([gzipSync('text').subarray(0, 10), Buffer.alloc(20, 255)])
  for (const body of ['text', 'x'.repeat(65_536), damaged]) {
    const uri = await served(t, (_request, response) => { response.writeHead(200, { 'content-encoding': 'gzip' }).end(body) })
    await t.rejects(get({ uri, fetch, timeout: 0.5 }, {}, 100))
  }
})

t.test('an answer that has not come whole in time fails, whether or not what fetches it heeds the signal', async t => {
  const uri = await served(t, drip)
  const endless = (async () => new Response(new ReadableStream())) as typeof globalThis.fetch
  const silent = (async () => await new Promise<Response>(() => {})) as typeof globalThis.fetch
  for (const [name, deaf] of Object.entries({ fetch, endless, silent })) await t.rejects(get({ uri, fetch: deaf, timeout: 0.1 }, {}, 100_000), { name: 'TimeoutError' }, name)
})

t.test('an answer of another status is not read, and holds no connection', async t => {
  for (const status of [302, 404, 503]) {
    const closed: Array<Promise<unknown>> = []
    const uri = await served(t, (_request, response) => {
      closed.push(once(response, 'close'))
      const more = () => { while (!response.destroyed && response.write('x'.repeat(65_536))); }
      response.writeHead(status, { location: '/other' }).on('drain', more)
      more()
    })
    const answer = await get({ uri, fetch, timeout: 60 }, {}, 100)
    t.match(answer, { status, text: '' })
    t.throws(() => textOf(answer, uri), { message: `${uri} answered ${status}` })
    await Promise.all(closed)
    t.equal(closed.length, 1)
  }
})

t.test('an answer up to the bound is read, and no more', async t => {
  const uri = await served(t, (request, response) => {
    if (request.headers['x-length'] === undefined) down(request, response)
    else response.end('x'.repeat(Number(request.headers['x-length'])))
  })
  const read = async (length: number) => textOf(await get({ uri, fetch, timeout: 5 }, { 'x-length': String(length) }, 100), uri)
  t.strictSame([await read(0), await read(100)], ['', 'x'.repeat(100)])
  await t.rejects(read(101), { message: `${uri} is longer than 100 bytes` })
  await t.rejects(get({ uri, fetch, timeout: 5 }, {}, 100), { message: 'fetch failed' })
})
