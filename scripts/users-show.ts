// `npm run users:show`: shows a user and where the account is signed in; holds no rule of an account.
import { describe, deviceOf, factorsOf, runUserCommand, summaryOf, withUser } from './user-command.js'

const HELP = `Shows a user, and the devices and clients that are signed in.
Usage: npm run users:show -- USER [--json]
  USER     the id or the e-mail address
  --json   answer as JSON
Exit code: 0 shown, 1 there is none, 2 wrong use.
`

await runUserCommand({ help: HELP, options: {}, takes: 'one id' }, async invocation => await withUser(invocation, user => ({
  code: 0, text: describe(user, invocation), json: { ...summaryOf(user, invocation), second_factors: factorsOf(user), signed_in: user.families.map(family => deviceOf(family, invocation)) },
})))
