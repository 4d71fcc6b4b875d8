// Which browsers there are on this machine, and how each is started; holds no test.
import { existsSync } from 'node:fs'
import { openChromium } from './chromium.js'
import type { BrowserName, Driver } from './driver.js'
import { openFirefox } from './firefox.js'
import { openWebKit } from './webkit.js'

interface Kind {
  open: (executablePath: string) => Promise<Driver>
  /** What names another place than Debian's package. */
  setting: string
  path: string
  /** What it needs beside. */
  needs?: string
  /** Whether it keeps a Secure cookie of this machine over plain HTTP. */
  keepsCookieOverHttp: boolean
  /** Whether a page that was left is kept whole, to be gone back to. Chromium's is switched off where a program drives it. */
  keepsPages: boolean
}

export const BROWSERS: Record<BrowserName, Kind> = {
  chromium: { open: openChromium, setting: 'TEST_CHROMIUM', path: '/usr/bin/chromium', keepsCookieOverHttp: true, keepsPages: false },
  firefox: { open: openFirefox, setting: 'TEST_FIREFOX', path: '/usr/bin/firefox-esr', keepsCookieOverHttp: true, keepsPages: true },
  webkit: { open: openWebKit, setting: 'TEST_WEBKIT', path: '/usr/bin/WebKitWebDriver', needs: '/usr/bin/Xvfb', keepsCookieOverHttp: false, keepsPages: true },
}

/** Where a browser is, or WebKit's driver; undefined where it is not. */
export function findBrowser (name: BrowserName): string | undefined {
  const { setting, path, needs = '/' } = BROWSERS[name]
  const place = process.env[setting] ?? path
  return existsSync(place) && existsSync(needs) ? place : undefined
}
