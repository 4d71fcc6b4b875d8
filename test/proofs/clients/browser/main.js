// Goes with oidc-client-ts in Chromium through all that it has: pages of a client's own, which Signet's lead back to; holds no rule of the protocol.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'
import { clients, refused, same, take } from '../node/report.js'

const { ISSUER = '', CALLBACK = '', AFTER_LOG_OUT = '', OTHER_RESOURCE = '', EMAIL = '', PASSWORD = '', TEST_CHROMIUM = '/usr/bin/chromium' } = process.env
const HOME = new URL(CALLBACK).origin
const LIBRARY = await readFile(new URL('../browser/oidc-client-ts.min.js', import.meta.resolve('oidc-client-ts')), 'utf8')
const SETTINGS = { authority: ISSUER, client_id: clients.public.client_id, redirect_uri: CALLBACK, post_logout_redirect_uri: AFTER_LOG_OUT, scope: 'openid profile email offline_access orders', loadUserInfo: true, automaticSilentRenew: false, silentRequestTimeoutInSeconds: 10 }
/** Every address of the client is this page, which takes what Signet answers of itself only where it is in a frame or a window of its own. */
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script>${LIBRARY}</script><script>
  window.manager = settings => new oidc.UserManager({ ...${JSON.stringify(SETTINGS)}, ...settings })
  if (window !== window.parent || window.opener) manager({}).signinCallback()
</script>`

const server = createServer((_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE) }).listen(Number(new URL(HOME).port), '127.0.0.1')
await once(server, 'listening')
const browser = await chromium.launch({ executablePath: TEST_CHROMIUM, chromiumSandbox: false, args: ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'] })
const context = await browser.newContext()
const page = await context.newPage()

/** What an expression of the page's `manager(…)` comes to. @param {string} expression @returns {Promise<any>} */
async function evaluate (expression) {
  return await page.evaluate(expression)
}

/** Logs in where that is asked, and decides. @param {import('playwright-core').Page} at @param {'Allow' | 'Deny'} decision */
async function decide (at, decision = 'Allow') {
  const email = at.locator('input[type=email]:visible')
  const choice = at.getByText(decision, { exact: true })
  await email.or(choice).first().waitFor()
  if (await email.isVisible()) {
    await email.fill(EMAIL)
    await at.locator('input[type=password]:visible').fill(PASSWORD)
    await at.waitForLoadState()
    await at.getByRole('button', { name: 'Sign in' }).click()
    await choice.waitFor()
  }
  // What is pressed before the page's script is there is pressed in vain.
  await at.waitForLoadState()
  await choice.click()
}

/** Goes to Signet and comes back, which is not redeemed yet. @param {object} [settings] @param {'Allow' | 'Deny'} [decision] */
async function goAndComeBack (settings = {}, decision) {
  await page.goto(HOME)
  await evaluate(`void manager(${JSON.stringify(settings)}).signinRedirect()`)
  await decide(page, decision)
  await page.waitForURL(`${HOME}/**`)
}

const PROFILE = 'user => ({ scope: user.scope, access: user.access_token, refresh: user.refresh_token, ...user.profile })'

/** @param {object} [settings] @param {'Allow' | 'Deny'} [decision] */
async function logIn (settings, decision) {
  await goAndComeBack(settings, decision)
  return await evaluate(`manager({}).signinCallback().then(${PROFILE})`)
}

const first = await logIn()

await take({
  discovery: async () => { same(await evaluate('manager({}).metadataService.getIssuer()'), ISSUER) },
  code: async () => { same(first.scope, SETTINGS.scope) },
  'id-token': async () => { same(typeof first.sid, 'string') },
  userinfo: async () => { same([first.name, first.email, first.email_verified], ['Ada', EMAIL, false]) },
  public: async () => { same(typeof first.access, 'string') },
  refresh: async () => {
    const next = await evaluate(`manager({}).signinSilent().then(${PROFILE})`)
    same([next.sub, next.refresh === first.refresh], [first.sub, false])
  },
  repeat: async () => {
    const both = await evaluate('manager({}).getUser().then(user => Promise.all([1, 2].map(() => manager({})._client.useRefreshToken({ state: user })))).then(all => all.map(each => each.refresh_token))')
    same(both[0], both[1])
  },
  reuse: async () => {
    const used = await logIn()
    await evaluate('manager({}).signinSilent().then(() => manager({}).signinSilent())')
    await refused(evaluate(`manager({}).getUser().then(user => manager({})._client.useRefreshToken({ state: { ...user, refresh_token: ${JSON.stringify(used.refresh)} } }))`), 'refresh token is not good')
    await refused(evaluate('manager({}).signinSilent()'), 'refresh token is not good')
  },
  resource: async () => {
    const { access } = await logIn({ resource: OTHER_RESOURCE })
    same(JSON.parse(Buffer.from(access.split('.')[1], 'base64url').toString()).aud, OTHER_RESOURCE)
  },
  silent: async () => {
    // In a frame, to which the browser brings the cookie, for both are on one site. Nobody is asked again who let the client in at an address of https, or one of ours.
    await page.goto(HOME)
    same((await evaluate(`manager({ client_id: ${JSON.stringify(clients.ours.client_id)} }).signinSilent().then(${PROFILE})`)).sub, first.sub)
  },
  popup: async () => {
    await page.goto(HOME)
    const opened = context.waitForEvent('page')
    const done = evaluate(`manager({}).signinPopup().then(${PROFILE})`)
    await decide(await opened)
    same((await done).sub, first.sub)
  },
  'max-age': async () => { same((await logIn({ max_age: 0 })).sub, first.sub) },
  revocation: async () => {
    const { access } = await logIn()
    await evaluate('manager({}).revokeTokens()')
    same((await fetch(`${ISSUER}/userinfo`, { headers: { authorization: `Bearer ${access}` } })).status, 401)
  },
  'access-denied': async () => { await refused(logIn({}, 'Deny'), 'access_denied') },
  'untrusted-redirect': async () => {
    await page.goto(HOME)
    await evaluate("void manager({ redirect_uri: 'https://stranger.example/' }).signinRedirect()")
    await page.getByRole('heading', { name: 'You cannot be sent on' }).waitFor()
  },
  'unknown-resource': async () => {
    await page.goto(HOME)
    await evaluate("void manager({ resource: 'https://stranger.example/' }).signinRedirect()")
    await page.waitForURL(/error=invalid_target/)
    await refused(evaluate('manager({}).signinCallback()'), 'may have no tokens for that resource')
  },
  'code-twice': async () => {
    await goAndComeBack()
    const address = page.url()
    await evaluate('manager({}).signinCallback().then(() => {})')
    await refused(evaluate(`manager({}).signinCallback(${JSON.stringify(address)})`), 'No matching state')
  },
  'wrong-token': async () => { await refused(evaluate('manager({}).getUser().then(user => manager({})._client._validator._userInfoService.getClaims(user.access_token + "x"))'), 'not good any more') },
  logout: async () => {
    await logIn()
    await evaluate("void manager({}).signoutRedirect({ state: 'over' })")
    await page.waitForURL(`${AFTER_LOG_OUT}**`)
    same((await evaluate('manager({}).signoutCallback()')) !== null, true)
  },
  'login-required': async () => {
    const ours = `manager({ client_id: ${JSON.stringify(clients.ours.client_id)} })`
    await refused(evaluate(`${ours}.removeUser().then(() => ${ours}.signinSilent())`), 'has to log in')
  },
})

await browser.close()
server.close()
