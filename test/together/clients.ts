// The tests of what others install, in one process.
import { runTogether } from './together.js'

runTogether('verifier', 'client', 'packages.test.ts', 'browser/qr-code.test.ts')
