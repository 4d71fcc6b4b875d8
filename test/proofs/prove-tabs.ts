// `npm run prove:tabs`: tabs that wake at once behind a lossy proxy, and who was logged out; holds no check of its own.
import { parseArgs } from 'node:util'
import { built } from './built.js'
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

function readWish () {
  try {
    const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1000' }, browser: { type: 'string', default: 'chromium' }, seed: { type: 'string' }, 'without-locks': { type: 'boolean', default: false }, help: { type: 'boolean' } } })
    const rounds = Number(values.rounds)
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
    if (values.help || !Object.hasOwn(BROWSERS, values.browser) || !Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) return undefined
    return { rounds, seed, browser: values.browser as BrowserName, webLocks: values['without-locks'] ? 'off' as const : 'on' as const }
  } catch {
    return undefined
  }
}

async function main (): Promise<number> {
  const wish = readWish()
  if (!wish) {
    process.stderr.write(HELP)
    return process.argv.includes('--help') ? 0 : 2
  }
  const executablePath = findBrowser(wish.browser)
  if (!executablePath) {
    process.stderr.write(`There is no ${wish.browser} here.\n${HELP}`)
    return 2
  }
  const started = Date.now()
  const { rounds, refreshes, mostAtOnce, met, lost } = await proveTabs({ ...wish, share: 0.1, command: built('src/server'), executablePath })
  const seconds = Math.round((Date.now() - started) / 1000)
  process.stdout.write(`${rounds} rounds of 8 tabs of ${wish.browser} in ${seconds} s (seed ${wish.seed}); refreshes: ${refreshes}, at once: ${mostAtOnce}; met: ${JSON.stringify(met)}; log-outs: ${lost.length}\n${lost.map(sentence => `- ${sentence}\n`).join('')}`)
  return lost.length === 0 && (mostAtOnce === 1 || wish.webLocks === 'off') ? 0 : 1
}

process.exitCode = await main()
