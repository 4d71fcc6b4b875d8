// `npm run keys:rotate`: the next key signs from now on, or the one before again; holds no rule of a key's life.
import { inState, neededUntil, planReturn, planRotation, type KeyRecord, type Plan } from '../src/core/key-life-cycle.js'
import { keysOf, readManifest } from '../src/keyring/ring-files.js'
import { formatDuration, formatInstant, formatTable, refuse, WrongUse, type Answer } from './command.js'
import { carryOutOrRehearse, CHANGING, commandFor, finite, formatLapse, report, runKeyCommand, secondsPublished, type Invocation } from './key-command.js'
import { refusals } from './verifier-caches.js'

const HELP = `Rotates the keys: next becomes active, active becomes retired, a new next is made. Servers follow by themselves within 2 seconds.
Usage: npm run keys:rotate -- [--check URL] [--force] [--back] [--refresh-secret | --sealing] [--dry-run] [--json]
  --check URL        fetch the public JWKS at URL first, and refuse unless it holds the next key
  --force            do not wait until verifiers must have seen the next key (KEY_PREPUBLISH); says first what will break
  --back             undo: the key that was retired last signs again
  --refresh-secret   the secret of refresh tokens, in the place of the signing key
  --sealing          the secret that seals the seeds of authenticator apps; what the one before sealed can still be opened
  --dry-run          say what would be done
  --json             answer as JSON
Exit code: 0 rotated, 1 refused, 2 wrong use.
`
const CHECK_TIMEOUT_MS = 5_000

async function rotate (invocation: Invocation): Promise<Answer> {
  const { flags, kind } = invocation
  if (flags['back'] && (flags['force'] || flags['check'] !== undefined)) throw new WrongUse('--back needs neither --force nor --check: the key has been published all along.')
  if (flags['check'] !== undefined && kind !== 'signing') throw new WrongUse('--check is for signing keys; secrets are not public.')
  return flags['back'] ? await rotateBack(invocation) : await rotateOn(invocation)
}

async function rotateOn (invocation: Invocation): Promise<Answer> {
  const { flags, kind, now, terms, place, say } = invocation
  const before = keysOf(await readManifest(place.folder), kind)
  const publicIds = flags['check'] === undefined ? undefined : await fetchIds(String(flags['check']))
  const { prepublish } = terms[kind]
  const broken = flags['force'] ? breakages(before, now, kind) : []
  if (flags['force']) say(breakageText(broken, kind))
  const plan = await carryOutOrRehearse(invocation, { kind, now, by: 'command', plan: keys => planRotation(keys, now, { prepublish, publicIds, urgency: flags['force'] ? 'forced' : 'regular' }) })
  if ('refused' in plan) return refusal(invocation, plan)
  return report(invocation, plan.steps, whatFollows(invocation), { breaks: broken.map(({ library, seconds }) => ({ library, seconds: finite(seconds) })) })
}

async function rotateBack (invocation: Invocation): Promise<Answer> {
  const { kind, now } = invocation
  const plan = await carryOutOrRehearse(invocation, { kind, now, by: 'command', plan: planReturn })
  if ('refused' in plan) return refuse(plan.refused, 'There is no retired key to go back to: it has been pruned or revoked, or there was none.')
  return report(invocation, plan.steps, whatFollows(invocation))
}

function refusal ({ place, terms, kind, now }: Invocation, plan: Extract<Plan, { refused: string }>): Answer {
  if (plan.refused === 'clock_behind') {
    return refuse(plan.refused, `Steps of the ring in ${place.folder} lie in the future of this machine's clock, which says ${formatInstant(now)}; npm run keys:list shows them. Set the clock right. If it is, another one was ahead when they were taken: ${kind === 'sealing' ? '' : 'a server that rotates by itself corrects them when it has run for 3 hours, and '}--force does not wait.`)
  }
  if (plan.refused === 'too_young') {
    return refuse(plan.refused, `The next key must have been published for ${formatDuration(terms[kind].prepublish)} (KEY_PREPUBLISH) before it signs, which will be so from ${formatInstant(plan.allowedAt!)} on. --force does not wait, and says what breaks.`, { allowed_at: new Date(plan.allowedAt!).toISOString() })
  }
  if (plan.refused === 'not_public') return refuse(plan.refused, 'The JWKS at that address does not hold the next key, so its verifiers would refuse what it signs. Do its servers read this folder?')
  return refuse(plan.refused, `There is no next key in ${place.folder}: make one with \`${commandFor('generate', kind)}\`.`)
}

