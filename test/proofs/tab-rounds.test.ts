// Tabs that wake at once behind a lossy network stay logged in; a thousand rounds are `npm run prove:tabs`.
import { once } from 'node:events'
import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { proveTabs } from './tab-rounds.js'
import { run, SERVER, settings } from '../server-process.js'
import { launch, withChromium } from '../browser/chromium.js'

t.setTimeout(300_000)

withChromium(executablePath => {
  const wish = { browser: 'chromium' as const, command: SERVER, executablePath, share: 0.1, seed: 20_261_125 }

  t.test('8 tabs that wake at once do one refresh at a time, and a network that drops, delays and doubles logs none of them out', async t => {
    const { lost, mostAtOnce, refreshes, rounds } = await proveTabs({ ...wish, rounds: 14, webLocks: 'on' })
    t.strictSame(lost, [])
    t.equal(rounds, 14)
    t.equal(mostAtOnce, 1)
    t.ok(refreshes >= 14 && refreshes < 2 * 14, `${refreshes} refreshes`)
  })

  t.test('where there are no Web Locks nobody is logged out either', async t => {
    const { lost, refreshes } = await proveTabs({ ...wish, rounds: 7, webLocks: 'off' })
    t.strictSame(lost, [])
    t.ok(refreshes < 4 * 7, `${refreshes} refreshes for 8 tabs`)
  })

  t.test('a tab that closes while its refresh is under way ends no session, however late the next one comes', async t => {
    const { child, ready } = run(t, settings(t, { LOG_LEVEL: 'info', REFRESH_GRACE: '3' }))
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
    const browser = await launch(executablePath)
    t.teardown(async () => { await browser.close() })
    const context = await browser.newContext()
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

  t.test('the proof sees an authority that forgives no lost answer', async t => {
    const { lost } = await proveTabs({ ...wish, command: ['env', 'REFRESH_GRACE=0', ...SERVER], share: 0.9, rounds: 20, webLocks: 'on' })
    t.ok(lost.length > 0)
    t.strictSame(lost.filter(sentence => !/^round \d+: tab \d was answered (invalid_grant|200), and its session ended 1 times$/.test(sentence)), [], 'each tab says so once')
  })
})
