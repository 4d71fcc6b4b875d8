// `npm run users:enable`: lets a user in again who was disabled; holds no rule of an account.
import type { Answer } from './command.js'
import { CHANGING, report, runUserCommand, unchanged, withUser, type Invocation } from './user-command.js'

const HELP = `Lets a user in again who was disabled, with the password of before. What was signed out stays signed out.
Usage: npm run users:enable -- USER [--dry-run] [--json]
  USER        the id or the e-mail address
  --dry-run   say what would be done
  --json      answer as JSON
Exit code: 0 enabled, or so already, 1 refused, 2 wrong use.
`

async function enable (invocation: Invocation): Promise<Answer> {
  return await withUser(invocation, async (user, store) => {
    if (user.disabledAt === undefined) return unchanged(invocation, user, 'the user is not disabled.')
    if (!invocation.flags['dry-run']) await store.enableUser(user.id)
    return report(invocation, user, 'Enabled.', [])
  })
}

await runUserCommand({ help: HELP, options: CHANGING, takes: 'one id' }, enable)
