// The pages of OAuth in a real browser: whole journeys of a client's users, each state without a finding of axe, and what a person is told where something fails.
import type { Browser, BrowserContext, Page, Request } from 'playwright-core'
import t, { type Test } from 'tap'
import { ask, serve } from '../server-process.js'
import { cookieNames, launch, LEFT, withChromium } from './chromium.js'
import { Calls, inspect as lookAt } from './inspection.js'
import { startClient, type ClientServer } from './oauth-client.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }
const OTHER = { email: 'grace@example.com', password: 'another horse, another battery' }
const calls = new Calls(/\/oauth\/(decision|doors|leaving|log-in)\.js$/)

interface Watched { page: Page, context: BrowserContext, violations: string[], faults: string[] }

async function startSignet (t: Test, env: Record<string, string> = {}) {
  const { url, databaseUrl } = await serve(t, env)
  return { url, client: async (differences?: Parameters<typeof startClient>[3]) => await startClient(t, url, databaseUrl, differences) }
}

/** A page that counts what its policy stopped and what it threw. */
async function openPage (t: Test, browser: Browser): Promise<Watched> {
  const context = await browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1280, height: 900 } })
  t.teardown(async () => { await context.close() })
  const page = await context.newPage()
  const watched: Watched = { page, context, violations: [], faults: [] }
  await context.exposeBinding('reportViolation', (_source, text: string) => { watched.violations.push(text) })
  await context.addInitScript("document.addEventListener('securitypolicyviolation', event => reportViolation(event.violatedDirective + ' ' + event.blockedURI))")
  page.on('pageerror', error => { watched.faults.push(String(error)) })
  page.on('dialog', dialog => { watched.faults.push(dialog.message()) })
  await calls.start(page)
  return watched
}

/** Looks at a state, and notes what ran until then. */
async function inspect (t: Test, watched: Watched, name: string): Promise<void> {
  await lookAt(t, watched, name)
  await calls.note(watched.page)
  await calls.start(watched.page)
}

const heading = async (page: Page, text: string | RegExp) => {
  await page.getByRole('heading', { level: 1, name: text }).waitFor()
  // A link works before the script has come, but then it leaves the page behind, to go back to.
  await page.waitForLoadState()
}
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const link = (page: Page, name: string | RegExp) => page.getByRole('link', { name })

async function signIn (page: Page, { email, password } = ACCOUNT): Promise<void> {
  await page.locator('#sign-in-email').fill(email)
  await page.locator('#sign-in-password').fill(password)
  await button(page, 'Sign in').click()
}

/** Signs in on the way to a client, lets it in, and arrives. */
async function letIn (page: Page, client: ClientServer, parameters: Record<string, string> = {}): Promise<void> {
  await page.goto(client.start(parameters))
  await signIn(page)
  await button(page, 'Allow').click()
  await heading(page, 'Welcome back')
}

const claimsOf = (token = '') => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>

/** Answers a request in Signet's place, once. */
async function refuse (page: Page, path: string, status: number, body: object, retryAfter = '1'): Promise<void> {
  await page.route(path, async route => { await route.fulfill({ status, headers: { 'retry-after': retryAfter }, contentType: 'application/json', body: JSON.stringify(body) }) }, { times: 1 })
}

t.setTimeout(600_000)

