// `npm run users:sign-out`: signs one device of a user out, or all; holds no rule of an account.
import { familyOf } from '../src/core/families.js'
import { refuse, WrongUse, type Answer } from './command.js'
import { recordAsOperator } from './operator-events.js'
import { CHANGING, closingOf, report, runUserCommand, signedOut, summaryOf, unchanged, withUser, type Invocation } from './user-command.js'

const HELP = `Signs a user out on one device, or everywhere. Whoever knows the password signs in again.
Usage: npm run users:sign-out -- USER (--device ID | --all) [--dry-run] [--json]
  USER          the id or the e-mail address
  --device ID   one device, or a client that the user let in, as users:show shows it
  --all         all of them
  --dry-run     say what would be done
  --json        answer as JSON
Exit code: 0 signed out, or so already, 1 refused, 2 wrong use.
`

async function signOut (invocation: Invocation): Promise<Answer> {
  const { flags } = invocation
  if ((flags['device'] === undefined) === (flags['all'] === undefined)) throw new WrongUse('Name one device by --device, or say --all.')
  return await withUser(invocation, async (user, store) => {
    const isRehearsal = flags['dry-run'] === true
    const familyId = String(flags['device'])
    const { closing, live } = closingOf(invocation)
    if (flags['all']) {
      const count = isRehearsal ? summaryOf(user, invocation).devices : await store.closeAllFamilies({ userId: user.id, closing, live })
      if (!isRehearsal && count > 0) await recordAsOperator(store, { kind: 'family.closed', userId: user.id, details: { cause: 'operator', count } })
      return report(invocation, user, 'Signed out everywhere.', [signedOut(count, invocation)], { signed_out: count })
    }
    const isOut = unchanged(invocation, user, 'this device is signed out already.')
    if (familyOf(user, familyId) === undefined) return user.closed?.some(({ id }) => id === familyId) ? isOut : refuse('unknown_device', 'The user has no device of this id; users:show shows those there are.')
    if (!isRehearsal && !await store.closeFamily({ userId: user.id, familyId, closing })) return isOut
    if (!isRehearsal) await recordAsOperator(store, { kind: 'family.closed', userId: user.id, familyId, details: { cause: 'operator' } })
    return report(invocation, user, 'Signed out on one device.', [signedOut(1, invocation)], { signed_out: 1 })
  })
}

await runUserCommand({ help: HELP, options: { ...CHANGING, device: { type: 'string' }, all: { type: 'boolean' } }, takes: 'one id' }, signOut)
