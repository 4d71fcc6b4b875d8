// The process: starts on nothing, refuses in one sentence, serves TLS, and ends gracefully.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { get, request } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { readConfig } from '../src/config.js'
import { planRotation } from '../src/core/key-life-cycle.js'
import { changeRing } from '../src/keyring/ring-changes.js'
import { readManifest } from '../src/keyring/ring-files.js'
import { start } from '../src/server.js'
import { openStore } from '../src/store/open-store.js'
import { certificateFor } from './certificates.js'
import { plainNode } from './compiled.js'
import { freePort } from './free-port.js'
import { dial, get as httpGet, readAll, readAnswer } from './http/raw-client.js'
import { makeOlder, makeRing } from './keyring/rings.js'
import { openHouse } from './mail/smtp-house.js'
import type { Command } from './program.js'
import { createVerifier } from '../src/verifier/verifier.js'
import { ask, AT_ONCE, MEASURED, run, settings, withRing } from './server-process.js'

t.test('a server starts on an empty folder, says what it made and where its pages are, and ends at SIGTERM with what it was doing', async t => {
  const env = settings(t, { LOG_LEVEL: 'info' })
  const { child, ready, ended, output } = run(t, env)
  const url = await ready()
  t.match(output.out, `"The keys are in ${env.KEYS_DIR}, and the users in ${env['DATABASE_URL']!.slice('file:'.length)}"`)
  t.match(output.out, '"Signet made a key ring and an empty file of users there, for there was none. Where it has run before, it was started in another folder, or with other settings: KEYS_DIR, DATABASE_URL"')
  t.match(output.out, `"Signet is ready: ${url}/docs, for people: ${url}/account, issuer: ${url}"`)
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  const body = JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery' })
  const inFlight = fetch(`${url}/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  await new Promise(resolve => { setTimeout(resolve, 50) })
  child.kill('SIGTERM')
  t.equal((await inFlight).status, 201)
  t.match(await ended, { code: 0, err: '' })
  const file = env['DATABASE_URL']!.slice('file:'.length)
  copyFileSync(file, `${file}.copy`)
  const copy = await openStore(`file:${file}.copy`)
  t.match(await copy.findUserByEmail('ada@example.com'), { email: 'ada@example.com' }, 'whose one file is whole')
  await copy.close()
})

t.test('a production without a ring refuses to start and names the command that makes one', async t => {
  const env = settings(t, { NODE_ENV: 'production', ISSUER: 'https://id.example' })
  t.strictSame(await run(t, env).ended, { code: 1, out: '', err: `There is no key ring in ${env.KEYS_DIR}: make one with \`npm run keys:generate\`.\n` })
  await t.rejects(start(readConfig(env), AT_ONCE), { message: `There is no key ring in ${env.KEYS_DIR}: make one with \`npm run keys:generate\`.` })
  t.match(await run(t, env, plainNode('scripts/keys-generate.ts')).ended, { code: 0, out: `Made a key ring in ${env.KEYS_DIR}.\n`, err: '' })
  const { ready, child, ended, output } = run(t, { ...env, LOG_LEVEL: 'info', ACCOUNT_PAGE: 'false' })
  const url = await ready()
  t.match(output.out, `"Signet is ready: ${url}, issuer: https://id.example"`, 'a production has no docs')
  t.match(output.out, '"Signet made an empty file of users there')
  t.equal((await fetch(`${url}/docs/json`)).status, 404)
  child.kill('SIGINT')
  t.match(await ended, { code: 0, err: '' })
})

t.test('a bad setting is one sentence and no stack', async t => {
  t.strictSame(await run(t, settings(t, { PORT: 'x' }), MEASURED).ended, { code: 1, out: '', err: 'The setting PORT must be a whole number from 0 to 65535, in digits.\n' })
})

t.test('two servers that start at once on one folder end with one ring', async t => {
  const env = settings(t, { DOCS: 'off', ACCOUNT_PAGE: 'false' })
  const servers = await Promise.all([1, 2, 3].map(async () => await start(readConfig(env), AT_ONCE)))
  t.teardown(async () => { await Promise.all(servers.map(async ({ stop }) => { await stop() })) })
  const answers = await Promise.all(servers.map(async ({ app }) => (await app.inject('/.well-known/jwks.json')).body))
  t.equal(new Set(answers).size, 1)
})

