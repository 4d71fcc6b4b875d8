// How Auth0, Firebase, Keycloak, Supabase and Django tell of a user, and Signet's own JSON Lines; holds no rule of what a user must be.
import { checkHash, readBase64, type HashRefusal, type PasswordHash, type Pbkdf2Hash } from '../password-hashes.js'
import { isMissing, readInstant, type Refusal, type Told } from './candidate.js'
import { readForeignHash } from './hash-forms.js'

export type Format = 'jsonl' | 'auth0' | 'firebase' | 'keycloak' | 'supabase' | 'django'

type Members = Record<string, unknown>

/** The parameters of a Firebase project's own scrypt, which are one for all its users. */
export interface FirebaseParameters { signerKey: Uint8Array, separator: Uint8Array, rounds: number, memCost: number }

export interface Reading {
  /** Milliseconds. */
  now: number
  firebase?: FirebaseParameters | undefined
}

export const FORMATS: Format[] = ['jsonl', 'auth0', 'firebase', 'keycloak', 'supabase', 'django']

/** Members by which an entry is known to be of a system, those that no other has; in this order. */
const SIGNS: Array<[Format, string[]]> = [
  ['firebase', ['localId']], ['supabase', ['encrypted_password']], ['django', ['fields']], ['keycloak', ['credentials', 'createdTimestamp', 'realm']],
  ['auth0', ['passwordHash', 'custom_password_hash', 'user_id', '_id', 'identities', 'app_metadata']],
]
const OWN_MEMBERS = new Set(['id', 'email', 'email_verified', 'name', 'password_hash', 'roles', 'created_at'])

/** What is read of a row of Firebase's CSV, which names no column, and where it stands; those between are what other providers say. */
const FIREBASE_COLUMNS: Array<[name: string, at: number]> = [['localId', 0], ['email', 1], ['emailVerified', 2], ['passwordHash', 3], ['salt', 4], ['displayName', 5], ['createdAt', 23], ['disabled', 26]]
/** Its first writers ended with the telephone number, before `disabled`. */
const FIREBASE_ROW_LENGTH = 26
const FLAGS = new Map<unknown, boolean | undefined>([['true', true], ['false', false], [null, undefined], [undefined, undefined]])

const KEYCLOAK_PBKDF2 = new Map<unknown, Pbkdf2Hash['algorithm']>([['pbkdf2', 'sha1'], ['pbkdf2-sha256', 'sha256'], ['pbkdf2-sha512', 'sha512']])

const READERS: Record<Format, (entry: Members, reading: Reading) => Told | Refusal> = { jsonl: readOwn, auth0: readAuth0, firebase: readFirebase, keycloak: readKeycloak, supabase: readSupabase, django: readDjango }

/** Of which system an entry is: Signet's own where it is of none. */
export function formatOf (entry: unknown): Format {
  if (isRow(entry)) return 'firebase'
  return SIGNS.find(([, names]) => isMembers(entry) && names.some(name => Object.hasOwn(entry, name)))?.[0] ?? 'jsonl'
}

/** What an entry tells of a user, or why it is none. */
export function readAs (format: Format, entry: unknown, reading: Reading): Told | Refusal {
  const members = format === 'firebase' && isRow(entry) ? membersOf(entry) : entry
  return isMembers(members) ? READERS[format](members, reading) : 'not_a_user'
}

/** What Firebase's console shows of a project's password hashes; undefined if it is not that. */
export function readFirebaseParameters (text: string): FirebaseParameters | undefined {
  const find = (name: string) => new RegExp(`\\b${name}\\b"?\\s*[:=]\\s*"?([\\w+/=-]+)`).exec(text)?.[1]
  const [signerKey, separator] = [readBase64(find('base64_signer_key')), readBase64(find('base64_salt_separator'))]
  const [rounds, memCost] = [Number(find('rounds')), Number(find('mem_cost'))]
  return signerKey && separator && rounds > 0 && memCost > 0 ? { signerKey, separator, rounds, memCost } : undefined
}

/** The first member of an entry that Signet's own JSON Lines do not have. */
export function unknownMemberOf (entry: unknown): string | undefined {
  return Object.keys(Object(entry) as object).find(name => !OWN_MEMBERS.has(name))
}

function readOwn (entry: Members): Told | Refusal {
  if (unknownMemberOf(entry) !== undefined) return 'member_unknown'
  const { id, email, email_verified: emailVerified, name, password_hash: hash, roles, created_at: createdAt } = entry
  return { id, email, emailVerified, name, hash: hashOf(hash), roles, createdAt, isDisabled: false }
}

