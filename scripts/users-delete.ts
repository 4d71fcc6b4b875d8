// `npm run users:delete`: deletes a user for good; holds no rule of an account.
import { closingRetention } from '../src/config.js'
import { confirm, formatDuration, type Answer } from './command.js'
import { CHANGING, closingOf, report, runUserCommand, signedOut, summaryOf, withUser, type Invocation } from './user-command.js'

const HELP = `Deletes a user for good: nothing personal is left, and every device is signed out. It cannot be undone.
Usage: npm run users:delete -- USER [--yes] [--dry-run] [--json]
  USER        the id or the e-mail address
  --yes       do not ask, as where there is no terminal
  --dry-run   say what would be done
  --json      answer as JSON
Exit code: 0 deleted, 1 refused, 2 wrong use.
`

async function remove (invocation: Invocation): Promise<Answer> {
  return await withUser(invocation, async (user, store) => {
    const { config, flags, now } = invocation
    const { devices } = summaryOf(user, invocation)
    const retention = closingRetention(config)
    const follows = [signedOut(devices, invocation), `What is left is that they were, without a name to it, for ${formatDuration(retention)}.`]
    if (!flags['dry-run']) {
      const refusal = await confirm(invocation, `${user.email} is deleted for good.`)
      if (refusal) return refusal
      await store.deleteUser({ userId: user.id, closing: closingOf(invocation).closing })
      await store.dropDeleted(now - retention)
    }
    return report(invocation, user, 'Deleted.', follows, { signed_out: devices })
  })
}

await runUserCommand({ help: HELP, options: { ...CHANGING, yes: { type: 'boolean' } }, takes: 'one id' }, remove)
