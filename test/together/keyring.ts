// The tests of the key ring, in one process.
import { runTogether } from './together.js'

runTogether('keyring')
