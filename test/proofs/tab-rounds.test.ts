// Tabs that wake at once behind a lossy network stay logged in; a thousand rounds are `npm run prove:tabs`.
import t from 'tap'
import { withChromium } from '../browser/chromium.js'
import { SERVER } from '../server-process.js'
import { proveTabs } from './tab-rounds.js'

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

  t.test('the proof sees an authority that forgives no lost answer', async t => {
    const { lost } = await proveTabs({ ...wish, command: ['env', 'REFRESH_GRACE=0', ...SERVER], share: 0.9, rounds: 20, webLocks: 'on' })
    t.ok(lost.length > 0)
    t.strictSame(lost.filter(sentence => !/^round \d+: tab \d was answered (invalid_grant|200), and its session ended 1 times$/.test(sentence)), [], 'each tab says so once')
  })
})
