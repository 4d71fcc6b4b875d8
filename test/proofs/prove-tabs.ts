// `npm run prove:tabs`: tabs that wake at once behind a lossy proxy, and who was logged out; holds no check of its own.
import { built } from './built.js'
import { readCount, runProof, WrongUse } from './command.js'
import { BROWSERS, findBrowser } from './drivers/browsers.js'
import type { BrowserName } from './drivers/driver.js'
import { proveTabs } from './tab-rounds.js'

const HELP = `Wakes 8 tabs of a real browser at once, again and again, behind a proxy that drops, delays or doubles one request or answer in ten,
and looks for a tab that was logged out and for two refreshes under way at a time.
  --rounds N        how often (default 1000)
  --seed N          repeats the proxy's choices (default: drawn)
  --browser NAME    chromium (the default), firefox or webkit, from Debian's packages chromium, firefox-esr, and webkit2gtk-driver with xvfb;
                    TEST_CHROMIUM, TEST_FIREFOX and TEST_WEBKIT (its WebKitWebDriver) name other places
  --without-locks   tabs without Web Locks, which take turns by word of mouth; two of them may speak at once
Exit code: 0 nobody logged out and one refresh at a time, 1 otherwise, 2 wrong use or no such browser here.
`

function placeOf (browser: string): { browser: BrowserName, executablePath: string } {
  const name = Object.keys(BROWSERS).find((name): name is BrowserName => name === browser)
  const executablePath = name && findBrowser(name)
  if (!executablePath) throw new WrongUse(`There is no ${browser} here.`)
  return { browser: name, executablePath }
}

function readSeed (text: string | undefined): number {
  const seed = Number(text ?? Math.floor(Math.random() * 2 ** 31))
  if (!Number.isInteger(seed)) throw new WrongUse('--seed is a whole number.')
  return seed
}

const OPTIONS = { rounds: { type: 'string', default: '1000' }, browser: { type: 'string', default: 'chromium' }, seed: { type: 'string' }, 'without-locks': { type: 'boolean', default: false } } as const

await runProof(HELP, OPTIONS, async ({ rounds: count, browser, seed: typed, 'without-locks': isWithoutLocks }) => {
  const [wanted, seed, place, webLocks] = [readCount('rounds', count), readSeed(typed), placeOf(browser), isWithoutLocks ? 'off' as const : 'on' as const]
  const started = Date.now()
  const { rounds, refreshes, mostAtOnce, met, lost } = await proveTabs({ rounds: wanted, seed, webLocks, ...place, share: 0.1, command: built('src/server') })
  const seconds = Math.round((Date.now() - started) / 1000)
  process.stdout.write(`${rounds} rounds of 8 tabs of ${browser} in ${seconds} s (seed ${seed}); refreshes: ${refreshes}, at once: ${mostAtOnce}; met: ${JSON.stringify(met)}; log-outs: ${lost.length}\n${lost.map(sentence => `- ${sentence}\n`).join('')}`)
  return lost.length === 0 && (mostAtOnce === 1 || webLocks === 'off') ? 0 : 1
})
