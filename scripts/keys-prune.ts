// `npm run keys:prune`: removes retired keys that no live token can need; holds no rule of a key's life.
import { neededUntil, planPruning } from '../src/core/key-life-cycle.js'
import { keysOf, readManifest } from '../src/keyring/ring-files.js'
import { formatInstant, refuse, type Answer } from './command.js'
import { carryOutOrRehearse, CHANGING, report, runKeyCommand, type Invocation } from './key-command.js'

const HELP = `Removes the retired keys that no live token can need any more, for ever, and says what it keeps.
Usage: npm run keys:prune -- [--refresh-secret | --sealing] [--dry-run] [--json]
  --refresh-secret   secrets of refresh tokens, in the place of signing keys
  --sealing          says which sealing secrets are retired, and keeps them
  --dry-run          say what would be done
  --json             answer as JSON
A signing key is needed for ACCESS_TOKEN_TTL and five minutes after it signed last, a secret for REFRESH_TOKEN_IDLE_TTL and five minutes. A sealing secret is
needed for as long as there may be something that it sealed, so it is kept until it is revoked.
Exit code: 0 done, 1 refused, 2 wrong use.
`

async function prune (invocation: Invocation): Promise<Answer> {
  const { kind, now, terms, place } = invocation
  const { retention } = terms[kind]
  const plan = await carryOutOrRehearse(invocation, { kind, now, by: 'command', plan: keys => planPruning(keys, now, retention) })
  if ('refused' in plan) return refuse(plan.refused, 'Nothing was pruned.')
  const leaving = new Set(plan.steps.map(({ id }) => id))
  const kept = keysOf(await readManifest(place.folder), kind)
    .filter(key => key.state === 'retired' && !leaving.has(key.id))
    .map(key => ({ id: key.id, until: neededUntil(key, retention) }))
  const sentences = [
    ...plan.steps.length === 0 ? ['There is nothing to prune.'] : [],
    ...kept.map(({ id, until }) => `Kept: ${id}, needed until ${until === Infinity ? 'it is revoked' : formatInstant(until)}.`),
  ]
  return report(invocation, plan.steps, sentences, { kept: kept.map(({ id, until }) => ({ id, needed_until: until === Infinity ? null : new Date(until).toISOString() })) })
}

await runKeyCommand(HELP, CHANGING, prune)
