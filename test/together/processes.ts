// The tests of several processes, and of one behind nginx, in one process.
import { runTogether } from './together.js'

runTogether('workers.test.ts', 'events-kept.test.ts', 'nginx.test.ts')
