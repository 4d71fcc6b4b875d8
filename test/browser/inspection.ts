// What every page of Signet's is looked at for in a real browser: findings of axe in light and dark, room on a narrow phone, functions that did not run; holds no page.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A folder for pictures of every state, for whoever wants to look. */
const { TEST_SCREENSHOTS } = process.env

/** Looks at a state in light and dark, on a phone and on a desk, and at the narrowest: with every rule once, for what a page is made of is the same in all of them. */
export async function inspect (t: Test, { page }: { page: Page }, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
      t.strictSame(await findings(page, width === 390 && colorScheme === 'light' ? 'all' : 'looks'), [], `${name}, ${colorScheme}, ${width} pixels`)
      if (TEST_SCREENSHOTS) {
        mkdirSync(TEST_SCREENSHOTS, { recursive: true })
        await page.screenshot({ path: join(TEST_SCREENSHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true })
      }
    }
  }
  await page.setViewportSize({ width: 320, height: 640 })
  t.ok(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), `${name} fits into 320 pixels`)
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
}

/** In the dark and on a desk colours and places differ and nothing else, so what looks at them looks again. */
const RULES = { all: {}, looks: { runOnly: ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable'] } }

/** What axe finds on a page as it is, by all its rules, or by those of its looks. */
export async function findings (page: Page, rules: keyof typeof RULES): Promise<string[]> {
  if (!await page.evaluate('"axe" in window')) await page.evaluate(AXE)
  const { violations } = await page.evaluate<{ violations: Array<{ id: string, nodes: Array<{ html: string, failureSummary: string }> }> }>(`axe.run(${JSON.stringify({ resultTypes: ['violations'], preload: false, ...RULES[rules] })})`)
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}

/** How often each function of some scripts ran, by where it stands. */
export class Calls {
  readonly #script: RegExp
  readonly #counts = new Map<string, number>()

  /** `script` takes the name of a script from its address. */
  constructor (script: RegExp) {
    this.#script = script
  }

  async start (page: Page): Promise<void> {
    await page.coverage.startJSCoverage({ resetOnNavigation: false })
  }

  /** What ran is forgotten with the page that it ran on, so it is noted before. */
  async note (page: Page): Promise<void> {
    for (const { url, functions } of await page.coverage.stopJSCoverage()) {
      const file = this.#script.exec(url)?.[1]
      for (const { functionName, ranges: [range] } of file ? functions : []) {
        const name = `${file!}.js ${functionName} at ${range!.startOffset}`
        this.#counts.set(name, (this.#counts.get(name) ?? 0) + range!.count)
      }
    }
  }

  get size (): number {
    return this.#counts.size
  }

  get unused (): string[] {
    return [...this.#counts].filter(([, count]) => count === 0).map(([name]) => name)
  }
}