t.test('a running server follows its key ring without a restart, and says so where it cannot', async t => {
  const env = await withRing(settings(t))
  const { app, stop } = await start(readConfig(env), AT_ONCE)
  t.teardown(stop)
  const jwks = async () => (await app.inject('/.well-known/jwks.json')).json<{ keys: Array<{ kid: string }> }>().keys.map(({ kid }) => kid)
  const until = async (isSo: () => Promise<boolean>) => {
    const began = Date.now()
    while (!await isSo() && Date.now() - began < 10_000) await new Promise(resolve => { setTimeout(resolve, 20) })
    return Date.now() - began
  }
  const before = await jwks()
  await changeRing({ folder: env.KEYS_DIR }, { kind: 'signing', now: Date.now(), by: 'command', plan: keys => planRotation(keys, Date.now(), { prepublish: 0, urgency: 'regular' }) }, { milliseconds: 0 })
  const took = await until(async () => (await jwks()).length === 3)
  t.ok(took < 2_000, `${took} ms`)
  t.strictSame((await jwks()).slice(0, 2), before)
  chmodSync(env.KEYS_DIR, 0o755)
  writeFileSync(join(env.KEYS_DIR, 'manifest.json'), '{}')
  const ready = async () => (await app.inject('/health/ready')).json<{ status: string }>().status
  await until(async () => await ready() === 'degraded')
  t.equal(await ready(), 'degraded')
  t.equal((await jwks()).length, 3)
})

/** Makes every clock of a process go so fast that hours pass in seconds, as long as a server watches its clock before it keeps its ring up. */
const HURRY = `data:text/javascript,${encodeURIComponent(`
for (const clock of [Date, performance]) {
  const now = clock.now.bind(clock)
  const start = now()
  clock.now = () => start + (now() - start) * 10_000
}`)}`
const HURRIED: Command = [MEASURED[0], `--import=${HURRY}`, ...MEASURED.slice(1)]

t.test('a server keeps its ring up by itself', async t => {
  const env = settings(t, { KEY_PREPUBLISH: '0', LOG_LEVEL: 'info' })
  await makeRing({ folder: env.KEYS_DIR }, Date.now() - 91 * 86_400_000)
  const { ready, output, child, ended } = run(t, env, HURRIED)
  await ready()
  while (!output.out.includes('"kind":"refresh"')) await new Promise(resolve => { setTimeout(resolve, 20) })
  t.match(output.out, /"kind":"signing","steps":\[.*"msg":"key ring kept up"/)
  t.match(output.out, /"msg":"key ring changed; these keys are active"/)
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
})

t.test('a ring that cannot be kept up is said in the log, and the server serves on', async t => {
  const env = settings(t, { KEY_PREPUBLISH: '0', LOG_LEVEL: 'info' })
  await makeRing({ folder: env.KEYS_DIR }, Date.now() - 91 * 86_400_000)
  rmSync(join(env.KEYS_DIR, 'lock'))
  mkdirSync(join(env.KEYS_DIR, 'lock'))
  const { ready, output, child, ended } = run(t, env, HURRIED)
  const url = await ready()
  while (!output.out.includes('the key ring could not be kept up')) await new Promise(resolve => { setTimeout(resolve, 20) })
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
})

t.test('a ring of before there were sealing secrets gets them from a server as it starts; one that leaves the ring to commands goes on without, and says so once', async t => {
  const env = await withRing(settings(t, { LOG_LEVEL: 'info' }))
  makeOlder(env.KEYS_DIR)
  const left = run(t, { ...env, KEY_ROTATION_DAYS: '0' }, MEASURED)
  const url = await left.ready()
  while (!left.output.out.includes('the key ring has no sealing secret')) await new Promise(resolve => { setTimeout(resolve, 20) })
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  const { ready, output, child, ended } = run(t, { ...env, DATABASE_URL: `${env['DATABASE_URL']!}-other` })
  await ready()
  while (!left.output.out.includes('key ring changed')) await new Promise(resolve => { setTimeout(resolve, 20) })
  t.match(output.out, /"kind":"sealing","steps":\[.*"msg":"key ring kept up"/)
  t.strictSame((await readManifest(env.KEYS_DIR)).sealing!.map(({ state }) => state), ['active', 'next'])
  for (const one of [child, left.child]) one.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
  t.match(await left.ended, { code: 0, err: '' })
  t.equal(left.output.out.match(/the key ring has no sealing secret/g)!.length, 1)
})

t.test('a port that is taken is said in one sentence', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  await t.rejects(start(readConfig(await withRing(settings(t, { PORT: String(port) })))), { message: `Port ${port} of 127.0.0.1 is taken: stop what listens there, or set PORT.` })
})

t.test('metrics have a listener of their own, which tells of the keys, the store and the requests, and ends with Signet', async t => {
  const metricsPort = await freePort()
  const { app, stop } = await start(readConfig(settings(t, { METRICS_PORT: String(metricsPort) })), AT_ONCE)
  t.teardown(stop)
  const { port } = app.server.address() as AddressInfo
  const read = async () => await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  t.equal((await ask(`http://127.0.0.1:${port}/metrics`)).status, 404, 'not where everybody asks')
  t.equal((await ask(`http://127.0.0.1:${port}/login`, { email: 'ada@example.com', password: 'wrong' })).status, 401)
  const text = await read()
  for (const series of [
    'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/login",http_response_status_code="401"} 1', 'signet_logins_total{outcome="failed"} 1', 'signet_workers 1',
    'signet_hash_duration_seconds_count 1', 'signet_hash_queue_length 0',
  ]) t.match(text, `\n${series}\n`)
  for (const kind of ['signing', 'refresh', 'sealing']) for (const state of ['next', 'active']) t.match(text, new RegExp(`\nsignet_key_age_seconds{kind="${kind}",state="${state}"} \\d`))
  for (const series of [/^signet_connections \d/m, /^signet_store_operation_duration_seconds_count\{operation="findUserByEmail",outcome="ok"\} [1-9]/m]) t.match(text, series)
  await stop()
  await t.rejects(read())
})

t.test('a port of metrics that is taken is said in one sentence', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  await t.rejects(start(readConfig(settings(t, { METRICS_PORT: String(port) }))), { message: `Port ${port} of 127.0.0.1 is taken: stop what listens there, or set METRICS_PORT.` })
  await t.rejects(start(readConfig(settings(t, { METRICS_PORT: '0', METRICS_HOST: '192.0.2.1' }))), { message: 'The setting METRICS_HOST is not an address of this machine: 192.0.2.1.' })
  await t.rejects(start(readConfig(settings(t, { METRICS_PORT: '0', PORT: String(port) }))), { message: /^Port \d+ of 127\.0\.0\.1 is taken: stop what listens there, or set PORT\.$/ }, 'and a listener that was open is closed')
})

