// The application as a whole: the JWKS, the headers, and a log without a secret in it.
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { EMAIL, PASSWORD, testApp, type Pair } from './test-app.js'

t.test('the JWKS holds RSA signing keys and no more, may be cached, and takes any query', async t => {
  const { app } = await testApp(t)
  const response = await app.inject('/.well-known/jwks.json')
  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'public, max-age=300', etag: /^"[\w-]{43}"$/, 'access-control-allow-origin': '*' })
  const { keys, ...rest } = response.json<{ keys: object[] }>()
  t.strictSame(rest, {})
  t.equal(keys.length, 2, 'the key that signs, and the one that will')
  for (const key of keys) t.match(key, { kty: 'RSA', n: /^[\w-]{342}$/, e: 'AQAB', kid: /^[\w-]{43}$/, use: 'sig', alg: 'RS256' })
  t.ok(keys.every(key => Object.keys(key).length === 6))
  t.equal((await app.inject('/.well-known/jwks.json?kid=x&y[]=z')).body, response.body)
  t.equal((await app.inject({ method: 'HEAD', url: '/.well-known/jwks.json' })).statusCode, 200)
  t.equal((await app.inject({ method: 'HEAD', url: '/.well-known/jwks.json' })).headers['content-length'], response.headers['content-length'])
  for (const method of ['GET', 'HEAD'] as const) {
    for (const known of [`"other", ${String(response.headers.etag)}`, `W/${String(response.headers.etag)}`, '*']) {
      const unchanged = await app.inject({ method, url: '/.well-known/jwks.json', headers: { 'if-none-match': known } })
      t.strictSame([unchanged.statusCode, unchanged.body, unchanged.headers.etag, unchanged.headers['content-length']], [304, '', response.headers.etag, undefined], `${method} ${known}`)
    }
  }
  t.equal((await app.inject({ url: '/.well-known/jwks.json', headers: { 'if-none-match': '"other"' } })).statusCode, 200)
})

t.test('no log line of a whole flow holds a token or a password', async t => {
  const { app, post, call, lines, clock } = await testApp(t, { LOG_LEVEL: 'trace' })
  const passwords = [PASSWORD, 'another horse, another battery', 'a wrong one, not logged']
  await post('/register', { email: EMAIL, password: PASSWORD })
  await post('/login', { email: EMAIL, password: passwords[2] })
  const first = (await post('/login', { email: EMAIL, password: PASSWORD })).json<Pair>()
  const second = (await post('/refresh', { refresh_token: first.refresh_token })).json<Pair>()
  await post('/change-password', { current_password: PASSWORD, new_password: passwords[1] }, { authorization: `Bearer ${second.access_token}` })
  await call('GET', '/tokens', second.access_token)
  await app.inject(`/user-info?access_token=${second.access_token}`)
  await app.inject(`/nothing/${second.refresh_token}`)
  await app.inject({ method: 'POST', url: '/login', payload: `{"password":"${PASSWORD}`, headers: { 'content-type': 'application/json' } })
  app.log.info({ body: { password: PASSWORD, refresh_token: 'x' }, headers: { authorization: 'y' } }, `told ${first.access_token} and ${first.refresh_token}`)
  clock.now += 60_000
  await post('/refresh', { refresh_token: first.refresh_token })
  await call('POST', '/logout', second.access_token)
  const log = lines.join('')
  t.ok(lines.length > 10)
  t.match(log, /told \[redacted\] and \[redacted\]/)
  for (const secret of [...passwords, ...[first, second].flatMap(pair => [pair.access_token, pair.refresh_token])]) t.notOk(log.includes(secret))
})

t.test('a server says that it is ready when it is, and until then what it lacks', async t => {
  const { app, lines, folder } = await testApp(t, { ISSUER: 'https://id.example' }, { clock: Date.now })
  const [path, elsewhere] = [join(folder, 'signet.db'), join(folder, 'elsewhere.db')]
  const said = () => lines.map(line => JSON.parse(line) as { msg: string, err?: { message: string } }).map(({ msg, err }) => err ? `${msg}: ${err.message}` : msg).filter(text => !text.startsWith('the status lists'))
  renameSync(path, elsewhere)
  await app.listen({ port: 0, listenTextResolver: () => 'listens' })
  const until = async (count: number) => { while (said().length < count) await new Promise(resolve => { setTimeout(resolve, 20) }) }
  await until(3)
  renameSync(elsewhere, path)
  await until(4)
  t.strictSame(said(), [
    'listens',
    'not ready: A file of the store was replaced or removed while it was in use; restart Signet to use what is there.',
    'Signet is not ready',
    `Signet is ready: ${app.listeningOrigin}/docs, for people: ${app.listeningOrigin}/account, issuer: https://id.example`,
  ])
})
