// The tests of second steps and of what leads on by mail in Chromium, in one process.
import { runTogether } from './together.js'

runTogether('browser/factors.test.ts', 'browser/recovery.test.ts')
