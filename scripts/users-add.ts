// `npm run users:add`: makes an account whose password its user sets by a link; holds no rule of an account.
import { randomBytes } from 'node:crypto'
import { closingRetention, familyLimits } from '../src/config.js'
import { normaliseEmail, normaliseName } from '../src/core/credentials.js'
import { AuthError } from '../src/errors.js'
import { Hasher } from '../src/hashing/hasher.js'
import { AccountService } from '../src/services/account-service.js'
import type { Store } from '../src/store/store.js'
import { refuse, toInstant, WrongUse, type Answer } from './command.js'
import { CHANGING, describeLink, LINK_SETTINGS, readLinks, recordOf, report, ROLES, rolesOf, runUserCommand, VALID, type Invocation } from './user-command.js'

const HELP = `Makes an account with a password that nobody knows, and prints a link by which its user sets one, once.
Usage: npm run users:add -- --email ADDRESS [--name NAME] [--role ROLE] [--valid TIME] [--dry-run] [--json]
  --email ADDRESS   the e-mail address
  --name NAME       what the user is called
  --role ROLE       what services let the user do; repeated for several
  --valid TIME      for how long the link is good, 1m to 24h; 15m unless it is said. users:reset-password gives another
  --dry-run         say what would be done
  --json            answer as JSON
Exit code: 0 made, 1 refused, 2 wrong use.
`

async function add (invocation: Invocation): Promise<Answer> {
  const { flags, openStore } = invocation
  if (flags['email'] === undefined) throw new WrongUse('Who is this to be? Name the address by --email.')
  const [typed, given] = [String(flags['email']), flags['name'] === undefined ? undefined : String(flags['name'])]
  const [email, name, roles] = [normaliseEmail(typed), given === undefined ? null : normaliseName(given), rolesOf(invocation) ?? { roles: [] }]
  if (email === undefined) return refuse('invalid_email', 'That is no e-mail address.')
  if (name === undefined) return refuse('invalid_name', 'That cannot be a name: it has a visible character, at most 100 in all, and none that breaks the line.')
  if ('fault' in roles) return refuse('invalid_roles', roles.fault)
  const linkFor = await readLinks(invocation)
  if (flags['dry-run']) return report(invocation, { id: 'an id of its own', email }, 'Added.', [], { name, ...roles })
  const store = await openStore('may be made')
  const user = await register(invocation, store, { email: typed, name, ...roles })
  if (user === 'email_taken') return refuse('email_taken', 'An account with this e-mail address exists already.')
  await recordOf(store, { kind: 'user.added', userId: user.id })
  const link = linkFor(user)
  return report(invocation, user, 'Added.', describeLink(link), { name, ...roles, created_at: toInstant(user.createdAt), ...link })
}

async function register ({ config, now }: Invocation, store: Store, registration: { email: string, name: string | null, roles: string[] }) {
  const hasher = new Hasher({ cost: config.BCRYPT_COST, threads: 1, queue: 1 })
  const accounts = new AccountService({ store, hasher, passwordMinLength: config.PASSWORD_MIN_LENGTH, registration: 'open', families: familyLimits(config), guesses: undefined, closingRetention: closingRetention(config), places: undefined, record: () => {} })
  try {
    return await accounts.register({ ...registration, password: randomBytes(32).toString('base64url') }, { ip: '', userAgent: null }, now)
  } catch (error) {
    if (error instanceof AuthError && error.code === 'email_taken') return error.code
    throw error
  } finally {
    await hasher.close()
  }
}

await runUserCommand({ help: HELP, options: { ...CHANGING, ...ROLES, ...VALID, email: { type: 'string' }, name: { type: 'string' } }, takes: 'no id', settings: [...LINK_SETTINGS, 'BCRYPT_COST'] }, add)
