// The tests of the routes, in one process.
import { runTogether } from './together.js'

runTogether('http', '!http/edge')
