// The account page in a real browser, watched, and what a person reads there and fills in; holds no test.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Calls } from './inspection.js'

export interface Watched { page: Page, context: BrowserContext, url: string, violations: string[], foreign: string[], faults: string[], errors: string[] }

/** A page that counts what its policy stopped, what it asked of others, and what it threw. */
export async function watch (t: Test, browser: Browser, url: string, calls: Calls): Promise<Watched> {
  const context = await browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1280, height: 900 } })
  t.teardown(async () => {
    await calls.note(page)
    await context.close()
  })
  const page = await context.newPage()
  const watched: Watched = { page, context, url, violations: [], foreign: [], faults: [], errors: [] }
  await context.exposeBinding('reportViolation', (_source, text: string) => { watched.violations.push(text) })
  await context.addInitScript("document.addEventListener('securitypolicyviolation', event => reportViolation(event.violatedDirective + ' ' + event.blockedURI))")
  context.on('request', request => { if (new URL(request.url()).origin !== new URL(url).origin) watched.foreign.push(request.url()) })
  page.on('pageerror', error => { watched.faults.push(String(error)) })
  page.on('console', message => { if (message.type() !== 'log') watched.errors.push(message.text()) })
  await calls.start(page)
  await page.goto(`${url}/account`)
  return watched
}

/** Answers a route in Signet's place, once. */
export async function refuse (context: BrowserContext, path: string, status: number, code: string, detail: string, retryAfter = '1'): Promise<void> {
  await context.route(path, async route => { await route.fulfill({ status, headers: { 'retry-after': retryAfter }, contentType: 'application/problem+json', body: JSON.stringify({ code, detail, request_id: 'that-id' }) }) }, { times: 1 })
}

export const view = (page: Page) => page.locator('[data-view]:not([hidden])')
export const heading = async (page: Page, text: string) => { await page.getByRole('heading', { level: 1, name: text }).waitFor() }
export const notice = (page: Page) => view(page).locator('.notice[data-kind=error], .notice[data-kind=done]').first()

export async function fill (page: Page, form: string, values: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await page.locator(`#${form} [name=${name}]`).fill(value)
  await page.locator(`#${form} button[type=submit]`).click()
}

/** Where a person is led and what a screen reader reads there. */
export async function fieldError (page: Page, input: string): Promise<{ focused: boolean, invalid: string | null, text: string }> {
  await page.locator(`#${input}[aria-invalid=true]`).waitFor()
  return await page.locator(`#${input}`).evaluate(element => ({
    focused: document.activeElement === element,
    invalid: element.getAttribute('aria-invalid'),
    text: document.getElementById(element.getAttribute('aria-describedby')!.split(' ')[0]!)!.textContent,
  }))
}

/** Every field that is marked, with what is said at it. */
export async function faults (page: Page): Promise<Record<string, string>> {
  return Object.fromEntries(await view(page).locator('input[aria-invalid=true]').evaluateAll(inputs => inputs.map(({ id }) => [id, document.getElementById(`${id}-note`)!.textContent])))
}
