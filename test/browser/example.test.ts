// The example of a front end: another origin logs in through CORS, with the cookie, and one that is not listed does not.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { freePort } from '../free-port.js'
import { ask, serve } from '../server-process.js'
import { cookieNames, LEFT, openContext, withChromium } from './chromium.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }

async function serveExample (t: Test, signet: string, port: number): Promise<string> {
  const child = spawn(process.execPath, [resolve('examples/frontend/serve.js')], { env: { PORT: String(port), SIGNET: signet } })
  t.teardown(() => child.kill())
  await once(child.stdout, 'data')
  return `http://127.0.0.1:${port}/`
}

async function logIn (page: Page): Promise<void> {
  await page.locator('[name=email]').fill(ACCOUNT.email)
  await page.locator('[name=password]').fill(ACCOUNT.password)
  await page.getByRole('button', { name: 'Log in', exact: true }).click()
}

withChromium(executablePath => {
  t.test('a page of a listed origin signs up, logs in, stays logged in, and logs out in all its tabs', async t => {
    const port = await freePort()
    const { url: signet } = await serve(t, { CORS_ORIGINS: `http://127.0.0.1:${port}` })
    const url = await serveExample(t, signet, port)
    const context = await openContext(t, executablePath)
    const [page, tab] = [await context.newPage(), await context.newPage()]
    const faults: string[] = []
    await context.exposeBinding('reportViolation', (_source, text: string) => { faults.push(text) })
    await context.addInitScript("document.addEventListener('securitypolicyviolation', event => reportViolation(event.violatedDirective))")
    page.on('pageerror', error => { faults.push(String(error)) })
    page.on('console', message => { if (/content security policy/i.test(message.text())) faults.push(message.text()) })
    for (const each of [page, tab]) {
      await each.goto(url)
      await each.getByText('You are not logged in.').waitFor()
    }
    await logIn(page)
    await page.getByText('The e-mail address or the password is wrong.').waitFor()
    await page.getByRole('button', { name: 'Sign up and log in' }).click()
    for (const each of [page, tab]) await each.getByText('You are logged in, in all tabs.').waitFor()
    await page.reload()
    await page.getByText(`"email": "${ACCOUNT.email}"`).waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    for (const each of [page, tab]) await each.getByText('You are not logged in.').waitFor()
    t.strictSame([await cookieNames(context), faults], [LEFT, []])
  })

  t.test('a page that is opened under another name of the machine is told to use one name for both', async t => {
    const port = await freePort()
    for (const origins of [`http://127.0.0.1:${port}`, `http://localhost:${port}`]) {
      const { url: signet } = await serve(t, { CORS_ORIGINS: origins })
      const url = await serveExample(t, signet, origins.includes('localhost') ? port : await freePort())
      const page = await (await openContext(t, executablePath)).newPage()
      const other = url.replace('127.0.0.1', 'localhost')
      await page.goto(other)
      await page.getByText(`Use one host name for both: Signet is at 127.0.0.1, so open ${url} instead.`).waitFor()
    }
  })

  t.test('a page of another origin of the same site gets nothing', async t => {
    const [port, listed] = [await freePort(), await freePort()]
    const { url: signet } = await serve(t, { CORS_ORIGINS: `http://127.0.0.1:${listed}` })
    await ask(`${signet}/register`, ACCOUNT)
    const url = await serveExample(t, signet, port)
    const page = await (await openContext(t, executablePath)).newPage()
    await page.goto(url)
    t.match([(await page.request.get(`${url}icon.svg`)).headers()['content-type'], await page.locator('link[rel=icon]').getAttribute('href')], ['image/svg+xml; charset=utf-8', 'icon.svg'])
    t.match(await page.locator('meta[http-equiv]').getAttribute('content'), /img-src 'self'/, 'or Firefox logs an error for the icon')
    await logIn(page)
    await page.getByText('Signet cannot be reached. Check the connection and try again.').waitFor()
    // SameSite lets the cookie through from port to port, and a request without a body asks for no preflight.
    await page.goto(`${signet}/account`)
    await page.locator('#sign-in-email').fill(ACCOUNT.email)
    await page.locator('#sign-in-password').fill(ACCOUNT.password)
    await page.locator('#sign-in button[type=submit]').click()
    await page.getByRole('heading', { name: 'Your account' }).waitFor()
    const before = await page.context().cookies()
    await page.goto(url)
    const answer = page.waitForResponse(`${signet}/refresh`)
    await page.evaluate(`fetch('${signet}/refresh', { method: 'POST', credentials: 'include', mode: 'no-cors' })`)
    t.equal((await answer).status(), 403, 'without the cookie it would be a 400')
    t.strictSame(await page.context().cookies(), before)
  })
})
