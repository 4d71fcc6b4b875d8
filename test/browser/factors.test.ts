// Second steps on the account page in a real browser, from setting them up to signing in with them and losing them, with an authenticator of Chromium's own; each state without a finding of axe.
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { codeAt, stepAt } from '../../src/core/totp.js'
import { freePort } from '../free-port.js'
import { ask, serve } from '../server-process.js'
import { launch, withChromium } from './chromium.js'
import { Calls, inspect } from './inspection.js'
import { startClient } from './oauth-client.js'
import { fieldError, fill, heading, notice, refuse, view, watch, type Watched } from './watching.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }
const calls = new Calls(/\/account\/(app-offer|codes|dialogs|factors|proof|qr-code|second-step)\.js$/)
const CODE = /^([\da-z]{4}-){5}[\da-z]{4}$/

/** A Signet under a name, for browsers know no passkeys at an address. */
async function serveByName (t: Test, env: Record<string, string> = {}): Promise<{ url: string, databaseUrl: string }> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const { databaseUrl } = await serve(t, { PORT: String(port), ISSUER: url, ...env })
  return { url, databaseUrl }
}

/** The code that the app shows now, or in so many half minutes. */
function codeOf (secret: string, ahead = 0): string {
  const bits = [...secret.replaceAll(' ', '')].map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return codeAt(Buffer.from(bits.match(/.{8}/g)!.map(byte => parseInt(byte, 2))), stepAt(Date.now()) + ahead)
}

const row = (page: Page, id: string) => page.locator(`#${id}-setting .notice`)
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true })
const dialog = (page: Page, name: string) => page.getByRole('dialog', { name })
const saved = async (page: Page) => { await dialog(page, 'Keep your recovery codes').getByRole('button', { name: 'I have kept them' }).click() }
const shownCodes = async (page: Page) => await page.locator('#codes li').allTextContents()

async function signUp (t: Test, browser: Browser, url: string): Promise<Watched> {
  await ask(`${url}/register`, ACCOUNT)
  const watched = await watch(t, browser, url, calls)
  await fill(watched.page, 'sign-in', ACCOUNT)
  await heading(watched.page, 'Your account')
  return watched
}

/** Sets the app up; answers its secret and the recovery codes. */
async function addApp (page: Page): Promise<{ secret: string, codes: string[] }> {
  await button(page, 'Set up an authenticator app').click()
  await dialog(page, 'Set up your authenticator app').waitFor()
  const secret = await page.locator('#app-secret').innerText()
  await fill(page, 'confirm-app', { code: codeOf(secret) })
  await page.locator('dialog#recovery-codes[open] li').first().waitFor()
  const codes = await shownCodes(page)
  await saved(page)
  await page.getByText('The app is set up. When you sign in, you enter a code of it.').waitFor()
  return { secret, codes }
}

async function signOut (page: Page): Promise<void> {
  await button(page, 'Sign out').click()
  await page.getByText('You are signed out.').waitFor()
}

/** An authenticator of Chromium's own, of somebody who always says yes. */
async function withAuthenticator (page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
}

/** The next time, somebody says no. */
async function giveUp (page: Page): Promise<void> {
  await page.evaluate(`for (const name of ['get', 'create']) navigator.credentials[name] = () => {
    delete navigator.credentials.get
    delete navigator.credentials.create
    return Promise.reject(new DOMException('no', 'NotAllowedError'))
  }`)
}

/** What ran is forgotten with the page that it ran on, so it is noted before. */
async function reload (page: Page): Promise<void> {
  await calls.note(page)
  await calls.start(page)
  await page.reload()
}

/** Makes a log-in of before too old to prove anything, as one of more than ten minutes ago is. */
async function askForProof (watched: Watched, path: string): Promise<void> {
  await refuse(watched.context, path, 403, 'fresh_log_in_needed', 'For this the password is needed, or a log-in of the last ten minutes.')
}

t.setTimeout(600_000)
t.jobs = 2

