// From which address a request comes and to which host it goes, whatever it says of itself.
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { addForwarding, HEADER_OPTIONS } from '../../../src/http/edge/forwarding.js'
import { testApp } from '../../test-app.js'
import { bearer, login, register } from '../client.js'

interface Seen { ip: string, host: string, protocol: string }

/** Answers what a request was taken for, at a server that trusts these proxies. */
async function seer (t: Test, trustProxy: string) {
  const app = Fastify({ http: HEADER_OPTIONS })
  addForwarding(app, trustProxy)
  app.get('/', ({ ip, host, protocol }) => ({ ip, host, protocol }))
  app.get('/gone', request => {
    Object.assign(request.raw.socket, { remoteAddress: undefined })
    return request.ip
  })
  t.teardown(async () => { await app.close() })
  const see = async (headers: Record<string, string>, remoteAddress = '10.0.0.1') => (await app.inject({ url: '/', headers, remoteAddress })).json<Seen>()
  const from = async (list: string, remoteAddress?: string) => (await see({ 'x-forwarded-for': list }, remoteAddress)).ip
  return { app, see, from }
}

t.test('an address has one spelling, without the port that a proxy adds', async t => {
  const { from } = await seer(t, '10.0.0.0/8')
  for (const [told, address] of [
    ['203.0.113.9', '203.0.113.9'], ['203.0.113.9:50001', '203.0.113.9'], [' 203.0.113.9 ', '203.0.113.9'], ['::ffff:203.0.113.9', '203.0.113.9'], ['::FFFF:cb00:7109', '203.0.113.9'],
    ['[::ffff:203.0.113.9]:4711', '203.0.113.9'], ['2001:db8::1', '2001:db8::1'], ['2001:DB8:0:0::1', '2001:db8::1'], ['[2001:db8::1]', '2001:db8::1'], ['[2001:db8::1]:4711', '2001:db8::1'],
  ] as const) t.equal(await from(told), address, told)
})

t.test('what is no address is the proxy that told it', async t => {
  const { from } = await seer(t, '10.0.0.0/8')
  for (const told of [
    '', ' ', ',', 'unknown', '_hidden', 'x'.repeat(9_000), '203.0.113.9:', '203.0.113.9:x', '203.0.113.9:1234567', '203.0.113.256', '1.2.3', '0x7f.1', '010.0.0.9', '[2001:db8::1', '2001:db8::1]',
    '[2001:db8::1]x', '2001:db8::g', `fe80::1%${'x'.repeat(9_000)}`, '[fe80::1%eth0]:1', 'for=203.0.113.9', '"203.0.113.9"', '203.0.113.9 198.51.100.7', 'http://203.0.113.9',
  ]) {
    t.equal(await from(told), '10.0.0.1', told.slice(0, 40))
    t.equal(await from(`198.51.100.7, ${told}, 10.0.0.2`), '10.0.0.2', `… ${told.slice(0, 40)}, 10.0.0.2`)
  }
})

t.test('the client is the last address that somebody trusted tells', async t => {
  const list = '198.51.100.7, 203.0.113.9:1, [fd00::2]:2, 10.0.0.2:3'
  for (const [trust, address, peer] of [
    ['', '10.0.0.1'], ['0', '10.0.0.1'], ['1', '10.0.0.2'], ['2', 'fd00::2'], ['3', '203.0.113.9'], ['9', '198.51.100.7'],
    ['10.0.0.1', '10.0.0.2'], ['10.0.0.0/8', 'fd00::2'], ['10.0.0.0/8, fd00::/8', '203.0.113.9'], ['::ffff:10.0.0.0/104,fd00::2', '203.0.113.9'], ['0.0.0.0/0, ::/0', '198.51.100.7'],
    ['192.0.2.1', '10.0.0.1'], ['192.0.2.1', '192.0.2.7', '192.0.2.7'], ['10.0.0.1', '10.0.0.2', '::ffff:10.0.0.1'], ['fe80::1', '10.0.0.2', 'fe80::1%eth0'],
  ] as const) t.equal(await (await seer(t, trust)).from(list, peer), address, `${trust} ${peer ?? ''}`)
})

t.test('an IPv4 client of a socket for both families is itself, and a connection that is gone is nobody', async t => {
  const { app, see } = await seer(t, '')
  t.equal((await see({}, '::ffff:203.0.113.9')).ip, '203.0.113.9')
  t.equal((await see({}, 'fe80::1%eth0')).ip, 'fe80::1')
  t.equal((await app.inject('/gone')).body, '::')
})

