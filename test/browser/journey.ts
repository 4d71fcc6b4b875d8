// What the account page and the client must do in every browser: a journey, and the cases in which browsers differ. Holds nothing of one browser alone.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { makeCertificate } from '../certificates.js'
import { freePort } from '../free-port.js'
import { codeAt, stepAt } from '../proofs/authenticator-app.js'
import { BROWSERS, findBrowser } from '../proofs/drivers/browsers.js'
import { until, type BrowserName, type Driver, type Session, type Tab } from '../proofs/drivers/driver.js'
import { Mailbox } from '../proofs/mailbox.js'
import { run, settings, withRing } from '../server-process.js'
import { startClient } from './oauth-client.js'

const NEW_PASSWORD = 'a harbour in the morning'
/** Where a person goes who leaves the page: to something of the same opener policy, for WebKit's driver loses a tab that comes back from another. */
const ELSEWHERE = '/account/client.js'
interface Person { name: string, email: string, password: string }

const shown = "document.querySelector('[data-view]:not([hidden])')"
const shows = async (tab: Tab, text: string) => { await until(tab, `${shown}?.innerText.includes(${JSON.stringify(text)})`) }
const holds = async (tab: Tab, text: string) => await tab.evaluate<boolean>(`document.documentElement.outerHTML.includes(${JSON.stringify(text)}) || [...document.querySelectorAll('input')].some(({ value }) => value.includes(${JSON.stringify(text)}))`)

async function signIn (tab: Tab, { email, password }: Person): Promise<void> {
  await until(tab, `${shown}?.dataset.view === 'sign-in'`)
  await tab.fill('#sign-in-email', email)
  await tab.fill('#sign-in-password', password)
  await tab.click('#sign-in button[type=submit]')
}

/** Asks Signet as a program on another device would, which brings no cookie. */
async function askElsewhere (tab: Tab, path: string, body: object, token = ''): Promise<Record<string, unknown>> {
  return await tab.evaluate(`fetch('/${path}', { method: 'POST', credentials: 'omit', headers: { 'content-type': 'application/json', authorization: 'Bearer ${token}' }, body: '${JSON.stringify(body)}' }).then(answer => answer.json())`)
}

async function logInElsewhere (tab: Tab, { email, password }: Person): Promise<string | undefined> {
  return (await askElsewhere(tab, 'login', { email, password }))['access_token'] as string | undefined
}

let people = 0

function newPerson (name: string): Person {
  return { name, email: `person-${++people}@example.com`, password: `password number ${people} of these` }
}

interface Signet { url: string, child: ReturnType<typeof run>['child'], databaseUrl: string }

async function startSignet (t: Test, scheme: 'http' | 'https', env: Record<string, string> = {}): Promise<Signet> {
  const wish = await withRing(settings(t, { LOG_LEVEL: 'info', RATE_LIMIT: 'off', ...env }))
  const { cert, key } = makeCertificate(t.testdirName)
  const { ready, child } = run(t, scheme === 'https' ? { ...wish, TLS_CERT_FILE: cert, TLS_KEY_FILE: key } : wish)
  return { url: await ready(), child, databaseUrl: wish['DATABASE_URL']! }
}

async function serveExample (t: Test, signet: string, port: number): Promise<string> {
  const child = spawn(process.execPath, [resolve('examples/frontend/serve.js')], { env: { PORT: String(port), SIGNET: signet } })
  t.teardown(() => child.kill())
  await once(child.stdout, 'data')
  return `http://127.0.0.1:${port}/`
}

