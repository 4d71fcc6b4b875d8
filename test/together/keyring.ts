// The tests of the key ring, in one process.
import { runTogether } from './together.js'

// The first needs a process that has not read a file yet.
runTogether('keyring/spare-file.test.ts', 'keyring')
