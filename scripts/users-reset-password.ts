// `npm run users:reset-password`: prints a link by which a user sets another password; sets none, and keeps nothing.
import { refuse, type Answer } from './command.js'
import { describeLink, LINK_SETTINGS, readLinks, runUserCommand, VALID, withUser, type Invocation } from './user-command.js'

const HELP = `Prints a link by which a user sets another password, once. Nothing changes before that; then every device is signed out.
Usage: npm run users:reset-password -- USER [--valid TIME] [--json]
  USER           the id or the e-mail address
  --valid TIME   for how long it is good, 1m to 24h; 15m unless it is said
  --json         answer as JSON
Exit code: 0 printed, 1 refused, 2 wrong use.
`

async function resetPassword (invocation: Invocation): Promise<Answer> {
  const linkFor = await readLinks(invocation)
  return await withUser(invocation, user => {
    if (user.disabledAt !== undefined) return refuse('disabled', 'The user is disabled, for whom no link is good; let them in again by users:enable.')
    const link = linkFor(user)
    return { code: 0, text: [`  ${user.id}  ${user.email}`, ...describeLink(link)].join('\n'), json: { user_id: user.id, email: user.email, ...link } }
  })
}

await runUserCommand({ help: HELP, options: VALID, takes: 'one id', settings: LINK_SETTINGS }, resetPassword)
