// `npm run users:set-roles`: says what services let a user do; holds no rule of a role.
import { isDeepStrictEqual } from 'node:util'
import { formatDuration, refuse, WrongUse, type Answer } from './command.js'
import { recordAsOperator } from './operator-events.js'
import { CHANGING, closingOf, report, ROLES, rolesOf, runUserCommand, signedOut, summaryOf, unchanged, withUser, type Invocation } from './user-command.js'

const HELP = `Gives a user these roles in the place of those of before. They are in each access token from its next refresh on.
Usage: npm run users:set-roles -- USER (--role ROLE | --none) [--now] [--dry-run] [--json]
  USER          the id or the e-mail address
  --role ROLE   1 to 64 characters of A-Z a-z 0-9 . _ : / -; repeated for several, 32 at most
  --none        take all away
  --now         sign every device out, so that no token with the roles of before is good any more
  --dry-run     say what would be done
  --json        answer as JSON
Exit code: 0 set, or so already, 1 refused, 2 wrong use.
`

async function setRoles (invocation: Invocation): Promise<Answer> {
  const { config, flags } = invocation
  if ((flags['role'] === undefined) === (flags['none'] === undefined)) throw new WrongUse('Name the roles by --role, or say --none.')
  const wanted = rolesOf(invocation) ?? { roles: [] }
  if ('fault' in wanted) return refuse('invalid_roles', wanted.fault)
  const { roles } = wanted
  return await withUser(invocation, async (user, store) => {
    const isNow = flags['now'] === true
    const isSo = isDeepStrictEqual(user.roles, roles)
    if (isSo && !isNow) return unchanged(invocation, user, 'the user has these roles already.')
    const isRehearsal = flags['dry-run'] === true
    const closed = isRehearsal ? isNow ? summaryOf(user, invocation).devices : 0 : await store.setRoles({ userId: user.id, roles, closes: isNow ? closingOf(invocation) : undefined }) ?? 0
    if (!isRehearsal && !isSo) await recordAsOperator(store, { kind: 'user.roles_changed', userId: user.id, details: { changed: roles.join(' ') || 'none' } })
    if (closed > 0 && !isRehearsal) await recordAsOperator(store, { kind: 'family.closed', userId: user.id, details: { cause: 'roles_changed', count: closed } })
    const follows = isNow ? signedOut(closed, invocation) : `Tokens say so from their next refresh on, within ${formatDuration(config.ACCESS_TOKEN_TTL * 1000)} (ACCESS_TOKEN_TTL); at once with --now.`
    return report(invocation, user, `Roles: ${roles.join(' ') || 'none'}.`, [follows], { roles, signed_out: closed })
  })
}

await runUserCommand({ help: HELP, options: { ...CHANGING, ...ROLES, none: { type: 'boolean' }, now: { type: 'boolean' } }, takes: 'one id' }, setRoles)
