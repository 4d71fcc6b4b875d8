// The tests of what else operators run, in one process.
import { runTogether } from './together.js'

runTogether('scripts', '!scripts/build.test.ts', '!scripts/clients.test.ts', '!scripts/events-list.test.ts', '!scripts/user-command.test.ts', '!scripts/users-import.test.ts', '!scripts/users.test.ts')
