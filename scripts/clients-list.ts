// `npm run clients:list`: shows which clients there are; holds no rule of a client.
import type { Client } from '../src/core/client.js'
import { describeClient } from '../src/core/client-metadata.js'
import type { Store } from '../src/store/store.js'
import { runClientCommand, type Invocation } from './client-command.js'
import { formatInstant, formatTable, type Answer } from './command.js'

const HELP = `Shows the clients: their ids and names, how they prove who they are, and what for.
Usage: npm run clients:list -- [--json]
  --json   answer as JSON, with all that there is to know of each
Exit code: 0 shown, 1 it cannot be, 2 wrong use.
`
const PAGE = 100

async function list ({ place, openStore }: Invocation): Promise<Answer> {
  const clients = await all(await openStore('must be there'))
  const rows = clients.map(({ id, name, authMethod, grantTypes, isOurs, createdAt }) => [id, name, authMethod, grantTypes.join(' '), isOurs ? 'ours' : '', formatInstant(createdAt)])
  const table = formatTable([['CLIENT ID', 'NAME', 'METHOD', 'GRANT TYPES', '', 'MADE'], ...rows])
  return { code: 0, text: clients.length === 0 ? `There is no client in ${place}; clients:add makes one.` : `Clients in ${place}\n${table}`, json: { clients: clients.map(describeClient) } }
}

async function all (store: Store): Promise<Client[]> {
  const clients: Client[] = []
  for (let page = await store.listClients('', PAGE); page.length > 0; page = await store.listClients(page.at(-1)!.id, PAGE)) clients.push(...page)
  return clients
}

await runClientCommand(HELP, {}, 'no id', list)
