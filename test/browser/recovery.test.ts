// What leads on by mail, on the account page in a real browser: a forgotten password, an address that is confirmed or changed, a registration that tells nobody; each state without a finding of axe.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { ask, serve } from '../server-process.js'
import { launch, withChromium } from './chromium.js'
import { Calls, inspect } from './inspection.js'
import { fieldError, fill, heading, notice, refuse, view, watch } from './watching.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }
const NEW_PASSWORD = 'another horse, another battery'
const calls = new Calls(/\/account\/(addresses|links|recovery)\.js$/)

/** A Signet, and what reads the links of the mails that it sends. */
async function serveWithMail (t: Test, env: Record<string, string> = {}) {
  const { url, databaseUrl } = await serve(t, env)
  const outbox = join(dirname(databaseUrl.replace('file:', '')), 'outbox')
  const read = new Set<string>()
  /** The link of the next mail to an address that has one for this. */
  const linkTo = async (email: string, name: string): Promise<string> => {
    for (;;) {
      const files = existsSync(outbox) ? readdirSync(outbox).sort().filter(file => !read.has(file)) : []
      for (const file of files) {
        const text = readFileSync(join(outbox, file), 'utf8').replaceAll('=\r\n', '').replaceAll('=3D', '=')
        const link = new RegExp(`${url}/account#${name}=[^\\s"]+`).exec(text)?.[0]
        if (!text.includes(`To: ${email}`) || !link) continue
        read.add(file)
        return link
      }
      await pause(20)
    }
  }
  return { url, linkTo }
}

