// The tests of what stands between the socket and the routes, in one process.
import { runTogether } from './together.js'

runTogether('app.test.ts', 'http/edge')
