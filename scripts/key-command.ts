// What the commands on the key ring share: flags, settings, exit codes, and how instants and steps are told; holds no command.
import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { keyTerms, readConfig, readEnvironment } from '../src/config.js'
import type { KeyKind, KeyRecord, KeyTerms, Plan, Step } from '../src/core/key-life-cycle.js'
import { changeRing, rehearseChange, type Change } from '../src/keyring/ring-changes.js'
import { ringPlace, type RingPlace } from '../src/keyring/ring-files.js'

/** What a command answers: to a person, and to a machine. Exit code 0 is done, 1 refused. */
export interface Answer { code: 0 | 1, text: string, json: object }

export interface Invocation {
  flags: Record<string, string | boolean | undefined>
  ids: string[]
  kind: KeyKind
  place: RingPlace
  terms: Record<KeyKind, KeyTerms>
  /** Milliseconds since the epoch. */
  now: number
  /** Tells a person something before it is done. */
  say: (text: string) => void
}

export class WrongUse extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>

/** Flags of every command that changes the ring. */
export const CHANGING: Options = { 'refresh-secret': { type: 'boolean' }, 'dry-run': { type: 'boolean' } }

const COMMON: Options = { help: { type: 'boolean' }, json: { type: 'boolean' } }
/** Settings that these commands read; they run before a production's others are whole. */
const SETTINGS = ['KEYS_DIR', 'KEYS_PASSPHRASE_FILE', 'KEY_PREPUBLISH', 'KEY_ROTATION_DAYS', 'ACCESS_TOKEN_TTL', 'REFRESH_TOKEN_IDLE_TTL', 'REFRESH_TOKEN_TTL']
const PATIENCE_MS = 30_000
const THUMBPRINT = /^[\w-]{43}$/

/** Runs a command, which takes no id of a key or one, and sets the exit code of the process: 0 done, 1 refused, 2 wrong use. */
export async function runKeyCommand (help: string, options: Options, act: (invocation: Invocation) => Promise<Answer>, takes: 'no id' | 'one id' = 'no id'): Promise<void> {
  process.exitCode = await run(help, options, act, takes)
}

