// The tests of the pages of OAuth in a browser, in one process.
import { runTogether } from './together.js'

runTogether('browser/oauth.test.ts', 'browser/oauth-attacks.test.ts', 'browser/oauth-examples.test.ts')
