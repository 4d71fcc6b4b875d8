// `npm run users:remove-second-factors`: takes all second factors of a user away, who has lost them; holds no rule of an account.
import { changed, methodsOf, versionOf } from '../src/core/factors.js'
import type { Store, User } from '../src/store/store.js'
import { confirm, type Answer } from './command.js'
import { recordAsOperator } from './operator-events.js'
import { CHANGING, closingOf, report, runUserCommand, signedOut, summaryOf, unchanged, withUser, type Invocation } from './user-command.js'

const HELP = `Removes all second factors of a user, and the recovery codes with them: the password alone lets in whoever knows it. First find out that it is the person who asks.
Usage: npm run users:remove-second-factors -- USER [--sign-out] [--yes] [--dry-run] [--json]
  USER        the id or the e-mail address
  --sign-out  sign every device out, too
  --yes       do not ask, as where there is no terminal
  --dry-run   say what would be done
  --json      answer as JSON
Exit code: 0 removed, or none were there, 1 refused, 2 wrong use.
`

async function removeFactors (invocation: Invocation): Promise<Answer> {
  return await withUser(invocation, async (user, store) => {
    const { flags } = invocation
    const removed = methodsOf(user.factors).filter(method => method !== 'recovery_code')
    if (removed.length === 0) return unchanged(invocation, user, 'the user has no second factor.')
    const count = flags['sign-out'] ? summaryOf(user, invocation).devices : 0
    if (!flags['dry-run']) {
      const refusal = await confirm(invocation, `The password alone lets in whoever knows that of ${user.email}.`)
      if (refusal) return refusal
      await remove(user, store, invocation)
      for (const method of removed) await recordAsOperator(store, { kind: 'second_factor.removed', userId: user.id, details: { method } })
      if (count > 0) await recordAsOperator(store, { kind: 'family.closed', userId: user.id, details: { cause: 'operator', count } })
    }
    return report(invocation, user, 'Second factors removed.', flags['sign-out'] ? [signedOut(count, invocation)] : [], { removed, signed_out: count })
  })
}

// Whatever comes in between, such as a code that is used up, none is left.
async function remove (user: User, store: Store, invocation: Invocation): Promise<void> {
  const closesOthers = invocation.flags['sign-out'] ? closingOf(invocation).closing : undefined
  const isDone = await store.changeFactors({ userId: user.id, from: versionOf(user.factors), factors: changed(user.factors, { totp: undefined, passkeys: [] }), closesOthers })
  const now = isDone ? undefined : await store.findUser(user.id)
  if (now) await remove(now, store, invocation)
}

await runUserCommand({ help: HELP, options: { ...CHANGING, yes: { type: 'boolean' }, 'sign-out': { type: 'boolean' } }, takes: 'one id' }, removeFactors)
