// The account page in a real browser: the whole journey, each of its states without a finding of axe, and nothing from elsewhere.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { ask, run, settings } from '../server-process.js'
import { launch, withChromium } from './chromium.js'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A folder for pictures of every state, for whoever wants to look. */
const { TEST_SCREENSHOTS } = process.env
const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }
const AGENTS = {
  phone: 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1',
  desk: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
}

interface Watched { page: Page, context: BrowserContext, url: string, violations: string[], foreign: string[], faults: string[] }

async function startSignet (t: Test, env: Record<string, string> = {}) {
  const { ready, child } = run(t, settings(t, { LOG_LEVEL: 'info', ...env }))
  return { url: await ready(), child }
}

/** A page that counts what its policy stopped, what it asked of others, and what it threw. */
async function openPage (t: Test, browser: Browser, url: string): Promise<Watched> {
  const context = await browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1280, height: 900 } })
  t.teardown(async () => {
    await noteCalls(page)
    await context.close()
  })
  const page = await context.newPage()
  const watched: Watched = { page, context, url, violations: [], foreign: [], faults: [] }
  await context.exposeBinding('reportViolation', (_source, text: string) => { watched.violations.push(text) })
  await context.addInitScript("document.addEventListener('securitypolicyviolation', event => reportViolation(event.violatedDirective + ' ' + event.blockedURI))")
  context.on('request', request => { if (new URL(request.url()).origin !== new URL(url).origin) watched.foreign.push(request.url()) })
  page.on('pageerror', error => { watched.faults.push(String(error)) })
  await page.coverage.startJSCoverage({ resetOnNavigation: false })
  await page.goto(`${url}/account`)
  return watched
}

/** How often each function of the page ran, by where it stands. */
const calls = new Map<string, number>()

async function noteCalls (page: Page): Promise<void> {
  for (const { url, functions } of await page.coverage.stopJSCoverage()) {
    const file = /\/account\/(account|devices|forms)\.js$/.exec(url)?.[1]
    for (const { functionName, ranges: [range] } of file ? functions : []) {
      const name = `${file!}.js ${functionName} at ${range!.startOffset}`
      calls.set(name, (calls.get(name) ?? 0) + range!.count)
    }
  }
}

/** What ran is forgotten with the page that it ran on, so it is noted before. */
async function reload (page: Page): Promise<void> {
  await noteCalls(page)
  await page.coverage.startJSCoverage({ resetOnNavigation: false })
  await page.reload()
}

/** Answers a route in Signet's place, once. */
async function refuse (context: BrowserContext, path: string, status: number, code: string, detail: string, retryAfter = '1'): Promise<void> {
  await context.route(path, async route => { await route.fulfill({ status, headers: { 'retry-after': retryAfter }, contentType: 'application/problem+json', body: JSON.stringify({ code, detail, request_id: 'that-id' }) }) }, { times: 1 })
}

const buttonTop = async (page: Page) => (await view(page).locator('button[type=submit]').last().boundingBox())!.y

/** Looks at a state in light and dark, on a phone and on a desk, and at the narrowest. */
async function inspect (t: Test, { page }: Watched, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
      t.strictSame(await findings(page), [], `${name}, ${colorScheme}, ${width} pixels`)
      if (TEST_SCREENSHOTS) {
        mkdirSync(TEST_SCREENSHOTS, { recursive: true })
        await page.screenshot({ path: join(TEST_SCREENSHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true })
      }
    }
  }
  await page.setViewportSize({ width: 320, height: 640 })
  t.ok(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), `${name} fits into 320 pixels`)
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
}

async function findings (page: Page): Promise<string[]> {
  if (!await page.evaluate('"axe" in window')) await page.evaluate(AXE)
  const { violations } = await page.evaluate<{ violations: Array<{ id: string, nodes: Array<{ html: string, failureSummary: string }> }> }>('axe.run({ resultTypes: ["violations"] })')
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}

