// Where the tests find a real browser; holds no test.
import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import t from 'tap'
import { QUIET } from '../proofs/drivers/chromium.js'

const PATH = process.env['TEST_CHROMIUM'] ?? '/usr/bin/chromium'

/** Declares tests that need a browser, which TEST_CHROMIUM names, or which Debian's package has put where it is; elsewhere the file says that it was skipped. */
export function withChromium (declare: (path: string) => void): void {
  if (existsSync(PATH)) declare(PATH)
  else t.pass('tests in Chromium', { skip: `there is no browser at ${PATH}` })
}

export async function launch (executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, chromiumSandbox: false, args: QUIET })
}
