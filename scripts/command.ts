// What every command has in common: flags, help, exit codes, an answer to a person and one to a machine; holds no command, no setting and no store.
import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { inWords } from '../src/faults.js'

/** What a command answers: to a person, and to a machine. Exit code 0 is done, 1 refused. */
export interface Answer { code: 0 | 1, text: string, json: object }

/** What a command was given. */
export interface Given {
  flags: Record<string, string | boolean | string[] | undefined>
  ids: string[]
  /** Tells a person something before it is done. */
  say: (text: string) => void
}

export interface Form {
  help: string
  options: Options
  /** What its ids are of. */
  of: keyof typeof ONE
  takes: 'no id' | 'one id' | 'one or more'
  /** Makes what was typed into what can be parsed. */
  spell: (args: string[]) => string[]
}

export type Options = NonNullable<ParseArgsConfig['options']>

export class WrongUse extends Error {}

/** How a person names one. */
const ONE = { key: 'the id of one key', client: 'the id of one client', event: 'the id of one event', user: 'one user, by id or e-mail address', file: 'one file' }

const COMMON: Options = { help: { type: 'boolean' }, json: { type: 'boolean' } }

/** Runs a command, and sets the exit code of the process: 0 done, 1 refused, 2 wrong use. */
export async function runCommand (form: Form, act: (given: Given) => Promise<Answer>): Promise<void> {
  process.exitCode = await run(form, act)
}

async function run ({ help, options, of, takes, spell }: Form, act: (given: Given) => Promise<Answer>): Promise<number> {
  const parsed = parse(spell(process.argv.slice(2)), { ...COMMON, ...options })
  if ('fault' in parsed) {
    process.stderr.write(`${parsed.fault}\n\n${help}`)
    return 2
  }
  const { flags, ids } = parsed
  if (flags['help']) {
    process.stdout.write(help)
    return 0
  }
  const print = ({ text, json }: Pick<Answer, 'text' | 'json'>) => { process.stdout.write(flags['json'] ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`) }
  try {
    if (takes === 'no id' && ids.length > 0) throw new WrongUse(of === 'user' ? 'This command takes no user.' : `This command takes no ${of} id.`)
    if (takes === 'one id' && ids.length !== 1) throw new WrongUse(`This command takes ${ONE[of]}.`)
    if (takes === 'one or more' && ids.length === 0) throw new WrongUse(`This command takes ${ONE[of]}, or several.`)
    const answer = await act({ flags, ids, say: text => { if (!flags['json']) process.stdout.write(`${text}\n`) } })
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

function parse (args: string[], options: Options): Pick<Given, 'flags' | 'ids'> | { fault: string } {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    return { flags: values as Given['flags'], ids: positionals }
  } catch {
    return { fault: faultOf(args, options) }
  }
}

/** What is wrong with the first option that is. */
function faultOf (args: string[], options: Options): string {
  const isOption = (arg = '') => arg.startsWith('-') && arg.length > 1
  for (const [at, arg] of args.entries()) {
    if (arg === '--') break
    if (!isOption(arg)) continue
    const [name, value] = arg.split('=') as [string, string?]
    const option = name.startsWith('--') && Object.hasOwn(options, name.slice(2)) ? options[name.slice(2)]! : undefined
    if (!option) return `There is no option ${name}.`
    if (option.type === 'boolean' && value !== undefined) return `The option ${name} takes no value.`
    if (option.type === 'string' && value === undefined && (at + 1 === args.length || isOption(args[at + 1]))) return `The option ${name} needs a value.`
  }
  return 'These options cannot be read.'
}

/** An answer that refuses, in a sentence; `code` is stable, for machines. */
export function refuse (code: string, message: string, more: object = {}): Answer {
  return { code: 1, text: message, json: { done: false, refused: code, ...more, message } }
}

/** What cannot be undone is asked at a terminal, unless --yes is given. Undefined if it is to be done; otherwise the answer that it is not. */
export async function confirm ({ flags }: Given, question: string): Promise<Answer | undefined> {
  if (flags['yes']) return undefined
  if (!process.stdin.isTTY) return refuse('unconfirmed', `${question} There is nobody to ask: say so with --yes.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const said = await terminal.question(`${question} Type yes to go on: `)
    return said.trim().toLowerCase() === 'yes' ? undefined : refuse('unconfirmed', 'Nothing was changed.')
  } finally {
    terminal.close()
  }
}

/** What happened first of all, in brackets, in words where there are some for it: a store that does not answer may have refused a password. */
export function withCause (error: Error): string {
  let first: unknown = error
  while (first instanceof Error && first.cause) first = first.cause
  return first === error ? error.message : `${error.message} (${inWords(first)})`
}

/** Root goes on as the user whom a file or folder belongs to, or the nearest one above where it is not there yet: what it writes must be theirs who serve from it. */
export function actAsOwner (place: string): void {
  const above = dirname(resolve(place))
  if (!existsSync(place) && above !== resolve(place)) { actAsOwner(above); return }
  const { uid, gid } = statSync(place)
  if (process.geteuid!() !== 0 || uid === 0) return
  process.setgroups!([gid])
  process.setgid!(gid)
  process.setuid!(uid)
}

/** `2026-11-25 13:06 UTC`, of milliseconds since the epoch. */
export function formatInstant (milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `2026-11-25T13:06:00.000Z`, of milliseconds since the epoch: for machines. */
export function toInstant (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

const UNITS: Array<[name: string, milliseconds: number]> = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]]

/** `3 hours`, `80 minutes`: in the largest unit of which there are two, or in seconds. */
export function formatDuration (milliseconds: number): string {
  const [name, size] = UNITS.find(([, size]) => milliseconds >= 2 * size) ?? UNITS.at(-1)!
  const count = Math.max(0, Math.round(milliseconds / size))
  return `${count} ${name}${count === 1 ? '' : 's'}`
}

const MILLISECONDS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** How long `30m` or `7d` is, with a unit as in a setting; undefined of what is no such duration. */
export function toMilliseconds (duration: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(duration) ?? []
  return unit === undefined ? undefined : Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS]
}

/** How many --limit says, in digits: from 1 to `most`. */
export function limitOf (limit: Given['flags'][string], { fallback, most }: { fallback: number, most: number }): number {
  if (limit === undefined) return fallback
  const count = /^\d{1,9}$/.test(String(limit)) ? Number(limit) : 0
  if (count < 1 || count > most) throw new WrongUse(`The option --limit takes a whole number from 1 to ${most}.`)
  return count
}

/** The instant that --since names, in milliseconds since the epoch; undefined where it is not given. */
export function sinceOf (since: Given['flags'][string], now: number): number | undefined {
  if (since === undefined) return undefined
  const ago = toMilliseconds(String(since))
  if (ago !== undefined) return now - ago
  const instant = /^\d{4}-\d\d-\d\d/.test(String(since)) ? Date.parse(String(since)) : NaN
  if (Number.isNaN(instant)) throw new WrongUse('The option --since takes a day, such as 2026-11-25, an instant, such as 2026-11-25T09:30Z, or how long ago, such as 2h or 7d.')
  return instant
}

/** A table of text, its columns as wide as they must be. */
export function formatTable (rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()}`).join('\n')
}
