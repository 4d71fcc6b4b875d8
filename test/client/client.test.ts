// The client: one session over all tabs, which neither a lost answer nor a long sleep ends.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { SignetError, type Change } from '../../src/client/client.js'
import { ACCOUNT, answer, lose, loseAnswer, openBrowser, type Fault, type Tab } from './fake-browser.js'

const ENDED = { status: 'signed-out', reason: 'ended' }
const HOUR = 3_600_000
/** Beside the browser that a test opens. */
const plainFetch = globalThis.fetch
type Browser = Awaited<ReturnType<typeof openBrowser>>

const paths = ({ sent }: Browser) => sent.map(request => new URL(request.url).pathname)
const refreshes = (browser: Browser) => paths(browser).filter(path => path === '/refresh').length
const whoAmI = async (tab: Tab) => (await (await tab.fetch('/user-info')).json() as { email: string }).email
const codeOf = async (work: Promise<unknown>) => await work.then(() => 'none', (error: SignetError) => error.code)

/** Somebody else logs this session out. */
async function revoke (browser: Browser): Promise<void> {
  const { access_token: token } = (await browser.app.inject({ method: 'POST', url: '/login', payload: { email: ACCOUNT.email, password: ACCOUNT.password } })).json<{ access_token: string }>()
  await browser.app.inject({ method: 'POST', url: '/revoke-all-tokens', headers: { authorization: `Bearer ${token}` } })
}

/** Somebody logs in with a form of the page's own, into a cookie jar; this browser's, if none is named. */
async function logInBeside ({ url, jar }: Browser, { email, password }: { email: string, password: string }, into = jar): Promise<string> {
  const response = await plainFetch(`${url}/login`, { method: 'POST', headers: { 'content-type': 'application/json', origin: url }, body: JSON.stringify({ email, password, refresh_token_in: 'cookie' }) })
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(response.headers.getSetCookie()[0]!)!
  into.set(name!, value!)
  return (await response.json() as { access_token: string }).access_token
}

async function devices (browser: Browser): Promise<unknown[]> {
  const token = await logInBeside(browser, ACCOUNT, new Map())
  const response = await plainFetch(`${browser.url}/tokens`, { headers: { authorization: `Bearer ${token}` } })
  return (await response.json() as { tokens: unknown[] }).tokens
}

function tokenOf (sub: string): string {
  return `e30.${Buffer.from(JSON.stringify({ sub })).toString('base64url')}.`
}

/** What a page has that Node has not: events of its own. */
function withEvents (t: Test): EventTarget {
  const page = new EventTarget()
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    Object.defineProperty(globalThis, name, { value: page[name].bind(page), configurable: true })
    t.teardown(() => { Reflect.deleteProperty(globalThis, name) })
  }
  return page
}

async function until (isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(2)
}

t.test('a browser without a session is told so, once', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab()
  t.equal(tab.status, 'unknown')
  for (let n = 0; n < 2; n++) t.equal(await codeOf(tab.fetch('/user-info')), 'invalid_grant')
  t.strictSame([tab.status, tab.changes], ['signed-out', [{ status: 'signed-out', reason: 'absent' }]])
})

t.test('who signs up and logs in is asked for no token, and the page never holds the refresh token', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab()
  t.match(await tab.register(ACCOUNT), { email: ACCOUNT.email, name: 'Ada' })
  await tab.login(ACCOUNT)
  t.strictSame([tab.status, tab.changes], ['signed-in', [{ status: 'signed-in' }]])
  t.equal(await whoAmI(tab), ACCOUNT.email)
  t.strictSame(paths(browser), ['/register', '/login', '/refresh', '/user-info'])
  t.strictSame([...browser.jar.keys()], ['__Host-signet', '__Host-signet-device'])
  t.strictSame(await browser.sent[1]!.json(), { email: ACCOUNT.email, password: ACCOUNT.password, refresh_token_in: 'cookie' })
})