const view = (page: Page) => page.locator('[data-view]:not([hidden])')
const heading = async (page: Page, text: string) => { await page.getByRole('heading', { level: 1, name: text }).waitFor() }
const notice = (page: Page) => view(page).locator('.notice[data-kind=error], .notice[data-kind=done]').first()

async function fill (page: Page, form: string, values: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await page.locator(`#${form} [name=${name}]`).fill(value)
  await page.locator(`#${form} button[type=submit]`).click()
}

/** Where a person is led and what a screen reader reads there. */
async function fieldError (page: Page, input: string): Promise<{ focused: boolean, invalid: string | null, text: string }> {
  await page.locator(`#${input}[aria-invalid=true]`).waitFor()
  return await page.locator(`#${input}`).evaluate(element => ({
    focused: document.activeElement === element,
    invalid: element.getAttribute('aria-invalid'),
    text: document.getElementById(element.getAttribute('aria-describedby')!.split(' ')[0]!)!.textContent,
  }))
}

async function loginElsewhere (url: string, userAgent: string, password = ACCOUNT.password): Promise<string> {
  const response = await fetch(`${url}/login`, { method: 'POST', headers: { 'content-type': 'application/json', 'user-agent': userAgent }, body: JSON.stringify({ email: ACCOUNT.email, password }) })
  return (await response.json() as { access_token: string }).access_token
}

t.setTimeout(600_000)

