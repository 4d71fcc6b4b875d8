// The tests of what operators run, in one process.
import { runTogether } from './together.js'

runTogether('scripts')
