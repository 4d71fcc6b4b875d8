// What the commands on clients share: metadata from flags and files, and how a client is told; holds no command and no rule of metadata.
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import type { Client } from '../src/core/client.js'
import type { Changed } from '../src/core/client-changes.js'
import type { SecurityEvent } from '../src/core/events.js'
import { describeClient, registrationOf, type Metadata, type MetadataFault } from '../src/core/client-metadata.js'
import { inWords } from '../src/faults.js'
import { changeClient, type Decision } from '../src/services/change-client.js'
import { formatInstant, formatTable, refuse, WrongUse, type Answer, type Given, type Options } from './command.js'
import { recordAsOperator } from './operator-events.js'
import { runStoreCommand, type StoreInvocation } from './store-command.js'

export type Invocation = StoreInvocation

export const CHANGING: Options = { 'dry-run': { type: 'boolean' } }

/** By the names of RFC 7591 and Signet's own, with dashes, and in the singular where they are repeated. */
const FLAGS: Record<string, { member: string, as: 'text' | 'texts' | 'words' | 'yes or no' | 'file' }> = {
  'client-name': { member: 'client_name', as: 'text' },
  'redirect-uri': { member: 'redirect_uris', as: 'texts' },
  'grant-type': { member: 'grant_types', as: 'texts' },
  'token-endpoint-auth-method': { member: 'token_endpoint_auth_method', as: 'text' },
  jwks: { member: 'jwks', as: 'file' },
  'jwks-uri': { member: 'jwks_uri', as: 'text' },
  scope: { member: 'scope', as: 'words' },
  audience: { member: 'audiences', as: 'texts' },
  'post-logout-redirect-uri': { member: 'post_logout_redirect_uris', as: 'texts' },
  'first-party': { member: 'first_party', as: 'yes or no' },
  'require-pkce': { member: 'require_pkce', as: 'yes or no' },
}

/** Flags that say what a client is. */
export const METADATA: Options = {
  metadata: { type: 'string' },
  ...Object.fromEntries(Object.entries(FLAGS).map(([flag, { as }]) => [flag, { type: 'string', multiple: as === 'texts' || as === 'words' }])),
}

export const METADATA_HELP = `  --client-name NAME                   what people are shown
  --redirect-uri URI                   where people come back to; repeated for several
  --grant-type TYPE                    authorization_code, refresh_token, client_credentials; repeated. Without any: the first two, or the last where there is no redirect URI
  --token-endpoint-auth-method METHOD  client_secret_basic (default), client_secret_post, private_key_jwt, or none for what cannot keep a secret
  --jwks FILE, --jwks-uri URI          its public keys, for private_key_jwt
  --scope "SCOPE SCOPE"                what it may ask for beside openid, profile, email and offline_access
  --audience NAME                      the services that its tokens are for, the default first; repeated
  --post-logout-redirect-uri URI       where people may be sent after a log-out; repeated
  --first-party                        it is ours: nobody is asked for consent
  --require-pkce false                 a client with a secret that cannot do PKCE
  --metadata FILE                      all this as JSON by RFC 7591's names, from a file or from standard input (-); flags beside it count before it
`

/** Runs a command, and sets the exit code of the process: 0 done, 1 refused, 2 wrong use. */
export async function runClientCommand (help: string, options: Options, takes: 'no id' | 'one id', act: (invocation: Invocation) => Promise<Answer>): Promise<void> {
  await runStoreCommand({ help, options, of: 'client', takes, spell: withYes, settings: ['ACCESS_TOKEN_TTL'] }, act)
}

/** A yes may be left out: `--first-party` is `--first-party true`. */
function withYes (args: string[]): string[] {
  const isFlag = (arg = '') => arg.startsWith('--') && FLAGS[arg.slice(2)]?.as === 'yes or no'
  const isWord = (arg = '') => arg === 'true' || arg === 'false'
  return args.flatMap((arg, at) => {
    if (isWord(arg) && isFlag(args[at - 1])) return []
    const next = args[at + 1]
    return isFlag(arg) ? [`${arg}=${isWord(next) ? next : 'true'}`] : [arg]
  })
}

/** What flags and the file that they name say of a client. A flag with an empty value takes away what was said. Throws a sentence if a file cannot be read. */
export async function readMetadataOf ({ flags }: Invocation): Promise<Metadata> {
  const document = flags['metadata'] === undefined ? {} : await readDocument(String(flags['metadata']))
  const named = Object.entries(FLAGS).filter(([flag]) => flags[flag] !== undefined)
  if (flags['metadata'] === undefined && named.length === 0) throw new WrongUse('What is this client to be? Name it by flags, or by a document with --metadata.')
  return { ...document, ...Object.fromEntries(named.map(([flag, { member }]) => [member, valueOf(flag, flags[flag])])) }
}

