// The tests of the edge, in one process.
import { runTogether } from './together.js'

runTogether('app.test.ts', 'http')
