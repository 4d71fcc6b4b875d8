// The listener of metrics serves one document to whoever reads it, nothing else, and nobody holds it up.
import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { listenForScrapes } from '../../src/metrics/listener.js'
import { problem } from '../test-app.js'

const PLACE = { host: '127.0.0.1', port: 0 }

async function open (t: Test, write = () => 'signet_workers 1\n') {
  const { address: { port }, close } = await listenForScrapes(PLACE, write)
  t.teardown(close)
  return { url: `http://127.0.0.1:${port}`, port }
}

t.test('it answers GET and HEAD of /metrics, with any query, anew each time', async t => {
  let count = 0
  const { url } = await open(t, () => `signet_workers ${++count}\n`)
  for (const [path, method, body] of [['/metrics', 'GET', 'signet_workers 1\n'], ['/metrics?name[]=x', 'GET', 'signet_workers 2\n'], ['/metrics', 'HEAD', '']] as const) {
    const response = await fetch(`${url}${path}`, { method })
    t.strictSame([response.status, await response.text()], [200, body])
    t.match(Object.fromEntries(response.headers), { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'content-length': '17', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  }
})

t.test('everything else is a problem document', async t => {
  const { url } = await open(t)
  for (const path of ['/', '/metrics/', '/Metrics', '/login', '/.well-known/jwks.json']) {
    const response = await fetch(`${url}${path}`)
    t.match([response.status, response.headers.get('content-type'), await response.json()], [404, 'application/problem+json; charset=utf-8', problem(404, 'Not Found', 'not_found', 'There is nothing at this address.')])
  }
  for (const method of ['POST', 'DELETE', 'OPTIONS']) {
    const response = await fetch(`${url}/metrics`, { method })
    t.match([response.status, response.headers.get('allow'), await response.json()], [405, 'GET, HEAD', { status: 405, code: 'method_not_allowed' }])
  }
})

t.test('what is no HTTP is refused, and its connection closed', async t => {
  const { port } = await open(t)
  const socket = connect(port, '127.0.0.1')
  socket.end('what is this\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  t.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 400 Bad Request\r\n/)
})

t.test('connections that ask nothing, and readers that do not read, keep nobody out', async t => {
  const { port, url } = await open(t, () => `# ${'x'.repeat(4_000_000)}\n`)
  const idle = Array.from({ length: 120 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => { for (const socket of idle) socket.destroy() })
  for (const socket of idle.slice(60)) socket.pause().write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(idle.at(-1)!, 'connect')
  const response = await fetch(`${url}/metrics`)
  t.strictSame([response.status, (await response.text()).length], [200, 4_000_003])
})

t.test('it is closed when it is told to, whoever still has a connection', async t => {
  const { address: { port }, close } = await listenForScrapes(PLACE, () => '')
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const closed = once(socket.resume(), 'close')
  await close()
  await closed
  await t.rejects(fetch(`http://127.0.0.1:${port}/metrics`))
})

t.test('where it cannot listen it says so', async t => {
  const { port } = await open(t)
  await t.rejects(listenForScrapes({ ...PLACE, port }, () => ''), { code: 'EADDRINUSE' })
})
