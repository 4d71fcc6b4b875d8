// `npm run clients:remove`: removes a client for good; holds no rule of a client.
import { CHANGING, refuseFor, runClientCommand, type Invocation } from './client-command.js'
import { formatDuration, type Answer } from './command.js'
import { recordAsOperator } from './operator-events.js'

const HELP = `Removes a client for good. Its access tokens end at their expiry, and nobody whom it has logged in can refresh any more.
Usage: npm run clients:remove -- ID [--dry-run] [--json]
  ID          the client, as clients:list shows it
  --dry-run   say what would be done
  --json      answer as JSON
Exit code: 0 removed, 1 refused, 2 wrong use.
`

async function remove ({ flags, ids, place, config, openStore }: Invocation): Promise<Answer> {
  const store = await openStore('must be there')
  const client = await store.findClient(ids[0]!)
  const isRehearsal = flags['dry-run'] === true
  if (!client || (!isRehearsal && !await store.removeClient(client.id))) return refuseFor('unknown_client')
  if (!isRehearsal) await recordAsOperator(store, { kind: 'client.removed', clientId: client.id })
  const heading = isRehearsal ? `Nothing was changed in ${place}. This client would be removed:` : `Removed from ${place}:`
  const follows = `Within 3 seconds no server knows a client that is removed: nobody whom it has logged in can refresh any more, and its access tokens end at their expiry, at most ${formatDuration(config.ACCESS_TOKEN_TTL * 1000)} on (ACCESS_TOKEN_TTL).`
  return { code: 0, text: `${heading}\n  ${client.id}  ${client.name}\n${follows}`, json: { done: !isRehearsal, dry_run: isRehearsal, client_id: client.id, client_name: client.name } }
}

await runClientCommand(HELP, CHANGING, 'one id', remove)
