// `npm run users:list`: shows which users there are, a page at a time; holds no rule of an account.
import { formatInstant, formatTable, limitOf, sinceOf, WrongUse, type Answer } from './command.js'
import { runUserCommand, summaryOf, type Invocation } from './user-command.js'

const HELP = `Shows users in the order of their ids, those to whom all applies that is named.
Usage: npm run users:list -- [--email PART] [--disabled true|false] [--since TIME] [--after ID] [--limit NUMBER] [--json]
  --email PART        a part of the e-mail address
  --disabled true     those who are disabled; false: those who are not
  --since TIME        those who came since then: a day, 2026-11-25, an instant, 2026-11-25T09:30Z, or how long ago: 90s, 30m, 2h, 7d
  --after ID          those beyond this id, as the answer before ends with it
  --limit NUMBER      so many at most, 1 to 1000; 100 unless it is said
  --json              answer as JSON; next is what --after takes for those who follow, null where nobody does
Exit code: 0 shown, 1 it cannot be, 2 wrong use.
`
const LIMIT = { fallback: 100, most: 1_000 }

async function list (invocation: Invocation): Promise<Answer> {
  const { flags, place, openStore } = invocation
  const [limit, filter] = [limitOf(flags['limit'], LIMIT), filterOf(invocation)]
  const store = await openStore('must be there')
  const found = await store.searchUsers(filter, text(flags['after']) ?? '', limit + 1)
  const users = found.slice(0, limit)
  const next = found.length > limit ? users.at(-1)!.id : null
  const rows = users.map(user => [user.id, user.email, user.disabledAt === undefined ? '' : 'disabled', user.roles.join(' '), formatInstant(user.createdAt)])
  const lines = [`Users in ${place}`, formatTable([['ID', 'E-MAIL ADDRESS', '', 'ROLES', 'SINCE'], ...rows]), ...next === null ? [] : [`There are more: --after ${next}`]]
  return { code: 0, text: users.length === 0 ? `There is no such user in ${place}.` : lines.join('\n'), json: { users: users.map(user => summaryOf(user, invocation)), next } }
}

function filterOf ({ flags, now }: Invocation) {
  const disabled = text(flags['disabled'])
  if (disabled !== undefined && disabled !== 'true' && disabled !== 'false') throw new WrongUse('The option --disabled is true or false.')
  return { emailPart: text(flags['email'])?.normalize('NFC').toLowerCase(), isDisabled: disabled === undefined ? undefined : disabled === 'true', createdSince: sinceOf(flags['since'], now) }
}

function text (flag: unknown): string | undefined {
  return flag === undefined ? undefined : String(flag)
}

const options = Object.fromEntries(['email', 'disabled', 'since', 'after', 'limit'].map(name => [name, { type: 'string' } as const]))
await runUserCommand({ help: HELP, options, takes: 'no id' }, list)