t.test('a store that cannot be opened is said with the setting that names it', async t => {
  await t.rejects(start(readConfig(await withRing(settings(t, { DATABASE_URL: 'file::memory:' })))), { message: 'The setting DATABASE_URL cannot be used. The store file::memory: cannot be opened: a database in memory is none that lasts; name a file.' })
})

t.test('an address that is not ours is said in one sentence', async t => {
  await t.rejects(start(readConfig(await withRing(settings(t, { HOST: '192.0.2.1' })))), { message: 'The setting HOST is not an address of this machine: 192.0.2.1.' })
  await t.rejects(start(readConfig(await withRing(settings(t, { HOST: '192.0.2.1', ISSUER: 'https://id.example' })))), { message: 'The setting HOST is not an address of this machine: 192.0.2.1.' }, 'whether the port is looked for first or not')
  await t.rejects(start(readConfig(await withRing(settings(t, { HOST: 'nowhere.invalid' })))), { message: /^The setting HOST is a name that (is not found|cannot be looked up now): nowhere\.invalid\.$/ })
  await t.rejects(start(readConfig(await withRing(settings(t, { HOST: 'fe80::1' })))), { message: 'The setting HOST is not an address that Signet can listen on: fe80::1.' })
})

for (const HOST of ['127.0.0.1', 'localhost']) {
  t.test(`without an issuer that is set, the free port that was found is in every token, at ${HOST}`, async t => {
    const { app, stop } = await start(readConfig(await withRing(settings(t, { HOST }))), AT_ONCE)
    t.teardown(stop)
    const url = `http://${HOST}:${(app.server.address() as AddressInfo).port}`
    const account = { email: 'ada@example.com', password: 'correct horse battery' }
    await ask(`${url}/register`, account)
    const { access_token: token } = (await ask(`${url}/login`, account)).body as { access_token: string }
    t.equal((JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { iss: string }).iss, url)
    t.equal((await createVerifier({ issuer: url, audience: 'signet' }).verify(token)).iss, url, 'and verifiers find its keys there')
    const cookie = await fetch(`${url}/login`, { method: 'POST', headers: { 'content-type': 'application/json', origin: url }, body: JSON.stringify({ ...account, refresh_token_in: 'cookie' }) })
    t.equal(cookie.status, 200, 'and its pages are its own')
  })
}

