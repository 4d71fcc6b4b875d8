// The tests of the build, each of which waits for one, in one process.
import { runTogether } from './together.js'

runTogether('scripts/build.test.ts')
