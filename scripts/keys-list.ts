// `npm run keys:list`: every key, where it stands and what comes next; holds no rule of a key's life, and needs no passphrase.
import { KEY_KINDS, prospectOf, type KeyKind, type KeyRecord, type KeyTerms, type Prospect } from '../src/core/key-life-cycle.js'
import { historiesOf, keysOf, readManifest, type HistoryEntry, type Manifest } from '../src/keyring/ring-files.js'
import { formatDuration, formatInstant, formatTable, toInstant, type Answer } from './command.js'
import { describeWay, runKeyCommand, type Invocation } from './key-command.js'

const HELP = `Lists the keys of the ring in the folder that KEYS_DIR names: state, age, since when published, and what happens next.
Usage: npm run keys:list -- [--history] [--json]
  --history   also every step that a key has ever taken, for those who ask what signed when
  --json      answer as JSON
Exit code: 0 listed, 1 there is no ring that can be read, 2 wrong use.
`
const TITLES: Record<KeyKind, string> = { signing: 'Signing keys', refresh: 'Secrets of refresh tokens', sealing: 'Sealing secrets' }
const NONE = '  none yet: a server that rotates by itself makes them, or the next command that changes the ring'

async function list ({ flags, place, terms, now }: Invocation): Promise<Answer> {
  const manifest = await readManifest(place.folder)
  const history = flags['history'] ? historiesOf(manifest).flat().sort((one, other) => one.at.localeCompare(other.at)) : undefined
  const text = [
    ...KEY_KINDS.map(kind => `${TITLES[kind]} in ${place.folder}\n${tableOf(keysOf(manifest, kind), terms[kind], now)}`),
    ...history ? [`History\n${history.map(describeEntry).join('\n')}`] : [],
  ].join('\n\n')
  return { code: 0, text, json: { folder: place.folder, ...machineReadable(manifest, terms), ...history && { history } } }
}

function tableOf (keys: KeyRecord[], terms: KeyTerms, now: number): string {
  if (keys.length === 0) return NONE
  const rows = keys.map(key => [key.state, key.id, key.bits ? `RSA ${key.bits}` : '', formatDuration(now - Date.parse(key.created_at)), formatInstant(Date.parse(key.published_at)), whatNext(key, prospectOf(key, keys, terms), now)])
  return formatTable([['STATE', 'KEY', '', 'AGE', 'PUBLISHED SINCE', 'WHAT COMES NEXT'], ...rows])
}

function whatNext ({ state }: KeyRecord, prospect: Prospect | undefined, now: number): string {
  if (state === 'revoked') return 'never accepted again'
  if (state === 'retired' && !prospect) return 'kept for what it sealed, until it is revoked'
  if (!prospect) return 'it goes on; there is no next key, which keys:generate makes'
  const what = prospect.to ?? 'pruned'
  const command = prospect.to === null ? 'keys:prune' : 'keys:rotate'
  const allowed = now < prospect.allowedAt ? `from ${formatInstant(prospect.allowedAt)} on` : 'from now on'
  if (prospect.dueAt === undefined) return `${what} by ${command} ${allowed}`
  if (prospect.dueAt <= Math.max(now, prospect.allowedAt)) return `${what} by itself ${allowed}`
  return `${what} by ${command} ${allowed}, by itself on ${formatInstant(prospect.dueAt)}`
}

function describeEntry ({ at, kind, id, from, to, by }: HistoryEntry): string {
  return `  ${at}  ${kind.padEnd(7)}  ${id.padEnd(43)}  ${describeWay(from, to)}, by ${by === 'server' ? 'a server' : 'command'}`
}

function machineReadable (manifest: Manifest, terms: Record<KeyKind, KeyTerms>): Record<KeyKind, object[]> {
  const describe = (kind: KeyKind) => keysOf(manifest, kind).map(key => {
    const prospect = prospectOf(key, keysOf(manifest, kind), terms[kind])
    return { ...key, next: prospect ? { to: prospect.to, allowed_at: toInstant(prospect.allowedAt), due_at: prospect.dueAt === undefined ? null : toInstant(prospect.dueAt) } : null }
  })
  return { signing: describe('signing'), refresh: describe('refresh'), sealing: describe('sealing') }
}

await runKeyCommand(HELP, { history: { type: 'boolean' } }, list)