t.test('a log-in that takes more than a password is refused with what it goes on with, and the page stays signed out', async t => {
  const browser = await openBrowser(t, { env: { SECOND_FACTOR: 'required' } })
  const tab = browser.openTab()
  await tab.register(ACCOUNT)
  await t.rejects(tab.login(ACCOUNT), { name: 'SignetError', code: 'second_factor_required', status: 401, ticket: /^eyJ/, methods: [], enrol: true })
  t.strictSame([tab.status, tab.changes], ['unknown', []])
  await t.rejects(tab.login({ ...ACCOUNT, password: 'another' }), { code: 'invalid_credentials', ticket: undefined, methods: [], enrol: false })
})

t.test('a refusal is an error with its code, its sentence and its fields', async t => {
  const browser = await openBrowser(t, { env: { RATE_LIMIT_LOGIN_MAX: '1' } })
  const tab = browser.openTab()
  const detail = 'A password has at least 8 characters.'
  await t.rejects(tab.register({ email: ACCOUNT.email, password: 'short' }), { name: 'SignetError', code: 'weak_password', status: 400, message: detail, errors: [{ field: 'password', detail }], requestId: /^[\da-f-]{36}$/ })
  await t.rejects(tab.login(ACCOUNT), { code: 'invalid_credentials', status: 401, errors: [] })
  await t.rejects(tab.login(ACCOUNT), { code: 'rate_limited', retryAfter: /^\d+$/ })
  browser.faults.push(answer(502, '<h1>Bad gateway</h1>'))
  await t.rejects(tab.login(ACCOUNT), { code: 'unexpected', status: 502, message: 'Signet answered 502.' })
  for (const work of [async () => { await tab.login(ACCOUNT) }, async () => { await tab.register(ACCOUNT) }]) {
    browser.faults.push(lose)
    await t.rejects(work(), { code: 'unreachable', status: 0, message: 'Signet cannot be reached. Check the connection and try again.' })
  }
  const problem = new Response(JSON.stringify({ code: 'x', detail: 'y' }), { status: 409 })
  t.match(await SignetError.from(problem), { code: 'x', message: 'y', status: 409 })
})

t.test('the token goes to Signet, to the page\'s own origin and to those that are named, and nowhere else', async t => {
  const browser = await openBrowser(t)
  Object.defineProperty(globalThis, 'location', { value: { href: 'https://app.example/page' }, configurable: true })
  t.teardown(() => { Reflect.deleteProperty(globalThis, 'location') })
  await browser.openSession()
  const tab = browser.openTab({ origins: ['https://api.example'] })
  for (const url of ['https://api.example/orders', new URL('https://app.example/x'), new Request('https://api.example/orders')]) {
    browser.faults.push(answer(200, {}))
    if (refreshes(browser) === 0) browser.faults.unshift(async forward => await forward())
    await tab.fetch(url)
    const sent = browser.sent.at(-1)!
    t.match(sent.headers.get('authorization'), /^Bearer eyJ/)
    t.equal(sent.credentials, 'same-origin', 'and the cookies stay at home')
  }
  browser.sent.length = 0
  await t.rejects(tab.fetch('https://evil.example/'), { name: 'TypeError', message: 'https://evil.example is not among the origins that may see the access token.' })
  t.strictSame(paths(browser), [])
  t.equal((await tab.fetch('//evil.example/')).url, `${browser.url}/evil.example/`, 'a path is one of Signet\'s')
})

t.test('a token is refreshed when it is due, whichever way the clock went', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  for (const hours of [0, 0.16, 9, -9]) {
    browser.clock = hours * HOUR
    t.equal(await whoAmI(tab), ACCOUNT.email)
  }
  t.strictSame(paths(browser), ['/user-info', ...Array(3).fill(['/refresh', '/user-info']).flat() as string[]])
  t.equal(tab.changes.length, 1)
})

t.test('a token that is refused is refreshed once, and the request sent once more, its body too', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  browser.faults.push(answer(401, {}))
  const sent = await tab.fetch('/register', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...ACCOUNT, email: 'bob@example.org' }) })
  t.equal(sent.status, 201)
  t.strictSame(paths(browser), ['/register', '/refresh', '/register'])
  browser.faults.push(answer(401, {}), async forward => await forward(), answer(401, 'still no'))
  const refused = await tab.fetch('/user-info')
  t.strictSame([refused.status, await refused.text()], [401, 'still no'])
})

