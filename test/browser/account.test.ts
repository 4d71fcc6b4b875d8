// The account page in a real browser: the whole journey, each of its states without a finding of axe, and nothing from elsewhere.
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { writeLinkToken } from '../../src/core/link-token.js'
import { openStore } from '../../src/store/open-store.js'
import { openRing } from '../keyring/rings.js'
import { ask, serve } from '../server-process.js'
import { newUser } from '../store/store-contract.js'
import { cookieNames, launch, LEFT, withChromium } from './chromium.js'
import { Calls, inspect } from './inspection.js'
import { startClient } from './oauth-client.js'
import { faults, fieldError, fill, heading, notice, refuse, view, watch } from './watching.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }
const AGENTS = {
  phone: 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1',
  desk: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
}

const calls = new Calls(/\/account\/(account|activity|answers|devices|doors|forms|views)\.js$/)

const openPage = async (t: Test, browser: Browser, url: string) => await watch(t, browser, url, calls)

/** What ran is forgotten with the page that it ran on, so it is noted before. */
async function reload (page: Page): Promise<void> {
  await calls.note(page)
  await calls.start(page)
  await page.reload()
}

const buttonTop = async (page: Page) => (await view(page).locator('button[type=submit]').last().boundingBox())!.y

async function rules (page: Page, list: string): Promise<string[]> {
  return await page.locator(`#${list} li`).allTextContents()
}

/** Whether what is said at a field ends nearer to it than to the label after it. */
async function isNearest (page: Page, input: string): Promise<boolean> {
  return await page.locator(`#${input}`).evaluate(element => {
    const text = document.createRange()
    text.selectNodeContents(document.getElementById(`${element.id}-note`)!)
    const line = element.ownerDocument.defaultView!.getComputedStyle(document.getElementById(`${element.id}-note`)!)
    const next = element.closest('.field')!.nextElementSibling!.querySelector('label')!.getBoundingClientRect().top
    const top = document.getElementById(`${element.id}-note`)!.getBoundingClientRect().top + parseFloat(line.paddingTop)
    return top - element.getBoundingClientRect().bottom < next - (top + parseFloat(line.lineHeight))
  })
}

async function lookAgain (page: Page): Promise<void> {
  const answer = page.waitForResponse('**/tokens')
  await page.evaluate("window.dispatchEvent(new Event('focus'))")
  await answer
}

async function loginElsewhere (url: string, userAgent: string, password = ACCOUNT.password): Promise<string> {
  const response = await fetch(`${url}/login`, { method: 'POST', headers: { 'content-type': 'application/json', 'user-agent': userAgent }, body: JSON.stringify({ email: ACCOUNT.email, password }) })
  return (await response.json() as { access_token: string }).access_token
}

t.setTimeout(600_000)
// Each test has a Signet and a profile of its own, and waits more than it works.
t.jobs = 2

