// How often an address or an account may ask, and who counts as one.
import t from 'tap'
import { EMAIL, PASSWORD, testApp } from '../test-app.js'
import { login, post, problem, problemOf, register } from './client.js'

const REFUSED = problem(429, 'Too Many Requests', 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.')
const ON = { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '2' }

t.test('an address that asks too often is told when to come back, at unknown routes too', async t => {
  for (const url of ['/user-info', '/nowhere']) {
    const { app } = await testApp(t, ON)
    for (let n = 0; n < 2; n++) t.not((await app.inject(url)).statusCode, 429)
    const answer = await app.inject(url)
    t.strictSame(problemOf(answer), REFUSED)
    t.match(answer.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
  }
})

t.test('log-ins and registrations have tighter limits', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_LOGIN_MAX: '1', RATE_LIMIT_REGISTER_MAX: '1' })
  for (const url of ['/login', '/register']) {
    t.equal((await post(app, url, {})).statusCode, 400)
    t.strictSame(problemOf(await post(app, url, {})), REFUSED)
  }
})

t.test('an account is limited by its failures, however it is spelled; a success costs nothing', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_ACCOUNT_MAX: '2' })
  await register(app)
  for (let n = 0; n < 4; n++) await login(app)
  t.equal((await post(app, '/login', { email: EMAIL, password: 'wrong' })).statusCode, 401)
  t.equal((await post(app, '/login', { email: ' ADA@Example.com', password: 'wrong' })).statusCode, 401)
  const answer = await post(app, '/login', { email: 'Ada@example.com', password: PASSWORD })
  t.strictSame(problemOf(answer), REFUSED)
  t.ok(Number(answer.headers['retry-after']) > 0)
  t.equal((await post(app, '/login', { email: 'bob@example.org', password: 'wrong' })).statusCode, 401)
  t.equal((await post(app, '/login', { email: 'no address', password: 'wrong' })).statusCode, 400)
})

t.test('guesses made all at once are no more than guesses made one by one', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_ACCOUNT_MAX: '3' })
  await register(app)
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await post(app, '/login', { email: EMAIL, password: 'wrong' })))
  t.strictSame(answers.map(answer => answer.statusCode).sort(), [401, 401, 401, ...Array<number>(17).fill(429)])
  for (const answer of answers.filter(({ statusCode }) => statusCode === 429)) {
    t.strictSame(problemOf(answer), REFUSED)
    t.equal(answer.headers['retry-after'], '1')
  }
  t.equal((await post(app, '/login', { email: EMAIL, password: PASSWORD })).statusCode, 429)
})

t.test('log-ins that succeed hold none of an account\'s failures back', async t => {
  const { app } = await testApp(t, { RATE_LIMIT: 'on', RATE_LIMIT_ACCOUNT_MAX: '3' })
  await register(app)
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(Array.from({ length: 3 }, async () => await post(app, '/login', { email: EMAIL, password: PASSWORD })))
    t.strictSame(answers.map(answer => answer.statusCode), [200, 200, 200])
  }
})

t.test('the client\'s address is the proxy\'s word only where TRUST_PROXY names the proxy', async t => {
  const third = async (trust: string, forwarded: string[]) => {
    const { app } = await testApp(t, { ...ON, ...(trust && { TRUST_PROXY: trust }) })
    const statuses: number[] = []
    for (const address of forwarded) statuses.push((await app.inject({ url: '/user-info', headers: { 'x-forwarded-for': address } })).statusCode)
    return statuses.at(-1)
  }
  const different = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
  t.equal(await third('', different), 429)
  t.equal(await third('127.0.0.1', different), 401)
  t.equal(await third('127.0.0.1, 10.0.0.0/8', different), 401)
  t.equal(await third('1', different), 401)
  t.equal(await third('1', different.map(address => `${address}, 198.51.100.1`)), 429, 'one hop: the last one named')
  t.equal(await third('127.0.0.1', ['2001:db8::1', '2001:db8::2', '2001:db8::3']), 429, 'one /64')
  t.equal(await third('127.0.0.1', ['2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:0:3::1']), 401)
})

t.test('the JWKS and health are never limited', async t => {
  const { app } = await testApp(t, ON)
  for (let n = 0; n < 20; n++) for (const url of ['/.well-known/jwks.json', '/health/live', '/health/ready']) t.equal((await app.inject(url)).statusCode, 200)
})
