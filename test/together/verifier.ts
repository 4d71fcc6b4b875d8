// The tests of what services install, in one process.
import { runTogether } from './together.js'

runTogether('verifier', 'packages.test.ts', 'browser/qr-code.test.ts')
