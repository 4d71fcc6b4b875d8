// The tests of what operators run for users and clients, in one process.
import { runTogether } from './together.js'

runTogether('scripts/clients.test.ts', 'scripts/events-list.test.ts', 'scripts/user-command.test.ts', 'scripts/users-import.test.ts', 'scripts/users.test.ts')
