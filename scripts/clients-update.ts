// `npm run clients:update`: changes what is named of a client, and nothing else; holds no rule of metadata.
import { isDeepStrictEqual } from 'node:util'
import { changeSettings } from '../src/core/client-changes.js'
import type { Client } from '../src/core/client.js'
import { changeMetadata, registrationOf, type Metadata } from '../src/core/client-metadata.js'
import { carryOutOrRehearse, CHANGING, METADATA, METADATA_HELP, readMetadataOf, refuseFor, refuseMetadata, report, runClientCommand, sayIgnored, type Invocation } from './client-command.js'
import type { Answer } from './command.js'

const HELP = `Changes what is named of a client, and nothing else. An empty value takes away what is there: --scope ''. A list that is named takes the place of the one before.
Usage: npm run clients:update -- ID [FLAGS] [--dry-run] [--json]
  ID                                   the client, as clients:list shows it
${METADATA_HELP}  --dry-run                            say what would be done
  --json                               answer as RFC 7591 has it
Exit code: 0 changed, or so already, 1 refused, 2 wrong use.
`

async function update (invocation: Invocation): Promise<Answer> {
  const changes = await readMetadataOf(invocation)
  const outcome = await carryOutOrRehearse(invocation, { kind: 'client.updated', details: { changed: Object.keys(changes).join(' ') } }, client => decide(client, changes, invocation.now))
  if ('faults' in outcome) return refuseMetadata(outcome.faults)
  if ('refused' in outcome && !('client' in outcome)) return refuseFor(outcome.refused)
  const { client, secret, ignored } = outcome
  sayIgnored(ignored)
  if ('refused' in outcome) return { code: 0, text: 'Nothing changes: the client is so already.', json: registrationOf(client) }
  return report(invocation, 'Changed in', { client, secret }, 'Servers follow within 3 seconds.')
}

function decide (client: Client, changes: Metadata, now: number) {
  const verdict = changeMetadata(client, changes)
  if ('faults' in verdict) return { ...verdict, refused: 'invalid_client_metadata' as const }
  const { ignored } = verdict
  const changed = changeSettings(client, verdict.settings, now)
  if (isDeepStrictEqual(changed.client, { ...client, version: changed.client.version })) return { refused: 'unchanged' as const, client, secret: undefined, ignored }
  return { ...changed, ignored }
}

await runClientCommand(HELP, { ...CHANGING, ...METADATA }, 'one id', update)
