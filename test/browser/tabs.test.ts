// Tabs of a real browser behind a network that loses and delays answers stay logged in; test/proofs/tab-rounds.test.ts tries longer.
import { once } from 'node:events'
import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { proveTabs } from '../proofs/tab-rounds.js'
import { run, SERVER, settings, withRing } from '../server-process.js'
import { openContext, withChromium } from './chromium.js'

withChromium(executablePath => {
  t.test('tabs that wake at once stay signed in, and one refreshes for all', async t => {
    const { lost, mostAtOnce } = await proveTabs({ browser: 'chromium', executablePath, command: SERVER, rounds: 3, share: 0.1, seed: 20_261_126, webLocks: 'on' })
    t.strictSame(lost, [])
    t.equal(mostAtOnce, 1)
  })

  t.test('a tab that closes while its refresh is under way ends no session, however late the next one comes', async t => {
    const { child, ready } = run(t, await withRing(settings(t, { LOG_LEVEL: 'info', REFRESH_GRACE: '3' })))
    const signet = await ready()
    let refreshing = () => {}
    const proxy = createServer((request, response) => {
      const { method, headers, url } = request
      const outgoing = ask(`${signet}${url!}`, { method, headers }, answer => {
        const pass = () => { answer.pipe(response.writeHead(answer.statusCode!, answer.headers)) }
        if (url === '/refresh') {
          refreshing()
          setTimeout(pass, 500)
        } else pass()
      })
      request.pipe(outgoing)
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    t.teardown(() => { proxy.close() })
    const context = await openContext(t, executablePath)
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/account`
    const page = await context.newPage()
    await page.goto(url)
    await page.getByRole('link', { name: 'Create an account' }).click()
    await page.locator('#sign-up-email').fill('ada@example.com')
    await page.locator('#sign-up-password').fill('correct horse battery')
    await page.locator('#sign-up button[type=submit]').click()
    await page.getByRole('heading', { name: 'Your account' }).waitFor()
    const underWay = new Promise<void>(resolve => { refreshing = resolve })
    await page.reload({ waitUntil: 'commit' })
    await underWay
    await page.close()
    await pause(4_000)
    const next = await context.newPage()
    await next.goto(url)
    await next.getByRole('heading', { name: 'Your account' }).waitFor()
    t.equal(child.exitCode, null)
  })
})
