// `npm run keys:revoke`: gives up a key that leaked, at once and for ever; holds no rule of a key's life.
import { inState, planRevocation, type KeyRecord, type Step } from '../src/core/key-life-cycle.js'
import { historiesOf, keysOf, readManifest, type HistoryEntry } from '../src/keyring/ring-files.js'
import { formatInstant, formatTable, refuse, type Answer } from './command.js'
import { carryOutOrRehearse, CHANGING, finite, formatLapse, report, runKeyCommand, secondsPublished, type Invocation } from './key-command.js'
import { refusals, VERIFIER_CACHES } from './verifier-caches.js'

const HELP = `Revokes a key that leaked: unpublished at once, never accepted again. It cannot be undone.
Usage: npm run keys:revoke -- ID [--unseen] [--refresh-secret | --sealing] [--dry-run] [--json]
  ID                 the key, as keys:list shows it
  --unseen           if it is the active key: a new key that nobody has seen signs from now on, in the place of the next one. Most verifiers
                     then drop the revoked key within 30 seconds, and some refuse good tokens for minutes
  --refresh-secret   ID is a secret of refresh tokens; every device whose token it made is logged out
  --sealing          ID is a sealing secret; every authenticator app whose seed it sealed is lost, which is said first
  --dry-run          say what would be done
  --json             answer as JSON
Exit code: 0 revoked, 1 refused, 2 wrong use.
`

const REFUSALS: Record<string, string> = {
  unknown_key: 'There is no such key in the ring; keys:list shows those there are, --refresh-secret is for secrets of refresh tokens, and --sealing for sealing secrets.',
  already_revoked: 'That key has been revoked already.',
  not_active: 'That key does not sign, so nothing has to take its place: revoke it without --unseen.',
  no_next: 'That key signs, and there is no next key to take its place: make one with keys:generate, or use --unseen.',
}

async function revoke (invocation: Invocation): Promise<Answer> {
  const { flags, ids, kind, now, place, say } = invocation
  const id = ids[0]!
  const manifest = await readManifest(place.folder)
  const keys = keysOf(manifest, kind)
  const key = keys.find(key => key.id === id)
  const times = key ? periods(key, historiesOf(manifest).flat(), now) : []
  if (key && kind !== 'signing') say(LOSSES[kind](times))

  const plan = await carryOutOrRehearse(invocation, { kind, now, by: 'command', plan: keys => planRevocation(keys, id, flags['unseen'] ? 'unseen' : 'next') })
  if ('refused' in plan) return refuse(plan.refused, REFUSALS[plan.refused]!)
  const successor = successorOf(id, plan.steps)
  if (kind === 'refresh') return report(invocation, plan.steps, [SUCCESSORS[successor]], { successor, logged_out: times })
  if (kind === 'sealing') return report(invocation, plan.steps, [SUCCESSORS[successor]], { successor, lost: times })
  const exposed = exposures(successor, inState(keys, 'next'), now)
  const verifiers = exposed.map(({ library, accepts, refuses }) => ({ library, accepts_revoked: finite(accepts), refuses_new: finite(refuses) }))
  return report(invocation, plan.steps, [SUCCESSORS[successor], exposureTable(exposed)], { successor, verifiers })
}

type Successor = 'none' | 'next' | 'unseen'

const SUCCESSORS: Record<Successor, string> = {
  none: 'It was not signing, so the active key goes on.',
  next: 'It was signing; the next key, which is published already, signs in its place.',
  unseen: 'It was signing; a key that nobody has seen signs in its place.',
}

function successorOf (id: string, steps: Step[]): Successor {
  if (!steps.some(step => step.id === id && step.from === 'active')) return 'none'
  return steps.some(step => step.from === 'next' && step.to === 'active') ? 'next' : 'unseen'
}

interface Exposure { library: string, accepts: number, refuses: number }

/** How many seconds each library goes on accepting the key, and may refuse good tokens of its successor. */
function exposures (successor: Successor, next: KeyRecord | undefined, now: number): Exposure[] {
  if (successor === 'unseen') return VERIFIER_CACHES.map(({ library, acceptsUnseen, refusesUnseen }) => ({ library, accepts: acceptsUnseen, refuses: refusesUnseen }))
  const refused = refusals(successor === 'next' ? secondsPublished(next!, now) : Infinity)
  return VERIFIER_CACHES.map(({ library, accepts }, at) => ({ library, accepts, refuses: refused[at]!.seconds }))
}

function exposureTable (exposed: Exposure[]): string {
  const rows = exposed.map(({ library, accepts, refuses }) => [library, formatLapse(accepts), refuses === 0 ? 'not at all' : formatLapse(refuses)])
  return `Servers follow within 2 seconds and refuse its tokens. Verifiers elsewhere have it in their caches:\n${formatTable([['VERIFIER, STOCK SETTINGS', 'STILL ACCEPTS THE REVOKED KEY', 'REFUSES GOOD TOKENS'], ...rows])}`
}

/** When a secret was active. */
interface Period { from: string, until: string }

/** What is lost with a secret. */
const LOSSES: Record<'refresh' | 'sealing', (times: Period[]) => string> = {
  refresh: times => times.length === 0
    ? 'This secret made no token yet, so nobody is logged out.'
    : `Every device whose refresh token this secret made is logged out: those that logged in or refreshed last ${inWords(times)}.`,
  sealing: times => times.length === 0
    ? 'This secret sealed nothing yet, so nothing is lost.'
    : `Every authenticator app whose seed is under this secret is lost: those that were added or used last ${inWords(times)}. Their users go on with recovery codes, with passkeys, or by you (npm run users:remove-second-factors), and then add the app anew.`,
}

function inWords (times: Period[]): string {
  return times.map(({ from, until }) => `between ${formatInstant(Date.parse(from))} and ${formatInstant(Date.parse(until))}`).join(', or ')
}

function periods (key: KeyRecord, history: HistoryEntry[], now: number): Period[] {
  const steps = history.filter(({ id }) => id === key.id)
  const until = (from: string) => steps.find(step => step.at >= from && step.from === 'active')?.at ?? new Date(now).toISOString()
  const begun = steps.filter(({ to }) => to === 'active').map(({ at }) => at)
  // A ring that is older than its history knows of its last time only.
  if (begun.length === 0 && key.activated_at) begun.push(key.activated_at)
  return begun.map(from => ({ from, until: until(from) }))
}

await runKeyCommand(HELP, { ...CHANGING, unseen: { type: 'boolean' } }, revoke, 'one id')