withChromium(executablePath => {
  let browser: Browser
  t.before(async () => { browser = await launch(executablePath) })
  t.teardown(async () => { await browser.close() })

  t.test('a newcomer signs up, sees their devices, signs one out, changes the password, and signs out everywhere', async t => {
    const { url } = await startSignet(t)
    const watched = await openPage(t, browser, url)
    const { page } = watched
    await heading(page, 'Sign in')
    await inspect(t, watched, 'sign-in')
    const top = await buttonTop(page)
    await page.getByRole('button', { name: 'Sign in' }).click()
    t.strictSame(await fieldError(page, 'sign-in-email'), { focused: true, invalid: 'true', text: 'Enter your e-mail address.' })
    await inspect(t, watched, 'sign-in-empty')
    t.equal(await buttonTop(page), top, 'nothing jumps')
    await fill(page, 'sign-in', ACCOUNT)
    await notice(page).waitFor()
    t.equal(await page.getByRole('alert').textContent(), 'The e-mail address or the password is wrong.')
    await inspect(t, watched, 'sign-in-wrong')
    t.equal(await buttonTop(page), top, 'nothing jumps')

    await page.getByRole('link', { name: 'Create an account' }).click()
    await heading(page, 'Create an account')
    t.equal(await page.evaluate('document.activeElement.id'), 'sign-up-title', 'the focus goes where the page goes')
    await inspect(t, watched, 'sign-up')
    await page.locator('#sign-up [name=email]').fill(ACCOUNT.email)
    await page.locator('#sign-up [name=password]').fill('short')
    t.strictSame(await page.locator('#sign-up-rules li').evaluateAll(items => items.map(item => (item as HTMLElement).dataset['met'])), ['false', 'true', 'true', undefined])
    t.match(await page.locator('#sign-up-rules li').first().textContent(), 'At least 8 characters: not yet')
    await fill(page, 'sign-up', { name: 'Ada Lovelace', email: 'nobody', password: 'long enough' })
    t.strictSame(await fieldError(page, 'sign-up-email'), { focused: true, invalid: 'true', text: 'It must be an e-mail address of at most 254 characters.' })
    await fill(page, 'sign-up', { email: ACCOUNT.email, password: 'password' })
    t.strictSame(await fieldError(page, 'sign-up-password'), { focused: true, invalid: 'true', text: 'This password is one of the most common ones; choose another.' })
    await inspect(t, watched, 'sign-up-weak')
    await fill(page, 'sign-up', { password: ACCOUNT.password })
    await heading(page, 'Ada Lovelace')
    t.strictSame(await page.locator('#devices .device-name').allTextContents(), ['Chrome on Linux This device'])
    t.equal((await watched.context.cookies()).filter(({ name, httpOnly, secure, sameSite }) => name === '__Host-signet' && httpOnly && secure && sameSite === 'Strict').length, 1)
    t.strictSame(await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]'), [0, 0, ''], 'no script could steal what is not there')

    for (const agent of [AGENTS.phone, AGENTS.desk, 'curl/8.14.1']) await loginElsewhere(url, agent)
    await reload(page)
    await page.getByText('Safari on iPhone').waitFor()
    t.strictSame(await page.locator('#devices .device-name').allTextContents(), ['Chrome on Linux This device', 'curl', 'Firefox on Windows', 'Safari on iPhone'])
    t.match(await page.locator('#devices .device-facts').first().textContent(), /^Last used just now from 127\.0\.0\.1 · since \w+ \d+, \d{4}$/)
    await inspect(t, watched, 'account')
    await page.getByRole('button', { name: /^Sign out Safari on iPhone/ }).click()
    await page.getByText('Safari on iPhone is signed out.').waitFor()
    t.equal(await page.locator('#devices li').count(), 3)
    t.equal(await page.evaluate('document.activeElement.id'), 'devices-title')
    await inspect(t, watched, 'account-device-out')

    await fill(page, 'change-password', { current_password: 'not this one', new_password: 'another horse, another battery' })
    t.strictSame(await fieldError(page, 'current-password'), { focused: true, invalid: 'true', text: 'The current password is wrong.' })
    await inspect(t, watched, 'account-wrong-password')
    await page.getByRole('button', { name: 'Show new password' }).click()
    t.equal(await page.locator('#new-password').getAttribute('type'), 'text')
    await page.getByRole('button', { name: 'Show new password' }).click()
    await fill(page, 'change-password', { current_password: ACCOUNT.password, new_password: ACCOUNT.email })
    t.strictSame(await fieldError(page, 'new-password'), { focused: true, invalid: 'true', text: 'A password must differ from the e-mail address.' })
    await fill(page, 'change-password', { new_password: 'another horse, another battery' })
    await page.getByText('Your password is changed, and every other device is signed out.').waitFor()
    await page.locator('#devices li:only-child').waitFor()
    await inspect(t, watched, 'account-password-changed')

    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('dialog').waitFor()
    await inspect(t, watched, 'confirm')
    await page.keyboard.press('Escape')
    t.equal(await page.getByRole('dialog').count(), 0)
    t.equal(await page.evaluate('document.activeElement.id'), 'sign-out-everywhere', 'the focus comes back')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByText('You are signed out.').waitFor()
    await inspect(t, watched, 'signed-out')
    t.strictSame(await watched.context.cookies(), [])
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('two browsers: one signs the other out, which notices and says so, in all its tabs', async t => {
    const { url } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const [one, other] = [await openPage(t, browser, url), await openPage(t, browser, url)]
    for (const { page } of [one, other]) {
      await fill(page, 'sign-in', ACCOUNT)
      await heading(page, 'Your account')
    }
    const tab = await other.context.newPage()
    await tab.goto(`${url}/account`)
    await heading(tab, 'Your account')
    await one.page.evaluate("window.dispatchEvent(new Event('focus'))")
    await one.page.locator('#devices li').nth(1).getByRole('button').click()
    await one.page.getByText('Chrome on Linux is signed out.').waitFor()
    await other.page.evaluate("window.dispatchEvent(new Event('focus'))")
    for (const page of [other.page, tab]) await page.getByText('This session has ended. Sign in again to go on.').waitFor()
    await inspect(t, other, 'ended')
    t.strictSame([await other.context.cookies(), (await one.context.cookies()).length], [[], 1])
    t.equal(await one.page.locator('#devices li').count(), 1, 'the first goes on')
    t.strictSame([one.faults, other.faults, other.violations], [[], [], []])
  })

  t.test('a sign-in in one tab signs all in, a sign-out in one signs all out, and the page works by keyboard alone', async t => {
    const { url } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const { page, context } = await openPage(t, browser, url)
    const tab = await context.newPage()
    await tab.goto(`${url}/account`)
    await heading(tab, 'Sign in')
    await page.locator('#sign-in-email').focus()
    await page.keyboard.type(ACCOUNT.email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(ACCOUNT.password)
    await page.keyboard.press('Enter')
    for (const each of [page, tab]) await heading(each, 'Your account')
    t.equal(await page.evaluate('document.activeElement.id'), 'account-title')
    await tab.getByRole('button', { name: 'Sign out', exact: true }).click()
    for (const each of [page, tab]) await each.getByText('You are signed out.').waitFor()
  })

  t.test('too many attempts are counted down, and a taken address is said at its field', async t => {
    const { url } = await startSignet(t, { RATE_LIMIT_ACCOUNT_MAX: '1', RATE_LIMIT_ACCOUNT_WINDOW: '5' })
    await ask(`${url}/register`, ACCOUNT)
    const watched = await openPage(t, browser, url)
    const { page } = watched
    await fill(page, 'sign-in', { ...ACCOUNT, password: 'wrong' })
    await page.getByText('The e-mail address or the password is wrong.').waitFor()
    await fill(page, 'sign-in', ACCOUNT)
    await page.getByText(/^Too many attempts\. Try again in 0:0\d\.$/).waitFor()
    t.match(await page.locator('#sign-in-title + .notice .visually-hidden').textContent(), /^Too many attempts\. You can try again in \d seconds\.$/)
    await page.locator('#sign-in button[type=submit][aria-disabled=true][aria-busy=false]').waitFor()
    await inspect(t, watched, 'sign-in-limited')
    await page.locator('#sign-in button[type=submit][aria-disabled=false]').waitFor()
    await page.goto(`${url}/account#sign-up`)
    await reload(page)
    await heading(page, 'Create an account')
    await fill(page, 'sign-up', ACCOUNT)
    t.strictSame(await fieldError(page, 'sign-up-email'), { focused: true, invalid: 'true', text: 'An account with this e-mail address exists already; log in instead.' })
    await inspect(t, watched, 'sign-up-taken')
    await page.getByRole('link', { name: 'Sign in' }).click()
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    t.strictSame(watched.faults, [])
  })

  t.test('a Signet that goes away is said where a person looks, and nobody is signed out by it', async t => {
    const { url } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const watched = await openPage(t, browser, url)
    const { page, context } = watched
    await heading(page, 'Sign in')
    await context.setOffline(true)
    await fill(page, 'sign-in', ACCOUNT)
    await page.getByText('Signet cannot be reached. Check the connection and try again.').waitFor()
    await context.setOffline(false)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    await context.setOffline(true)
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    await page.getByText('This list may be out of date: Signet cannot be reached right now.').waitFor()
    await inspect(t, watched, 'account-stale')
    await context.setOffline(false)
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    await page.locator('.devices .notice[data-kind=lead]').waitFor()
    await refuse(context, '**/user-info', 503, 'unavailable', 'Signet cannot reach what it needs; try again in a moment.')
    await reload(page)
    await heading(page, 'Signet cannot be reached')
    await inspect(t, watched, 'unreachable')
    await page.getByRole('button', { name: 'Try again' }).click()
    await heading(page, 'Your account')
    t.strictSame(watched.faults, [])
  })

  t.test('what Signet refuses on the account is said there, and can be tried again', async t => {
    const { url } = await startSignet(t)
    const watched = await openPage(t, browser, url)
    const { page, context } = watched
    await heading(page, 'Sign in')
    await page.getByRole('link', { name: 'Create an account' }).click()
    await refuse(context, '**/login', 503, 'busy', 'Too many log-ins are waiting; try again in a moment.')
    await fill(page, 'sign-up', ACCOUNT)
    await heading(page, 'Sign in')
    await page.getByText('Too many log-ins are waiting; try again in a moment.').waitFor()
    t.equal(await page.locator('#sign-in-email').inputValue(), ACCOUNT.email)
    await refuse(context, '**/login', 500, 'internal_error', 'Something went wrong in Signet; its log has the reason, under the request id.')
    await fill(page, 'sign-in', ACCOUNT)
    await page.getByText('Something went wrong in Signet; its log has the reason, under the request id. The id is that-id.').waitFor()
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')

    await loginElsewhere(url, AGENTS.desk)
    await reload(page)
    const row = page.getByRole('button', { name: /^Sign out Firefox/ })
    await row.waitFor()
    await refuse(context, '**/tokens/*', 429, 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.')
    await row.click()
    await page.getByText(/^Too many attempts\. Try again in 0:0\d\.$/).waitFor()
    await page.locator('.devices .notice[data-kind=lead]').waitFor()
    for (const [name, path] of [['Sign out everywhere', '**/revoke-all-tokens'], ['Sign out', '**/logout']] as const) {
      await refuse(context, path, 429, 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.', '60')
      await page.getByRole('button', { name, exact: true }).click()
      if (name !== 'Sign out') await page.getByRole('dialog').getByRole('button', { name }).click()
      await page.getByText('Try again in 1:00.').or(page.getByText('Try again in 0:59.')).waitFor()
      await reload(page)
      await heading(page, 'Your account')
    }
    await page.getByRole('button', { name: /^Sign out this device/ }).click()
    await page.getByText('You are signed out.').waitFor()
    await page.evaluate("window.location.hash = '#sign-up'")
    await heading(page, 'Create an account')
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('what something other than Signet answers is not taken for an account', async t => {
    const { url } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const { page, context, faults } = await openPage(t, browser, url)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    for (const [path, contentType, body] of [['**/user-info', 'text/html', '<h1>Welcome to our hotel</h1>'], ['**/user-info', 'application/json', '{}'], ['**/tokens', 'application/json', 'null']] as const) {
      await context.route(path, async route => { await route.fulfill({ status: 200, contentType, body }) }, { times: 1 })
      await reload(page)
      await heading(page, 'Signet cannot be reached')
      await page.getByText('Something other than Signet answered. Check the connection and try again.').waitFor()
    }
    await page.getByRole('button', { name: 'Try again' }).click()
    await heading(page, 'Your account')
    t.strictSame(faults, [])
  })

  t.test('a page that is kept by the browser holds nothing of a person, and is entered anew when it is shown again', async t => {
    const { url } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const { page, faults } = await openPage(t, browser, url)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    t.equal(await page.locator('[name=username]').inputValue(), ACCOUNT.email)
    await page.locator('#current-password').fill('half of a passw')
    await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    t.equal(await view(page).getAttribute('data-view'), 'waiting')
    t.equal(await page.locator('#devices li').count(), 0)
    t.strictSame(await page.locator('[data-slot]').allTextContents(), ['', '', ''])
    t.strictSame(await page.locator('input').evaluateAll(inputs => inputs.map(input => [(input as HTMLInputElement).value, (input as HTMLInputElement).defaultValue].join(''))), Array(8).fill(''))
    t.notMatch(await page.content(), ACCOUNT.email)
    await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await heading(page, 'Your account')
    t.equal(await page.locator('[name=username]').inputValue(), ACCOUNT.email)
    t.strictSame(faults, [])
  })

  t.test('there is no function of the page that did not run', async t => {
    t.ok(calls.size > 50, `${calls.size} functions`)
    t.strictSame([...calls].filter(([, count]) => count === 0).map(([name]) => name), [])
  })
})
