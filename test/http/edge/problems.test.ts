// Every failure is a problem document that tells a person what to do and nobody what is inside.
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { sendRawProblem } from '../../../src/http/edge/problems.js'
import { EMAIL, PASSWORD, problem, testApp } from '../../test-app.js'

const SYNTAX = 'The request is not well-formed: its address, its headers or the JSON of its body cannot be read.'

t.test('what cannot be read, is too large, or of another type is refused', async t => {
  const { app, lines } = await testApp(t)
  const send = async (payload: string, type: string, url = '/login') => await app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } })
  const malformed = await send('{"email":"x","password":"hunter2hunter2"', 'application/json')
  t.equal(malformed.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.match(malformed.json(), problem(400, 'Bad Request', 'invalid_request', SYNTAX))
  t.notMatch(malformed.body + lines.join(''), /hunter2/)
  t.match((await send('{"__proto__":{}}', 'application/json')).json(), problem(400, 'Bad Request', 'invalid_request', SYNTAX))
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
    t.match((await send('email=x', type)).json(), problem(415, 'Unsupported Media Type', 'unsupported_media_type', 'The body must be JSON in UTF-8, sent as application/json and not compressed.'))
  }
  t.match((await send(JSON.stringify({ email: 'x'.repeat(16 * 1024) }), 'application/json')).json(), problem(413, 'Payload Too Large', 'payload_too_large', 'The body is larger than 16 KiB.'))
  t.match((await app.inject('/%zz')).json(), problem(400, 'Bad Request', 'invalid_request', SYNTAX))
  t.match((await send('', 'application/json')).json(), { code: 'invalid_request', errors: [{ field: 'body' }] })
})

t.test('of a body that is wrong in very many members the first twenty are named', async t => {
  const { post } = await testApp(t)
  const answer = await post('/login', Object.fromEntries(Array.from({ length: 1000 }, (_, member) => [`m${member}`, 1])))
  t.match([answer.statusCode, answer.json<{ errors: object[] }>().errors.length], [400, 20])
})

t.test('an empty JSON body is no body', async t => {
  const { app, register, login } = await testApp(t)
  await register()
  const { access_token: token } = await login()
  t.equal((await app.inject({ method: 'POST', url: '/logout', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } })).statusCode, 204)
})

t.test('an unknown route is 404, a wrong method 405 with those that are right', async t => {
  const { app } = await testApp(t)
  const nothing = problem(404, 'Not Found', 'not_found', 'There is nothing at this address.')
  for (const url of ['/nothing', '/tokens/', '/login/x', '/LOGIN']) t.match((await app.inject(url)).json(), nothing, url)
  const wrong = async (method: 'GET' | 'PUT' | 'OPTIONS', url: string, allow: string) => {
    const response = await app.inject({ method, url, payload: 'x', headers: { 'content-type': 'text/xml' } })
    t.equal(response.headers.allow, allow, url)
    t.match(response.json(), problem(405, 'Method Not Allowed', 'method_not_allowed', 'This address does not take that method; the Allow header names those it takes.'))
  }
  await wrong('PUT', '/login', 'POST')
  await wrong('PUT', '/token', 'POST, OPTIONS')
  await wrong('OPTIONS', '/user-info?x', 'GET, HEAD, PATCH')
  await wrong('PUT', '/tokens/x', 'DELETE')
})

t.test('a failure of ours says nothing of our insides, and its id finds the reason in the log', async t => {
  const { app, store, lines, post } = await testApp(t)
  store.findUserByEmail = async () => { throw new Error('the secret reason') }
  const response = await post('/login', { email: EMAIL, password: PASSWORD })
  t.equal(response.statusCode, 500)
  t.match(response.json(), problem(500, 'Internal Server Error', 'internal_error', 'Something went wrong in Signet; its log has the reason, under the request id.'))
  t.notMatch(response.body, /secret reason/)
  const line = JSON.parse(lines.find(line => line.includes('the secret reason'))!) as object
  t.match(line, { level: 50, request_id: response.json<{ request_id: string }>().request_id, path: '/login' })
  t.ok(app)
})

t.test('a store that is gone is a 503 with a time to come back', async t => {
  const { post, store } = await testApp(t)
  await store.close()
  const response = await post('/login', { email: EMAIL, password: PASSWORD })
  t.equal(response.headers['retry-after'], '1')
  t.match(response.json(), problem(503, 'Service Unavailable', 'unavailable', 'Signet cannot reach what it needs; try again in a moment.'))
})

t.test('what never becomes a request gets a problem document too', async t => {
  const { app } = await testApp(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const send = async (text: string) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => { answer += String(chunk) })
    socket.write(text)
    await once(socket, 'close')
    return answer
  }
  t.match(await send('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json[^]*"code":"invalid_request"/)
  t.match(await send(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 [^]*"code":"headers_too_large"/)
  t.match(await send('GET /user-info HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'), /^HTTP\/1\.1 401 /, 'a client need not say what it is')
  t.match(await send('GET /user-info HTTP/1.1\r\nhost: x\r\nexpect: the-moon\r\nconnection: close\r\n\r\n'), /^HTTP\/1\.1 401 [^]*"code":"invalid_token"/, 'what a server need not meet is not looked at')
  const reset = connect(port, '127.0.0.1')
  await once(reset, 'connect')
  reset.resetAndDestroy()
  t.equal((await fetch(`http://127.0.0.1:${port}/health/live`)).status, 200)
})

t.test('a connection that is gone is not written to', async t => {
  const calls: string[] = []
  const socket = { writable: true, destroy: () => { calls.push('destroy') }, end: (text: string) => { calls.push(text) } }
  sendRawProblem(Object.assign(new Error(), { code: 'ECONNRESET' }), socket as never, 'id')
  sendRawProblem(new Error(), { ...socket, writable: false } as never, 'id')
  t.strictSame(calls, ['destroy', 'destroy'])
  sendRawProblem(Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket as never, 'id')
  sendRawProblem(new Error(), socket as never, 'id')
  t.match(calls.slice(2), [/^HTTP\/1\.1 408 Request Timeout/, /^HTTP\/1\.1 400 Bad Request/])
})

t.test('whatever is sent to whatever route, it is never our fault', async t => {
  const { app } = await testApp(t)
  const member = fc.constantFrom('email', 'password', 'name', 'refresh_token', 'current_password', 'new_password', '__proto__', 'constructor')
  // By its number: a unit of fast-check's own begins with a map of all of them, which takes a second.
  const character = fc.integer({ min: 0, max: 0x10ffff }).filter(code => code < 0xd800 || code > 0xdfff).map(code => String.fromCodePoint(code))
  const body = fc.oneof(fc.json(), fc.string(), fc.dictionary(member, fc.oneof(fc.string({ unit: character }), fc.jsonValue())).map(value => JSON.stringify(value)))
  const url = fc.oneof(fc.constantFrom('/register', '/login', '/refresh', '/logout', '/tokens', '/tokens/x', '/change-password', '/user-info', '/revoke-all-tokens'), fc.webPath().map(path => `/${path}`.replace(/^\/+/, '/')))
  const type = fc.constantFrom('application/json', 'text/plain', 'application/json; charset=latin1')
  const authorization = fc.oneof(fc.base64String().map(text => `Bearer ${text}`), fc.constant(''))
  await fc.assert(fc.asyncProperty(fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT'), url, body, type, authorization, async (method, url, payload, type, authorization) => {
    const response = await app.inject({ method: method as 'GET', url, payload, headers: { 'content-type': type, authorization } })
    return response.statusCode < 500
  }), { numRuns: 500 })
  t.pass('500 requests')
})