/** Opens a link as somebody does who follows it in a mail. */
async function follow (page: Page, link: string): Promise<void> {
  await calls.note(page)
  await page.goto('about:blank')
  await calls.start(page)
  await page.goto(link)
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

t.setTimeout(600_000)
t.jobs = 2

withChromium(executablePath => {
  let browser: Browser
  t.before(async () => { browser = await launch(executablePath) })

  t.test('who forgot the password has a link sent, whatever the address, and sets another by it', async t => {
    const { url, linkTo } = await serveWithMail(t)
    await ask(`${url}/register`, ACCOUNT)
    const watched = await watch(t, browser, url, calls)
    const { page, context } = watched
    await page.locator('#sign-in-email').fill(ACCOUNT.email)
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await heading(page, 'Forgot your password?')
    t.strictSame([await page.evaluate('document.activeElement.id'), await page.locator('#forgot-email').inputValue()], ['forgot-title', ACCOUNT.email], 'the address is carried over')
    await inspect(t, watched, 'forgot')
    await fill(page, 'forgot-password', { email: 'nobody' })
    t.strictSame(await fieldError(page, 'forgot-email'), { focused: true, invalid: 'true', text: 'That does not look like an e-mail address.' })
    const top = async () => (await view(page).locator('button[type=submit]').boundingBox())!.y
    const before = await top()
    for (const email of ['nobody@example.com', ACCOUNT.email]) {
      await fill(page, 'forgot-password', { email })
      await page.getByText(`A link is on its way to ${email}, if there is an account with this address.`).waitFor()
    }
    t.equal(await top(), before, 'nothing jumps')
    await inspect(t, watched, 'forgot-sent')
    await refuse(context, '**/forgot-password', 503, 'unavailable', 'Signet cannot reach what it needs; try again in a moment.')
    await fill(page, 'forgot-password', {})
    await page.getByText('Signet cannot do this right now. Try again in a moment.').waitFor()
    await page.getByRole('link', { name: 'Go back to sign in' }).click()
    await heading(page, 'Sign in')

    await follow(page, await linkTo(ACCOUNT.email, 'reset-password'))
    await heading(page, 'Set a new password')
    t.equal(page.url(), `${url}/account`, 'the address forgets what the link is good for')
    await fill(page, 'reset-password', { new_password: NEW_PASSWORD })
    await page.getByText('Your new password is set. Sign in with it.').waitFor()
    await fill(page, 'sign-in', { email: ACCOUNT.email, password: NEW_PASSWORD })
    await heading(page, 'Your account')
    t.equal(await page.locator('#email').textContent(), ACCOUNT.email, 'and the address is proved by it')
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('where an address is confirmed first, signing up leads to the mail, and nobody signs in before', async t => {
    const { url, linkTo } = await serveWithMail(t, { REGISTRATION: 'verified' })
    const watched = await watch(t, browser, url, calls)
    const { page } = watched
    await page.getByRole('link', { name: 'Create an account' }).click()
    await fill(page, 'sign-up', ACCOUNT)
    await heading(page, 'Look into your mail')
    t.match(await view(page).locator('.asker').textContent(), `We wrote to ${ACCOUNT.email}.`)
    await inspect(t, watched, 'mail-sent')
    const first = await linkTo(ACCOUNT.email, 'verify-email')
    await page.getByRole('link', { name: 'Go to sign in' }).click()
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Look into your mail')
    await page.getByText('Your password is right, but the address is not confirmed yet.').waitFor()
    await inspect(t, watched, 'mail-unconfirmed')
    await button(page, 'Send it again').click()
    await page.getByText('Another link is on its way, if the address is still to be confirmed.').waitFor()
    const second = await linkTo(ACCOUNT.email, 'verify-email')

    await follow(page, second)
    await heading(page, 'Confirm your address')
    t.equal(page.url(), `${url}/account`)
    await inspect(t, watched, 'verify')
    await button(page, 'Confirm address').click()
    t.strictSame(await fieldError(page, 'verify-password'), { focused: true, invalid: 'true', text: 'Enter your password.' })
    await fill(page, 'verify-email', { current_password: 'not this one' })
    await page.getByText('That is not the password of this account.').waitFor()
    await inspect(t, watched, 'verify-wrong')
    await fill(page, 'verify-email', { current_password: ACCOUNT.password })
    await heading(page, 'Sign in')
    t.equal(await notice(page).textContent(), 'Your address is confirmed. Sign in to go on.')
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    await page.evaluate(`window.location.hash = '${new URL(first).hash}'`)
    await heading(page, 'Confirm your address')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await heading(page, 'Your account')
    t.equal(page.url(), `${url}/account`)
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('who is signed in confirms the address, and changes it once the new one has proved itself', async t => {
    const { url, linkTo } = await serveWithMail(t)
    await ask(`${url}/register`, ACCOUNT)
    await ask(`${url}/register`, { ...ACCOUNT, email: 'grace@example.com' })
    const watched = await watch(t, browser, url, calls)
    const { page, context } = watched
    await fill(page, 'sign-in', ACCOUNT)
    await heading(page, 'Your account')
    t.equal(await page.locator('#email').textContent(), `${ACCOUNT.email}, which is not confirmed yet.`)
    await button(page, 'Send a link to confirm it').click()
    await page.getByText(`A link is on its way to ${ACCOUNT.email}.`).waitFor()
    await inspect(t, watched, 'account-unconfirmed')
    await follow(page, await linkTo(ACCOUNT.email, 'verify-email'))
    await fill(page, 'verify-email', { current_password: ACCOUNT.password })
    await heading(page, 'Your account')
    await page.getByText('Your address is confirmed.').waitFor()
    t.ok(await button(page, 'Send a link to confirm it').isHidden())

    await button(page, 'Change e-mail address').click()
    t.equal(await page.evaluate('document.activeElement.id'), 'new-email')
    await fill(page, 'new-email-form', { email: 'nobody' })
    t.strictSame(await fieldError(page, 'new-email'), { focused: true, invalid: 'true', text: 'That does not look like an e-mail address.' })
    await inspect(t, watched, 'account-email')
    await refuse(context, '**/change-email', 403, 'fresh_log_in_needed', 'For this the password is needed, or a log-in of the last ten minutes.')
    await fill(page, 'new-email-form', { email: 'ada@example.org' })
    await page.getByRole('dialog', { name: 'Confirm that it is you' }).waitFor()
    await fill(page, 'prove', { current_password: ACCOUNT.password })
    await page.getByText('A link is on its way to ada@example.org. Your address changes when you follow it.').waitFor()
    await inspect(t, watched, 'account-email-asked')
    const link = await linkTo('ada@example.org', 'change-email')
    await follow(page, link)
    await heading(page, 'Use your new address')
    t.equal(page.url(), `${url}/account`)
    await fill(page, 'confirm-email', { current_password: 'not this one' })
    await page.getByText('That is not the password of this account.').waitFor()
    await inspect(t, watched, 'change-email')
    await fill(page, 'confirm-email', { current_password: ACCOUNT.password })
    await page.getByText('This is your address from now on.').waitFor()
    t.match(await page.locator('.hello').textContent(), 'ada@example.org')
    await follow(page, link)
    await fill(page, 'confirm-email', { current_password: ACCOUNT.password })
    await page.getByText('This link does not work any more. Ask for another one.').waitFor()
    await inspect(t, watched, 'change-email-over')
    await page.getByRole('link', { name: 'Leave it as it is' }).click()
    await heading(page, 'Your account')

    await button(page, 'Change e-mail address').click()
    await fill(page, 'new-email-form', { email: 'ada@example.net' })
    await page.getByText('A link is on its way to ada@example.net.').waitFor()
    const last = await linkTo('ada@example.net', 'change-email')
    await button(page, 'Sign out').click()
    await page.getByText('You are signed out.').waitFor()
    await follow(page, last)
    await fill(page, 'confirm-email', { current_password: ACCOUNT.password })
    await heading(page, 'Sign in')
    t.equal(await notice(page).textContent(), 'Your new address is in use. Sign in with it.')
    await fill(page, 'sign-in', { ...ACCOUNT, email: 'ada@example.net' })
    await heading(page, 'Your account')
    t.strictSame([watched.violations, watched.foreign, watched.faults], [[], [], []])
  })

  t.test('there is no function of this that did not run', { buffered: false }, async t => {
    t.strictSame(calls.unused, [])
  })
})
