// What is published is answered alike whether a route is asked for it or not, and whatever is no plain request goes by the routes.
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { readRing } from '../../../src/keyring/key-ring.js'
import { makeRing } from '../../keyring/rings.js'
import { problem, testApp } from '../../test-app.js'

const JWKS = '/.well-known/jwks.json'
const LIST = '/status-lists/0'

async function open (t: Test, env: Record<string, string> = {}) {
  const signet = await testApp(t, { ISSUER: 'https://signet.example', ...env })
  await signet.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = signet.app.server.address() as AddressInfo
  const ask = async (path: string, { method = 'GET', headers = {}, body = '' }: { method?: string, headers?: Record<string, string>, body?: string } = {}) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }).end(body)
    const [response] = await once(asked, 'response') as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const { date: _, connection: __, ...rest } = response.headers
    return { status: response.statusCode, headers: rest, body: Buffer.concat(chunks).toString('latin1') }
  }
  while ((await ask(LIST)).status !== 200) await pause(20)
  return { ...signet, ask }
}

t.test('a plain request is answered as a route answers it, headers and all', async t => {
  const { ask } = await open(t)
  for (const path of [JWKS, LIST]) {
    const [plain, routed] = [await ask(path), await ask(path, { headers: { 'if-none-match': '"another"' } })]
    t.strictSame(plain, routed, path)
    t.match(plain, { status: 200, headers: { 'x-content-type-options': 'nosniff', etag: /^"[\w-]{43}"$/ } })
    t.strictSame(await ask(`${path}?x=1`), plain, 'and the same for any query')
  }
})

t.test('what is no plain request goes by the routes', async t => {
  const { ask } = await open(t)
  for (const path of [JWKS, LIST]) {
    const { headers, body } = await ask(path)
    t.strictSame(await ask(path, { method: 'HEAD' }), { status: 200, headers, body: '' })
    t.match(await ask(path, { headers: { 'if-none-match': String(headers.etag) } }), { status: 304, body: '' })
    t.equal((await ask(path, { method: 'POST' })).status, 405)
    for (const host of ['one.example, two.example', 'no host']) {
      const { status, body } = await ask(path, { headers: { host } })
      t.match([status, JSON.parse(body)], [400, problem(400, 'Bad Request', 'invalid_request', 'The request must name one host, in one Host header.')])
    }
    t.strictSame(await ask(path, { headers: { 'content-length': '2' }, body: '{}' }), { status: 200, headers, body }, 'a body means nothing')
  }
  t.match(await ask(LIST, { headers: { 'accept-encoding': 'gzip' } }), { headers: { 'content-encoding': 'gzip' } })
  t.equal((await ask('/status-lists/7')).status, 404)
})

t.test('other keys are published at once', async t => {
  const { ask, keyRing } = await open(t)
  const before = await ask(JWKS)
  t.strictSame(await ask(JWKS), before)
  const folder = join(t.testdirName, 'others')
  await makeRing({ folder }, Date.now())
  keyRing.adopt((await readRing({ folder }))!.parts)
  t.equal((await ask(JWKS)).body, keyRing.jwks.body)
  t.not((await ask(JWKS)).body, before.body)
})

t.test('a log that is told of every request is told of these', async t => {
  const { ask, lines } = await open(t, { LOG_LEVEL: 'debug' })
  await ask(JWKS)
  t.ok(lines.some(line => line.includes('"request answered"') && line.includes(JWKS)))
})