t.test('requests at the same time share one refresh', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  browser.clock = HOUR
  t.strictSame(await Promise.all(Array.from({ length: 20 }, async () => await whoAmI(tab))), Array(20).fill(ACCOUNT.email))
  t.equal(refreshes(browser), 1)
})

for (const locks of ['with', 'without'] as const) {
  const open = async (t: Test) => await openBrowser(t, locks === 'with' ? {} : { locks: null })

  t.test(`${locks} Web Locks, tabs that wake at once do one refresh`, async t => {
    const browser = await open(t)
    const tabs = [await browser.openSession(), ...Array.from({ length: 7 }, () => browser.openTab())]
    browser.clock = HOUR
    // Chance spreads those who take turns by word of mouth; here it does so evenly.
    let drawn = 0
    t.intercept(Math, 'random', { value: () => 4 * drawn++ })
    t.strictSame(await Promise.all(tabs.map(whoAmI)), Array(8).fill(ACCOUNT.email))
    t.equal(refreshes(browser), 1)
  })

  t.test(`${locks} Web Locks, a tab whose turn comes after one that failed asks for itself`, async t => {
    const browser = await open(t)
    const [one, other] = [await browser.openSession(), browser.openTab()]
    browser.clock = HOUR
    const failing: Fault = async () => {
      await pause(300)
      return new Response('', { status: 429, headers: { 'retry-after': '60' } })
    }
    browser.faults.push(failing)
    const first = codeOf(one.fetch('/user-info'))
    await until(() => browser.sent.length === 1)
    t.equal(await whoAmI(other), ACCOUNT.email)
    t.equal(await first, 'unexpected')
  })
}

t.test('a tab that opens while another refreshes gets that token', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  browser.clock = HOUR
  const work = whoAmI(tab)
  await until(() => browser.sent.length === 1)
  const opened = browser.openTab()
  t.strictSame(await Promise.all([work, whoAmI(opened)]), [ACCOUNT.email, ACCOUNT.email])
  t.equal(refreshes(browser), 1)
  t.strictSame(opened.changes, [{ status: 'signed-in' }])
})

t.test('a tab that waited asks the others, and takes no token that is older than its own', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  const channel = new BroadcastChannel(`signet ${browser.url}/`)
  t.teardown(() => { channel.close() })
  const heard: unknown[] = []
  channel.onmessage = event => { heard.push((event as MessageEvent).data) }
  await whoAmI(tab)
  channel.postMessage({ kind: 'ask' })
  await until(() => heard.length > 0)
  t.match(heard, [{ kind: 'token', held: { token: /^eyJ/, life: 600_000 } }])
  channel.postMessage({ kind: 'token', held: { token: 'old', at: 0, life: 600_000 } })
  await pause(20)
  t.equal(await whoAmI(tab), ACCOUNT.email)
  t.equal(refreshes(browser), 0)
})

t.test('a log-in in one tab is one in all, and another user is news', async t => {
  const browser = await openBrowser(t)
  const [one, other] = [browser.openTab(), browser.openTab()]
  await one.register(ACCOUNT)
  await one.register({ ...ACCOUNT, email: 'bob@example.org' })
  await one.login(ACCOUNT)
  await until(() => other.status === 'signed-in')
  await one.login({ ...ACCOUNT, email: 'bob@example.org' })
  await until(() => other.changes.length === 2)
  t.equal(await whoAmI(other), 'bob@example.org')
  t.strictSame(paths(browser), ['/register', '/register', '/login', '/refresh', '/login', '/refresh', '/user-info'], 'what another tab has is not asked for')
})

