// The client: one session over all tabs, which neither a lost answer nor a long sleep ends.
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SignetError } from '../../src/browser/client.js'
import { ACCOUNT, answer, lose, loseAnswer, openBrowser, type Fault, type Tab } from './fake-browser.js'

const ENDED = { status: 'signed-out', reason: 'ended' }
const HOUR = 3_600_000
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
  t.strictSame(paths(browser), ['/register', '/login', '/user-info'])
  t.strictSame([...browser.jar.keys()], ['__Host-signet'])
  t.strictSame(await browser.sent[1]!.json(), { email: ACCOUNT.email, password: ACCOUNT.password, refresh_token_in: 'cookie' })
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
  const change = await tab.fetch('/change-password', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ current_password: ACCOUNT.password, new_password: 'another harbour' }) })
  t.equal(change.status, 200)
  t.strictSame(paths(browser), ['/change-password', '/refresh', '/change-password'])
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
  t.equal(refreshes(browser), 0)
})

t.test('a log-out in one tab is one in all', async t => {
  const browser = await openBrowser(t)
  const [one, other] = [await browser.openSession(), browser.openTab()]
  await whoAmI(other)
  await one.logout()
  await until(() => other.status === 'signed-out')
  for (const tab of [one, other]) t.strictSame(tab.changes.at(-1), { status: 'signed-out', reason: 'logged-out' })
  t.equal(browser.jar.size, 0)
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
  t.strictSame(paths(browser), ['/refresh', '/logout', '/login', '/logout', '/refresh', '/logout'])
  await tab.login(ACCOUNT)
  await revoke(browser)
  await tab.logout()
  t.strictSame(tab.changes.filter(({ status }) => status === 'signed-out'), Array(3).fill({ status: 'signed-out', reason: 'logged-out' }))
  t.equal(browser.jar.size, 0)
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
  const page = new EventTarget()
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    Object.defineProperty(globalThis, name, { value: page[name].bind(page), configurable: true })
    t.teardown(() => { Reflect.deleteProperty(globalThis, name) })
  }
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
  const tab = browser.openTab({ timeout: 50 })
  browser.faults.push(async forward => {
    await pause(100)
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
