// What the commands on a store share: its settings, how it is opened and closed, and where it is; holds no command.
import { existsSync } from 'node:fs'
import { readConfig, readEnvironment, type Config } from '../src/config.js'
import { fileOf, openStore } from '../src/store/open-store.js'
import type { EventQuery, KeptEvent } from '../src/core/events.js'
import type { Store } from '../src/store/store.js'
import { actAsOwner, runCommand, withCause, type Answer, type Form, type Given } from './command.js'

export interface StoreInvocation extends Given {
  /** Where the store is, as a person is told. */
  place: string
  /** Only the settings that the command names, and DATABASE_URL; the others have their defaults. */
  config: Config
  /** Milliseconds since the epoch. */
  now: number
  /** Opens the store, which is closed when the command is done. Throws a sentence if it does not answer, and where there is no file if one must be there. */
  openStore: (file: 'must be there' | 'may be made') => Promise<Store>
}

/** `settings` are those that the command reads: it runs before a production's others are whole. */
export interface StoreForm extends Form { settings: Array<keyof Config> }

/** Events that are read at once. */
const PAGE = 1_000

/** Runs a command, and sets the exit code of the process: 0 done, 1 refused, 2 wrong use. */
export async function runStoreCommand (form: StoreForm, act: (invocation: StoreInvocation) => Promise<Answer>): Promise<void> {
  await runCommand(form, async given => {
    const environment = readEnvironment(sentence => { process.stderr.write(`${sentence}\n`) })
    const config = readConfig(Object.fromEntries(['DATABASE_URL', ...form.settings].map(name => [name, environment[name] ?? ''])))
    const file = fileOf(config.DATABASE_URL)
    let store: Store | undefined
    const open = async (wanted: 'must be there' | 'may be made') => {
      if (file !== undefined && wanted === 'must be there' && !existsSync(file)) throw new Error(`There is no store in ${file}: DATABASE_URL names another, or there is neither a user nor a client yet.`)
      if (file !== undefined) actAsOwner(file)
      store = await openStore(config.DATABASE_URL)
      await store.ping().catch((error: Error) => { throw new Error(withCause(error), { cause: error }) })
      return store
    }
    try {
      return await act({ ...given, place: file ?? 'MongoDB', config, now: Date.now(), openStore: open })
    } finally {
      await store?.close()
    }
  })
}

/** All events of a query, the newest first. */
export async function listAllEvents (store: Store, which: Omit<EventQuery, 'limit'>): Promise<KeptEvent[]> {
  const events: KeptEvent[] = []
  for (let page = await store.listEvents({ ...which, limit: PAGE }); page.length > 0; page = await store.listEvents({ ...which, limit: PAGE, before: page.at(-1)!.id })) events.push(...page)
  return events
}
