// Which page of OAuth a person is shown, and what is said there.
import { createHash, randomUUID } from 'node:crypto'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import type { Client } from '../../../src/core/client.js'
import { AuthError } from '../../../src/errors.js'
import { EMAIL, PASSWORD, testApp } from '../../test-app.js'
import { post, register } from '../client.js'

const HOUR = 3_600_000
const PAGE = { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' }

/** The application, a client of it, and what its user's browser would ask with. */
async function setUp (t: Test, env: Record<string, string> = {}, differences: Partial<Client> = {}) {
  const parts = await testApp(t, env)
  const client: Client = {
    id: randomUUID(), version: 1, name: 'Reading list', redirectUris: ['https://client.example/callback'], grantTypes: ['authorization_code'], authMethod: 'none', secrets: [],
    scopes: ['lists:write'], audiences: [], postLogoutRedirectUris: [], isOurs: false, requiresPkce: true, createdAt: parts.clock.now, ...differences,
  }
  await parts.store.insertClient(client)
  const addressOf = (parameters: Record<string, string> = {}) => `/authorize?${new URLSearchParams({
    client_id: client.id, redirect_uri: client.redirectUris[0]!, response_type: 'code', scope: 'openid', code_challenge: createHash('sha256').update('verifier').digest('base64url'), code_challenge_method: 'S256', ...parameters,
  }).toString()}`
  return { ...parts, client, addressOf }
}

async function cookieOf (app: FastifyInstance): Promise<string> {
  return String((await post(app, '/login', { email: EMAIL, password: PASSWORD, refresh_token_in: 'cookie' }, PAGE)).headers['set-cookie']).split(';')[0]!
}

/** A value that stands in a page, as a browser reads it. */
function attribute ({ body }: LightMyRequestResponse, pattern: RegExp): string {
  return pattern.exec(body)![1]!.replaceAll('&amp;', '&')
}

const lead = (answer: LightMyRequestResponse) => attribute(answer, /data-view="sign-in"[^]*?data-lead="([^"]*)"/)
const prefilled = (answer: LightMyRequestResponse) => attribute(answer, /id="sign-in-email" name="email" type="email" value="([^"]*)"/)