function whatFollows ({ now, terms, kind, flags }: Invocation): string[] {
  const servers = `${flags['dry-run'] ? 'Servers would follow' : 'Servers follow'} within 2 seconds.`
  const end = neededUntil({ retired_at: new Date(now).toISOString() }, terms[kind].retention)
  if (end === Infinity) return [`${servers} What the retired secret sealed opens as before, and is sealed anew when it is used; the secret is kept until it is revoked.`]
  return [`${servers} Tokens of the retired key stay good; it may be pruned from ${formatInstant(end)} on.`]
}

/** Which libraries may refuse good tokens, and for how many seconds, if the key signs now. */
function breakages (keys: KeyRecord[], now: number, kind: Invocation['kind']): Array<{ library: string, seconds: number }> {
  const next = inState(keys, 'next')
  return next && kind === 'signing' ? refusals(secondsPublished(next, now)).filter(({ seconds }) => seconds > 0) : []
}

function breakageText (broken: Array<{ library: string, seconds: number }>, kind: Invocation['kind']): string {
  if (kind === 'refresh') return 'Servers that have not read the next secret yet refuse its tokens until they have, within 2 seconds.'
  if (kind === 'sealing') return 'Servers that have not read the next secret yet cannot open what it seals until they have, within 2 seconds.'
  return `These verifiers, with their stock settings, may refuse good tokens:\n${formatTable(broken.map(({ library, seconds }) => [library, formatLapse(seconds)]))}`
}

const STRANGERS_CERTIFICATE = 'its certificate is of nobody whom this machine trusts; NODE_EXTRA_CA_CERTS names a file of more'
const UNREACHED: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'what listens there hung up',
  UND_ERR_SOCKET: 'what listens there hung up',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what listens there speaks no HTTPS',
  'bad port': 'at that port no HTTP is to be asked for',
  EAI_AGAIN: 'its name cannot be looked up now',
  ENOTFOUND: 'its name is not found',
  TimeoutError: `no answer came within ${CHECK_TIMEOUT_MS / 1000} seconds`,
  'unexpected redirect': 'the answer leads elsewhere, and verifiers follow no redirect',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: STRANGERS_CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: STRANGERS_CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: STRANGERS_CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: STRANGERS_CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is of another name',
}

/** Why a fetch got no answer, in words where they are known. */
function whyUnreached (error: unknown): string {
  const { name, cause } = error as { name: string, cause?: { code?: string, message?: string } }
  const known = [name, cause?.code, cause?.message].find(key => key !== undefined && Object.hasOwn(UNREACHED, key))
  return known ? UNREACHED[known]! : `it cannot be asked (${cause?.code ?? cause?.message ?? name})`
}

async function fetchIds (url: string): Promise<Set<string>> {
  const unreadable = (why: string, cause?: unknown) => new Error(`The JWKS at ${url} cannot be read, so nothing was changed: ${why}.`, { cause })
  if (!/^https?:/i.test(url) || !URL.canParse(url)) throw unreadable('that is not a URL that begins with http:// or https://')
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) }).catch((cause: unknown) => { throw unreadable(whyUnreached(cause), cause) })
  if (!response.ok) throw unreadable(`the answer has the status ${response.status}`)
  try {
    const { keys } = await response.json() as { keys: Array<{ kid: string }> }
    return new Set(keys.map(({ kid }) => kid))
  } catch (cause) {
    throw unreadable('the answer is not a JWKS', cause)
  }
}

await runKeyCommand(HELP, { ...CHANGING, check: { type: 'string' }, force: { type: 'boolean' }, back: { type: 'boolean' } }, rotate)
