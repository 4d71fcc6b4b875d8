// What the commands on the key ring share: flags, settings, and how steps are told; holds no command.
import { keyTerms, readConfig, readEnvironment } from '../src/config.js'
import type { KeyKind, KeyRecord, KeyTerms, Plan, Step } from '../src/core/key-life-cycle.js'
import { changeRing, rehearseChange, type Change } from '../src/keyring/ring-changes.js'
import { ringPlace, type RingPlace } from '../src/keyring/ring-files.js'
import { actAsOwner, formatDuration, runCommand, WrongUse, type Answer, type Given, type Options } from './command.js'
import { OPERATOR } from './operator-events.js'

export interface Invocation extends Given {
  kind: KeyKind
  place: RingPlace
  terms: Record<KeyKind, KeyTerms>
  /** Milliseconds since the epoch. */
  now: number
}

/** Flags of every command that changes the ring. */
export const CHANGING: Options = { 'refresh-secret': { type: 'boolean' }, sealing: { type: 'boolean' }, 'dry-run': { type: 'boolean' } }

/** Settings that these commands read; they run before a production's others are whole. */
const SETTINGS = ['KEYS_DIR', 'KEYS_PASSPHRASE_FILE', 'KEY_PREPUBLISH', 'KEY_ROTATION_DAYS', 'ACCESS_TOKEN_TTL', 'REFRESH_TOKEN_IDLE_TTL', 'REFRESH_TOKEN_TTL']
const PATIENCE_MS = 30_000
const THUMBPRINT = /^[\w-]{43}$/

/** Runs a command, which takes no id of a key or one, and sets the exit code of the process: 0 done, 1 refused, 2 wrong use. */
export async function runKeyCommand (help: string, options: Options, act: (invocation: Invocation) => Promise<Answer>, takes: 'no id' | 'one id' = 'no id'): Promise<void> {
  await runCommand({ help, options, of: 'key', takes, spell: idsLast }, async given =>
    await act({ ...given, kind: kindOf(given), ...await readSettings(), now: Date.now() }))
}

function kindOf ({ flags }: Given): KeyKind {
  if (flags['refresh-secret'] && flags['sealing']) throw new WrongUse('--refresh-secret and --sealing are for keys of different kinds: give one of them.')
  if (flags['sealing']) return 'sealing'
  return flags['refresh-secret'] ? 'refresh' : 'signing'
}

/** The flag that names a kind other than the usual one. */
export const FLAGS = { refresh: '--refresh-secret', sealing: '--sealing' }

/** A command for keys of a kind, as an operator types it. */
export function commandFor (command: 'generate' | 'rotate', kind: KeyKind): string {
  return `npm run keys:${command}${kind === 'signing' ? '' : ` -- ${FLAGS[kind]}`}`
}

/** The id of a key may begin with a dash. */
function idsLast (args: string[]): string[] {
  return [...args.filter(arg => !THUMBPRINT.test(arg)), '--', ...args.filter(arg => THUMBPRINT.test(arg))]
}

async function readSettings (): Promise<Pick<Invocation, 'place' | 'terms'>> {
  const environment = readEnvironment(sentence => { process.stderr.write(`${sentence}\n`) })
  const config = readConfig(Object.fromEntries(SETTINGS.map(name => [name, environment[name] ?? ''])))
  const place = await ringPlace(config.KEYS_DIR, config.KEYS_PASSPHRASE_FILE)
  actAsOwner(place.folder)
  return { place, terms: keyTerms(config) }
}

/** Makes the change, or says what it would be where that is all that is asked. */
export async function carryOutOrRehearse ({ flags, place }: Invocation, change: Change): Promise<Plan> {
  if (flags['dry-run']) return await rehearseChange(place, change)
  return await changeRing(place, { ...change, who: OPERATOR }, PATIENCE)
}

/** How long a command waits for another. */
export const PATIENCE = { milliseconds: PATIENCE_MS, onWait: () => { process.stderr.write('Another command or server is changing the key ring; waiting for it.\n') } }

/** An answer that lists steps taken, or to be taken, and says what follows. */
export function report ({ flags, place, kind }: Invocation, steps: Step[], sentences: string[], more: object = {}): Answer {
  const isRehearsal = flags['dry-run'] === true
  const heading = isRehearsal ? `Nothing was changed in ${place.folder}. It would be:` : `Changed in ${place.folder}:`
  const text = [...steps.length > 0 ? [heading, ...steps.map(describeStep)] : [], ...sentences].join('\n')
  return { code: 0, text, json: { done: !isRehearsal, dry_run: isRehearsal, kind, steps, ...more } }
}

function describeStep ({ id, from, to }: Step): string {
  return `  ${id ?? 'a new key'}: ${describeWay(from, to)}`
}

/** What a step did to a key: from no state it was made, and to none it was pruned. */
export function describeWay (from: Step['from'], to: Step['to']): string {
  return `${from ?? 'made'} -> ${to ?? 'pruned'}`
}

/** How long at the most something lasts in a verifier, of seconds. */
export function formatLapse (seconds: number): string {
  return seconds === Infinity ? 'until its process starts again' : `for up to ${formatDuration(seconds * 1000)}`
}

/** The seconds, or null where something never ends: JSON has no infinity. */
export function finite (seconds: number): number | null {
  return seconds === Infinity ? null : seconds
}

/** For how many whole seconds verifiers could see a key. `now` in milliseconds. */
export function secondsPublished ({ published_at: at }: KeyRecord, now: number): number {
  return Math.max(0, Math.floor((now - Date.parse(at)) / 1000))
}