async function run (help: string, options: Options, act: (invocation: Invocation) => Promise<Answer>, takes: 'no id' | 'one id'): Promise<number> {
  const parsed = parse({ ...COMMON, ...options })
  if ('fault' in parsed) {
    process.stderr.write(`${parsed.fault}\n\n${help}`)
    return 2
  }
  const { values: flags, positionals: ids } = parsed
  if (flags['help']) {
    process.stdout.write(help)
    return 0
  }
  const print = ({ text, json }: Pick<Answer, 'text' | 'json'>) => { process.stdout.write(flags['json'] ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`) }
  try {
    if (takes === 'no id' && ids.length > 0) throw new WrongUse('This command takes no key id.')
    if (takes === 'one id' && ids.length !== 1) throw new WrongUse('This command takes the id of one key.')
    const answer = await act({ flags, ids, kind: flags['refresh-secret'] ? 'refresh' : 'signing', ...await readSettings(), now: Date.now(), say: text => { if (!flags['json']) process.stdout.write(`${text}\n`) } })
    if (answer.code === 0 || flags['json']) print(answer)
    else process.stderr.write(`${answer.text}\n`)
    return answer.code
  } catch (error) {
    if (error instanceof WrongUse) {
      process.stderr.write(`${error.message}\n\n${help}`)
      return 2
    }
    const { message } = error as Error
    if (flags['json']) print({ text: '', json: { done: false, refused: 'error', message } })
    else process.stderr.write(`${message}\n`)
    return 1
  }
}

function parse (options: Options): { values: Invocation['flags'], positionals: string[] } | { fault: string } {
  const args = process.argv.slice(2)
  try {
    // The id of a key may begin with a dash.
    return parseArgs({ args: [...args.filter(arg => !THUMBPRINT.test(arg)), '--', ...args.filter(arg => THUMBPRINT.test(arg))], options, allowPositionals: true }) as { values: Invocation['flags'], positionals: string[] }
  } catch {
    return { fault: faultOf(args, options) }
  }
}

/** What is wrong with the first option that is. */
function faultOf (args: string[], options: Options): string {
  const written = args.filter(arg => arg.startsWith('-') && !THUMBPRINT.test(arg)).map(arg => arg.split('=') as [string, string?])
  const unknown = written.find(([name]) => !Object.hasOwn(options, name.replace(/^--/, '')))
  if (unknown) return `There is no option ${unknown[0]}.`
  const flag = written.find(([name, value]) => options[name.slice(2)]!.type === 'boolean' && value !== undefined)
  return flag ? `The option ${flag[0]} takes no value.` : `The option ${written.find(([name]) => options[name.slice(2)]!.type === 'string')![0]} needs a value.`
}

async function readSettings (): Promise<Pick<Invocation, 'place' | 'terms'>> {
  const environment = readEnvironment(sentence => { process.stderr.write(`${sentence}\n`) })
  const config = readConfig(Object.fromEntries(SETTINGS.map(name => [name, environment[name] ?? ''])))
  const place = await ringPlace(config.KEYS_DIR, config.KEYS_PASSPHRASE_FILE)
  actAsOwner(place.folder)
  return { place, terms: keyTerms(config) }
}

/** Root goes on as the user whom the folder belongs to, or the nearest one above where it is not there yet: what it writes must be theirs who serve from it. */
function actAsOwner (folder: string): void {
  const above = dirname(resolve(folder))
  if (!existsSync(folder) && above !== resolve(folder)) { actAsOwner(above); return }
  const { uid, gid } = statSync(folder)
  if (process.geteuid!() !== 0 || uid === 0) return
  process.setgroups!([gid])
  process.setgid!(gid)
  process.setuid!(uid)
}

/** Makes the change, or says what it would be where that is all that is asked. */
export async function carryOutOrRehearse ({ flags, place }: Invocation, change: Change): Promise<Plan> {
  if (flags['dry-run']) return await rehearseChange(place, change)
  return await changeRing(place, change, PATIENCE)
}

/** How long a command waits for another. */
export const PATIENCE = { milliseconds: PATIENCE_MS, onWait: () => { process.stderr.write('Another command or server is changing the key ring; waiting for it.\n') } }

/** An answer that refuses, in a sentence; `code` is stable, for machines. */
export function refuse (code: string, message: string, more: object = {}): Answer {
  return { code: 1, text: message, json: { done: false, refused: code, ...more, message } }
}

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

/** `2026-11-25 13:06 UTC`, of milliseconds since the epoch. */
export function formatInstant (milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

const UNITS: Array<[name: string, milliseconds: number]> = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]]

/** `3 hours`, `80 minutes`: in the largest unit of which there are two, or in seconds. */
export function formatDuration (milliseconds: number): string {
  const [name, size] = UNITS.find(([, size]) => milliseconds >= 2 * size) ?? UNITS.at(-1)!
  const count = Math.max(0, Math.round(milliseconds / size))
  return `${count} ${name}${count === 1 ? '' : 's'}`
}

/** How long at the most something lasts in a verifier, of seconds. */
export function formatLapse (seconds: number): string {
  return seconds === Infinity ? 'until its process starts again' : `for up to ${formatDuration(seconds * 1000)}`
}

/** The seconds, or null where something never ends: JSON has no infinity. */
export function finite (seconds: number): number | null {
  return seconds === Infinity ? null : seconds
}

/** A table of text, its columns as wide as they must be. */
export function formatTable (rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()}`).join('\n')
}

/** For how many whole seconds verifiers could see a key. `now` in milliseconds. */
export function secondsPublished ({ published_at: at }: KeyRecord, now: number): number {
  return Math.max(0, Math.floor((now - Date.parse(at)) / 1000))
}