/** Declares them for one browser; where it is not, the file says that it was skipped. */
export function inBrowser (name: BrowserName): void {
  const { keepsCookieOverHttp, keepsPages, open } = BROWSERS[name]
  const executablePath = findBrowser(name)
  const scheme = keepsCookieOverHttp ? 'http' : 'https'
  if (!executablePath) {
    t.plan(0, `there is no ${name} here`)
    return
  }
  t.setTimeout(600_000)
  let driver: Driver
  let signet: Signet
  t.before(async () => {
    driver = await open(executablePath)
    signet = await startSignet(t, scheme)
  })
  t.teardown(async () => { await driver.close() })

  /** A browser of one's own, before a Signet that knows two people, with a tab for what others do. */
  async function openBrowser (t: Test, { url, child, databaseUrl } = signet) {
    const session = await driver.openSession()
    t.teardown(async () => { await session.close() })
    const elsewhere = await session.openTab()
    await elsewhere.goTo(`${url}/health/live`)
    const [ada, bob] = [newPerson('Ada Lovelace'), newPerson('Bob Newby')]
    for (const person of [ada, bob]) await askElsewhere(elsewhere, 'register', person)
    return { url, child, databaseUrl, session, elsewhere, ada, bob }
  }

  async function openAccount ({ session, url }: { session: Session, url: string }): Promise<Tab> {
    const tab = await session.openTab()
    await tab.goTo(`${url}/account`)
    return tab
  }

  t.test('a newcomer signs up, stays signed in, changes the password, and signs out everywhere, in all tabs', async t => {
    const browser = await openBrowser(t)
    const cleo = newPerson('Cleo')
    const tab = await openAccount(browser)
    await until(tab, `${shown}?.dataset.view === 'sign-in'`)
    await tab.click('a[href="#sign-up"]')
    await tab.fill('#sign-up-name', cleo.name)
    await tab.fill('#sign-up-email', cleo.email)
    await tab.fill('#sign-up-password', 'password')
    await tab.click('#sign-up button[type=submit]')
    await until(tab, "document.querySelector('#sign-up-rules li:last-child').dataset.state === 'failed'")
    await tab.fill('#sign-up-password', cleo.password)
    await tab.click('#sign-up button[type=submit]')
    await shows(tab, cleo.name)
    t.strictSame(await tab.evaluate("[...document.querySelectorAll('#devices .device-name')].map(({ textContent }) => textContent)"), [{ chromium: 'Chrome', firefox: 'Firefox', webkit: 'Safari' }[name] + ' on Linux This device'])
    t.strictSame(await tab.evaluate('[localStorage.length, sessionStorage.length, document.cookie]'), [0, 0, ''])
    const other = await openAccount(browser)
    for (const each of [tab, other]) {
      await each.goTo(`${browser.url}/account`)
      await shows(each, cleo.name)
    }

    await tab.click('#edit-password')
    await tab.fill('#current-password', 'not this one')
    await tab.fill('#new-password', NEW_PASSWORD)
    await tab.click('#change-password button[type=submit]')
    await shows(tab, 'That is not your current password.')
    await tab.fill('#current-password', cleo.password)
    await tab.click('#change-password button[type=submit]')
    await shows(tab, 'Your password is changed, and every other device is signed out.')
    for (const each of [other, tab]) {
      await each.evaluate("window.dispatchEvent(new Event('focus'))")
      await each.goTo(`${browser.url}/account`)
      await shows(each, cleo.name)
    }
    t.ok(await logInElsewhere(browser.elsewhere, { ...cleo, password: NEW_PASSWORD }))

    await tab.evaluate("window.dispatchEvent(new Event('focus'))")
    await until(tab, "!document.querySelector('#sign-out-everywhere').hidden")
    await tab.click('#sign-out-everywhere')
    await tab.click('#confirm button[value=yes]')
    for (const each of [tab, other]) await shows(each, 'You are signed out.')
    await signIn(other, { ...cleo, password: NEW_PASSWORD })
    for (const each of [tab, other]) await shows(each, cleo.name)
    await tab.click('#sign-out')
    for (const each of [tab, other]) await shows(each, 'You are signed out.')
    for (const text of [cleo.name, cleo.email]) t.notOk(await holds(tab, text))
  })

  t.test('who forgot the password sets another by a link, sets an app up, and signs in with its code or with a recovery code', async t => {
    const mailbox = await Mailbox.open()
    t.teardown(async () => { await mailbox.close() })
    const browser = await openBrowser(t, await startSignet(t, scheme, { MAIL_URL: mailbox.url, MAIL_FROM: 'id@example.com' }))
    const ada = { ...browser.ada, password: NEW_PASSWORD }
    const tab = await openAccount(browser)
    await until(tab, `${shown}?.dataset.view === 'sign-in'`)
    await tab.click('[data-view=sign-in] a[href="#forgot-password"]')
    await tab.fill('#forgot-email', ada.email)
    await tab.click('#forgot-password button[type=submit]')
    await shows(tab, `A link is on its way to ${ada.email}`)
    await tab.goTo(`${browser.url}/account#reset-password=${await mailbox.token(ada.email, 'reset-password')}`)
    await shows(tab, 'Set a new password')
    t.equal(await tab.evaluate('location.hash'), '', 'the address forgets what the link is good for')
    await tab.fill('#reset-password [name=new_password]', ada.password)
    await tab.click('#reset-password button[type=submit]')
    await shows(tab, 'Your new password is set. Sign in with it.')
    await signIn(tab, ada)
    await shows(tab, ada.name)

    await tab.click('#add-app')
    const secret = await until<string>(tab, "document.querySelector('#app-secret').innerText")
    t.ok(await tab.evaluate("document.querySelector('#app-picture path').getAttribute('d').length > 1000"))
    await tab.fill('#confirm-app-code', codeAt(secret, stepAt(Date.now())))
    await tab.click('#confirm-app button[type=submit]')
    const recoveryCode = await until<string>(tab, "document.querySelector('dialog#recovery-codes[open] li')?.innerText")
    await tab.click('#recovery-codes button[type=submit]')
    await shows(tab, 'The app is set up.')
    for (const [way, code] of [['app-code', codeAt(secret, stepAt(Date.now()) + 1)], ['recovery-code', recoveryCode]] as const) {
      await tab.click('#sign-out')
      await shows(tab, 'You are signed out.')
      await signIn(tab, ada)
      await shows(tab, 'One more step')
      if (way === 'recovery-code') await tab.click('[data-to=recovery_code]')
      await tab.fill(`#${way}-code`, code)
      await tab.click(`#${way} button[type=submit]`)
      await shows(tab, ada.name)
    }
    await shows(tab, '9 are left.')
  })

  t.test('whoever goes back to a page that somebody else signed in on meanwhile sees their account, and nothing of the first', async t => {
    const browser = await openBrowser(t)
    const { ada, bob } = browser
    const [left, other] = [await openAccount(browser), await openAccount(browser)]
    await signIn(left, ada)
    for (const tab of [left, other]) await shows(tab, ada.name)
    await left.evaluate(`window.addEventListener('pageshow', () => { window.cameBackWith = ${shown}.innerText + document.documentElement.outerHTML })`)
    await left.goTo(`${browser.url}${ELSEWHERE}`)
    await other.click('#sign-out')
    await shows(other, 'You are signed out.')
    await signIn(other, bob)
    await shows(other, bob.name)
    await left.back()
    await shows(left, bob.name)
    for (const text of [ada.name, ada.email]) {
      t.notOk(await holds(left, text))
      t.notOk(await left.evaluate(`window.cameBackWith?.includes(${JSON.stringify(text)})`), 'not for a moment')
    }
    // Elsewhere a page that other tabs spoke to meanwhile is not kept.
    if (name === 'webkit') t.equal(await left.evaluate('typeof window.cameBackWith'), 'string')
    await left.click('#edit-password')
    await left.fill('#current-password', bob.password)
    await left.fill('#new-password', NEW_PASSWORD)
    await left.click('#change-password button[type=submit]')
    await shows(left, 'Your password is changed, and every other device is signed out.')
    t.ok(await logInElsewhere(browser.elsewhere, ada), 'the first has the password of before')
    t.ok(await logInElsewhere(browser.elsewhere, { ...bob, password: NEW_PASSWORD }))
  })

  t.test('somebody else who logs in beside the page is shown with their own account', async t => {
    const browser = await openBrowser(t)
    const { ada, bob } = browser
    const tab = await openAccount(browser)
    await signIn(tab, ada)
    await shows(tab, ada.name)
    await tab.evaluate(`fetch('login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '${JSON.stringify({ email: bob.email, password: bob.password, refresh_token_in: 'cookie' })}' }).then(({ status }) => status)`)
    await tab.evaluate('Object.assign(Date, { now: (now => () => now() + 3600000)(Date.now) }) && window.dispatchEvent(new Event("focus"))')
    await shows(tab, bob.name)
    for (const text of [ada.name, ada.email]) t.notOk(await holds(tab, text))
  })

  t.test('whoever is signed in is known when a client of another site sends them, also at once from an address that they typed', async t => {
    const browser = await openBrowser(t)
    const { ada, databaseUrl, url } = browser
    const client = await startClient(t, url, databaseUrl)
    const tab = await openAccount(browser)
    await signIn(tab, ada)
    await shows(tab, ada.name)
    await tab.goTo(client.start())
    await shows(tab, `You are signed in as ${ada.email}`)
    await tab.goTo(client.start({ prompt: 'none' }))
    await until(tab, "document.body.innerText.includes('Refused: consent_required')")
    await tab.goTo(`${client.url}/`)
    await tab.click('a')
    await shows(tab, `You are signed in as ${ada.email}`)
    t.equal(client.returns.length, 1)
  })

  if (keepsPages) {
    t.test('whoever goes back after a sign-out elsewhere sees nothing of the account, even while Signet says nothing', async t => {
      const browser = await openBrowser(t)
      const { child, elsewhere, url, ada } = browser
      const tab = await openAccount(browser)
      await signIn(tab, ada)
      await shows(tab, ada.name)
      await tab.goTo(`${url}${ELSEWHERE}`)
      await askElsewhere(elsewhere, 'revoke-all-tokens', {}, await logInElsewhere(elsewhere, ada))
      child.kill('SIGSTOP')
      await tab.back()
      await shows(tab, 'One moment')
      for (const text of [ada.name, ada.email, '127.0.0.1 ·']) t.notOk(await holds(tab, text))
      child.kill('SIGCONT')
      await shows(tab, 'This session has ended. Sign in again to go on.')
    })
  }

  if (!keepsCookieOverHttp) {
    t.test('over plain HTTP, where this browser keeps no cookie, the page says so, and no device is left behind', async t => {
      const port = await freePort()
      const browser = await openBrowser(t, await startSignet(t, 'http', { CORS_ORIGINS: `http://127.0.0.1:${port}` }))
      const { ada } = browser
      const sentence = 'This browser does not stay signed in over plain HTTP. Open the page over HTTPS, or in another browser.'
      const tab = await openAccount(browser)
      await signIn(tab, ada)
      await shows(tab, sentence)
      await tab.goTo(await serveExample(t, browser.url, port))
      await until(tab, "!document.querySelector('#door').hidden")
      await tab.fill('[name=email]', ada.email)
      await tab.fill('[name=password]', ada.password)
      await tab.click('#door button')
      await until(tab, `document.body.innerText.includes(${JSON.stringify(sentence)})`)
      const token = await logInElsewhere(browser.elsewhere, ada)
      const { tokens } = await browser.elsewhere.evaluate<{ tokens: object[] }>(`fetch('/tokens', { headers: { authorization: 'Bearer ${token}' } }).then(answer => answer.json())`)
      t.equal(tokens.length, 1, 'the one that looks')
    })
  }
}