withChromium(executablePath => {
  let browser: Browser
  t.before(async () => { browser = await launch(executablePath) })

  t.test('a newcomer signs up on the way, lets the client in, and is not asked again', async t => {
    const { url, client: makeClient } = await startSignet(t, { PASSWORD_MIN_LENGTH: '12' })
    const client = await makeClient({ audiences: ['https://api.example/lists'] })
    const watched = await openPage(t, browser)
    const { page, context } = watched
    await page.goto(client.url)
    await link(page, 'Log in with Signet').click()
    await heading(page, 'Sign in')
    t.equal(await page.locator('[data-view=sign-in] .asker').textContent(), 'to go on to Reading list')
    await inspect(t, watched, 'oauth-sign-in')
    await button(page, 'Sign in').click()
    t.equal(await page.locator('#sign-in-email-note').textContent(), 'Enter your e-mail address.')
    await signIn(page)
    await page.getByText('The e-mail address or the password is wrong.').waitFor()
    await inspect(t, watched, 'oauth-sign-in-wrong')
    await link(page, 'Create an account').click()
    t.equal(await page.evaluate('document.activeElement.id'), 'sign-up-title')
    t.equal(await page.locator('#sign-up-email').inputValue(), ACCOUNT.email)
    await page.locator('#sign-up-password').fill('elevenchars')
    t.strictSame(await page.locator('#sign-up-rules li').allTextContents(), ['At least 12 characters', 'Not your e-mail address: yes', 'Not easy to guess, as “password1” is'])
    await button(page, 'Create account').click()
    await page.locator('#sign-up-rules li[data-state=failed]').waitFor()
    await inspect(t, watched, 'oauth-sign-up')
    await page.locator('#sign-up-password').fill(ACCOUNT.password)
    await button(page, 'Create account').click()

    await heading(page, 'Reading list asks for access to your account')
    t.strictSame(await page.locator('.may li').allTextContents(), ['Know who you are when you come back', 'See your e-mail address', 'Act for you at https://api.example/lists'])
    t.equal(await page.locator('.host').textContent(), new URL(client.url).host)
    t.match(await page.locator('.asker').textContent(), `You are signed in as ${ACCOUNT.email}.`)
    await inspect(t, watched, 'oauth-consent')
    const before = await context.cookies()
    await button(page, 'Allow').click()
    await heading(page, 'Welcome back')
    t.match(client.returns, [{ query: { code: /^eyJ/, state: 'a-state', iss: url } }])
    t.match(claimsOf(client.tokens[0]!.id_token), { email: ACCOUNT.email, aud: client.client.id, iss: url })

    for (const prompt of ['', 'none']) {
      await page.goto(client.start({ prompt }))
      await heading(page, 'Welcome back')
    }
    t.strictSame([client.tokens.length, await context.cookies()], [3, before], 'and the cookie is never rotated by it')
    t.strictSame(client.returns.map(({ referer }) => referer), [undefined, undefined, undefined])
    await page.goto(client.start({ scope: 'openid email offline_access' }))
    await heading(page, /asks for access/)
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('a client that wants nothing shown is told what would have to be', async t => {
    const { url, client: makeClient } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const [client, other, ours] = [await makeClient(), await makeClient(), await makeClient({ isOurs: true })]
    const { page } = await openPage(t, browser)
    await page.goto(client.start({ prompt: 'none' }))
    await heading(page, 'Refused: login_required')
    await letIn(page, client)
    await page.goto(other.start({ prompt: 'none' }))
    await heading(page, 'Refused: consent_required')
    await page.goto(ours.start({ prompt: 'none' }))
    await heading(page, 'Welcome back')
    t.strictSame([client.returns[0]!.query['iss'], other.returns[0]!.query['state'], other.tokens, ours.tokens.length], [url, 'a-state', [], 1])
  })

  t.test('a client that wants a password, or a consent, gets one although there is a session', async t => {
    const { url, client: makeClient } = await startSignet(t)
    for (const account of [ACCOUNT, OTHER]) await ask(`${url}/register`, account)
    const client = await makeClient()
    const watched = await openPage(t, browser)
    const { page } = watched
    await letIn(page, client)
    await page.goto(client.start({ prompt: 'login' }))
    await page.getByText(`You are signed in as ${ACCOUNT.email}. Sign in again, or with another account.`).waitFor()
    t.equal(await page.locator('#sign-in-email').inputValue(), ACCOUNT.email)
    await inspect(t, watched, 'oauth-sign-in-again')
    await signIn(page)
    await heading(page, 'Welcome back')
    t.ok(Number(claimsOf(client.tokens[1]!.id_token)['auth_time']) >= Number(claimsOf(client.tokens[0]!.id_token)['auth_time']))
    await page.goto(client.start({ prompt: 'login', login_hint: OTHER.email }))
    t.equal(await page.locator('#sign-in-email').inputValue(), OTHER.email)
    await page.goto(client.start({ prompt: 'consent' }))
    await button(page, 'Allow').click()
    await heading(page, 'Welcome back')
    await page.goto(client.start({ asked: 'long ago', prompt: 'login' }))
    await page.getByText('This page stood open for too long. Sign in once more.').waitFor()
    await signIn(page)
    await heading(page, 'Welcome back')
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('a person who is somebody else signs in as such, at once too', async t => {
    const { url, client: makeClient } = await startSignet(t)
    for (const account of [ACCOUNT, OTHER]) await ask(`${url}/register`, account)
    const client = await makeClient()
    const { page, faults } = await openPage(t, browser)
    await page.goto(client.start())
    await signIn(page)
    await link(page, 'Use another account').click()
    await page.getByText(`You are signed in as ${ACCOUNT.email}.`).waitFor()
    t.equal(await page.locator('#sign-in-email').inputValue(), '')
    await signIn(page, OTHER)
    await page.getByText(`You are signed in as ${OTHER.email}.`).waitFor()
    await button(page, 'Allow').click()
    await heading(page, 'Welcome back')
    t.match(claimsOf(client.tokens[0]!.id_token), { email: OTHER.email })
    t.strictSame(faults, [])
  })

  t.test('to deny and to cancel are answers, and whoever goes back then comes to where they came from', async t => {
    const { url, client: makeClient } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const client = await makeClient()
    const { page, faults } = await openPage(t, browser)
    await page.goto(client.url)
    await link(page, 'Log in with Signet').click()
    await heading(page, 'Sign in')
    await link(page, 'Cancel, and go back to Reading list').click()
    await heading(page, 'Refused: access_denied')
    await page.goBack()
    await heading(page, 'Reading list')
    await link(page, 'Log in with Signet').click()
    await signIn(page)
    await heading(page, /asks for access/)
    await link(page, 'Deny').click()
    await heading(page, 'Refused: access_denied')
    t.match(client.returns.map(({ query }) => query), Array(2).fill({ error: 'access_denied', state: 'a-state', iss: url }))
    await page.goBack()
    await heading(page, 'Reading list')
    await link(page, 'Log in with Signet').click()
    await button(page, 'Allow').click()
    await heading(page, 'Welcome back')
    await page.goBack()
    await heading(page, 'Reading list')
    t.strictSame([client.returns.map(({ referer }) => referer), faults], [[undefined, undefined, undefined], []])
  })

  t.test('all of it works by keyboard alone', async t => {
    const { url, client: makeClient } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const client = await makeClient()
    const { page } = await openPage(t, browser)
    const press = async (...keys: string[]) => { for (const key of keys) await page.keyboard.press(key) }
    const focused = async () => await page.evaluate<string>('document.activeElement.textContent.trim() || document.activeElement.id')
    await page.goto(client.start())
    await heading(page, 'Sign in')
    await press('Tab')
    t.equal(await focused(), 'sign-in-email')
    await page.keyboard.type(ACCOUNT.email)
    await press('Tab')
    await page.keyboard.type(ACCOUNT.password)
    await press('Enter')
    await heading(page, /asks for access/)
    const stops: string[] = []
    for (let count = 0; count < 4; count++) {
      await press('Tab')
      stops.push(await focused())
    }
    t.strictSame(stops, ['Use another account', 'Allow', 'Deny', 'your account'])
    await press('Shift+Tab', 'Enter')
    await heading(page, 'Refused: access_denied')
    await page.goto(client.start())
    await button(page, 'Allow').waitFor()
    await press('Tab', 'Tab', 'Enter')
    await heading(page, 'Welcome back')
  })

  t.test('a name is text, however long and whatever it looks like', async t => {
    const { url, client: makeClient } = await startSignet(t)
    await ask(`${url}/register`, { ...ACCOUNT, email: `${'a'.repeat(60)}@${'b'.repeat(60)}.example` })
    const name = `<img src=x onerror=alert(1)>{{email}}\u202e${'W'.repeat(60)}`
    const client = await makeClient({ name, scopes: ['x'.repeat(100), '<b>'], audiences: [`https://${'c'.repeat(60)}.example/${'d'.repeat(100)}`] })
    const watched = await openPage(t, browser)
    const { page } = watched
    await page.goto(client.start({ login_hint: '"><script>alert(1)</script>', scope: `openid ${'x'.repeat(100)} <b>` }))
    t.equal(await page.locator('#sign-in-email').inputValue(), '"><script>alert(1)</script>')
    t.strictSame(await page.locator('bdi').allTextContents(), [name, name, name])
    await inspect(t, watched, 'oauth-sign-in-hostile')
    await signIn(page, { ...ACCOUNT, email: `${'a'.repeat(60)}@${'b'.repeat(60)}.example` })
    await button(page, 'Allow').waitFor()
    t.equal(await page.locator('h1 bdi').textContent(), name)
    t.match(await page.locator('.may li').allTextContents(), [/^Know/, `Use “${'x'.repeat(100)}”`, 'Use “<b>”', /^Act for you at https:\/\/c+\.example/])
    await inspect(t, watched, 'oauth-consent-hostile')
    await page.goto(`${url}/end-session?client_id=${client.client.id}`)
    t.equal(await page.locator('bdi').textContent(), name)
    await inspect(t, watched, 'oauth-log-out-hostile')
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('a double press sends one decision, and who denies meanwhile has denied', async t => {
    const { url, client: makeClient } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const client = await makeClient()
    const watched = await openPage(t, browser)
    const { page } = watched
    const sent: Request[] = []
    page.on('request', request => { if (request.url().endsWith('/decision')) sent.push(request) })
    let release = () => {}
    const held = new Promise<void>(resolve => { release = resolve })
    await page.route('**/authorize/decision', async route => {
      await held
      await route.continue()
    })
    await page.goto(client.start())
    await signIn(page)
    await button(page, 'Allow').dblclick()
    await page.locator('button[aria-busy=true]').waitFor()
    await button(page, 'Allow').press('Enter')
    await inspect(t, watched, 'oauth-consent-busy')
    t.equal(sent.length, 1)
    await page.route('**/callback*', async route => {
      release()
      await sent[0]!.response()
      await route.continue()
    })
    await link(page, 'Deny').click()
    await heading(page, 'Refused: access_denied')
    t.strictSame([sent.length, client.tokens, watched.faults], [1, [], []])
  })

  t.test('what Signet refuses is said in a sentence, and can be tried again', async t => {
    const { url, client: makeClient } = await startSignet(t)
    for (const account of [ACCOUNT, OTHER]) await ask(`${url}/register`, account)
    const client = await makeClient()
    const watched = await openPage(t, browser)
    const { page, context } = watched
    await page.goto(client.start())
    await link(page, 'Create an account').click()
    await refuse(page, '**/register', 201, { id: 'an-id', email: 'eve@example.com' })
    await refuse(page, '**/login', 503, { code: 'busy', detail: 'Too many log-ins are waiting; try again in a moment.' })
    await page.locator('#sign-up-email').fill('eve@example.com')
    await page.locator('#sign-up-password').fill(ACCOUNT.password)
    await button(page, 'Create account').click()
    await heading(page, 'Sign in')
    await page.getByText('Many people are signing in right now. Try again in a moment.').waitFor()
    t.equal(await page.locator('#sign-in-email').inputValue(), 'eve@example.com')
    await inspect(t, watched, 'oauth-sign-in-busy')
    await context.setOffline(true)
    await signIn(page)
    await page.getByText('Signet cannot be reached. Check the connection and try again.').waitFor()
    await context.setOffline(false)
    await signIn(page)
    await page.locator('button:enabled', { hasText: 'Allow' }).waitFor()

    await context.setOffline(true)
    await button(page, 'Allow').click()
    await page.getByText('Signet cannot be reached. Check the connection and try again.').waitFor()
    await inspect(t, watched, 'oauth-consent-unreachable')
    await context.setOffline(false)
    for (const [status, body, text] of [
      [503, { error: 'temporarily_unavailable', error_description: 'For programs.' }, 'Signet cannot do this right now. Try again in a moment.'],
      [500, { error: 'server_error', error_description: 'For programs.', request_id: 'that-id' }, 'Something went wrong in Signet. Try again, and if it stays so, name this id: that-id'],
      [200, { not: 'Signet' }, 'Something other than Signet answered. Check the connection and try again.'],
      [502, { not: 'Signet' }, 'Something other than Signet answered. Check the connection and try again.'],
      [429, { error: 'temporarily_unavailable', error_description: 'For programs.' }, /^Too many attempts\. Try again in 0:0\d\.$/],
    ] as const) {
      await refuse(page, '**/authorize/decision', status, body, '3')
      await button(page, 'Allow').click()
      await page.getByText(text).waitFor()
    }
    await page.locator('button[type=submit][aria-disabled=false]').waitFor()

    const tab = await context.newPage()
    await tab.goto(`${url}/account`)
    await button(tab, 'Sign out').click()
    await tab.getByText('You are signed out.').waitFor()
    await signIn(tab, OTHER)
    await heading(tab, 'Your account')
    await button(page, 'Allow').click()
    await page.getByText('This page stood open for too long, or somebody else has signed in since.').waitFor()
    await inspect(t, watched, 'oauth-consent-over')
    t.strictSame(client.returns, [])
    await button(page, 'Begin again').click()
    await page.getByText(`You are signed in as ${OTHER.email}.`).waitFor()
    await button(page, 'Allow').click()
    await heading(page, 'Welcome back')
    t.match(claimsOf(client.tokens[0]!.id_token), { email: OTHER.email })
    t.strictSame([watched.violations, watched.faults], [[], []])
  })

  t.test('who cannot be sent anywhere is told why, with the id of the request', async t => {
    const { url, client: makeClient } = await startSignet(t, { RATE_LIMIT_MAX: '30', RATE_LIMIT_WINDOW: '600' })
    const client = await makeClient()
    const watched = await openPage(t, browser)
    const { page } = watched
    const help = /^If you ask somebody for help, name this request: [\da-f-]{36}$/
    for (const [name, path, title, text] of [
      ['client', '/authorize?client_id=nobody', 'You cannot be sent on', /is not known to Signet/],
      ['redirect', `/authorize?client_id=${client.client.id}&redirect_uri=https://evil.example`, 'You cannot be sent on', /an address that it has not registered/],
      ['form', '/authorize?client_id=%zz', 'This did not work', /did not ask as it must/],
      ['log-out', `/end-session?client_id=${client.client.id}&post_logout_redirect_uri=https://evil.example`, 'You cannot be sent on', /You are still signed in/],
    ] as const) {
      await page.goto(`${url}${path}`)
      await heading(page, title)
      await page.getByText(text).waitFor()
      await page.getByText(help).waitFor()
      t.equal(page.url(), `${url}${path}`)
      await inspect(t, watched, `oauth-told-${name}`)
    }
    for (let count = 0; count < 30; count++) await fetch(`${url}/user-info`)
    t.equal((await page.goto(`${url}/authorize?client_id=nobody`))!.status(), 429)
    await page.getByText(/^Too many requests came from where you are\. Try again in \d+ seconds\.$/).waitFor()
    t.equal(await link(page, 'Try again').getAttribute('href'), 'authorize?client_id=nobody')
    t.strictSame(watched.faults, [])
  })

  t.test('a client signs its user out, and a person is asked where the client does not know whom', async t => {
    const { url, client: makeClient } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const client = await makeClient()
    const bye = client.client.postLogoutRedirectUris[0]!
    const watched = await openPage(t, browser)
    const { page, context } = watched
    const end = async (parameters: Record<string, string>) => { await page.goto(`${url}/end-session?${new URLSearchParams(parameters).toString()}`) }
    await letIn(page, client)
    await end({ id_token_hint: client.tokens[0]!.id_token!, post_logout_redirect_uri: bye, state: 'over' })
    await heading(page, 'See you')
    t.strictSame([page.url(), await cookieNames(context)], [`${bye}?state=over`, LEFT])

    await page.goto(client.start())
    await signIn(page)
    await button(page, 'Allow').click()
    await heading(page, 'Welcome back')
    await end({})
    await heading(page, 'Sign out?')
    await inspect(t, watched, 'oauth-log-out')
    await button(page, 'Stay signed in').click()
    await heading(page, 'You are still signed in')
    t.equal(await page.evaluate('document.activeElement.id'), 'stayed-title')
    await inspect(t, watched, 'oauth-log-out-stayed')
    t.strictSame(await cookieNames(context), ['__Host-signet', ...LEFT])
    await end({ client_id: client.client.id, post_logout_redirect_uri: bye })
    await page.getByText('Reading list asks whether you want to sign out.').waitFor()
    await refuse(page, '**/end-session/decision', 503, { error: 'temporarily_unavailable', error_description: 'For programs.' })
    await button(page, 'Sign out').click()
    await page.getByText('Signet cannot do this right now. Try again in a moment.').waitFor()
    await button(page, 'Sign out').click()
    await heading(page, 'See you')
    t.strictSame(await cookieNames(context), LEFT)

    await page.goto(client.start())
    await signIn(page)
    await heading(page, 'Welcome back')
    await end({})
    await button(page, 'Sign out').click()
    await heading(page, 'You are signed out')
    await inspect(t, watched, 'oauth-signed-out')
    t.strictSame([await cookieNames(context), watched.violations, watched.faults], [LEFT, [], []])
  })

  t.test('a client that opens a window for it gets its answer there, and the window closes', async t => {
    const { url, client: makeClient } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const client = await makeClient()
    client.pages.set('/pop-up', `<!doctype html><button onclick="open('${client.start()}', 'signet', 'popup')">Log in</button><output></output><script>onmessage = ({ data }) => { document.querySelector('output').textContent = data }</script>`)
    const { page, context } = await openPage(t, browser)
    await page.goto(`${client.url}/pop-up`)
    const opening = context.waitForEvent('page')
    await page.getByRole('button', { name: 'Log in' }).click()
    const popUp = await opening
    await signIn(popUp)
    const closing = popUp.waitForEvent('close')
    await button(popUp, 'Allow').click()
    await closing
    await page.locator('output', { hasText: /^\?code=eyJ.*&state=a-state&iss=/ }).waitFor()
  })

  t.test('an app on the device is opened beside the page, which says so and offers it once more', async t => {
    const { url, client: makeClient } = await startSignet(t)
    await ask(`${url}/register`, ACCOUNT)
    const client = await makeClient({ redirectUris: ['com.example.reader://signet/callback'], authMethod: 'none' })
    const watched = await openPage(t, browser)
    const { page } = watched
    await page.goto(client.start())
    await signIn(page)
    await button(page, 'Allow').waitFor()
    t.strictSame(await page.locator('.destination p').allTextContents(), ['com.example.reader:', 'This is an app on your own device. Allow it only if you have just used it.'])
    await button(page, 'Allow').click()
    await heading(page, 'Go on in the application')
    t.match(await page.locator('#open').getAttribute('href'), /^com\.example\.reader:\/\/signet\/callback\?code=eyJ.*&state=a-state&iss=/)
    t.equal(await page.evaluate('document.activeElement.id'), 'gone-title')
    await inspect(t, watched, 'oauth-gone')
    // Where the browser asks whether to open the app, it takes no click meanwhile.
    const other = await openPage(t, browser)
    await other.page.goto(client.start())
    await heading(other.page, 'Sign in')
    await link(other.page, 'Cancel, and go back to Reading list').click()
    await heading(other.page, 'Go on in the application')
    t.match(await other.page.locator('#open').getAttribute('href'), /\?error=access_denied/)
    await inspect(t, other, 'oauth-gone-cancelled')
    t.strictSame([watched.violations, watched.faults, other.faults], [[], [], []])
  })

  t.test('without JavaScript a person is told that it is needed, and can go back', async t => {
    const { client: makeClient } = await startSignet(t)
    const client = await makeClient()
    const context = await browser.newContext({ javaScriptEnabled: false })
    t.teardown(async () => { await context.close() })
    const page = await context.newPage()
    await page.goto(client.start())
    await page.locator('noscript p', { hasText: 'This page needs JavaScript.' }).waitFor()
    t.equal(await page.locator('#sign-in').isVisible(), false)
    await link(page, 'Cancel, and go back to Reading list').click()
    await heading(page, 'Refused: access_denied')
  })

  t.test('a page that the browser kept is loaded anew when it is shown again', async t => {
    const { client: makeClient } = await startSignet(t)
    const client = await makeClient()
    const { page } = await openPage(t, browser)
    await page.goto(client.start())
    await heading(page, 'Sign in')
    const reloaded = page.waitForEvent('load')
    await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await reloaded
    await heading(page, 'Sign in')
  })

  t.test('there is no function of these pages that did not run', async t => {
    t.ok(calls.size > 15, `${calls.size} functions`)
    t.strictSame(calls.unused, [])
  })
})