withChromium(executablePath => {
  let browser: Browser
  t.before(async () => { browser = await launch(executablePath) })

  t.test('an authenticator app is set up by its picture or its secret, and signing in takes its code, or a recovery code, from then on', async t => {
    const { url } = await serveByName(t)
    const watched = await signUp(t, browser, url)
    const { page, context } = watched
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await inspect(t, watched, 'factors-none')
    await button(page, 'Set up an authenticator app').click()
    await dialog(page, 'Set up your authenticator app').waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), 'confirm-app-code')
    const secret = await page.locator('#app-secret').innerText()
    t.match(await page.locator('#app-link').getAttribute('href'), new RegExp(`^otpauth://totp/localhost:ada%40example.com\\?secret=${secret.replaceAll(' ', '')}&`))
    t.ok((await page.locator('#app-picture path').getAttribute('d'))!.length > 1000)
    await inspect(t, watched, 'app-offer')
    await page.locator('#confirm-app button[type=submit]').click()
    t.strictSame(await fieldError(page, 'confirm-app-code'), { focused: true, invalid: 'true', text: 'Enter the six digits that the app shows.' })
    await fill(page, 'confirm-app', { code: '000000' })
    await page.getByText('This code is wrong, or was used already.').waitFor()
    await inspect(t, watched, 'app-offer-wrong')
    await dialog(page, 'Set up your authenticator app').getByRole('button', { name: 'Cancel' }).click()
    t.strictSame([await page.locator('#app-secret').textContent(), await row(page, 'app').textContent()], ['', 'An app on your phone shows a code that you enter beside your password.'], 'and nothing is kept of it')
    await button(page, 'Set up an authenticator app').click()
    await dialog(page, 'Set up your authenticator app').waitFor()
    const kept = await page.locator('#app-secret').innerText()
    const code = codeOf(kept)
    await fill(page, 'confirm-app', { code: `${code.slice(0, 3)} ${code.slice(3)}` })
    await dialog(page, 'Keep your recovery codes').waitFor()
    await inspect(t, watched, 'recovery-codes')
    const codes = await shownCodes(page)
    t.strictSame([codes.length, codes.every(code => CODE.test(code))], [10, true])
    await button(page, 'Copy').click()
    await page.getByText('They are copied.').waitFor()
    t.equal(await page.evaluate('navigator.clipboard.readText()'), codes.join('\n'))
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Save as a file' }).click()])
    t.equal(download.suggestedFilename(), 'recovery-codes.txt')
    await page.evaluate('window.print = () => { window.printed = true }')
    await button(page, 'Print').click()
    t.equal(await page.evaluate('window.printed'), true)
    await page.keyboard.press('Escape')
    t.equal(await dialog(page, 'Keep your recovery codes').count(), 1, 'no slip of the hand closes it')
    await saved(page)
    await page.getByText('The app is set up. When you sign in, you enter a code of it.').waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), 'remove-app')
    t.equal(await shownCodes(page).then(({ length }) => length), 0)
    t.match(await row(page, 'codes').textContent(), '10 are left.')
    await inspect(t, watched, 'factors-app')

    await signOut(page)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'One more step')
    t.equal(await page.evaluate('document.activeElement.id'), 'second-step-title')
    t.strictSame(await view(page).getByRole('button').allTextContents().then(texts => texts.filter(text => /^Use/.test(text))), ['Use the authenticator app', 'Use a passkey', 'Use a passkey', 'Use a recovery code'].slice(3), 'what there is not is not offered')
    await inspect(t, watched, 'second-step')
    await fill(page, 'app-code', { code: '' })
    t.strictSame(await fieldError(page, 'app-code-code'), { focused: true, invalid: 'true', text: 'Enter the six digits that the app shows.' })
    await fill(page, 'app-code', { code: codeOf(kept, -3) })
    await page.getByText('This code is wrong, or was used already.').waitFor()
    await inspect(t, watched, 'second-step-wrong')
    await fill(page, 'app-code', { code: codeOf(kept, 1) })
    await heading(page, 'Your account')

    await signOut(page)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'One more step')
    await button(page, 'Use a recovery code').click()
    t.equal(await page.evaluate('document.activeElement.id'), 'recovery-code-code')
    await inspect(t, watched, 'second-step-recovery')
    await fill(page, 'recovery-code', { code: 'nothing-like-it' })
    await page.getByText('This code is wrong, or was used already.').waitFor()
    await fill(page, 'recovery-code', { code: codes[0]!.toUpperCase() })
    await heading(page, 'Your account')
    t.match(await row(page, 'codes').textContent(), '9 are left.')
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('a log-in that took too long begins again, and so does who wants to', async t => {
    const { url } = await serveByName(t)
    const watched = await signUp(t, browser, url)
    const { page, context } = watched
    await addApp(page)
    await signOut(page)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'One more step')
    await page.getByRole('link', { name: 'Begin again' }).click()
    await heading(page, 'Sign in')
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'One more step')
    await refuse(context, '**/login/second-factor', 429, 'rate_limited', 'Too many requests; wait for as long as the Retry-After header says.', '80000')
    await fill(page, 'app-code', { code: '123456' })
    await page.getByText('Too many attempts. Try again in 23 hours.').waitFor()
    await inspect(t, watched, 'second-step-limited')
    await button(page, 'Use a recovery code').click()
    await refuse(context, '**/login/second-factor', 401, 'invalid_ticket', 'This took too long, or was done already, or the account is another by now; begin anew.')
    await fill(page, 'recovery-code', { code: 'any' })
    await heading(page, 'Sign in')
    t.equal(await notice(page).textContent(), 'This took too long. Sign in once more.')
    await inspect(t, watched, 'second-step-over')
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('what changes a second step asks who it is, unless that was proved just now', async t => {
    const { url } = await serveByName(t)
    const watched = await signUp(t, browser, url)
    const { page } = watched
    await askForProof(watched, '**/second-factors/totp')
    await button(page, 'Set up an authenticator app').click()
    await dialog(page, 'Confirm that it is you').waitFor()
    await inspect(t, watched, 'proof')
    await button(page, 'Cancel').click()
    t.equal(await row(page, 'app').getAttribute('data-kind'), 'lead', 'it is no fault')
    await askForProof(watched, '**/second-factors/totp')
    await button(page, 'Set up an authenticator app').click()
    await page.locator('#prove button[type=submit]').click()
    t.strictSame(await fieldError(page, 'proof-password'), { focused: true, invalid: 'true', text: 'Enter your password.' })
    await fill(page, 'prove', { current_password: 'not this one' })
    await page.getByText('That is not your current password.').waitFor()
    t.ok(await page.locator('#proof-code').isHidden())
    await askForProof(watched, '**/second-factors/totp')
    await fill(page, 'prove', { current_password: ACCOUNT.password })
    t.strictSame(await fieldError(page, 'proof-code'), { focused: true, invalid: 'true', text: 'Enter a code as well.' }, 'where another device has added a second step meanwhile')
    await button(page, 'Cancel').click()
    await reload(page)
    await heading(page, 'Your account')
    await askForProof(watched, '**/second-factors/totp')
    await button(page, 'Set up an authenticator app').click()
    await fill(page, 'prove', { current_password: ACCOUNT.password })
    await dialog(page, 'Set up your authenticator app').waitFor()
    const secret = await page.locator('#app-secret').innerText()
    await fill(page, 'confirm-app', { code: codeOf(secret) })
    await dialog(page, 'Keep your recovery codes').waitFor()
    const [first] = await shownCodes(page)
    await saved(page)
    // The log-in of this page was without it.
    await button(page, 'New codes').click()
    await dialog(page, 'Confirm that it is you').waitFor()
    await fill(page, 'prove', { current_password: ACCOUNT.password })
    t.strictSame(await fieldError(page, 'proof-code'), { focused: true, invalid: 'true', text: 'Enter a code of your app, or a recovery code.' })
    await inspect(t, watched, 'proof-code')
    await fill(page, 'prove', { current_password: ACCOUNT.password, code: '000000' })
    await page.getByText('This code is wrong, or was used already.').waitFor()
    await fill(page, 'prove', { code: first! })
    await dialog(page, 'Keep your recovery codes').waitFor()
    t.notOk((await shownCodes(page)).includes(first!))
    const [second] = await shownCodes(page)
    await saved(page)
    await page.getByText('You have ten new codes. Those of before are good for nothing any more.').waitFor()
    await inspect(t, watched, 'factors-new-codes')
    await button(page, 'Remove the authenticator app').click()
    await dialog(page, 'Remove the authenticator app?').waitFor()
    await inspect(t, watched, 'removal')
    await page.getByLabel('Sign my other devices out').and(page.locator(':visible')).check()
    await dialog(page, 'Remove the authenticator app?').getByRole('button', { name: 'Remove' }).click()
    await dialog(page, 'Confirm that it is you').waitFor()
    await fill(page, 'prove', { current_password: ACCOUNT.password, code: second! })
    await page.getByText('The app is removed.').waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), 'add-app')
    t.ok(await page.locator('#codes-setting').isHidden(), 'the codes went with it')
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('where everybody needs a second step, who has none sets one up as they sign in, and goes on', async t => {
    const { url, databaseUrl } = await serveByName(t, { SECOND_FACTOR: 'required' })
    await ask(`${url}/register`, ACCOUNT)
    const watched = await watch(t, browser, url, calls)
    const { page, context } = watched
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Set up a second step')
    await inspect(t, watched, 'enrol')
    await button(page, 'Use an authenticator app').click()
    await dialog(page, 'Set up your authenticator app').waitFor()
    await button(page, 'Cancel').click()
    t.equal(await page.evaluate('document.activeElement.id'), 'enrol-app')
    await button(page, 'Use an authenticator app').click()
    await dialog(page, 'Set up your authenticator app').waitFor()
    t.ok(await page.locator('#confirm-app [name=close_others]').isHidden(), 'there is no other device to sign out')
    const secret = await page.locator('#app-secret').innerText()
    await fill(page, 'confirm-app', { code: codeOf(secret) })
    await dialog(page, 'Keep your recovery codes').waitFor()
    const codes = await shownCodes(page)
    t.equal(codes.length, 10)
    await inspect(t, watched, 'enrol-codes')
    await saved(page)
    await heading(page, 'Your account')
    t.match(await row(page, 'app').textContent(), 'Set up on ')

    const client = await startClient(t, url, databaseUrl)
    await signOut(page)
    await calls.note(page)
    await calls.start(page)
    await page.goto(client.start())
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.waitForLoadState()
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'One more step')
    await inspect(t, watched, 'oauth-second-step')
    await button(page, 'Use a recovery code').click()
    await fill(page, 'recovery-code', { code: codes[0]! })
    await button(page, 'Allow').click()
    await heading(page, 'Welcome back')

    await ask(`${url}/register`, { ...ACCOUNT, email: 'grace@example.com' })
    await context.clearCookies()
    await page.goto(client.start({ prompt: 'login' }))
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.waitForLoadState()
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await heading(page, 'Forgot your password?')
    await inspect(t, watched, 'oauth-forgot')
    await page.getByRole('link', { name: 'Go back to sign in' }).click()
    await fill(page, 'sign-in', { ...ACCOUNT, email: 'grace@example.com' })
    await heading(page, 'Set up a second step')
    await inspect(t, watched, 'oauth-enrol')
    await button(page, 'Use an authenticator app').click()
    await dialog(page, 'Set up your authenticator app').waitFor()
    await fill(page, 'confirm-app', { code: codeOf(await page.locator('#app-secret').innerText()) })
    await saved(page)
    await button(page, 'Allow').click()
    await heading(page, 'Welcome back')
    t.equal(client.tokens.length, 2)
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('a passkey is made and named, signs in by itself or beside the password, is renamed, and removed', async t => {
    const { url } = await serveByName(t)
    const watched = await signUp(t, browser, url)
    const { page, context } = watched
    await withAuthenticator(page)
    await button(page, 'Add a passkey').click()
    await dialog(page, 'Add a passkey').waitFor()
    t.equal(await page.locator('#new-passkey-name').inputValue(), 'Chrome on Linux')
    await inspect(t, watched, 'passkey-new')
    await fill(page, 'add-passkey-form', { name: '' })
    t.strictSame(await fieldError(page, 'new-passkey-name'), { focused: true, invalid: 'true', text: 'Give it a name that tells you where it is.' })
    await refuse(context, '**/second-factors/passkeys/options', 409, 'too_many_passkeys', 'An account has ten passkeys at most; remove one first.')
    await fill(page, 'add-passkey-form', { name: 'Work laptop' })
    await page.getByText('You have ten passkeys, and there may be no more. Remove one first.').waitFor()
    await inspect(t, watched, 'passkey-too-many')
    await fill(page, 'add-passkey-form', {})
    await dialog(page, 'Keep your recovery codes').waitFor()
    await saved(page)
    await page.getByText('“Work laptop” is added.').waitFor()
    t.strictSame(await page.locator('#passkeys .device-name').allTextContents(), ['Work laptop'])
    await inspect(t, watched, 'factors-passkey')
    await button(page, 'Add a passkey').click()
    await fill(page, 'add-passkey-form', { name: 'Once more' })
    // The log-in of this page was without it.
    await dialog(page, 'Confirm that it is you').waitFor()
    await inspect(t, watched, 'proof-passkey')
    await page.locator('#prove-by-passkey').click()
    await page.getByText('This device has a passkey for your account already.').waitFor()
    await dialog(page, 'Add a passkey').getByRole('button', { name: 'Cancel' }).click()

    await button(page, 'Rename the passkey Work laptop').click()
    await dialog(page, 'Rename the passkey').waitFor()
    await inspect(t, watched, 'passkey-rename')
    await fill(page, 'rename-form', { name: 'x'.repeat(101) })
    t.strictSame(await fieldError(page, 'passkey-name'), { focused: true, invalid: 'true', text: 'Use up to 100 characters that can be seen.' })
    // The list is renewed behind the dialog, as whenever somebody comes back to the page.
    const looked = page.waitForResponse('**/second-factors')
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    await looked
    await fill(page, 'rename-form', { name: 'Laptop' })
    await page.getByText('It is called “Laptop” now.').waitFor()
    t.match(await page.evaluate('document.activeElement.ariaLabel'), 'Rename the passkey Laptop', 'the focus comes back')

    await signOut(page)
    await inspect(t, watched, 'sign-in-passkey')
    await giveUp(page)
    await button(page, 'Sign in with a passkey').click()
    await page.getByText('No passkey was used: it was cancelled, or took too long.').waitFor()
    await inspect(t, watched, 'sign-in-passkey-given-up')
    await button(page, 'Sign in with a passkey').click()
    await heading(page, 'Your account')
    await signOut(page)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'One more step')
    t.ok(await button(page, 'Use the authenticator app').isHidden())
    await inspect(t, watched, 'second-step-passkey')
    await button(page, 'Use a recovery code').click()
    t.equal(await page.evaluate('document.activeElement.id'), 'recovery-code-code')
    await page.locator('[data-to=passkey]').click()
    await page.locator('#passkey-step button').click()
    await heading(page, 'Your account')
    t.match(await page.locator('#passkeys .facts').textContent(), 'Last used just now')

    await askForProof(watched, '**/second-factors/passkeys/*')
    await button(page, 'Remove the passkey Laptop').click()
    await dialog(page, 'Remove “Laptop”?').getByRole('button', { name: 'Remove' }).click()
    await dialog(page, 'Confirm that it is you').waitFor()
    await page.locator('#prove-by-passkey').click()
    await page.getByText('“Laptop” is removed.').waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), 'passkeys-title')
    await signOut(page)
    await button(page, 'Sign in with a passkey').click()
    await page.getByText('This passkey does not open an account here. Use another one, or your password.').waitFor()
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('who must have a second step makes a passkey as they sign in, and what is asked of one who is signed out meanwhile is not shown to the next', async t => {
    const { url } = await serveByName(t, { SECOND_FACTOR: 'required' })
    await ask(`${url}/register`, ACCOUNT)
    const watched = await watch(t, browser, url, calls)
    const { page, context } = watched
    await withAuthenticator(page)
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Set up a second step')
    await giveUp(page)
    await button(page, 'Make a passkey').click()
    await page.getByText('No passkey was used: it was cancelled, or took too long.').waitFor()
    await inspect(t, watched, 'enrol-given-up')
    await button(page, 'Make a passkey').click()
    await saved(page)
    await heading(page, 'Your account')
    t.strictSame(await page.locator('#passkeys .device-name').allTextContents(), ['Chrome on Linux'])
    const tab = await context.newPage()
    await tab.goto(`${url}/account`)
    await heading(tab, 'Your account')
    await button(page, 'New codes').click()
    await dialog(page, 'Keep your recovery codes').waitFor()
    await button(tab, 'Sign out').click()
    await page.getByText('You are signed out.').waitFor()
    t.strictSame([await page.getByRole('dialog').count(), await shownCodes(page), await page.locator('#passkeys li').count()], [0, [], 0])
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('where the page has another name than passkeys are for, none is offered', async t => {
    const { url } = await serve(t)
    const watched = await signUp(t, browser, url)
    const { page } = watched
    t.ok(await page.locator('#passkeys-setting').isHidden())
    await signOut(page)
    t.equal(await button(page, 'Sign in with a passkey').count(), 0)
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('there is no function of these that did not run', { buffered: false }, async t => {
    t.ok(calls.size > 50, `${calls.size} functions`)
    t.strictSame(calls.unused, [])
  })
})
