// The tests of the process by itself, in one process.
import { runTogether } from './together.js'

runTogether('server.test.ts')
