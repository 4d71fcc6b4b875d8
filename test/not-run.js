// Which tests do not run here for want of a MongoDB, a browser, an nginx or root, and how to have them; holds no test.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const { TEST_MONGODB_URL, TEST_MONGODB_CONTROL, TEST_CHROMIUM = '/usr/bin/chromium', TEST_FIREFOX = '/usr/bin/firefox-esr', TEST_WEBKIT = '/usr/bin/WebKitWebDriver', TEST_NGINX = '/usr/sbin/nginx' } = process.env

const chromium = { isThere: existsSync(TEST_CHROMIUM), howTo: 'install Chromium (on Debian: apt-get install chromium), or set TEST_CHROMIUM: its path, where it is not /usr/bin/chromium' }

const NEEDS = [
  { declaration: 'withMongoDb(', isThere: TEST_MONGODB_URL, howTo: 'set TEST_MONGODB_URL: the URL of a MongoDB, on which each test makes a database of its own' },
  { declaration: 'withPrivateMongoDb(', isThere: TEST_MONGODB_CONTROL, howTo: 'set TEST_MONGODB_CONTROL: a folder with two programs, `start PORT` and `stop PORT [--crash]`, that control a MongoDB on that port' },
  { declaration: 'withChromium(', ...chromium },
  { declaration: "inBrowser('chromium')", ...chromium },
  { declaration: "inBrowser('firefox')", isThere: existsSync(TEST_FIREFOX), howTo: 'install Firefox (on Debian: apt-get install firefox-esr), or set TEST_FIREFOX: its path, where it is not /usr/bin/firefox-esr' },
  { declaration: "inBrowser('webkit')", isThere: existsSync(TEST_WEBKIT) && existsSync('/usr/bin/Xvfb'), howTo: 'install WebKitGTK, its driver and a screen for it (on Debian: apt-get install webkit2gtk-driver xvfb), or set TEST_WEBKIT: the path of WebKitWebDriver, where it is not /usr/bin/WebKitWebDriver' },
  { declaration: 'asRoot', isThere: process.geteuid?.() === 0, howTo: 'be root, who can start processes of other users, and install util-linux (setpriv)' },
  { declaration: 'withNginx(', isThere: existsSync(TEST_NGINX), howTo: 'install nginx (on Debian: apt-get install nginx-light), or set TEST_NGINX: its path, where it is not /usr/sbin/nginx' }
]

/** The files of the suite; the tests of the proofs are run by themselves. */
function suite () {
  return readdirSync('test', { recursive: true }).map(name => `test/${String(name)}`).filter(name => name.endsWith('.test.ts') && !name.startsWith('test/proofs/'))
}

/** Of these test files, or of the suite where none is named, a sentence for each thing that is wanting; none where everything runs. @param {string[]} named */
export function sentencesOfWhatDidNotRun (named) {
  const tests = named.length > 0 ? named : suite()
  return NEEDS.filter(({ isThere }) => !isThere).flatMap(({ declaration, howTo }) => {
    const files = tests.filter(name => readFileSync(name, 'utf8').includes(declaration))
    return files.length > 0 ? [`\nNOT RUN: ${files.join(', ')}\nTo run them ${howTo}.\n`] : []
  })
}