t.test('who has to sign in is told why, and the address stands there already where it is known', async t => {
  const { app, clock, addressOf } = await setUp(t)
  await register(app)
  const cookie = await cookieOf(app)
  const open = async (url: string, headers: Record<string, string> = { cookie }) => await app.inject({ url, headers: { ...PAGE, ...headers } })
  const [plain, again] = ['Use the e-mail address and the password of your account.', `You are signed in as ${EMAIL}. Sign in again, or with another account.`]
  clock.now += HOUR
  for (const [parameters, headers, said, email] of [
    [{}, {}, plain, ''], [{ login_hint: 'grace@example.com' }, {}, plain, 'grace@example.com'],
    [{ prompt: 'login' }, { cookie }, again, EMAIL], [{ prompt: 'login', login_hint: 'grace@example.com' }, { cookie }, again, 'grace@example.com'], [{ prompt: 'select_account' }, { cookie }, again, ''],
  ] as const) {
    const answer = await open(addressOf(parameters), headers)
    t.strictSame([answer.statusCode, lead(answer), prefilled(answer)], [200, said, email])
  }
  const goOn = `/${attribute(await open(addressOf({ prompt: 'login' })), /data-address="([^"]*)"/)}`
  clock.now += HOUR - 1
  t.equal(lead(await open(goOn)), again)
  clock.now += 1
  t.equal(lead(await open(goOn)), 'This page stood open for too long. Sign in once more.')
  t.match((await open(addressOf(), {})).body, /id="decline" href="https:\/\/client\.example\/callback\?error=access_denied&amp;/)
})

t.test('who lets a client in is told for what, and where it leads', async t => {
  for (const [redirectUri, host, hint] of [
    ['https://client.example/callback', 'client.example', undefined], ['https://client.example:8443/callback', 'client.example:8443', undefined],
    ['http://127.0.0.1:5000/', '127.0.0.1:5000', 'program'], ['http://[::1]/', '[::1]', 'program'], ['http://localhost/', 'localhost', 'program'],
    ['com.example.reader:/callback', 'com.example.reader:', 'app'], ['com.example.reader://bank.example/', 'com.example.reader:', 'app'],
  ] as const) {
    const { app, addressOf } = await setUp(t, {}, { redirectUris: [redirectUri], audiences: ['https://api.example'] })
    await register(app)
    const answer = await app.inject({ url: addressOf({ scope: 'openid lists:write', prompt: 'consent' }), headers: { ...PAGE, cookie: await cookieOf(app) } })
    t.equal(attribute(answer, /<p class="host">([^<]*)/), host)
    t.equal(/<p>This is an? (\w+) on your own device\./.exec(answer.body)?.[1], hint, redirectUri)
    t.strictSame([...answer.body.matchAll(/<li>([^<]*)/g)].map(([, text]) => text), ['Know who you are when you come back', 'Use “lists:write”', 'Act for you at https://api.example'])
    t.match(new URLSearchParams(attribute(answer, /<a href="authorize\?([^"]*)">Use another account/)).get('prompt'), 'consent select_account')
    t.match(answer.body, '<a href="account" target="_blank" rel="noopener">')
  }
  const { app, addressOf } = await setUp(t, { ACCOUNT_PAGE: 'false' })
  await register(app)
  const answer = await app.inject({ url: addressOf(), headers: { ...PAGE, cookie: await cookieOf(app) } })
  t.strictSame([/<li>Act/.test(answer.body), /"account"/.test(answer.body)], [false, false], 'tokens for the issuer alone are no more than the scopes say')
})

t.test('a decision is one of this log-in, and of the last ten minutes', async t => {
  const { app, clock, addressOf } = await setUp(t)
  await register(app)
  const cookie = await cookieOf(app)
  for (const [path, page] of [['/authorize/decision', addressOf()], ['/end-session/decision', '/end-session']] as const) {
    const decision = attribute(await app.inject({ url: page, headers: { ...PAGE, cookie } }), /name="decision" value="([^"]*)"/)
    const decide = async (body: string, headers: Record<string, string> = { cookie }) => await app.inject({ method: 'POST', url: path, payload: body, headers: { ...PAGE, ...headers, 'content-type': 'application/x-www-form-urlencoded' } })
    const other = await cookieOf(app)
    clock.now += 600_000
    for (const answer of [await decide(`decision=${decision}`), await decide('decision=x'), await decide(''), await decide(`decision=${decision}`, { cookie: other }), await decide(`decision=${decision}`, {})]) {
      t.strictSame([answer.statusCode, answer.headers['cache-control']], [400, 'no-store'])
      t.match(answer.json(), { error: 'invalid_request', error_description: 'This page stood open for too long, or somebody else has signed in since.', request_id: /^[\da-f-]{36}$/ })
    }
    t.match((await decide('decision=x', { cookie, origin: 'https://evil.example' })).json(), { error: 'invalid_request' })
  }
})

t.test('what fails is told on a page, and to the script of a page as OAuth has it', async t => {
  const { app, addressOf } = await setUp(t, { RATE_LIMIT: 'on', RATE_LIMIT_MAX: '3' })
  const bad = await app.inject('/authorize?client_id=%zz')
  t.equal(bad.statusCode, 400)
  t.match(bad.body, 'The application that sent you here did not ask as it must, so you cannot be sent back to it. Tell who runs it: The parameters cannot be read')
  t.notMatch(bad.body, 'Try again')
  t.match((await app.inject('/authorize?client_id=nobody')).body, /name this request: <code>[\da-f-]{36}/)
  await app.inject('/user-info')
  const limited = await app.inject(addressOf())
  t.equal(limited.statusCode, 429)
  t.match(limited.body, `Too many requests came from where you are. Try again in ${limited.headers['retry-after']} seconds.`)
  t.equal(`/${attribute(limited, /<a class="primary" href="([^"]*)">Try again/)}`, addressOf())
  t.notMatch((await app.inject({ method: 'POST', url: '/authorize' })).body, 'Try again</a>', 'what was sent cannot be sent again by a link')
  const decision = await app.inject({ method: 'POST', url: '/authorize/decision' })
  t.strictSame([decision.statusCode, decision.headers['retry-after'] !== undefined], [429, true])
  t.match(decision.json(), { error: 'temporarily_unavailable', request_id: /^[\da-f-]{36}$/ })
})

t.test('a Signet that cannot, or failed, says so and offers to try again', async t => {
  for (const [error, status, sentence] of [
    [new AuthError('unavailable'), 503, 'Signet cannot do this right now. Try again in a moment.'], [new Error('private'), 500, 'Something went wrong in Signet. Try again, and if it stays so, tell who runs it.'],
  ] as const) {
    const { app, store, addressOf } = await setUp(t)
    store.findClient = async () => { throw error }
    const answer = await app.inject(addressOf())
    t.equal(answer.statusCode, status)
    t.match(answer.body, sentence)
    t.match(answer.body, 'Try again</a>')
    t.notMatch(answer.body, 'private')
  }
})
