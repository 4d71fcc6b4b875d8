// `npm run clients:show`: shows all that there is to know of a client; holds no rule of a client.
import { describeClient } from '../src/core/client-metadata.js'
import { describe, refuseFor, runClientCommand, type Invocation } from './client-command.js'
import type { Answer } from './command.js'

const HELP = `Shows a client, but for its secrets, which nobody knows.
Usage: npm run clients:show -- ID [--json]
  ID       the client, as clients:list shows it
  --json   answer as RFC 7591 has it; clients:update --metadata takes it back
Exit code: 0 shown, 1 there is none, 2 wrong use.
`

async function show ({ ids, openStore }: Invocation): Promise<Answer> {
  const client = await (await openStore('must be there')).findClient(ids[0]!)
  return client ? { code: 0, text: describe(client), json: describeClient(client) } : refuseFor('unknown_client')
}

await runClientCommand(HELP, {}, 'one id', show)