t.test('a log-out in one tab is one in all', async t => {
  const browser = await openBrowser(t)
  const [one, other] = [await browser.openSession(), browser.openTab()]
  await whoAmI(other)
  await one.logout()
  await until(() => other.status === 'signed-out')
  for (const tab of [one, other]) t.strictSame(tab.changes.at(-1), { status: 'signed-out', reason: 'logged-out' })
  t.strictSame([...browser.jar.keys()], ['__Host-signet-device'])
  t.equal(await codeOf(other.fetch('/user-info')), 'invalid_grant')
  t.equal(other.changes.length, 2, 'said once')
})

t.test('a log-out works with a token that is due, one that is refused, and a session that is gone', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  browser.clock = HOUR
  await tab.logout()
  await tab.login(ACCOUNT)
  browser.faults.push(answer(401, {}))
  await tab.logout()
  t.strictSame(paths(browser), ['/refresh', '/logout', '/login', '/refresh', '/logout', '/refresh', '/logout'])
  await tab.login(ACCOUNT)
  await revoke(browser)
  await tab.logout()
  t.strictSame(tab.changes.filter(({ status }) => status === 'signed-out'), Array(3).fill({ status: 'signed-out', reason: 'logged-out' }))
  t.strictSame([...browser.jar.keys()], ['__Host-signet-device'])
})

t.test('a log-out that Signet never heard of is none', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  browser.faults.push(answer(429, {}, { 'retry-after': '60' }))
  t.equal(await codeOf(tab.logout()), 'unexpected')
  t.equal(tab.status, 'signed-in')
  t.equal(await whoAmI(tab), ACCOUNT.email)
})

t.test('a session that was ended elsewhere ends once, whoever asks', async t => {
  const browser = await openBrowser(t)
  const [one, other] = [await browser.openSession(), browser.openTab()]
  await whoAmI(other)
  await revoke(browser)
  t.strictSame(await Promise.all([one, one, other].map(async tab => await codeOf(tab.fetch('/user-info')))), Array(3).fill('invalid_grant'))
  for (const tab of [one, other]) t.strictSame(tab.changes.slice(1), [ENDED])
})

t.test('a lost answer is asked for again, and so is one that came without sense', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  browser.clock = HOUR
  browser.faults.push(loseAnswer, lose, answer(502, 'Bad gateway'), answer(503, {}, { 'retry-after': 'Wed, 25 Nov 2026 12:00:00 GMT' }))
  t.equal(await whoAmI(tab), ACCOUNT.email)
  t.equal(refreshes(browser), 5)
  t.equal(tab.changes.length, 1)
})

t.test('a page that goes while it refreshes asks once more, by a request that outlives it, and else asks nothing', async t => {
  const page = withEvents(t)
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  page.dispatchEvent(new Event('pagehide'))
  browser.clock = HOUR
  browser.faults.push(async forward => {
    page.dispatchEvent(new Event('pagehide'))
    return await forward()
  }, lose)
  t.equal(await whoAmI(tab), ACCOUNT.email)
  t.strictSame(browser.sent.map(({ url, keepalive }) => [new URL(url).pathname, keepalive]), [['/refresh', false], ['/refresh', true], ['/user-info', false]])
  tab.close()
})

t.test('an answer that is too late is taken for lost', async t => {
  const browser = await openBrowser(t)
  const session = await browser.openSession()
  session.close()
  // Long enough for a busy machine to answer the second.
  const tab = browser.openTab({ timeout: 1_000 })
  browser.faults.push(async forward => {
    await pause(1_200)
    return await forward()
  })
  t.equal(await whoAmI(tab), ACCOUNT.email)
  t.equal(refreshes(browser), 2)
})

t.test('Retry-After is waited for within the grace, and handed on beyond', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  browser.clock = HOUR
  browser.faults.push(answer(429, {}, { 'retry-after': '1' }))
  const started = performance.now()
  t.equal(await whoAmI(tab), ACCOUNT.email)
  t.ok(performance.now() - started > 900)
  browser.clock = 2 * HOUR
  browser.faults.push(answer(429, { code: 'rate_limited' }, { 'retry-after': '60' }))
  await t.rejects(tab.fetch('/user-info'), { code: 'rate_limited', retryAfter: 60 })
  t.equal(tab.status, 'signed-in')
})

