// Chromium by its own protocol, through Playwright; holds no test.
import { chromium, type Page } from 'playwright-core'
import type { Driver, Session, Tab } from './driver.js'

/** How to start a browser that asks nobody but the server under test. */
export const QUIET = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** How long a page is waited for on a machine that is busy with others, in milliseconds. */
export const PATIENCE_MS = 120_000

/** Starts the browser at `executablePath`. */
export async function openChromium (executablePath: string): Promise<Driver> {
  const browser = await chromium.launch({ executablePath, chromiumSandbox: false, args: QUIET })
  const openSession = async (): Promise<Session> => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    context.setDefaultTimeout(PATIENCE_MS)
    return { openTab: async () => tabOf(await context.newPage()), close: async () => { await context.close() } }
  }
  return { openSession, close: async () => { await browser.close() } }
}

function tabOf (page: Page): Tab {
  return {
    goTo: async url => { await page.goto(url) },
    back: async () => { await page.goBack() },
    fill: async (selector, text) => { await page.locator(selector).fill(text) },
    click: async selector => { await page.locator(selector).click() },
    evaluate: async expression => await page.evaluate(expression),
    close: async () => { await page.close() },
  }
}