/** Its bulk import's users, and those of its export of password hashes, whose address may be among the identifiers alone. */
function readAuth0 (entry: Members): Told {
  const identifiers = Array.isArray(entry['identifiers']) ? entry['identifiers'].filter(isMembers) : []
  const address = identifiers.find(({ type }) => type === 'email')
  const email = entry['email'] ?? address?.['value']
  const id = entry['user_id'] ?? entry['alt_id'] ?? (isMembers(entry['_id']) ? entry['_id']['$oid'] : undefined)
  const custom = entry['custom_password_hash']
  // Where nobody gave a name it is the address.
  const name = isMissing(entry['name']) || entry['name'] === email ? joined(entry['given_name'], entry['family_name']) : entry['name']
  return {
    id: typeof id === 'string' && !id.includes('|') ? `auth0|${id}` : id,
    email,
    emailVerified: entry['email_verified'] ?? address?.['verified'],
    name,
    hash: isMembers(custom) ? readAuth0Hash(custom) : hashOf(entry['passwordHash'] ?? entry['password_hash']),
    createdAt: entry['created_at'],
    isDisabled: entry['blocked'] === true,
  }
}

function readAuth0Hash ({ algorithm, hash, salt, keylen, cost = 16_384, blockSize = 8, parallelization: parallelism = 1, password }: Members): Told['hash'] {
  if (!isMembers(hash) || typeof hash['value'] !== 'string') return 'hash_malformed'
  if (isMembers(password) && (password['encoding'] ?? 'utf8') !== 'utf8') return 'hash_unknown'
  if (algorithm === 'argon2' || algorithm === 'bcrypt' || algorithm === 'pbkdf2') return readForeignHash(hash['value'])
  if (algorithm !== 'scrypt') return 'hash_unknown'
  const [digest, saltBytes] = [encoded(hash), isMembers(salt) ? encoded(salt) : undefined]
  if (!digest || !saltBytes || !areNumbers([cost, blockSize, parallelism]) || !Number.isInteger(Math.log2(cost as number)) || (keylen ?? digest.length) !== digest.length) return 'hash_malformed'
  return checkHash({ scheme: 'scrypt', logCost: Math.log2(cost as number), blockSize: blockSize as number, parallelism: parallelism as number, salt: saltBytes, digest })
}

function encoded ({ value, encoding = 'utf8' }: Members): Buffer | undefined {
  if (encoding === 'base64') return readBase64(value)
  if (typeof value !== 'string' || (encoding !== 'utf8' && encoding !== 'hex') || (encoding === 'hex' && !/^(?:[\da-f]{2})*$/i.test(value))) return undefined
  return Buffer.from(value, encoding)
}

function readFirebase (entry: Members, { firebase }: Reading): Told {
  const { localId: id, email, emailVerified, displayName: name, createdAt, passwordHash, salt, passwordSalt = salt, disabled } = entry
  return { id, email, emailVerified, name, hash: readFirebaseHash(passwordHash, passwordSalt, firebase), createdAt, isDisabled: disabled === true }
}

function isRow (entry: unknown): entry is unknown[] {
  return Array.isArray(entry) && entry.length >= FIREBASE_ROW_LENGTH
}

/** A row of its CSV as its JSON has it; undefined if nobody can say whether the user is disabled. */
function membersOf (row: unknown[]): Members | undefined {
  const members = Object.fromEntries(FIREBASE_COLUMNS.map(([name, at]) => [name, row[at]]))
  const { emailVerified: verified, disabled } = members
  if (!FLAGS.has(disabled)) return undefined
  return { ...members, emailVerified: FLAGS.has(verified) ? FLAGS.get(verified) : verified, disabled: FLAGS.get(disabled) }
}

function readFirebaseHash (hash: unknown, salt: unknown, parameters: FirebaseParameters | undefined): Told['hash'] {
  if (isMissing(hash)) return 'password_missing'
  const [digest, saltBytes] = [readBase64(hash), readBase64(salt ?? '')]
  if (!digest || !saltBytes) return 'hash_malformed'
  // Hashes that were imported there are Base64 of their text.
  if (digest.toString('latin1').startsWith('$2')) return readForeignHash(digest.toString('latin1'))
  if (!parameters) return 'hash_parameters_missing'
  const { signerKey, separator, rounds, memCost } = parameters
  return checkHash({ scheme: 'fbscrypt', logCost: memCost, blockSize: rounds, separator, signerKey, salt: saltBytes, digest })
}

