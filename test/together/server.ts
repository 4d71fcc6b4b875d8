// The tests of the process, by itself and behind nginx, in one process.
import { runTogether } from './together.js'

runTogether('server.test.ts', 'workers.test.ts', 'events-kept.test.ts', 'nginx.test.ts')
