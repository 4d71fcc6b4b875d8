// What a stranger's page can do in a real browser to somebody who is signed in: on another site, and on another origin of the same one.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { ask, serve } from '../server-process.js'
import { launch, withChromium } from './chromium.js'
import { startClient, type ClientServer } from './oauth-client.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }

/** Signet, a client that the user of the browser has let in, and a stranger's server by both of its names. */
interface Scene { url: string, client: ClientServer, stranger: ClientServer, places: string[], page: Page, context: BrowserContext, families: () => Promise<number> }

async function setScene (t: Test, browser: Browser): Promise<Scene> {
  const { url, databaseUrl } = await serve(t)
  await ask(`${url}/register`, ACCOUNT)
  const [client, stranger] = [await startClient(t, url, databaseUrl), await startClient(t, url, databaseUrl, { name: 'Stranger' })]
  const context = await browser.newContext()
  t.teardown(async () => { await context.close() })
  const page = await context.newPage()
  await page.goto(client.start())
  await page.locator('#sign-in-email').fill(ACCOUNT.email)
  await page.locator('#sign-in-password').fill(ACCOUNT.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  const { body } = await ask(`${url}/login`, ACCOUNT)
  const families = async () => ((await ask(`${url}/tokens`, undefined, (body as { access_token: string }).access_token)).body as { tokens: object[] }).tokens.length
  return { url, client, stranger, places: [stranger.url, stranger.url.replace('localhost', '127.0.0.1')], page, context, families }
}

/** What a page of the stranger's shows in a frame. */
async function frameOf (page: Page, place: string, stranger: ClientServer, address: string): Promise<{ url: string, text: string }> {
  stranger.pages.set('/frame', `<!doctype html><iframe src="${address.replaceAll('&', '&amp;')}"></iframe>`)
  await page.goto(`${place}/frame`)
  const frame = page.frames()[1]!
  await frame.waitForLoadState()
  return { url: frame.url(), text: (await frame.locator('body').textContent())! }
}

/** Sends a form of the stranger's, by a person's click, and returns what stands there then. */
async function submit (page: Page, place: string, stranger: ClientServer, address: string, fields: Record<string, string>, enctype = 'application/x-www-form-urlencoded'): Promise<string> {
  const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name='${name}' value='${value}'>`)
  stranger.pages.set('/form', `<!doctype html><form method="post" action="${address}" enctype="${enctype}">${inputs.join('')}<button>Win a prize</button></form>`)
  await page.goto(`${place}/form`)
  await page.getByRole('button').click()
  await page.waitForURL(address)
  return await page.content()
}

/** Sends a request from a page of the stranger's, in every way that a script has, with whatever cookies the browser brings. */
async function send (page: Page, place: string, address: string, body: string): Promise<unknown[]> {
  await page.goto(place)
  return await page.evaluate<unknown[]>(`Promise.all([['no-cors', 'application/x-www-form-urlencoded'], ['cors', 'application/x-www-form-urlencoded'], ['no-cors', 'text/plain'], ['cors', 'application/json']].map(async ([mode, type]) => {
    const answer = await fetch('${address}', { method: 'POST', mode, credentials: 'include', headers: { 'content-type': type }, body: '${body}' }).catch(() => undefined)
    return answer?.type === 'opaque' ? undefined : answer?.status
  }))`)
}

t.setTimeout(600_000)

withChromium(executablePath => {
  let browser: Browser
  t.before(async () => { browser = await launch(executablePath) })

  t.test('no page is shown in a stranger\'s frame, on whichever site', async t => {
    const { url, client, stranger, places, page } = await setScene(t, browser)
    const asked = async (parameters: Record<string, string>) => (await fetch(client.start(parameters), { redirect: 'manual' })).headers.get('location')!
    const addresses = {
      'log-in': await asked({ prompt: 'login' }), consent: await asked({ prompt: 'consent' }), 'log-out': `${url}/end-session`, told: `${url}/authorize?client_id=nobody`, account: `${url}/account`,
    }
    for (const place of places) {
      for (const [name, address] of Object.entries(addresses)) t.match(await frameOf(page, place, stranger, address), { url: 'chrome-error://chromewebdata/', text: /refused to connect|blocked/ }, `${name} at ${place}`)
    }
  })

  t.test('prompt=none in a frame of another site gets no code, although the user let the client in', async t => {
    const { client, page } = await setScene(t, browser)
    client.pages.set('/frame', `<!doctype html><iframe src="${client.start({ prompt: 'none' })}"></iframe>`)
    const [codes, before] = [client.tokens.length, await page.context().cookies()]
    await page.goto(`${client.url}/frame`)
    await page.frameLocator('iframe').getByRole('heading', { name: 'Refused: login_required' }).waitFor()
    t.equal(client.tokens.length, codes)
    t.strictSame(await page.context().cookies(), before)
    await page.goto(client.start({ prompt: 'none' }))
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
  })

  t.test('a stranger\'s form or script lets nobody in, with a decision of its own or of the user\'s', async t => {
    const { url, client, stranger, places, page, context, families } = await setScene(t, browser)
    const tab = await context.newPage()
    await tab.goto(stranger.start())
    const decision = await tab.locator('[name=decision]').inputValue()
    const [count, cookies] = [await families(), await context.cookies()]
    for (const place of places) {
      t.match(await submit(page, place, stranger, `${url}/authorize/decision`, { decision }), /"error":"invalid_request"/, place)
      const statuses = await send(page, place, `${url}/authorize/decision`, `decision=${decision}`)
      t.strictSame(statuses, [undefined, undefined, undefined, undefined], 'and no answer can be read')
    }
    t.strictSame([stranger.returns, await families(), await context.cookies()], [[], count, cookies])
    await tab.getByRole('button', { name: 'Allow' }).click()
    await tab.getByRole('heading', { name: 'Welcome back' }).waitFor()
    t.equal(await families(), count + 1, 'the very decision was good, where the user made it')
    t.equal(client.returns.length, 1)
  })

  t.test('a stranger\'s form or script logs nobody in as somebody else, and nobody out', async t => {
    const { url, stranger, places, page, context, families } = await setScene(t, browser)
    const eve = { email: 'eve@example.com', password: 'a password of Eve\\u0027s' }
    await ask(`${url}/register`, { email: 'eve@example.com', password: 'a password of Eve\'s' })
    const tab = await context.newPage()
    await tab.goto(`${url}/end-session`)
    const decision = await tab.locator('[name=decision]').inputValue()
    const [count, cookies] = [await families(), await context.cookies()]
    const body = JSON.stringify({ ...eve, refresh_token_in: 'cookie' })
    for (const place of places) {
      const [name, value] = [body.slice(0, -1) + ',"x":"', '"}']
      t.match(await submit(page, place, stranger, `${url}/login`, { [name]: value }, 'text/plain'), /unsupported_media_type/, place)
      t.match(await submit(page, place, stranger, `${url}/login`, { email: eve.email, password: 'x', refresh_token_in: 'cookie' }), /unsupported_media_type/, place)
      t.strictSame(await send(page, place, `${url}/login`, body.replaceAll('\\', '\\\\')), [undefined, undefined, undefined, undefined])
      t.match(await submit(page, place, stranger, `${url}/end-session/decision`, { decision }), /"error":"invalid_request"/, place)
      await send(page, place, `${url}/end-session/decision`, `decision=${decision}`)
      // Asked without a page, as an image is.
      stranger.pages.set('/image', `<!doctype html><img src="${url}/end-session" alt=""><img src="${url}/end-session?again=1" alt="">`)
      await page.goto(`${place}/image`)
    }
    t.strictSame([await families(), await context.cookies()], [count, cookies])
    await page.goto(`${url}/account`)
    await page.locator('.hello').getByText(ACCOUNT.email).waitFor()
  })

  t.test('nobody is sent where a client did not register, and no code is in a Referer', async t => {
    const { url, client, page } = await setScene(t, browser)
    const { host } = new URL(client.url)
    for (const redirect of [`https://${host}/callback`, `${client.url}/callback/`, `${client.url}/Callback`, `${client.url}/callback?x`, `${client.url}/callback#x`, 'http://localhost@evil.example/callback', `//${host}/callback`, `${client.url}/start/../callback`]) {
      await page.goto(client.start({ redirect_uri: redirect }))
      await page.getByRole('heading', { name: 'You cannot be sent on' }).waitFor()
      t.equal(new URL(page.url()).origin, url, redirect)
    }
    await page.goto(client.start())
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    t.strictSame(client.returns.map(({ query, referer }) => [Object.keys(query), referer]), Array(2).fill([['code', 'state', 'iss'], undefined]))
  })
})