t.test('a Signet that stays away ends the patience and not the session', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  browser.clock = HOUR
  let now = 0
  t.intercept(performance, 'now', { value: () => (now += 9_000) })
  browser.faults.push(lose, lose, lose)
  await t.rejects(tab.fetch('/user-info'), { code: 'unreachable' })
  browser.faults.length = 0
  t.equal(tab.status, 'signed-in')
  t.equal(await whoAmI(tab), ACCOUNT.email)
})

t.test('a listener that throws is heard of, and keeps neither the log-in nor the other listeners nor the other tabs from going on', async t => {
  const browser = await openBrowser(t)
  const [tab, other] = [browser.openTab(), browser.openTab()]
  const thrown: unknown[] = []
  t.intercept(globalThis, 'queueMicrotask', { value: (throwing: () => void) => { try { throwing() } catch (error) { thrown.push(error) } } })
  const fault = new Error('a fault of the page')
  for (const each of [tab, other]) each.onChange(() => { throw fault })
  const heard: Change[] = []
  tab.onChange(change => { heard.push(change) })
  await tab.register(ACCOUNT)
  await tab.login(ACCOUNT)
  await until(() => other.status === 'signed-in')
  await tab.logout()
  await until(() => other.status === 'signed-out')
  t.strictSame(heard, [{ status: 'signed-in' }, { status: 'signed-out', reason: 'logged-out' }])
  t.strictSame(thrown, Array(4).fill(fault))
})

const IN_SIGNETS_PLACE: Record<string, Fault> = {
  'the page of a hotel': answer(200, '<!doctype html><title>Welcome to our hotel</title>'),
  'an empty answer': answer(200, ''),
  'an answer without a token': answer(200, { expires_in: 600 }),
  'a token that is none of Signet\'s': answer(200, { access_token: 'abc', expires_in: 600 }),
  'a token without an age': answer(200, { access_token: tokenOf('somebody') }),
}

for (const [what, fault] of Object.entries(IN_SIGNETS_PLACE)) {
  t.test(`${what} signs nobody in`, async t => {
    const browser = await openBrowser(t)
    const tab = browser.openTab()
    for (const work of [async () => { await tab.register(ACCOUNT) }, async () => { await tab.login(ACCOUNT) }]) {
      browser.faults.push(fault)
      await t.rejects(work(), { name: 'SignetError', code: 'unexpected', status: 200, message: 'Something other than Signet answered. Check the connection and try again.' })
    }
    t.strictSame([tab.status, tab.changes], ['unknown', []])
  })

  t.test(`${what} to a refresh, a log-out or a change of the password ends no session`, async t => {
    const browser = await openBrowser(t)
    const tab = await browser.openSession()
    browser.clock = HOUR
    browser.faults.push(fault)
    t.equal(await whoAmI(tab), ACCOUNT.email)
    t.strictSame(paths(browser), ['/refresh', '/refresh', '/user-info'], 'it is asked for again')
    browser.faults.push(fault)
    t.equal(await codeOf(tab.changePassword({ currentPassword: ACCOUNT.password, newPassword: 'another harbour' })), 'unexpected')
    let now = 0
    t.intercept(performance, 'now', { value: () => (now += 9_000) })
    browser.faults.push(fault, fault)
    t.equal(await codeOf(tab.logout()), 'unexpected')
    browser.faults.length = 0
    t.strictSame([tab.status, tab.changes.length], ['signed-in', 1])
  })
}

t.test('a client that nobody uses any more keeps no process alive', async t => {
  const folder = t.testdir({
    // A copy, which the coverage of the original does not mistake for it.
    'client.mjs': readFileSync('src/client/client.js', 'utf8'),
    'main.mjs': `
      import { createClient } from './client.mjs'
      const client = createClient({ baseUrl: 'http://127.0.0.1:1' })
      client.onChange(() => {})
      await client.login({ email: 'ada@example.com', password: 'x' }).catch(({ code }) => { process.stdout.write(code) })`,
  })
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'main.mjs')], { timeout: 60_000 })
  t.equal(stdout, 'unreachable')
})

