// `npm run clients:rotate-secret`: a second secret for a client, and then the end of the first; holds no rule of a client.
import { retireSecret, rotateSecret } from '../src/core/client-changes.js'
import { carryOutOrRehearse, CHANGING, refuseFor, report, runClientCommand, type Invocation } from './client-command.js'
import type { Answer } from './command.js'

const HELP = `Gives a client a second secret, which is shown once. Both are good until the older one is dropped.
Usage: npm run clients:rotate-secret -- ID [--retire] [--dry-run] [--json]
  ID          the client, as clients:list shows it
  --retire    drop the older of two secrets, when nobody uses it any more
  --dry-run   say what would be done
  --json      answer as RFC 7591 has it
Exit code: 0 done, 1 refused (there are two secrets already, or with --retire only one), 2 wrong use.
`

async function rotate (invocation: Invocation): Promise<Answer> {
  if (invocation.flags['retire']) return await retire(invocation)
  const outcome = await carryOutOrRehearse(invocation, { kind: 'client.secret_added' }, client => rotateSecret(client, invocation.now))
  if ('refused' in outcome) return refuseFor(outcome.refused)
  return report(invocation, 'Changed in', outcome, `Both secrets are good. When nobody uses the older one any more: npm run clients:rotate-secret -- ${outcome.client.id} --retire`)
}

async function retire (invocation: Invocation): Promise<Answer> {
  const outcome = await carryOutOrRehearse(invocation, { kind: 'client.secret_dropped' }, retireSecret)
  if ('refused' in outcome) return refuseFor(outcome.refused)
  return report(invocation, 'Changed in', outcome, 'Within 3 seconds the older secret is good nowhere any more.')
}

await runClientCommand(HELP, { ...CHANGING, retire: { type: 'boolean' } }, 'one id', rotate)