function readKeycloak (entry: Members): Told | Refusal {
  // A realm that has no users.
  if (Object.hasOwn(entry, 'realm')) return 'not_a_user'
  const { id, email, emailVerified, firstName, lastName, createdTimestamp: createdAt, enabled, credentials } = entry
  const password = Array.isArray(credentials) ? credentials.filter(isMembers).find(({ type }) => type === 'password') : undefined
  return { id, email, emailVerified, name: joined(firstName, lastName), hash: password ? readKeycloakHash(password) : 'password_missing', createdAt, isDisabled: enabled === false }
}

function readKeycloakHash ({ secretData, credentialData }: Members): Told['hash'] {
  const [secret, data] = [parseMembers(secretData), parseMembers(credentialData)]
  const [salt, digest] = [readBase64(secret['salt']), readBase64(secret['value'])]
  const { algorithm, hashIterations: iterations } = data
  if (!salt || !digest || !areNumbers([iterations])) return 'hash_malformed'
  if (algorithm === 'argon2') return readKeycloakArgon2(parseMembers(data['additionalParameters']), iterations as number, { salt, digest })
  const digestName = KEYCLOAK_PBKDF2.get(algorithm)
  return digestName ? checkHash({ scheme: 'pbkdf2', algorithm: digestName, iterations: iterations as number, salt, digest }) : 'hash_unknown'
}

/** Each parameter is a list of one text. */
function readKeycloakArgon2 (parameters: Members, passes: number, bytes: { salt: Buffer, digest: Buffer }): PasswordHash | HashRefusal {
  const [type, version, memory, lanes] = ['type', 'version', 'memory', 'parallelism'].map(name => String(parameters[name]))
  if ((type !== 'id' && type !== 'i' && type !== 'd') || (version !== '1.3' && version !== '1.0')) return 'hash_unknown'
  if (!areNumbers([Number(memory), Number(lanes)])) return 'hash_malformed'
  return checkHash({ scheme: 'argon2', type, version: version === '1.3' ? 19 : 16, memory: Number(memory), passes, lanes: Number(lanes), ...bytes })
}

/** A row of `auth.users`, as JSON or of CSV, where every value is text. */
function readSupabase (entry: Members, { now }: Reading): Told | Refusal {
  const { id, email, encrypted_password: hash, email_confirmed_at: confirmed, created_at: createdAt, banned_until: bannedUntil, deleted_at: deletedAt } = entry
  if (!isMissing(deletedAt)) return 'deleted'
  const { name, full_name: fullName } = parseMembers(entry['raw_user_meta_data'])
  const banned = !isMissing(bannedUntil) && !((readInstant(bannedUntil, now) ?? Infinity) <= now)
  return { id, email, emailVerified: !isMissing(confirmed), name: name ?? fullName, hash: hashOf(hash), createdAt, isDisabled: banned }
}

/** An object of `dumpdata`, of `auth.user` or a model in its place. */
function readDjango ({ pk: id, fields }: Members): Told | Refusal {
  if (!isMembers(fields) || !Object.hasOwn(fields, 'password')) return 'not_a_user'
  const { email, password, first_name: first, last_name: last, date_joined: createdAt, is_active: isActive } = fields
  // What begins so was made to be no password.
  const hash = typeof password === 'string' && password.startsWith('!') ? 'password_missing' : hashOf(password)
  return { id, email, emailVerified: undefined, name: joined(first, last), hash, createdAt, isDisabled: isActive === false }
}

function hashOf (hash: unknown): Told['hash'] {
  if (isMissing(hash)) return 'password_missing'
  return typeof hash === 'string' ? readForeignHash(hash) : 'hash_malformed'
}

function isMembers (value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object, or one that is written as JSON in a text; empty if it is neither. */
function parseMembers (value: unknown): Members {
  try {
    const parsed = typeof value === 'string' ? JSON.parse(value) as unknown : value
    return isMembers(parsed) ? parsed : {}
  } catch {
    return {}
  }
}

function areNumbers (values: unknown[]): boolean {
  return values.every(value => Number.isSafeInteger(value) && (value as number) > 0)
}

function joined (...names: unknown[]): string {
  return names.filter(name => typeof name === 'string').join(' ')
}
