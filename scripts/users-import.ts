// `npm run users:import`: brings the users of another system along, with their passwords; holds no format and no rule of a user.
import { closeSync, createReadStream, existsSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs'
import { readEntries, type Entry } from '../src/core/imports/entries.js'
import { FORMATS, readFirebaseParameters, type FirebaseParameters, type Format } from '../src/core/imports/formats.js'
import { inWords } from '../src/faults.js'
import { importUsers, type ImportCounts, type ImportRefusal, type Refused } from '../src/services/import-users.js'
import { formatTable, withCause, WrongUse, type Answer } from './command.js'
import { recordAsOperator } from './operator-events.js'
import { runStoreCommand, type StoreInvocation } from './store-command.js'

const HELP = `Brings the users of another system along: npm run users:import -- FILE... [FLAGS] [--dry-run] [--json]
  FILE                           JSON Lines, what another system exports, or - for standard input; docs/import.md has the forms. Several
                                 are read one after the other, as of one system
  --format NAME                  ${FORMATS.join(', ')}; without it the first entry tells
  --firebase-hash-config FILE    the password hash parameters that Firebase's console shows, in a file
  --source NAME                  what keeps ids that are no UUIDs apart from those of another import; without it the format's name
  --without-password             take those, too, whose password cannot be verified; they must set one before they log in
  --refusals FILE                write each refusal into a new file, a line of JSON each
  --dry-run                      say what would be done
  --json                         answer as JSON
A server may run meanwhile. An import that was interrupted is gone on with by the same command, and one that is complete changes nothing.
Exit code: 0 all are there, 1 some were refused or it was interrupted, 2 wrong use.
`
const OPTIONS = { 'dry-run': { type: 'boolean' }, format: { type: 'string' }, 'firebase-hash-config': { type: 'string' }, source: { type: 'string' }, 'without-password': { type: 'boolean' }, refusals: { type: 'string' } } as const
const PROGRESS_EVERY_MS = 1000
/** How many lines are named of each reason. */
const NAMED = 10

const REASONS: Record<ImportRefusal, string> = {
  not_a_user: 'is no object that tells of a user',
  deleted: 'was deleted there',
  member_unknown: 'has a member of a name that means nothing here; --format says which system the file is of',
  id_invalid: 'has an id that is neither a text nor a number',
  id_taken: 'has the id of another user here, or of one who was deleted',
  email_missing: 'has no e-mail address',
  email_invalid: 'has an e-mail address that cannot be one',
  email_taken: 'has the address of another user here',
  email_verified_invalid: 'has an email_verified that is neither true nor false',
  name_invalid: 'has a name that is too long, or holds what cannot be seen',
  roles_invalid: 'has roles that cannot be given',
  created_at_invalid: 'has a time of creation that is none, or lies ahead',
  password_missing: 'has no password; --without-password takes it',
  hash_unknown: 'has a password hash that cannot be verified here; --without-password takes it',
  hash_malformed: 'has a password hash that is not of its own form; --without-password takes it',
  hash_too_dear: 'has a password hash that would take minutes or gigabytes to verify; --without-password takes it',
  hash_parameters_missing: 'has a hash that needs the parameters of its project: --firebase-hash-config',
  repeated: 'has the address or the id of an entry before it',
  entry_too_long: 'is longer than a mebibyte',
  not_utf8: 'is not UTF-8',
  not_json: 'is no JSON',
  not_csv: 'is no row with the fields of the first',
  file_ends_within: 'is cut off: the file ends there, or holds no users',
}

/** Refusals by their reason: how many, where the first of them are, and of which members those know nothing. */
type Tally = Map<ImportRefusal, { count: number, lines: number[], files?: string[], members?: string[] }>

async function run (invocation: StoreInvocation): Promise<Answer> {
  const { flags, ids: paths, place } = invocation
  const format = readFormat(flags['format'])
  const firebase = flags['firebase-hash-config'] === undefined ? undefined : readParameters(String(flags['firebase-hash-config']))
  // Before the store, to open which root becomes somebody else.
  const files = paths.map(path => ({ path, descriptor: path === '-' ? 0 : open(path, 'r') }))
  const refusals = flags['refusals'] === undefined ? undefined : open(String(flags['refusals']), 'wx')
  const tally: Tally = new Map()
  const note = (refused: Refused) => {
    count(tally, refused)
    if (refusals !== undefined) writeSync(refusals, `${JSON.stringify({ ...refused, message: `It ${REASONS[refused.reason]}.` })}\n`)
  }
  let counts: ImportCounts | undefined
  try {
    const isRehearsal = flags['dry-run'] === true
    const store = isRehearsal && place !== 'MongoDB' && !existsSync(place) ? undefined : await invocation.openStore('may be made')
    const done = await importUsers({
      entries: entriesOf(files, format === 'jsonl' ? 'lines' : undefined),
      format,
      reading: { now: invocation.now, firebase },
      terms: { now: invocation.now, source: flags['source'] as string | undefined, withoutPassword: flags['without-password'] ? 'take' : 'refuse' },
      store,
      writes: isRehearsal ? 'rehearse' : 'write',
      onRefused: note,
      onProgress: throttled(progress => { counts = { ...progress } }),
    })
    if (store && !isRehearsal && done.added > 0) await recordAsOperator(store, { kind: 'users.imported', details: { count: done.added } })
    return answer(invocation, done, tally)
  } catch (error) {
    throw new Error(`${withCause(error as Error)} ${counts ? `${counts.entries} entries were dealt with, ${counts.added} users added. ` : ''}What is written stays; the same command goes on.`, { cause: error })
  } finally {
    for (const descriptor of [...files.map(({ descriptor }) => descriptor), refusals]) if (descriptor) closeSync(descriptor)
  }
}

/** Of one file after the other, each with its name where there are several. */
async function * entriesOf (files: Array<{ path: string, descriptor: number }>, shape: 'lines' | undefined): AsyncGenerator<Entry> {
  for (const { path, descriptor } of files) {
    try {
      for await (const entry of readEntries(createReadStream('', { fd: descriptor, autoClose: false }) as AsyncIterable<Buffer>, shape)) yield files.length > 1 ? { ...entry, file: path } : entry
    } catch (cause) {
      throw new Error(`The file ${path} cannot be read: ${inWords(cause)}.`)
    }
  }
}

function readFormat (name: unknown): Format | undefined {
  const format = FORMATS.find(format => format === name)
  if (name !== undefined && !format) throw new WrongUse(`The option --format is one of ${FORMATS.join(', ')}.`)
  return format
}

function readParameters (path: string): FirebaseParameters {
  const descriptor = open(path, 'r')
  const parameters = readFirebaseParameters(readFileSync(descriptor, 'utf8'))
  closeSync(descriptor)
  if (!parameters) throw new Error(`The file ${path} does not hold base64_signer_key, base64_salt_separator, rounds and mem_cost.`)
  return parameters
}

function open (path: string, flag: 'r' | 'wx'): number {
  try {
    const descriptor = openSync(path, flag, 0o600)
    // Which is said only when it is read.
    if (fstatSync(descriptor).isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' })
    return descriptor
  } catch (cause) {
    throw new Error(`The file ${path} cannot be ${flag === 'r' ? 'read' : 'made'}: ${inWords(cause)}.`, { cause })
  }
}

/** Tells a person now and then, on standard error. */
function throttled (note: (counts: ImportCounts) => void): (counts: ImportCounts) => void {
  let told = performance.now()
  return counts => {
    note(counts)
    if (performance.now() - told < PROGRESS_EVERY_MS) return
    told = performance.now()
    process.stderr.write(`${process.stderr.isTTY ? '\r' : ''}${sentence(counts)}${process.stderr.isTTY ? '' : '\n'}`)
  }
}

function count (tally: Tally, { reason, file, line, member }: Refused): void {
  const found = tally.get(reason) ?? { count: 0, lines: [] }
  found.count++
  if (found.lines.length < NAMED) {
    found.lines.push(line)
    if (file !== undefined) found.files = [...found.files ?? [], file]
    if (member !== undefined) found.members = [...new Set([...found.members ?? [], member])]
  }
  tally.set(reason, found)
}

function sentence ({ entries, added, there, refused }: ImportCounts): string {
  return `${entries} ${entries === 1 ? 'entry' : 'entries'}: ${added} added, ${there} there before, ${refused} refused`
}

function answer ({ flags, place }: StoreInvocation, { format, ...counts }: ImportCounts & { format: Format | undefined }, tally: Tally): Answer {
  const rows = [...tally].map(([reason, { count, lines, files, members }]) => [String(count), reason, `${lines.length > 1 ? 'lines' : 'line'} ${lines.map((line, at) => files ? `${files[at]}:${line}` : line).join(', ')}${count > lines.length ? ', …' : ''}`, `It ${REASONS[reason]}.${members ? ` Members: ${members.map(name => JSON.stringify(name)).join(', ')}.` : ''}`])
  const text = [
    `${flags['dry-run'] ? `Nothing was changed in ${place}. It would be` : `Imported to ${place}`}: ${sentence(counts)}.`,
    ...format ? [`The file was read as one of ${format} (--format).`] : [],
    ...counts.withoutPassword > 0 ? [`${counts.withoutPassword} of those added must set a password before they can log in.`] : [],
    ...rows.length > 0 ? [`Refused:\n${formatTable(rows)}`] : [],
  ].join('\n')
  const { withoutPassword, ...others } = counts
  const json = { done: !flags['dry-run'], ...(flags['dry-run'] && { dry_run: true }), format: format ?? null, ...others, without_password: withoutPassword, refusals: Object.fromEntries(tally) }
  return { code: counts.refused > 0 ? 1 : 0, text, json }
}

await runStoreCommand({ help: HELP, options: OPTIONS, of: 'file', takes: 'one or more', spell: args => args, settings: [] }, run)