t.test('host and protocol are those that the nearest trusted proxy says, where they can be any', async t => {
  const own = { ip: '10.0.0.1', host: 'id.example', protocol: 'http' }
  const trusting = await seer(t, '10.0.0.1')
  const told = async (host: string, protocol: string, remoteAddress?: string) => await trusting.see({ host: 'id.example', 'x-forwarded-host': host, 'x-forwarded-proto': protocol }, remoteAddress)
  t.strictSame(await told('evil.example, login.example:8443', 'http, https'), { ...own, host: 'login.example:8443', protocol: 'https' })
  t.strictSame(await told('[2001:db8::1]:443', 'http'), { ...own, host: '[2001:db8::1]:443' })
  for (const host of ['', 'a b', 'id.example@evil.example', 'evil.example/', 'evil.example?', 'evil.example#', 'evil.example\\', 'login.example, ']) t.strictSame(await told(host, 'http'), own, host)
  for (const protocol of ['', 'HTTPS', 'wss', 'javascript', 'https://evil.example/?', 'https, ']) t.strictSame(await told('', protocol), own, protocol)
  t.strictSame(await told('login.example', 'https', '10.0.0.2'), { ...own, ip: '10.0.0.2' }, 'from somebody else it is not looked at')
  t.strictSame(await (await seer(t, '')).see({ host: 'id.example', 'x-forwarded-host': 'login.example', 'x-forwarded-proto': 'https' }), own)
})

t.test('a request that names no host, or two, is refused; so is one that says twice who asks or what it brings', async t => {
  const { app } = await testApp(t)
  await register(app)
  const { authorization } = bearer(await login(app))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ask = async (version: string, headers: string[], path = '/user-info', method = 'GET', body = '') => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => { answer += String(chunk) })
    socket.write([`${method} ${path} HTTP/${version}`, 'connection: close', ...headers, '', body].join('\r\n'))
    await once(socket, 'close')
    const [, status, code] = /^HTTP\/1\.1 (\d+) [^]*?(?:"code":"(\w+)"[^]*)?$/.exec(answer)!
    return code ? `${status} ${code}` : status
  }
  const one = `authorization: ${authorization}`
  for (const host of ['id.example', 'id.example:3000', 'ID_1.example', '[::1]', '[2001:db8::1]:3000', '']) t.equal(await ask('1.1', [`host: ${host}`, one]), '200', host)
  t.equal(await ask('1.0', [one]), '200', 'HTTP/1.0 may leave it out')
  t.equal(await ask('1.0', ['origin: http://id.example', 'content-length: 29', 'content-type: application/json'], '/refresh', 'POST', '{"refresh_token_in":"cookie"}'), '403 foreign_origin', 'but is nobody\'s origin then')
  for (const hosts of [[], ['a', 'b'], ['a', 'a'], ['a, b'], ['a b'], ['a/b'], ['a@b'], ['a?'], ['a:x'], ['[::1'], ['m\xfcnchen.example']]) {
    t.equal(await ask('1.1', [...hosts.map(host => `host: ${host}`), one]), '400 invalid_request', hosts.join(' and '))
  }
  t.equal(await ask('1.0', ['host: a', 'Host: b', one]), '400 invalid_request')
  t.equal(await ask('1.1', ['host: a', 'host: b'], '/nothing'), '400 invalid_request')
  t.equal(await ask('1.1', ['host: a', one, one]), '401 invalid_token')
  t.equal(await ask('1.1', ['host: a', one, 'authorization: Bearer x']), '401 invalid_token')
  t.equal(await ask('1.1', ['host: a', 'content-length: 2', 'content-type: application/json', 'content-type: text/plain'], '/login', 'POST', '{}'), '415 unsupported_media_type')
  t.equal(await ask('1.1', ['host: a', 'content-length: 2', 'content-length: 3', 'content-type: application/json'], '/login', 'POST', '{}'), '400 invalid_request')
})

t.test('limits, logs and devices see the address alone', async t => {
  const { app, post, lines } = await testApp(t, { TRUST_PROXY: '127.0.0.1', RATE_LIMIT: 'on', RATE_LIMIT_LOGIN_MAX: '2' })
  await register(app)
  const credentials = { email: 'ada@example.com', password: 'correct horse battery' }
  const statuses: number[] = []
  for (const port of [50001, 50002, 50003]) statuses.push((await post('/login', credentials, { 'x-forwarded-for': `203.0.113.9:${port}` })).statusCode)
  for (const address of ['[2001:db8::1]:1', '2001:DB8::1', '[2001:db8::2]:3']) statuses.push((await post('/login', credentials, { 'x-forwarded-for': address })).statusCode)
  t.strictSame(statuses, [200, 200, 429, 200, 200, 429])
  const { access_token: token } = (await post('/login', credentials, { 'x-forwarded-for': 'x'.repeat(9_000) })).json<{ access_token: string }>()
  const devices = (await app.inject({ url: '/tokens', headers: bearer(token) })).json<{ tokens: Array<{ ip: string }> }>().tokens.map(({ ip }) => ip)
  t.strictSame(devices.sort(), ['127.0.0.1', '2001:db8::1', '2001:db8::1', '203.0.113.9', '203.0.113.9'])
  await app.inject({ url: '/%zz', headers: { 'x-forwarded-for': 'x'.repeat(9_000) } })
  t.match(lines.at(-1), /"code":"invalid_request".*"ip":"127\.0\.0\.1"/, 'what never reaches a route as well')
})
