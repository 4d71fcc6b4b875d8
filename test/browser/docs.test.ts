// The page of the routes in a real browser: a stranger registers, logs in and goes on with what came, without a finding of axe.
import type { Page } from 'playwright-core'
import t from 'tap'
import { serve } from '../server-process.js'
import { openContext, withChromium } from './chromium.js'
import { findings } from './inspection.js'

async function send (page: Page, id: string, line: RegExp): Promise<string> {
  await page.locator(`#${id} button[type=submit]`).click()
  return await answer(page, id, line)
}

async function answer (page: Page, id: string, line: RegExp): Promise<string> {
  await page.locator(`#${id} .answer p`, { hasText: line }).waitFor()
  return await page.locator(`#${id} .answer`).textContent() ?? ''
}

withChromium(executablePath => {
  t.test('every route can be tried with what the page begins with, and what is sent carries the tokens that came', async t => {
    const { url: signet } = await serve(t)
    const page = await (await openContext(t, executablePath, { reducedMotion: 'reduce' })).newPage()
    const faults: string[] = []
    await page.exposeFunction('reportViolation', (text: string) => { faults.push(text) })
    await page.addInitScript("document.addEventListener('securitypolicyviolation', event => reportViolation(event.violatedDirective))")
    page.on('pageerror', error => { faults.push(String(error)) })
    let registrations = 0
    page.on('request', request => { if (request.url() === `${signet}/register`) registrations++ })
    await page.goto(`${signet}/docs#register`)
    t.equal(await page.locator('details[open]').getAttribute('id'), 'register', 'the address names a route')
    await page.evaluate('for (let press = 0; press < 2; press++) document.querySelector("#register button[type=submit]").click()')
    t.match(await answer(page, 'register', /^201 Created, \d+ ms$/), '"name": "Ada Lovelace"')
    t.equal(registrations, 1, 'what is pressed twice is sent once')
    for (const id of ['logIn', 'refresh', 'listTokens', 'getUser', 'closeToken', 'getKeys']) await page.evaluate(`window.location.hash = '#${id}'`)
    await page.locator('#getKeys[open]').waitFor()
    t.match(await send(page, 'getUser', /^401 Unauthorized/), 'invalid_token')
    await send(page, 'logIn', /^200 OK/)
    t.equal(await page.locator('#session').textContent(), 'What you send carries the access token that came last.')
    t.match(await send(page, 'getUser', /^200 OK/), '"email": "ada@example.com"')
    const refreshToken = await page.locator('#refresh-body').inputValue()
    t.match(refreshToken, /^\{\n {2}"refresh_token": "[\w-]{100,}"\n\}$/)
    await send(page, 'refresh', /^200 OK/)
    t.not(await page.locator('#refresh-body').inputValue(), refreshToken, 'it works once')
    const listed = await send(page, 'listTokens', /^200 OK/)
    t.match(await send(page, 'getKeys', /^200 OK/), '"kty": "RSA"')
    await page.locator('#closeToken-id').fill(/"id": "([^"]+)"/.exec(listed)![1]!)
    t.notMatch(await send(page, 'closeToken', /^204 No Content/), '{')
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 844 })
      t.ok(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), `it fits into ${width} pixels`)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        t.strictSame(await findings(page, colorScheme === 'light' ? 'all' : 'looks'), [], `${colorScheme}, ${width} pixels`)
      }
    }
    await page.context().setOffline(true)
    await send(page, 'getUser', /^Signet cannot be reached\. Check the connection and try again\.$/)
    t.strictSame(faults, [])
  })
})