t.test('a browser that keeps no cookie over plain HTTP is told so at the log-in, which leaves no device', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab()
  await tab.register(ACCOUNT)
  t.intercept(browser.jar, 'set', { value: () => browser.jar })
  const refused = { name: 'SignetError', code: 'cookie_refused', status: 0, message: 'This browser does not stay signed in over plain HTTP. Open the page over HTTPS, or in another browser.' }
  await t.rejects(tab.login(ACCOUNT), refused)
  t.strictSame(paths(browser), ['/register', '/login', '/refresh', '/logout'])
  t.strictSame([tab.status, tab.changes], ['unknown', []])
  browser.faults.push(async forward => await forward(), async forward => await forward(), lose)
  await t.rejects(tab.login(ACCOUNT), refused, 'whether or not it could be logged out')
  t.equal((await devices(browser)).length, 2, 'the one that could not, and the one that looks')
})

t.test('a log-in over plain HTTP of which Signet then says nothing is one', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab()
  await tab.register(ACCOUNT)
  browser.faults.push(async forward => await forward(), answer(429, {}, { 'retry-after': '60' }))
  await tab.login(ACCOUNT)
  t.equal(await whoAmI(tab), ACCOUNT.email)
})

t.test('over HTTPS nothing is asked beside the log-in', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab({ baseUrl: 'https://id.example' })
  browser.faults.push(answer(200, { access_token: tokenOf('ada'), expires_in: 600 }))
  await tab.login(ACCOUNT)
  t.strictSame(paths(browser), ['/login'])
})

t.test('somebody else who logged in beside the client is news, and nothing is done as them that was asked by another', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  const bob = { ...ACCOUNT, email: 'bob@example.org' }
  await tab.register(bob)
  const asked: Array<[name: string, ask: () => Promise<unknown>]> = [
    ['fetch', async () => await tab.fetch('/user-info')],
    ['logout', async () => { await tab.logout() }],
    ['changePassword', async () => { await tab.changePassword({ currentPassword: ACCOUNT.password, newPassword: 'another harbour' }) }],
    ['deleteAccount', async () => { await tab.deleteAccount({ password: ACCOUNT.password }) }],
  ]
  for (const refused of ['because it is due', 'because it was refused']) {
    for (const [name, ask] of asked) {
      await tab.login(ACCOUNT)
      tab.changes.length = 0
      await logInBeside(browser, bob)
      browser.sent.length = 0
      if (refused === 'because it is due') browser.clock += HOUR
      else browser.faults.push(answer(401, {}))
      await t.rejects(ask(), { name: 'SignetError', code: 'other_user', message: 'Somebody else is signed in by now, so nothing was done.' }, `${name}, of a token that is refreshed ${refused}`)
      t.strictSame(tab.changes, [{ status: 'signed-in' }])
      t.equal(paths(browser).at(-1), '/refresh', 'nothing was sent after it')
      t.equal(await whoAmI(tab), bob.email, 'and what is asked from now on is theirs')
    }
  }
})

t.test('a token of somebody else is news in every tab', async t => {
  const browser = await openBrowser(t)
  const [one, other] = [await browser.openSession(), browser.openTab()]
  await whoAmI(other)
  await one.register({ ...ACCOUNT, email: 'bob@example.org' })
  await logInBeside(browser, { ...ACCOUNT, email: 'bob@example.org' })
  browser.clock = HOUR
  await codeOf(one.fetch('/user-info'))
  await until(() => other.changes.length === 2)
  t.strictSame(other.changes, Array(2).fill({ status: 'signed-in' }))
})

