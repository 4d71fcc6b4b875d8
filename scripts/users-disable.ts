// `npm run users:disable`: locks a user out, and signs every device out; holds no rule of an account.
import { formatInstant, type Answer } from './command.js'
import { CHANGING, closingOf, report, runUserCommand, signedOut, summaryOf, unchanged, withUser, type Invocation } from './user-command.js'

const HELP = `Locks a user out: every device is signed out, and a log-in is answered as one with a wrong password, until users:enable.
Usage: npm run users:disable -- USER [--dry-run] [--json]
  USER        the id or the e-mail address
  --dry-run   say what would be done
  --json      answer as JSON
Exit code: 0 disabled, or so already, 1 refused, 2 wrong use.
`

async function disable (invocation: Invocation): Promise<Answer> {
  return await withUser(invocation, async (user, store) => {
    if (user.disabledAt !== undefined) return unchanged(invocation, user, `the user is disabled since ${formatInstant(user.disabledAt)}.`)
    const count = invocation.flags['dry-run'] ? summaryOf(user, invocation).devices : await store.disableUser({ userId: user.id, ...closingOf(invocation) }) ?? 0
    return report(invocation, user, 'Disabled.', [signedOut(count, invocation)], { signed_out: count })
  })
}

await runUserCommand({ help: HELP, options: CHANGING, takes: 'one id' }, disable)
