// Where the tests find a real browser; holds no test.
import { existsSync } from 'node:fs'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core'
import t, { type Test } from 'tap'
import { PATIENCE_MS, QUIET } from '../proofs/drivers/chromium.js'

const PATH = process.env['TEST_CHROMIUM'] ?? '/usr/bin/chromium'

/** Declares tests that need a browser, which TEST_CHROMIUM names, or which Debian's package has put where it is; elsewhere the file says that it was skipped. */
export function withChromium (declare: (path: string) => void): void {
  if (existsSync(PATH)) declare(PATH)
  else t.pass('tests in Chromium', { skip: `there is no browser at ${PATH}` })
}

let shared: Promise<Browser> | undefined

/** The one browser of this process, until the last test has ended: to start one takes longer than most tests in it. */
export async function launch (executablePath: string): Promise<Browser> {
  shared ??= chromium.launch({ executablePath, chromiumSandbox: false, args: QUIET }).then(browser => {
    browser.on('context', context => { context.setDefaultTimeout(PATIENCE_MS) })
    t.teardown(async () => { await browser.close() })
    return browser
  })
  return await shared
}

/** A profile of its own in it, until the test ends. */
export async function openContext (test: Test, executablePath: string, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await (await launch(executablePath)).newContext(options)
  test.teardown(async () => { await context.close() })
  return context
}

/** The names of the cookies of a browser, in order. */
export async function cookieNames (context: BrowserContext): Promise<string[]> {
  return (await context.cookies()).map(({ name }) => name).sort()
}

/** What is left in a browser after a log-out: what shows, at the next log-in, that somebody logged in there before. */
export const LEFT = ['__Host-signet-device']
