// `npm run events:list`: shows the security events that are kept, and new ones as they come; holds no kind of an event and no rule of how long one is kept.
import { setTimeout as pause } from 'node:timers/promises'
import { describeEvent, EVENT_KINDS, type EventKind, type EventQuery, type KeptEvent } from '../src/core/events.js'
import type { Store } from '../src/store/store.js'
import { limitOf, refuse, sinceOf, WrongUse, type Answer } from './command.js'
import { listAllEvents, runStoreCommand, type StoreInvocation } from './store-command.js'
import { findByAddress, idNamed } from './user-command.js'

const HELP = `Shows security events, the newest last: log-ins, closings, changes, and what was refused. docs/events.md says what each means.
Usage: npm run events:list -- [--user USER] [--since TIME] [--kind KIND] [--limit COUNT] [--follow] [--json]
  --user USER     of this user alone, by id or e-mail address
  --since TIME    from then on: a day, 2026-11-25, an instant, 2026-11-25T09:30Z, or how long ago: 90s, 30m, 2h, 7d
  --kind KIND     of this kind, such as login.failed, or of all that begin so: login; repeated for several
  --limit COUNT   so many of the newest, 1 to 10000 (default 50)
  --follow        then show new ones as they come, until Ctrl-C
  --json          answer as JSON; has_older says whether --limit left some out. With --follow an object a line
Exit code: 0 shown, 1 refused (nobody has this address, or the store does not answer), 2 wrong use.
`
const LIMIT = { fallback: 50, most: 10_000 }
const LOOK_EVERY_MS = 1_000
/** Servers write a little later than things happen, and longer where the store was away: so far back is looked each time. */
const WINDOW_MS = 60_000

async function list (invocation: StoreInvocation): Promise<Answer> {
  const { flags, now, openStore } = invocation
  const [kinds, since, limit] = [kindsOf([flags['kind'] ?? []].flat().map(String)), sinceOf(flags['since'], now), limitOf(flags['limit'], LIMIT)]
  const store = await openStore('must be there')
  const userId = flags['user'] === undefined ? undefined : await userIdOf(store, String(flags['user']))
  if (userId === '') return refuse('unknown_user', 'Nobody has this e-mail address.')
  const which = { userId, kinds, since }
  if (flags['follow']) await follow(store, which, limit, flags['json'] === true ? event => JSON.stringify(describeEvent(event)) : lineOf)
  const found = await store.listEvents({ ...which, limit: limit + 1 })
  const [events, hasOlder] = [found.slice(0, limit).reverse(), found.length > limit]
  const lines = [...hasOlder ? [`There are older ones; these are the newest ${limit} (--limit).`] : [], ...events.map(lineOf)]
  return { code: 0, text: events.length === 0 ? 'No such events are kept.' : lines.join('\n'), json: { events: events.map(describeEvent), has_older: hasOlder } }
}

/** The kinds that are meant; all where none is named. */
function kindsOf (named: string[]): EventKind[] | undefined {
  if (named.length === 0) return undefined
  return named.flatMap(name => {
    const kinds = EVENT_KINDS.filter(kind => kind === name || kind.startsWith(`${name}.`))
    if (kinds.length === 0) throw new WrongUse(`There is no kind of event ${name}: the kinds are ${EVENT_KINDS.join(', ')}.`)
    return kinds
  })
}

/** '' where nobody has the address. Of an id nothing is asked: events may be kept of whoever is not there any more. */
async function userIdOf (store: Store, user: string): Promise<string> {
  return idNamed(user) ?? (await findByAddress(store, user))?.id ?? ''
}

/** Shows the newest, and from then on each that comes, in the order in which they are seen; ends the process at a signal. */
async function follow (store: Store, which: Omit<EventQuery, 'limit'>, limit: number, write: (event: KeptEvent) => string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { void store.close().finally(() => process.exit(0)) })
  const recent = async () => await listAllEvents(store, { ...which, since: Math.max(which.since ?? 0, Date.now() - WINDOW_MS) })
  let seen = new Set((await recent()).map(({ id }) => id))
  const first = await store.listEvents({ ...which, limit })
  for (const event of first.reverse()) process.stdout.write(`${write(event)}\n`)
  for (const { id } of first) seen.add(id)
  for (let isAway = false; ; await pause(LOOK_EVERY_MS)) {
    try {
      const events = await recent()
      for (const event of events.filter(({ id }) => !seen.has(id)).reverse()) process.stdout.write(`${write(event)}\n`)
      seen = new Set(events.map(({ id }) => id))
      isAway = false
    } catch {
      if (!isAway) process.stderr.write('The store does not answer; it is asked again.\n')
      isAway = true
    }
  }
}

function lineOf ({ at, kind, userId, clientId, ip, by, details }: KeptEvent): string {
  const said = Object.entries({ user: userId, client: clientId, from: ip, by, ...details }).filter(([, value]) => value !== undefined)
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC  ${kind.padEnd(LONGEST)}  ${said.map(([name, value]) => `${name} ${value}`).join(', ')}`.trimEnd()
}

const LONGEST = Math.max(...EVENT_KINDS.map(({ length }) => length))
const OPTIONS = { user: { type: 'string' }, since: { type: 'string' }, kind: { type: 'string', multiple: true }, limit: { type: 'string' }, follow: { type: 'boolean' } } as const

await runStoreCommand({ help: HELP, options: OPTIONS, of: 'event', takes: 'no id', spell: args => args, settings: [] }, list)
