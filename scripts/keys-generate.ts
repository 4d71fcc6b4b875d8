// `npm run keys:generate`: makes the first key ring, or the key that signs next; holds no rule of a key's life.
import { planGeneration } from '../src/core/key-life-cycle.js'
import { createRing } from '../src/keyring/ring-changes.js'
import { readManifestText } from '../src/keyring/ring-files.js'
import { formatDuration, refuse, WrongUse, type Answer } from './command.js'
import { carryOutOrRehearse, CHANGING, commandFor, FLAGS, PATIENCE, report, runKeyCommand, type Invocation } from './key-command.js'
import { OPERATOR } from './operator-events.js'

const HELP = `Makes a key ring in the folder that KEYS_DIR names, or, where there is one, its next key: published at once, signing after a rotation.
Usage: npm run keys:generate -- [--bits N] [--replace] [--refresh-secret | --sealing] [--dry-run] [--json]
  --bits N           size of the RSA key: 2048 (default, or as the active key), 3072 or 4096
  --replace          drop the next key that waits already; it never signed, so nobody will miss it
  --refresh-secret   the next secret of refresh tokens, in the place of the next signing key
  --sealing          the next secret that seals the seeds of authenticator apps; the first ones, in a ring that has none
  --dry-run          say what would be done
  --json             answer as JSON
Exit code: 0 made, 1 refused, 2 wrong use.
`
const SIZES = [2048, 3072, 4096]

async function generate (invocation: Invocation): Promise<Answer> {
  const { flags, kind, place, now } = invocation
  const bits = flags['bits'] === undefined ? undefined : SIZES.find(size => String(size) === flags['bits'])
  if (flags['bits'] !== undefined && (bits === undefined || kind !== 'signing')) throw new WrongUse(`--bits is for signing keys: ${SIZES.join(', ')}.`)
  if (await readManifestText(place.folder) === undefined) return await makeRing(invocation, bits)

  const plan = await carryOutOrRehearse(invocation, { kind, now, by: 'command', bits, plan: keys => planGeneration(keys, flags['replace'] ? 'replace' : 'keep') })
  if ('refused' in plan) return refuse(plan.refused, `There is a key ring in ${place.folder} already, and its next key waits to be rotated in; it was left as it is. With --replace another takes its place.`)
  return report(invocation, plan.steps, [`It may sign when it has been published for ${formatDuration(invocation.terms[kind].prepublish)}: ${commandFor('rotate', kind)}.`])
}

async function makeRing ({ flags, kind, place, now }: Invocation, bits: number | undefined): Promise<Answer> {
  if (kind !== 'signing') return refuse('no_ring', `There is no key ring in ${place.folder}; make it without ${FLAGS[kind]}.`)
  if (flags['dry-run']) return { code: 0, text: `It would make a key ring in ${place.folder}.`, json: { done: false, dry_run: true, made: 'ring' } }
  if (await createRing(place, { now, by: 'command', who: OPERATOR, bits }, PATIENCE)) return { code: 0, text: `Made a key ring in ${place.folder}.`, json: { done: true, dry_run: false, made: 'ring' } }
  return refuse('ring_exists', `Somebody else has just made a key ring in ${place.folder}; it was left as it is.`)
}

await runKeyCommand(HELP, { ...CHANGING, bits: { type: 'string' }, replace: { type: 'boolean' } }, generate)