t.test('a database that MongoDB chooses is said in the log', async t => {
  const env = await withRing(settings(t, { DATABASE_URL: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=10' }))
  const { stop } = await start(readConfig(env), AT_ONCE)
  await stop()
  const { output, child, ended } = run(t, { ...env, LOG_LEVEL: 'info' })
  // It is not ready, for nobody answers there.
  while (!output.out.includes('Signet listens on')) await once(child.stdout, 'data')
  t.match(output.out, /"level":40,.*"database":"test","msg":"DATABASE_URL names no database, so that MongoDB's own default is used; add it to the URL, as in mongodb:\/\/host\/signet"/)
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
})

t.test('a name of .env that is nobody\'s is said once, and does not keep Signet from its start', async t => {
  const env = await withRing(settings(t))
  writeFileSync(join(t.testdirName, '.env'), 'MONGODB_PASSWORD=x\n')
  const { ready, child, ended } = run(t, { ...env, LOG_LEVEL: 'info' })
  await ready()
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: 'The file .env names what is not a setting of Signet, and does not count: MONGODB_PASSWORD.\n' })
})

t.test('a request that never ends does not keep the process', async t => {
  const server = await start(readConfig(await withRing(settings(t))), { linger: 0, settle: 0, patience: 100 })
  const { port } = server.app.server.address() as AddressInfo
  const { connect } = await import('node:net')
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{')
  await new Promise(resolve => { setTimeout(resolve, 50) })
  await server.stop()
  t.pass('stopped')
})

t.test('with a certificate Signet speaks HTTPS, and says that it will go on doing so', async t => {
  const env = await withRing(settings(t))
  const { paths: { cert, key } } = certificateFor(t)
  const { app, stop } = await start(readConfig({ ...env, TLS_CERT_FILE: cert, TLS_KEY_FILE: key }), AT_ONCE)
  t.teardown(stop)
  const { port } = app.server.address() as AddressInfo
  const [response] = await once(get({ port, path: '/health/live', rejectUnauthorized: false, agent: false }), 'response')
  response.resume()
  t.equal(response.headers['strict-transport-security'], 'max-age=63072000')
  const host = `id.example:${port}`
  const refresh = request({ port, path: '/refresh', method: 'POST', headers: { host, origin: `https://${host}`, 'content-type': 'application/json' }, rejectUnauthorized: false, agent: false })
  const [refused] = await once(refresh.end('{"refresh_token_in":"cookie"}'), 'response')
  refused.resume()
  t.equal(refused.statusCode, 401, 'its pages are its own by their HTTPS address')
  const wide = await start(readConfig({ ...env, TLS_CERT_FILE: cert, TLS_KEY_FILE: key, HSTS_INCLUDE_SUBDOMAINS: 'true' }), AT_ONCE)
  t.teardown(wide.stop)
  const [answer] = await once(get({ port: (wide.app.server.address() as AddressInfo).port, path: '/health/live', rejectUnauthorized: false, agent: false }), 'response')
  answer.resume()
  t.equal(answer.headers['strict-transport-security'], 'max-age=63072000; includeSubDomains')
})

t.test('a certificate that cannot be read is one sentence', async t => {
  const env = settings(t, { TLS_CERT_FILE: '/nowhere/cert.pem', TLS_KEY_FILE: '/nowhere/key.pem' })
  await t.rejects(start(readConfig(env)), { message: 'The setting TLS_CERT_FILE names a file that cannot be read: it is not there.' })
  t.notOk(existsSync(env.KEYS_DIR))
})

t.test('certificates that are replaced are taken within seconds, a pair that does not fit is not, and that is degraded; SIGHUP looks at once', async t => {
  const env = await withRing(settings(t, { LOG_LEVEL: 'info' }))
  const [one, other] = [certificateFor(t), certificateFor(t)]
  const { child, ready, ended, output } = run(t, { ...env, TLS_CERT_FILE: one.paths.cert, TLS_KEY_FILE: one.paths.key }, MEASURED)
  const port = Number(new URL((await ready())).port)
  const ask = async (path: string) => {
    const [response] = await once(get({ port, path, rejectUnauthorized: false, agent: false }), 'response') as [IncomingMessage]
    const printed = (response.socket as TLSSocket).getPeerCertificate().fingerprint256
    return { printed, body: await new Response(Readable.toWeb(response) as ReadableStream).json() as { status: string, reason?: string } }
  }
  const before = await ask('/health/ready')
  t.strictSame(before.body, { status: 'ok' })
  copyFileSync(other.paths.cert, one.paths.cert)
  child.kill('SIGHUP')
  while (!output.out.includes('the TLS files cannot be used; the certificate in use is kept')) await once(child.stdout, 'data')
  let now = await ask('/health/ready')
  while (now.body.status === 'ok') now = await ask('/health/ready')
  t.strictSame(now, { printed: before.printed, body: { status: 'degraded', reason: 'The TLS files cannot be used, and the certificate before them is kept; the log says why.' } })
  copyFileSync(other.paths.key, one.paths.key)
  while (!output.out.includes('certificate changed')) await once(child.stdout, 'data')
  t.not((await ask('/health/live')).printed, before.printed)
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
})

t.test('a proxy ends a connection before Signet does; others need none for so long', async t => {
  const env = await withRing(settings(t))
  for (const [TRUST_PROXY, seconds] of [['', 30], ['127.0.0.1', 72]] as const) {
    const { app, stop } = await start(readConfig({ ...env, TRUST_PROXY }), { linger: 0, settle: 0, patience: 0 })
    const answer = await fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/health/live`)
    t.equal(answer.headers.get('keep-alive'), `timeout=${seconds}`)
    await stop()
  }
})

t.test('a server outlives whoever reads its log', async t => {
  const { child, ready, ended } = run(t, await withRing(settings(t, { LOG_LEVEL: 'debug' })), MEASURED)
  const url = await ready()
  for (const stream of [child.stdout, child.stderr]) stream.destroy()
  for (let turn = 0; turn < 3; turn++) t.equal((await fetch(`${url}/health/live`)).status, 200)
  child.kill('SIGTERM')
  t.match(await ended, { code: 0 })
})

t.test('at SIGTERM a server says that it is not ready, goes on serving who is connected, and is gone within two seconds', async t => {
  const { child, ready, ended, output } = run(t, await withRing(settings(t, { LOG_LEVEL: 'info' })), MEASURED)
  const port = Number(new URL(await ready()).port)
  const [one, other] = [await dial(t, port), await dial(t, port)]
  one.write(httpGet('/health/live'))
  t.match(await readAnswer(one), /^HTTP\/1\.1 200 [^]*connection: keep-alive/i)
  child.kill('SIGTERM')
  // The signal is seen soon after it was sent.
  let answer = ''
  do {
    const socket = await dial(t, port)
    socket.write(httpGet('/health/ready'))
    answer = await readAnswer(socket)
  } while (answer.includes('200 OK'))
  t.match(answer, /^HTTP\/1\.1 503 [^]*\{"status":"unavailable","reason":"Signet is stopping\."\}$/)
  const rest = readAll(one)
  one.write(httpGet('/health/ready'))
  t.match(await rest, /^HTTP\/1\.1 503 [^]*connection: close[^]*"Signet is stopping\."\}$/i)
  const last = readAll(other)
  other.write(httpGet('/.well-known/jwks.json'))
  t.match(await last, /^HTTP\/1\.1 200 [^]*connection: close/i)
  t.match(await ended, { code: 0, err: '' })
  t.notMatch(output.out, 'Service Unavailable')
})

t.test('a second signal does not cut short what the first one began, and what waits for a thread does not hold up the end', async t => {
  const { child, ready, ended } = run(t, await withRing(settings(t, { LOG_LEVEL: 'info', BCRYPT_COST: '12', HASH_QUEUE: '100', RATE_LIMIT: 'off' })))
  const url = await ready()
  const logIns = Promise.all(Array.from({ length: 60 }, async (_, index) => await ask(`${url}/login`, { email: `nobody-${index}@example.com`, password: 'correct horse battery' })))
  await ask(`${url}/health/live`)
  child.kill('SIGTERM')
  child.kill('SIGTERM')
  child.kill('SIGINT')
  for (const { status, retryAfter } of await logIns) t.match({ status, retryAfter }, status === 401 ? { retryAfter: null } : { status: 503, retryAfter: /^[12]$/ })
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
})

t.test('while no write can be kept the server is not ready, goes on reading, and can be stopped', { skip: existsSync('/usr/bin/prlimit') ? false : 'there is no prlimit' }, async t => {
  const { child, ready } = run(t, await withRing(settings(t, { LOG_LEVEL: 'info', RATE_LIMIT: 'off' })))
  const url = await ready()
  const limit = (bytes: string) => { execFileSync('/usr/bin/prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]) }
  const status = async (path: string, body?: object) => (await fetch(url + path, body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status
  t.equal(await status('/health/ready'), 200)
  // What a full disk is to the kernel: no file may grow.
  limit('0')
  t.equal(await status('/register', { email: 'ada@example.com', password: 'correct horse battery' }), 503)
  while (await status('/health/ready') === 200) await new Promise(resolve => { setTimeout(resolve, 50) })
  t.match(await (await fetch(`${url}/health/ready`)).json(), { status: 'unavailable', reason: 'The store takes no writes.' })
  t.equal(await status('/health/live'), 200)
  limit('unlimited')
  while (await status('/health/ready') !== 200) await new Promise(resolve => { setTimeout(resolve, 50) })
  t.equal(await status('/register', { email: 'ada@example.com', password: 'correct horse battery' }), 201)
  limit('0')
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'exit'), [0, null])
})

t.test('in development a mail is a file beside the users, which a stop waits for, and the log says where', async t => {
  const env = await withRing(settings(t, { DOCS: 'off', ACCOUNT_PAGE: 'false' }))
  const { app, stop } = await start(readConfig(env), AT_ONCE)
  const post = async (url: string, payload: object) => (await app.inject({ method: 'POST', url, payload })).statusCode
  t.equal(await post('/register', { email: 'ada@example.com', password: 'correct horse battery' }), 201)
  t.equal(await post('/forgot-password', { email: 'ada@example.com' }), 202)
  await stop()
  const folder = join(env['DATABASE_URL']!.slice('file:'.length), '../outbox')
  const [file] = readdirSync(folder)
  t.match(readFileSync(join(folder, file!), 'utf8'), /^To: ada@example\.com\r$/m)
  const running = run(t, { ...env, LOG_LEVEL: 'info' })
  const url = await running.ready()
  t.equal((await ask(`${url}/forgot-password`, { email: 'ada@example.com' })).status, 202)
  t.match(await running.end('SIGTERM'), { code: 0, err: '', out: new RegExp(`"Mails are not sent, but files in ${folder}: set MAIL_URL"[^]*"file":"${folder}/[^"]+\\.eml"`) })
})

t.test('with a mail server mails go there', async t => {
  const { arrived, port } = await openHouse(t, {})
  const env = await withRing(settings(t, { DOCS: 'off', ACCOUNT_PAGE: 'false', MAIL_URL: `smtp://127.0.0.1:${port}?starttls=never`, MAIL_FROM: 'Example <id@example.com>' }))
  const { app, stop } = await start(readConfig(env), AT_ONCE)
  await app.inject({ method: 'POST', url: '/register', payload: { email: 'ada@example.com', password: 'correct horse battery' } })
  await app.inject({ method: 'POST', url: '/forgot-password', payload: { email: 'ada@example.com' } })
  while (arrived.length === 0) await new Promise(resolve => { setTimeout(resolve, 10) })
  await stop()
  t.match(arrived, [{ from: 'id@example.com', to: ['ada@example.com'], message: /^From: Example <id@example\.com>\r$/m }])
})

t.test('a production without a mail server serves nothing that needs one', async t => {
  const env = await withRing(settings(t, { NODE_ENV: 'production', ISSUER: 'https://id.example', ACCOUNT_PAGE: 'false' }))
  const { app, stop } = await start(readConfig(env), AT_ONCE)
  t.teardown(stop)
  t.equal((await app.inject({ method: 'POST', url: '/forgot-password', payload: { email: 'ada@example.com' } })).statusCode, 404)
})

t.test('a text of a mail that cannot be used stops the start with a sentence', async t => {
  const env = await withRing(settings(t))
  await t.rejects(start(readConfig({ ...env, MAIL_LANGUAGE: 'fr' }), AT_ONCE), { message: 'There is no fr/verify-email.txt: MAIL_LANGUAGE is en or de, or one of which MAIL_TEMPLATES has every text.' })
})
