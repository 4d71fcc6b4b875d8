// The tests of what pages install, in one process.
import { runTogether } from './together.js'

runTogether('client')
