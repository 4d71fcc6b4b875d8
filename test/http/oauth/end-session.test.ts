// The end of a session: whose it is, who is asked, and where somebody is sent afterwards.
import t from 'tap'
import { EMAIL } from '../../test-app.js'
import { claimsOf, decisionIn, GOODBYE, ISSUER, oauthApp, OWN } from './oauth-app.js'

const CLEARED = '__Host-signet=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict'
const PAGE = { 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8', 'x-frame-options': 'DENY' }

async function opened (t: Parameters<typeof oauthApp>[0]) {
  const signet = await oauthApp(t)
  const { app, tokens, web, cookie } = signet
  const leave = async (parameters: Record<string, string>, headers: Record<string, string> = {}) => await app.inject({ url: `/end-session?${new URLSearchParams(parameters)}`, headers: { 'sec-fetch-site': 'same-origin', ...headers } })
  const isIn = async (of = cookie) => (await app.inject({ method: 'POST', url: '/refresh', headers: { cookie: of, ...OWN } })).statusCode === 200
  return { ...signet, leave, isIn, given: await tokens(web, cookie) }
}

t.test('a client that knows whose log-in it is ends it, with what it was let do, and gets the browser back', async t => {
  const { ask, cookie, given, isIn, leave, web } = await opened(t)
  const answer = await leave({ id_token_hint: given.id_token!, post_logout_redirect_uri: GOODBYE, state: 'a state' }, { cookie })
  t.equal(answer.statusCode, 303)
  t.match(answer.headers, { location: `${GOODBYE}?state=a+state`, 'set-cookie': CLEARED, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  t.notOk(await isIn())
  t.strictSame((await ask('/introspect', web, { token: given.access_token })).json(), { active: false })
})

t.test('an ID token that expired long ago is as good for it', async t => {
  const { clock, given, isIn, leave, logIn } = await opened(t)
  clock.now += 86_400_000
  const fresh = await logIn()
  t.match((await leave({ id_token_hint: given.id_token!, client_id: claimsOf(given.id_token!)['aud'] as string }, { cookie: fresh })).body, 'You are signed out')
  t.notOk(await isIn(fresh))
})

t.test('where nobody knows whose it is the person is asked', async t => {
  const { clock, cookie, decide, form, isIn, leave, logIn, register, tokens, web } = await opened(t)
  await register('grace@example.com')
  const grace = await logIn('grace@example.com')
  const { id_token: hint } = await tokens(web, grace)
  for (const parameters of [{}, { client_id: web.id }, { id_token_hint: 'x' }, { id_token_hint: hint! }] as Array<Record<string, string>>) {
    const page = await leave(parameters, { cookie })
    t.match(page.headers, PAGE)
    t.match(page.body, EMAIL)
    t.notOk(page.headers['set-cookie'])
  }
  const page = await leave({ client_id: web.id, post_logout_redirect_uri: GOODBYE, state: 's' }, { cookie })
  for (const [who, headers] of [[grace, OWN], [cookie, { origin: 'https://evil.example' }]] as const) t.ok((await decide(page, who, headers)).statusCode >= 400)
  t.equal((await form('/end-session/decision', { decision: 'x' }, { cookie, ...OWN })).statusCode, 400)
  t.equal((await form('/end-session/decision', { decision: decisionIn(page) }, OWN)).statusCode, 400)
  const decided = await decide(page, cookie)
  t.strictSame([decided.json(), decided.headers['set-cookie']], [{ location: `${GOODBYE}?state=s` }, CLEARED])
  t.notOk(await isIn())
  const other = await logIn()
  t.strictSame((await decide(await leave({}, { cookie: other }), other)).json(), { location: 'end-session' })
  const late = await logIn()
  const open = await leave({}, { cookie: late })
  clock.now += 600_000
  t.equal((await decide(open, late)).statusCode, 400)
  t.ok(await isIn(late))
})

t.test('nobody is sent to an address that is not the client\'s', async t => {
  const { cookie, given, isIn, leave, spa, web } = await opened(t)
  const wrong: Array<Record<string, string>> = [
    { post_logout_redirect_uri: GOODBYE }, { client_id: web.id, post_logout_redirect_uri: `${GOODBYE}/` }, { id_token_hint: given.id_token!, post_logout_redirect_uri: 'https://evil.example' },
    { id_token_hint: given.id_token!, client_id: spa.id, post_logout_redirect_uri: GOODBYE }, { client_id: '00000000-0000-4000-8000-000000000000', post_logout_redirect_uri: GOODBYE },
  ]
  for (const parameters of wrong) {
    const answer = await leave(parameters, { cookie })
    t.equal(answer.statusCode, 400)
    t.match(answer.body, /name this request: <code>[\da-f-]{36}</)
    t.notOk(answer.headers.location)
  }
  t.ok(await isIn())
})

t.test('a navigation from another site goes on by itself, once', async t => {
  const { app, cookie, form, isIn, leave, given } = await opened(t)
  const typed = await leave({ id_token_hint: given.id_token! }, { 'sec-fetch-site': 'none' })
  const page = await leave({ id_token_hint: given.id_token! }, { 'sec-fetch-site': 'cross-site' })
  t.match(page.headers, PAGE)
  t.equal(typed.body, page.body, 'an address that somebody typed may be a client\'s that leads here')
  const address = /url=([^"]+)"/.exec(page.body)![1]!.replaceAll('&amp;', '&')
  t.ok(await isIn())
  t.match((await app.inject({ url: `/${address}`, headers: { cookie } })).body, 'You are signed out')
  t.match((await app.inject({ url: `/${address}`, headers: { 'sec-fetch-site': 'cross-site' } })).body, 'You are signed out', 'there is nothing to end')
  t.match((await form('/end-session', { id_token_hint: given.id_token! }, { origin: ISSUER, 'sec-fetch-site': 'same-origin' })).body, 'You are signed out')
})