function valueOf (flag: string, given: Given['flags'][string]): unknown {
  const texts = [given].flat().map(String)
  const { as } = FLAGS[flag]!
  if (texts.join('') === '') return null
  if (as === 'texts') return texts
  if (as === 'words') return texts.join(' ')
  if (as === 'file') return parse(readBytes(texts[0]!), texts[0]!)
  if (as === 'text') return texts[0]
  if (texts[0] !== 'true' && texts[0] !== 'false') throw new WrongUse(`The option --${flag} is true or false.`)
  return texts[0] === 'true'
}

async function readDocument (path: string): Promise<Metadata> {
  const name = path === '-' ? 'standard input' : path
  const document = parse(path === '-' ? await buffer(process.stdin) : readBytes(path), name)
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw new Error(`What ${name} holds is no JSON object, whose members say what the client is.`)
  return document as Metadata
}

function readBytes (path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Error(`The file ${path} cannot be read: ${inWords(cause)}.`, { cause })
  }
}

function parse (bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Error(`What ${name} holds is no JSON in UTF-8.`, { cause })
  }
}

/** Says which members were given that change nothing, where no answer is read from. */
export function sayIgnored (ignored: string[]): void {
  if (ignored.length > 0) process.stderr.write(`Not kept, for it changes nothing: ${ignored.join(', ')}.\n`)
}

/** Makes the change of a client as it stands, and records it as this event, or says what it would be where that is all that is asked. */
export async function carryOutOrRehearse<Made extends Decision> ({ flags, ids, openStore }: Invocation, event: Pick<SecurityEvent, 'kind' | 'details'>, decide: (client: Client) => Made): Promise<Made | { refused: 'unknown_client' | 'contended' }> {
  const store = await openStore('must be there')
  if (!flags['dry-run']) {
    const outcome = await changeClient(store, ids[0]!, decide)
    if (!('refused' in outcome)) await recordAsOperator(store, { ...event, clientId: ids[0] })
    return outcome
  }
  const client = await store.findClient(ids[0]!)
  return client ? decide(client) : { refused: 'unknown_client' }
}

/** An answer that shows a client as it is now, or would be, and says what follows. */
export function report ({ flags, place }: Invocation, done: string, { client, secret }: Changed, follows: string): Answer {
  if (flags['dry-run']) return { code: 0, text: `Nothing was changed in ${place}. It would be:\n${describe(client)}`, json: { done: false, dry_run: true, ...registrationOf(client) } }
  return { code: 0, text: `${done} ${place}:\n${describe(client, secret)}\n${follows}`, json: registrationOf(client, secret) }
}

/** A client as a person reads it. */
export function describe (client: Client, secret?: string): string {
  const { client_id: id, client_id_issued_at: _, client_secrets_issued_at: __, response_types: ___, jwks, ...metadata } = describeClient(client)
  const rows = Object.entries(metadata).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)])
  return formatTable([
    ['client_id', String(id)],
    ...secret === undefined ? [] : [['client_secret', `${secret} (Signet keeps its SHA-256 alone, and shows it never again)`]],
    ...rows.filter(([, value]) => value !== ''),
    ...jwks ? [['jwks', `${client.jwks!.keys.length} of its public keys`]] : [],
    ['made', formatInstant(client.createdAt)],
    ...client.secrets.length > 0 ? [[`secrets: ${client.secrets.length}`, client.secrets.map(({ createdAt }) => `of ${formatInstant(createdAt)}`).join(', and ')]] : [],
  ])
}

const REFUSALS: Record<string, string> = {
  unknown_client: 'There is no client of this id; clients:list shows those there are.',
  contended: 'Others change this client again and again; nothing was changed.',
  no_secret: 'This client has no secret: its token_endpoint_auth_method needs none.',
  two_secrets: 'This client has two secrets already, both good: drop the older one with --retire, when nobody uses it any more.',
  one_secret: 'This client has one secret, and none that is older.',
}

export function refuseFor (code: string): Answer {
  return refuse(code, REFUSALS[code]!)
}

/** An answer that says all that is wrong with the metadata; the code is RFC 7591's (section 3.2.2). */
export function refuseMetadata (faults: MetadataFault[]): Answer {
  const message = ['This cannot be a client:', ...faults.map(({ field, detail }) => `  ${field}: ${detail}`)].join('\n')
  return refuse('invalid_client_metadata', message, { errors: faults })
}