withChromium(executablePath => {
  let browser: Browser
  t.before(async () => { browser = await launch(executablePath) })

  t.test('a newcomer signs up, sees their devices, signs one out, changes the password, and signs out everywhere', async t => {
    const { url } = await serve(t)
    const watched = await openPage(t, browser, url)
    const { page } = watched
    await heading(page, 'Sign in')
    await inspect(t, watched, 'sign-in')
    t.strictSame(watched.errors, [], 'nobody signed in is no error')
    const top = await buttonTop(page)
    await page.getByRole('button', { name: 'Sign in' }).click()
    t.strictSame(await fieldError(page, 'sign-in-email'), { focused: true, invalid: 'true', text: 'Enter your e-mail address.' })
    t.strictSame(await faults(page), { 'sign-in-email': 'Enter your e-mail address.', 'sign-in-password': 'Enter your password.' })
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
    t.strictSame(await rules(page, 'sign-up-rules'), ['At least 8 characters', 'Not your e-mail address: yes', 'Not easy to guess, as “password1” is'], 'what is not typed yet has not failed')
    const signUpTop = await buttonTop(page)
    await fill(page, 'sign-up', { name: 'Ada Lovelace', email: 'nobody' })
    t.strictSame(await fieldError(page, 'sign-up-email'), { focused: true, invalid: 'true', text: 'That does not look like an e-mail address.' })
    t.strictSame(await faults(page), { 'sign-up-email': 'That does not look like an e-mail address.', 'sign-up-password': '' }, 'all at once, and what a rule says is not said again')
    t.strictSame(await rules(page, 'sign-up-rules'), ['At least 8 characters: no', 'Not your e-mail address: yes', 'Not easy to guess, as “password1” is'])
    await inspect(t, watched, 'sign-up-faults')
    for (const input of ['sign-up-email', 'sign-up-name']) t.ok(await isNearest(page, input), `what is said at ${input} is nearer to it than the next label`)
    await page.locator('#sign-up-password').fill('shorter')
    t.match(await rules(page, 'sign-up-rules'), ['At least 8 characters: no'], 'until it is mended')
    await fill(page, 'sign-up', { email: 'ada@example.-', password: 'password', name: '\u202eAda' })
    await page.locator('#sign-up-rules li[data-state=failed]').waitFor()
    t.strictSame(await faults(page), { 'sign-up-name': 'Use up to 100 characters that can be seen.', 'sign-up-email': 'That does not look like an e-mail address.', 'sign-up-password': '' }, 'what Signet alone can tell too')
    t.strictSame(await rules(page, 'sign-up-rules'), ['At least 8 characters: yes', 'Not your e-mail address: yes', 'Not easy to guess, as “password1” is: no'])
    t.equal(await buttonTop(page), signUpTop, 'nothing jumps')
    await inspect(t, watched, 'sign-up-weak')
    await fill(page, 'sign-up', { email: ACCOUNT.email, password: 'x'.repeat(257), name: 'Ada Lovelace' })
    t.strictSame(await fieldError(page, 'sign-up-password'), { focused: true, invalid: 'true', text: 'A password has at most 256 characters.' })
    await fill(page, 'sign-up', { password: ACCOUNT.password })
    await heading(page, 'Ada Lovelace')
    t.equal(page.url(), `${url}/account`, 'the address forgets the form')
    t.strictSame(await page.getByRole('button', { name: /^Sign out/ }).evaluateAll(buttons => buttons.map(({ id }) => id)), ['sign-out', 'sign-out-everywhere'].slice(0, 1), 'there is one way to end this session')
    await inspect(t, watched, 'account-one-device')
    t.strictSame(await page.locator('#devices .device-name').allTextContents(), ['Chrome on Linux This device'])
    t.equal((await watched.context.cookies()).filter(({ name, httpOnly, secure, sameSite }) => name === '__Host-signet' && httpOnly && secure && sameSite === 'Strict').length, 1)
    t.strictSame(await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]'), [0, 0, ''], 'no script could steal what is not there')

    for (const agent of [AGENTS.phone, AGENTS.desk, 'curl/8.14.1']) await loginElsewhere(url, agent)
    await reload(page)
    await page.locator('#devices').getByText('Safari on iPhone').waitFor()
    t.strictSame(await page.locator('#devices .device-name').allTextContents(), ['Chrome on Linux This device', 'curl', 'Firefox on Windows', 'Safari on iPhone'])
    t.strictSame(await page.locator('#devices .facts').first().locator('p > span').allTextContents(), ['Last used just now', '127.0.0.1', `Since ${await page.locator('time[data-slot=since]').textContent()}`])
    await inspect(t, watched, 'account')
    await page.getByRole('button', { name: /^Sign out Safari on iPhone/ }).click()
    await page.getByText('Safari on iPhone is signed out.').waitFor()
    t.equal(await page.locator('#devices li').count(), 3)
    t.equal(await page.evaluate('document.activeElement.id'), 'devices-title')
    await inspect(t, watched, 'account-device-out')

    await page.getByRole('button', { name: 'Change password' }).click()
    t.equal(await page.getByText('Safari on iPhone is signed out.').count(), 0, 'news is gone with the next thing that is done')
    t.equal(await page.evaluate('document.activeElement.id'), 'current-password')
    await page.getByRole('button', { name: 'Save password' }).click()
    t.strictSame(await faults(page), { 'current-password': 'Enter your current password.', 'new-password': '' })
    t.match(await rules(page, 'new-rules'), ['At least 8 characters: no'])
    await fill(page, 'change-password', { current_password: 'not this one', new_password: 'another horse, another battery' })
    await page.getByText('That is not your current password.').waitFor()
    t.strictSame(await fieldError(page, 'current-password'), { focused: true, invalid: 'true', text: 'That is not your current password.' })
    await inspect(t, watched, 'account-wrong-password')
    await page.getByRole('button', { name: 'Show new password' }).click()
    t.equal(await page.locator('#new-password').getAttribute('type'), 'text')
    await page.getByRole('button', { name: 'Hide new password' }).click()
    t.equal(await page.locator('#new-password').getAttribute('type'), 'password')
    await fill(page, 'change-password', { current_password: ACCOUNT.password, new_password: ACCOUNT.email })
    t.strictSame([await faults(page), await rules(page, 'new-rules')], [{ 'new-password': '' }, ['At least 8 characters: yes', 'Not your e-mail address: no', 'Not easy to guess, as “password1” is']])
    await fill(page, 'change-password', { new_password: 'another horse, another battery' })
    await page.getByText('Your password is changed, and every other device is signed out.').waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), 'edit-password')
    await page.locator('#devices li:only-child').waitFor()
    await inspect(t, watched, 'account-password-changed')

    await loginElsewhere(url, AGENTS.phone, 'another horse, another battery')
    await lookAgain(page)
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
    t.strictSame(await cookieNames(watched.context), LEFT)
    t.equal(page.url(), `${url}/account`)
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('the name is given, changed and taken away, and every tab and device shows it', async t => {
    const { url } = await serve(t)
    await ask(`${url}/register`, ACCOUNT)
    const watched = await openPage(t, browser, url)
    const { page, context } = watched
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    const tab = await context.newPage()
    await tab.goto(`${url}/account`)
    await heading(tab, 'Your account')
    t.equal(await page.locator('#name').textContent(), 'You have not given one.')
    const change = page.getByRole('button', { name: 'Change name' })
    await change.click()
    await page.keyboard.type('Half a na')
    await page.keyboard.press('Escape')
    t.strictSame([await page.evaluate('document.activeElement.id'), await page.locator('#change-name').isHidden(), await page.locator('#new-name').inputValue()], ['edit-name', true, ''])
    await change.click()
    await fill(page, 'change-name', { name: 'x'.repeat(101) })
    t.strictSame(await fieldError(page, 'new-name'), { focused: true, invalid: 'true', text: 'Use up to 100 characters that can be seen.' })
    await inspect(t, watched, 'account-name')
    for (const [typed, name, news] of [['Ada Lovelace', 'Ada Lovelace', 'Your name is saved.'], ['Wolfeschlegelsteinhausen'.repeat(4), 'Wolfeschlegelsteinhausen'.repeat(4), 'Your name is saved.'], [' ', 'Your account', 'Your name is removed.']] as const) {
      if (await change.isVisible()) await change.click()
      await page.locator('#new-name').fill(typed)
      await page.keyboard.press('Enter')
      await page.getByText(news).waitFor()
      await heading(page, name)
      t.equal(await page.evaluate('document.activeElement.id'), 'edit-name')
      if (name.length > 90) await inspect(t, watched, 'account-long-name')
      await lookAgain(tab)
      await heading(tab, name)
    }
    await tab.getByRole('button', { name: 'Change name' }).click()
    await tab.locator('#new-name').fill('half a na')
    await lookAgain(tab)
    t.equal(await tab.locator('#new-name').inputValue(), 'half a na', 'what is being typed is left alone')
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('of many devices some are shown, and the rest when they are asked for', async t => {
    const { url } = await serve(t)
    await ask(`${url}/register`, ACCOUNT)
    const watched = await openPage(t, browser, url)
    const { page } = watched
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    const shown = async () => await page.locator('#devices li:visible').count()
    for (let count = 0; count < 8; count++) await loginElsewhere(url, count ? AGENTS.phone : 'an-agent-of-forty-letters-or-even-more-of-them/1.0 (and a comment)')
    await lookAgain(page)
    await page.getByRole('button', { name: 'Show 4 more' }).waitFor()
    t.equal(await shown(), 5)
    await inspect(t, watched, 'account-many-devices')
    await page.getByRole('button', { name: 'Show 4 more' }).click()
    t.equal(await shown(), 9)
    await inspect(t, watched, 'account-all-devices')
    await lookAgain(page)
    t.equal(await shown(), 9, 'they stay unfolded')
    const out = async () => {
      await page.getByRole('button', { name: /^Sign out Safari/ }).first().click()
      await page.getByText('Safari on iPhone is signed out.').waitFor()
    }
    await out()
    await loginElsewhere(url, AGENTS.desk)
    await lookAgain(page)
    await page.locator('section:has(#devices) .notice[data-kind=lead]').waitFor()
    await page.getByRole('button', { name: 'Show fewer' }).click()
    t.equal(await shown(), 5)
    for (let count = 0; count < 3; count++) await out()
    t.strictSame([await shown(), await page.locator('#more-devices').isHidden()], [6, true], 'one more than some is no reason to fold')
  })

  t.test('what happened is told in words, what is alike once, and more when it is asked for', async t => {
    const { url } = await serve(t)
    const watched = await openPage(t, browser, url)
    const { page } = watched
    await ask(`${url}/register`, ACCOUNT)
    for (let more = 0; more < 3; more++) await ask(`${url}/login`, { ...ACCOUNT, password: 'wrong' })
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    const told = async () => await page.locator('#activity .event-name').allTextContents()
    while ((await told()).length < 3) {
      await lookAgain(page)
      await page.waitForTimeout(50)
    }
    t.strictSame(await told(), ['Signed in', 'A sign-in failed 3 times', 'Account created'])
    t.strictSame(await page.locator('#activity .facts').first().locator('p > span').allTextContents(), ['just now', 'Chrome on Linux', '127.0.0.1'])
    await inspect(t, watched, 'account-activity')
    const client = { id: '0c7e5f2a-6f0b-4a1d-8d53-1f6f6a3f2b90', name: 'Reading list' }
    const kinds = [['refresh.ahead'], ['family.closed', 'evicted'], ['family.closed', 'revoked', client], ['code.replayed', null, { ...client, name: null }], ['consent.given', null, client], ['family.closed', 'replaced'], ['password.changed'], ['limit.hit'], ['family.closed', 'revoked_all'], ['user.enabled']] as const
    const events = kinds.map(([kind, cause = null, client = null], index) => ({ id: String(index), at: '2026-11-01T08:00:00.000Z', kind, cause, client, token_id: null, ip: null, user_agent: null }))
    await watched.context.route('**/events', async route => { await route.fulfill({ json: { events, next: null } }) }, { times: 1 })
    await reload(page)
    await page.getByText('Took the access of Reading list back').waitFor()
    t.strictSame(await told(), ['A device was signed out, to make room for another', 'Took the access of Reading list back', 'Took the access of an application back: somebody may have had a copy of its key', 'Let Reading list in', 'Password changed', 'Signed out everywhere', 'Account unlocked'])
    await page.locator('#more-activity').click()
    await inspect(t, watched, 'account-activity-whole')
    for (const answer of [{ json: {} }, { status: 500, body: 'no' }]) {
      await watched.context.route('**/events', async route => { await route.fulfill(answer) }, { times: 1 })
      await reload(page)
      await heading(page, 'Your account')
      t.notOk(await page.locator('#activity').isVisible(), 'without them the account is shown all the same')
    }
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('whatever programs and applications call themselves is text, and nothing else', async t => {
    const { url, databaseUrl } = await serve(t)
    await ask(`${url}/register`, ACCOUNT)
    const watched = await openPage(t, browser, url)
    const { page } = watched
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    const name = '$& $\' <img src=x onerror=alert(1)> שלום'
    const client = await startClient(t, url, databaseUrl, { name })
    const tab = await watched.context.newPage()
    await tab.goto(client.start({ scope: 'openid', prompt: 'consent' }))
    await tab.getByRole('button', { name: 'Allow' }).click()
    await tab.getByRole('heading', { name: 'Welcome back' }).waitFor()
    for (const agent of ['<img src=x onerror=alert(1)>', `"><script>alert(1)</script>${'x'.repeat(4000)}`, '\xE2\x80\xAEtxet', `Firefox/1 ${'iPhone'.repeat(600)}`, 'x'.repeat(4000)]) await loginElsewhere(url, agent)
    const told = async () => await page.locator('#activity .event-name').allTextContents()
    while ((await told()).filter(text => text.startsWith('Signed in')).length < 6) {
      await lookAgain(page)
      await page.waitForTimeout(50)
    }
    t.strictSame((await page.locator('#devices .device-name').allTextContents()).sort(), ['Chrome on Linux This device', 'Firefox', 'Unknown device', 'Unknown device', 'Unknown device', 'x'.repeat(40)])
    t.strictSame(await page.locator('#applications .device-name').allTextContents(), [name])
    t.equal(await page.locator('#activity img, #devices img, #applications img').count(), 0)
    t.equal((await told()).find(text => text.startsWith('Let ')), `Let ${name} in`)
    await page.locator('#more-activity').click()
    await inspect(t, watched, 'account-hostile-names')
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('what a user let in is listed with what it may do, and loses its access there', async t => {
    const { url, databaseUrl } = await serve(t)
    await ask(`${url}/register`, ACCOUNT)
    const watched = await openPage(t, browser, url)
    const { page } = watched
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    t.ok(await page.getByRole('heading', { name: 'Applications' }).isHidden(), 'what there is not is not shown')
    const client = await startClient(t, url, databaseUrl, { name: '<b>Reading</b> list', scopes: ['lists:write', 'constructor'] })
    const tab = await watched.context.newPage()
    for (const scope of ['openid email offline_access lists:write constructor', 'openid profile']) {
      await tab.goto(client.start({ scope, prompt: 'consent' }))
      await tab.getByRole('button', { name: 'Allow' }).click()
      await tab.getByRole('heading', { name: 'Welcome back' }).waitFor()
    }
    await lookAgain(page)
    await page.getByRole('heading', { name: 'Applications' }).waitFor()
    t.strictSame(await page.locator('#applications .device-name').allTextContents(), ['<b>Reading</b> list', '<b>Reading</b> list'])
    t.strictSame(await page.locator('#devices .device-name').allTextContents(), ['Chrome on Linux This device'])
    t.strictSame(await page.locator('#applications li').last().locator('.facts').last().locator('p > span').allTextContents(), ['Know who you are when you come back', 'See your e-mail address', 'Keep its access while you are away', 'Use “lists:write”', 'Use “constructor”'])
    await inspect(t, watched, 'account-applications')
    const takeBack = page.getByRole('button', { name: /^Take back the access of <b>Reading<\/b> list, last used / })
    await takeBack.first().click()
    await page.getByText('<b>Reading</b> list has no access any more.').waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), 'applications-title')
    await takeBack.click()
    await page.locator('#applications li').first().waitFor({ state: 'detached' })
    await page.getByText('<b>Reading</b> list has no access any more.').waitFor()
    t.equal(await client.refresh(0), 400, 'and so it is')
    await inspect(t, watched, 'account-no-application')
    await page.locator('#edit-name').click()
    await lookAgain(page)
    await page.getByRole('heading', { name: 'Applications' }).waitFor({ state: 'hidden' })
    await tab.goto(client.start({ scope: 'openid profile' }))
    await tab.getByRole('button', { name: 'Allow' }).waitFor()
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('two browsers: one signs the other out, which notices and says so, in all its tabs', async t => {
    const { url } = await serve(t)
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
    t.strictSame([await cookieNames(other.context), await cookieNames(one.context)], [LEFT, ['__Host-signet', ...LEFT]])
    t.equal(await one.page.locator('#devices li').count(), 1, 'the first goes on')
    t.strictSame([one.faults, other.faults, other.violations], [[], [], []])
  })

  t.test('a sign-in in one tab signs all in, a sign-out in one signs all out, and the page works by keyboard alone', async t => {
    const { url } = await serve(t)
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
    await page.evaluate("window.location.hash = '#sign-up'")
    await page.waitForURL(`${url}/account`)
    await tab.getByRole('button', { name: 'Sign out', exact: true }).click()
    for (const each of [page, tab]) await each.getByText('You are signed out.').waitFor()
  })

  t.test('too many attempts are counted down, and a taken address is said at its field', async t => {
    const { url } = await serve(t, { RATE_LIMIT_ACCOUNT_MAX: '1', RATE_LIMIT_ACCOUNT_WINDOW: '5' })
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
    for (const [seconds, words] of [['540', '9:00'], ['1800', '30 minutes'], ['80000', '23 hours']] as const) {
      await refuse(watched.context, '**/login', 429, 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.', seconds)
      await fill(page, 'sign-in', ACCOUNT)
      await page.getByText(`Too many attempts. Try again in ${words}.`).or(page.getByText('Too many attempts. Try again in 8:59.')).waitFor()
      await reload(page)
      await heading(page, 'Sign in')
    }
    await page.goto(`${url}/account#sign-up`)
    await reload(page)
    await heading(page, 'Create an account')
    await fill(page, 'sign-up', ACCOUNT)
    t.strictSame(await fieldError(page, 'sign-up-email'), { focused: true, invalid: 'true', text: 'This address already has an account. Sign in' })
    await inspect(t, watched, 'sign-up-taken')
    await page.getByRole('link', { name: 'Sign in' }).first().click()
    t.equal(await page.locator('#sign-in-email').inputValue(), ACCOUNT.email, 'the address is carried over')
    await fill(page, 'sign-in', { password: ACCOUNT.password })
    await heading(page, 'Your account')
    t.strictSame(watched.faults, [])
  })

  t.test('a Signet that goes away is said where a person looks, and nobody is signed out by it', async t => {
    const { url } = await serve(t)
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
    await page.locator('section:has(#devices) .notice[data-kind=lead]').waitFor()
    await refuse(context, '**/user-info', 503, 'unavailable', 'Signet cannot reach what it needs; try again in a moment.')
    await reload(page)
    await heading(page, 'Signet cannot be reached')
    await inspect(t, watched, 'unreachable')
    await page.getByRole('button', { name: 'Try again' }).click()
    await heading(page, 'Your account')
    t.strictSame(watched.faults, [])
  })

  t.test('what Signet refuses on the account is said there, and can be tried again', async t => {
    const { url } = await serve(t)
    const watched = await openPage(t, browser, url)
    const { page, context } = watched
    await heading(page, 'Sign in')
    await page.getByRole('link', { name: 'Create an account' }).click()
    await refuse(context, '**/login', 503, 'busy', 'Too many log-ins are waiting; try again in a moment.')
    await fill(page, 'sign-up', ACCOUNT)
    await heading(page, 'Sign in')
    await page.getByText('Many people are signing in right now. Try again in a moment.').waitFor()
    t.equal(await page.locator('#sign-in-email').inputValue(), ACCOUNT.email)
    await refuse(context, '**/login', 500, 'internal_error', 'Something went wrong in Signet; its log has the reason, under the request id.')
    await fill(page, 'sign-in', ACCOUNT)
    await page.getByText('Something went wrong in Signet. Try again, and if it stays so, name this id: that-id').waitFor()
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')

    await loginElsewhere(url, AGENTS.desk)
    await reload(page)
    const row = page.getByRole('button', { name: /^Sign out Firefox/ })
    await row.waitFor()
    await refuse(context, '**/tokens/*', 429, 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.', '5')
    await row.click()
    await page.getByText(/^Too many attempts\. Try again in 0:0\d\.$/).waitFor()
    await page.locator('section:has(#devices) .notice[data-kind=lead]').waitFor()
    for (const [name, path] of [['Sign out everywhere', '**/revoke-all-tokens'], ['Sign out', '**/logout']] as const) {
      await refuse(context, path, 429, 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.', '60')
      await page.getByRole('button', { name, exact: true }).click()
      if (name !== 'Sign out') await page.getByRole('dialog').getByRole('button', { name }).click()
      await page.getByText('Try again in 1:00.').or(page.getByText('Try again in 0:59.')).waitFor()
      await reload(page)
      await heading(page, 'Your account')
    }
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.getByText('You are signed out.').waitFor()
    await page.evaluate("window.location.hash = '#sign-up'")
    await heading(page, 'Create an account')
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('what something other than Signet answers is not taken for an account', async t => {
    const { url } = await serve(t)
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
    await page.getByRole('button', { name: 'Change name' }).click()
    await context.route('**/user-info', async route => { await route.fulfill({ status: 200, contentType: 'application/json', body: '{}' }) }, { times: 1 })
    await fill(page, 'change-name', { name: 'Ada' })
    await page.locator('#name[data-kind=error]', { hasText: 'Something other than Signet answered. Check the connection and try again.' }).waitFor()
    await fill(page, 'change-name', {})
    await heading(page, 'Ada')
    await page.getByRole('button', { name: 'Change name' }).click()
    await fill(page, 'change-name', { name: '' })
    await heading(page, 'Your account')
    await context.route('**/account/session', async route => { await route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>Welcome to our hotel</h1>' }) })
    await reload(page)
    await heading(page, 'Your account')
    t.strictSame(faults, [])
  })

  t.test('a person deletes the account, in words and with the password, and is told that it is gone', async t => {
    const { url } = await serve(t)
    await ask(`${url}/register`, ACCOUNT)
    const watched = await openPage(t, browser, url)
    const { page } = watched
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    await page.getByRole('button', { name: 'Delete account' }).click()
    t.equal(await page.evaluate('document.activeElement.id'), 'deletion-words')
    await page.locator('#delete-account button[type=submit]').click()
    t.strictSame(await faults(page), { 'deletion-words': 'Type the words, so that it is no slip of the hand.', 'deletion-password': 'Enter your password.' })
    await fill(page, 'delete-account', { words: 'delete it', current_password: 'not this one' })
    t.strictSame(await faults(page), { 'deletion-words': 'These are not the words: delete my account' })
    await inspect(t, watched, 'account-deletion')
    await fill(page, 'delete-account', { words: ' Delete my account' })
    t.strictSame(await fieldError(page, 'deletion-password'), { focused: true, invalid: 'true', text: 'That is not your current password.' })
    await page.locator('#delete-account').getByRole('button', { name: 'Cancel' }).click()
    t.equal(await page.evaluate('document.activeElement.id'), 'open-deletion')
    await page.getByRole('button', { name: 'Delete account' }).click()
    await fill(page, 'delete-account', { words: 'delete my account', current_password: ACCOUNT.password })
    await heading(page, 'Sign in')
    await page.getByText('Your account is deleted.').waitFor()
    t.equal((await watched.context.cookies()).length, 0)
    t.notMatch(await page.content(), ACCOUNT.email)
    await fill(page, 'sign-in', ACCOUNT)
    await page.getByText('The e-mail address or the password is wrong.').waitFor()
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('where the operator alone makes accounts, the page offers none, and a link sets the password, which the address forgets', async t => {
    const { url, databaseUrl, keys } = await serve(t, { REGISTRATION: 'closed' })
    const watched = await openPage(t, browser, url)
    const { page, context } = watched
    await heading(page, 'Sign in')
    t.strictSame([await page.getByText('Create an account').count(), await page.locator('#sign-up').count()], [0, 0])
    await page.evaluate("window.location.hash = '#sign-up'")
    await inspect(t, watched, 'sign-in-closed')

    const store = await openStore(databaseUrl)
    t.teardown(async () => { await store.close() })
    const user = { ...newUser(), email: ACCOUNT.email }
    await store.insertUser(user)
    const token = writeLinkToken('reset-password', user, Date.now() + 3_600_000, (await openRing({ folder: keys })).refreshSecret)
    await page.evaluate(`window.location.hash = '#reset-password=${token}'`)
    await heading(page, 'Set a new password')
    t.equal(page.url(), `${url}/account`)
    await inspect(t, watched, 'reset-password')
    await page.getByRole('link', { name: 'Go to sign in' }).click()
    await heading(page, 'Sign in')
    await calls.note(page)
    await page.goto('about:blank')
    await calls.start(page)
    await page.goto(`${url}/account#reset-password=${token}`)
    await heading(page, 'Set a new password')
    await fill(page, 'reset-password', { new_password: 'short' })
    t.match(await rules(page, 'reset-rules'), ['At least 8 characters: no'])
    await fill(page, 'reset-password', { new_password: ACCOUNT.email })
    await page.locator('#reset-rules li[data-state=failed]').waitFor()
    await context.route('**/reset-password', async route => { await route.abort() }, { times: 1 })
    await fill(page, 'reset-password', { new_password: ACCOUNT.password })
    await page.getByText('Signet cannot be reached. Check the connection and try again.').waitFor()
    await fill(page, 'reset-password', { new_password: ACCOUNT.password })
    await heading(page, 'Sign in')
    await page.getByText('Your new password is set. Sign in with it.').waitFor()
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    await page.evaluate(`window.location.hash = '#reset-password=${token}'`)
    await heading(page, 'Set a new password')
    await fill(page, 'reset-password', { new_password: 'another harbour' })
    await page.getByText('This link to set a new password is not good, or not any more; ask for another.').waitFor()
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('a page that is kept by the browser holds nothing of a person, and is entered anew when it is shown again', async t => {
    const { url } = await serve(t)
    await ask(`${url}/register`, ACCOUNT)
    const { page, faults } = await openPage(t, browser, url)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    t.equal(await page.locator('[name=username]').first().inputValue(), ACCOUNT.email)
    await page.locator('#edit-password').click()
    await page.locator('#current-password').fill('half of a passw')
    await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    t.equal(await view(page).getAttribute('data-view'), 'waiting')
    t.equal(await page.locator('#devices li').count(), 0)
    t.strictSame(await page.locator('[data-slot], .notice').allTextContents().then(texts => texts.filter(text => text.includes('@') || text.includes('Ada'))), [])
    t.strictSame(await page.locator('input:not([type=checkbox])').evaluateAll(inputs => inputs.map(input => [(input as HTMLInputElement).value, (input as HTMLInputElement).defaultValue].join('')).filter(text => text !== '')), [])
    t.notMatch(await page.content(), ACCOUNT.email)
    await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await heading(page, 'Your account')
    t.equal(await page.locator('[name=username]').first().inputValue(), ACCOUNT.email)
    t.strictSame(faults, [])
  })

  t.test('there is no function of the page that did not run', { buffered: false }, async t => {
    t.ok(calls.size > 50, `${calls.size} functions`)
    t.strictSame(calls.unused, [])
  })
})
