// `npm run clients:add`: makes a client, by flags or RFC 7591's metadata; holds no rule of metadata.
import { makeClient } from '../src/core/client-changes.js'
import type { Client } from '../src/core/client.js'
import { metadataOf, readMetadata } from '../src/core/client-metadata.js'
import { CHANGING, describe, METADATA, METADATA_HELP, readMetadataOf, refuseMetadata, report, runClientCommand, sayIgnored, type Invocation } from './client-command.js'
import type { Answer } from './command.js'
import { recordAsOperator } from './operator-events.js'

const HELP = `Makes an OAuth 2 and OpenID Connect client. It gets an id and, if it needs one, a secret, which is shown once.
Usage: npm run clients:add -- --client-name NAME --redirect-uri URI [FLAGS] [--dry-run] [--json]
       npm run clients:add -- --metadata FILE [FLAGS] [--dry-run] [--json]
${METADATA_HELP}  --dry-run                            say what would be done
  --json                               answer as RFC 7591 has it
Exit code: 0 made, 1 refused, 2 wrong use.
`

async function add (invocation: Invocation): Promise<Answer> {
  const verdict = readMetadata(await readMetadataOf(invocation))
  if ('faults' in verdict) return refuseMetadata(verdict.faults)
  sayIgnored(verdict.ignored)
  const made = makeClient(verdict.settings, invocation.now)
  if (invocation.flags['dry-run']) return rehearse(invocation, made.client)
  const store = await invocation.openStore('may be made')
  await store.insertClient(made.client)
  await recordAsOperator(store, { kind: 'client.added', clientId: made.client.id })
  return report(invocation, 'Added to', made, 'Servers know it within 3 seconds.')
}

function rehearse ({ place }: Invocation, client: Client): Answer {
  return { code: 0, text: `Nothing was changed in ${place}. It would be:\n${describe({ ...client, id: 'one of its own' })}`, json: { done: false, dry_run: true, ...metadataOf(client) } }
}

await runClientCommand(HELP, { ...CHANGING, ...METADATA }, 'no id', add)