t.test('a page that comes back from the browser\'s memory lets go of its token, and says whose session it is by then', async t => {
  const page = withEvents(t)
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }))
  t.equal(await whoAmI(tab), ACCOUNT.email)
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  t.equal(await whoAmI(tab), ACCOUNT.email)
  t.strictSame(paths(browser), ['/user-info', '/refresh', '/user-info'])
  await tab.register({ ...ACCOUNT, email: 'bob@example.org' })
  await logInBeside(browser, { ...ACCOUNT, email: 'bob@example.org' })
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  t.equal(await codeOf(tab.fetch('/user-info')), 'other_user')
  t.strictSame(tab.changes, Array(2).fill({ status: 'signed-in' }))
  browser.jar.clear()
  page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
  t.equal(await codeOf(tab.fetch('/user-info')), 'invalid_grant')
  t.strictSame(tab.changes.at(-1), ENDED)
})

t.test('a change of the password goes on with the new session in all tabs, without a refresh', async t => {
  const browser = await openBrowser(t)
  const [one, other] = [await browser.openSession(), browser.openTab()]
  await whoAmI(other)
  await logInBeside(browser, ACCOUNT, new Map())
  browser.sent.length = 0
  await one.changePassword({ currentPassword: ACCOUNT.password, newPassword: 'another harbour' })
  t.strictSame(await browser.sent[0]!.json(), { current_password: ACCOUNT.password, new_password: 'another harbour', refresh_token_in: 'cookie' })
  t.strictSame([await whoAmI(one), await whoAmI(other)], [ACCOUNT.email, ACCOUNT.email])
  t.strictSame(paths(browser), ['/change-password', '/user-info', '/user-info'])
  for (const tab of [one, other]) t.strictSame(tab.changes, [{ status: 'signed-in' }], 'it is no news who is signed in')
  browser.clock = HOUR
  t.equal(await whoAmI(other), ACCOUNT.email, 'the cookie is the new session\'s')
})

t.test('a change of the password that is refused changes nothing, and one after the end of the session says that it ended', async t => {
  const browser = await openBrowser(t)
  const tab = await browser.openSession()
  await t.rejects(tab.changePassword({ currentPassword: 'wrong', newPassword: 'another harbour' }), { code: 'wrong_password', status: 403 })
  browser.faults.push(lose)
  await t.rejects(tab.changePassword({ currentPassword: ACCOUNT.password, newPassword: 'another harbour' }), { code: 'unreachable' })
  t.equal(await whoAmI(tab), ACCOUNT.email)
  await revoke(browser)
  t.equal(await codeOf(tab.changePassword({ currentPassword: ACCOUNT.password, newPassword: 'another harbour' })), 'invalid_grant')
  t.strictSame(tab.changes.at(-1), ENDED)
})

t.test('an account that is deleted ends its session in every tab, and one whose password is wrong stays', async t => {
  const browser = await openBrowser(t)
  const one = await browser.openSession()
  const other = browser.openTab()
  await whoAmI(other)
  await t.rejects(one.deleteAccount({ password: 'wrong' }), { code: 'wrong_password', status: 403 })
  browser.faults.push(lose)
  await t.rejects(one.deleteAccount({ password: 'wrong' }), { code: 'unreachable' })
  t.equal(await whoAmI(one), ACCOUNT.email)
  browser.sent.length = 0
  await one.deleteAccount({ password: ACCOUNT.password })
  t.strictSame(browser.sent.map(({ method, url }) => [method, new URL(url).pathname]), [['DELETE', '/account']])
  t.equal(browser.jar.size, 0)
  await until(() => other.status === 'signed-out')
  for (const tab of [one, other]) t.strictSame(tab.changes.at(-1), { status: 'signed-out', reason: 'logged-out' })
  t.equal(await codeOf(one.deleteAccount({ password: ACCOUNT.password })), 'invalid_grant')
  t.equal(await codeOf(one.login(ACCOUNT)), 'invalid_credentials')
})

t.test('a listener that goes hears nothing more', async t => {
  const browser = await openBrowser(t)
  const tab = browser.openTab()
  const heard: unknown[] = []
  const stop = tab.onChange(change => { heard.push(change) })
  stop()
  await codeOf(tab.fetch('/user-info'))
  t.strictSame(heard, [])
  t.equal(tab.changes.length, 1)
})
