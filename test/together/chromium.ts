// The tests that take a short while in Chromium, in one process.
import { runTogether } from './together.js'

runTogether('browser/example.test.ts', 'browser/tabs.test.ts', 'browser/docs.test.ts', 'browser/passkeys.test.ts', 'browser/journey-chromium.test.ts')
