// Every request is timed by its route, whoever answers it; and nothing that a client may choose is a series of its own.
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SEPARATOR, Tally } from '../../../src/metrics/tally.js'
import { dial, readAll } from '../raw-client.js'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'

const TIMES = 'http_server_request_duration_seconds'

async function open (t: Test, env: Record<string, string> = {}) {
  const tally = new Tally()
  const signet = await testApp(t, { ISSUER: 'https://signet.example', DOCS: 'true', ...env }, { meter: tally })
  await signet.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = signet.app.server.address() as AddressInfo
  const ask = async (method: string, path: string, { body = '', headers = {} }: { body?: string, headers?: Record<string, string> } = {}) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers: { ...(body && { 'content-type': 'application/json' }), ...headers }, agent: false }).end(body)
    const [response] = await once(asked, 'response') as [IncomingMessage]
    await once(response.resume(), 'end')
    return response.statusCode!
  }
  const seen = () => Object.fromEntries(Object.entries(tally.samples()[TIMES]!).map(([key, [, ...buckets]]) => [key.replaceAll(SEPARATOR, ' '), buckets.reduce((sum, count) => sum + count, 0)]))
  return { ...signet, tally, port, ask, seen }
}

/** Waits for what is seen in the end: an answer may be there before it is counted. */
async function until (isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(5)
}

t.test('what is answered by a route, or from memory ahead of it, counts by the route\'s pattern', async t => {
  const { ask, seen } = await open(t)
  while (await ask('GET', '/status-lists/0') !== 200) await pause(20)
  await ask('GET', '/.well-known/jwks.json')
  await ask('GET', '/.well-known/jwks.json', { headers: { 'if-none-match': '*' } })
  await ask('HEAD', '/.well-known/jwks.json')
  await ask('POST', '/register', { body: JSON.stringify({ email: EMAIL, password: PASSWORD }) })
  await ask('POST', '/login', { body: JSON.stringify({ email: EMAIL, password: 'wrong' }) })
  await ask('DELETE', '/tokens/5b2f6ff2-0f0e-4d53-8dc5-d6c8f4a02f0b')
  await ask('GET', '/authorize?client_id=nobody')
  await until(() => 'GET /authorize 400' in seen())
  const { 'GET /status-lists/:list 503': _, ...answered } = seen()
  t.strictSame(answered, {
    'GET /status-lists/:list 200': 1, 'GET /.well-known/jwks.json 200': 1, 'GET /.well-known/jwks.json 304': 1, 'HEAD /.well-known/jwks.json 200': 1,
    'POST /register 201': 1, 'POST /login 401': 1, 'DELETE /tokens/:id 401': 1, 'GET /authorize 400': 1,
  })
})

t.test('hostile methods, paths, hosts, agents and addresses make no series of their own', async t => {
  const { ask, seen, tally, port } = await open(t, { RATE_LIMIT: 'true', RATE_LIMIT_LOGIN_MAX: '5' })
  const size = () => Object.values(tally.samples()).reduce((sum, series) => sum + Object.keys(series).length, 0)
  let sent = 0
  const storm = async (word: string) => {
    const answers = []
    for (const method of ['GET', 'POST', 'PUT', 'OPTIONS', 'PROPFIND', 'M-SEARCH']) {
      for (const path of [`/${word}`, `/tokens/${word}`, `/status-lists/${word}`, `/.well-known/jwks.json?${word}`, `/${word}%zz`, `//${word}`, `/login?${word}`, `/oauth/${word}.js`, `/docs/${word}`]) {
        answers.push(await ask(method, path, { headers: { 'user-agent': word, 'x-forwarded-for': word, authorization: `Bearer ${word}`, origin: `https://${word}.example`, traceparent: word } }))
      }
    }
    for (let at = 0; at < 10; at++) answers.push(await ask('POST', '/login', { body: JSON.stringify({ email: `${word}${at}@${word}.example`, password: word }), headers: { 'user-agent': word } }))
    answers.push(await ask('POST', '/refresh', { body: JSON.stringify({ refresh_token: word }) }))
    answers.push(await ask('GET', '/', { headers: { host: `${word} ${word}` } }))
    answers.push(await ask('POST', '/token', { body: `grant_type=${word}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }))
    const raw = await dial(t, port)
    raw.write(`${word.toUpperCase()} /${word} HTTP/1.1\r\nhost: x\r\n\r\n`)
    t.match(await readAll(raw), /^HTTP\/1\.1 400 /)
    sent += answers.length
    await until(() => Object.values(seen()).reduce((sum, count) => sum + count) === sent)
  }
  await storm('first')
  const before = size()
  for (const word of ['second', 'third']) await storm(word)
  t.equal(size(), before)
  t.notMatch(Object.keys(seen()).join(' '), /first|second|third/)
  t.match(seen(), { 'GET _OTHER 404': Number, '_OTHER _OTHER 404': Number, 'GET _OTHER 400': Number, 'PUT _OTHER 405': Number, 'POST /login 401': Number, 'POST /login 429': Number })
  t.match(tally.samples(), { signet_rate_limited_total: { login: [Number] } })
})

t.test('a request that has no answer yet is not counted', async t => {
  const { port, seen } = await open(t)
  const socket = await dial(t, port)
  socket.write('POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{')
  await pause(50)
  t.strictSame(seen(), {})
})
