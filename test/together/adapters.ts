// The tests of the stores, in one process.
import { runTogether } from './together.js'

runTogether('store')
