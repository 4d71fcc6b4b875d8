// Every setting with its default and range, and the only reader of the environment; holds nothing that acts on one.
import { availableParallelism } from 'node:os'
import { isIP } from 'node:net'
import { envSchema } from 'env-schema'
import type { KeyKind, KeyTerms } from './core/key-life-cycle.js'
import { readSender } from './core/letters.js'
import { readEnvFile } from './env-file.js'
import { Type, type Static, type TSchema } from './schema.js'

const DAY = 86_400
/** Seconds after its last token has expired until a key is needed no more: clocks, leeways, and servers that are late to follow. */
const RETENTION_MARGIN = 300

/** Those settings that are seconds, and may be written with another unit. */
const DURATIONS = new Set<TSchema>()
const UNITS = { s: 1, m: 60, h: 3600, d: DAY }

function seconds (fallback: number, description: string, { minimum = 1, maximum = 3650 * DAY } = {}) {
  const setting = count(fallback, minimum, maximum, description)
  DURATIONS.add(setting)
  return setting
}

function count (fallback: number, minimum: number, maximum: number, description: string) {
  return Type.Integer({ default: fallback, minimum, maximum, description })
}

function choice<const Values extends string[]> (values: Values, fallback: Values[number], description: string) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: values, default: fallback, description })
}

function flag (fallback: boolean, description: string) {
  return Type.Boolean({ default: fallback, description })
}

function text (fallback: string, description: string) {
  return Type.String({ default: fallback, description })
}

/** All settings. Durations are whole seconds, which may be written as `90s`, `10m`, `12h` or `14d`; a yes is `true`, a no `false`. */
export const SETTINGS = {
  NODE_ENV: choice(['development', 'test', 'production'], 'development', 'production refuses an empty key ring, and plain HTTP beyond loopback'),
  HOST: text('127.0.0.1', 'address to listen on'),
  PORT: count(3000, 0, 65535, 'port to listen on; 0 takes a free one'),
  ISSUER: text('', 'the `iss` of access tokens, a URL; empty means the address that Signet listens on'),
  AUDIENCE: text('signet', 'the `aud` of access tokens: the name of your API'),
  CLIENT_ID: text('signet', 'the `client_id` of access tokens: the name of your front end'),
  DATABASE_URL: Type.String({ default: 'file:./data/signet.db', pattern: '^(file:.+|mongodb(\\+srv)?://.+)$', description: '`file:PATH`, an embedded SQLite file, or the `mongodb://` or `mongodb+srv://` URL of a MongoDB' }),
  KEYS_DIR: text('./keys', 'folder of the key ring'),
  KEYS_PASSPHRASE_FILE: text('', 'file with the passphrase of the ring\'s private keys; empty: they are kept in clear'),
  KEY_PREPUBLISH: seconds(3900, 'how long a key is published before it may sign', { minimum: 0 }),
  KEY_ROTATION_DAYS: count(90, 0, 3650, 'days after which a running server rotates the keys by itself; 0: never'),
  ACCESS_TOKEN_TTL: seconds(600, 'life of an access token', { minimum: 10, maximum: DAY }),
  REFRESH_TOKEN_IDLE_TTL: seconds(14 * DAY, 'a device unused for this long is logged out'),
  REFRESH_TOKEN_TTL: seconds(90 * DAY, 'a device is logged out this long after its log-in, however busy'),
  REFRESH_GRACE: seconds(30, 'for this long after a rotation the replaced refresh token is answered with its successor', { minimum: 0, maximum: 600 }),
  MAX_ACTIVE_TOKENS: count(10, 1, 100, 'devices a user may be logged in on'),
  ACTIVE_TOKENS_POLICY: choice(['evict', 'refuse'], 'evict', 'what one more does: `evict` the least recently used, or `refuse`'),
  BCRYPT_COST: count(12, 4, 18, "bcrypt's cost; one more doubles the time of a log-in"),
  REGISTRATION: choice(['open', 'closed', 'verified'], 'open', 'whether anybody may make an account; `closed`: the operator does, by `npm run users:add`; `verified`: anybody, but for a log-in the address must be confirmed, and nobody learns who has an account'),
  REQUIRE_VERIFIED_EMAIL: flag(false, '`true`: nobody logs in whose e-mail address is not confirmed'),
  MAIL_URL: text('', '`smtp://user:password@host:587`, where STARTTLS is demanded, or `smtps://user:password@host:465`; empty: mails are files in the folder outbox beside the database, and in production there are none'),
  MAIL_FROM: text('', 'who writes: `id@example.com` or `Example <id@example.com>`'),
  MAIL_LANGUAGE: Type.String({ default: 'en', pattern: '^[a-z]{2,3}(-[A-Za-z\\d]{2,8})*$', description: 'the language of mails: `en`, `de`, or a folder of MAIL_TEMPLATES' }),
  MAIL_TEMPLATES: text('', 'folder of texts that are sent in the stead of those in src/mail/templates'),
  PASSWORD_MIN_LENGTH: count(8, 8, 64, 'characters of a new password, at least; 8 for who has a second factor'),
  SECOND_FACTOR: choice(['optional', 'required'], 'optional', '`required`: who has no second factor adds one to log in'),
  HASH_THREADS: count(0, 0, 256, 'threads that hash passwords; 0 means one a core'),
  HASH_QUEUE: count(32, 1, 10_000, 'log-ins that may wait for a thread before the next is answered 503'),
  RATE_LIMIT: flag(true, '`false` is for load tests'),
  RATE_LIMIT_WINDOW: seconds(60, 'window of the limits by address'),
  RATE_LIMIT_MAX: count(600, 1, 1_000_000, 'requests an address may make in a window, over all routes'),
  RATE_LIMIT_LOGIN_MAX: count(30, 1, 1_000_000, 'log-ins an address may try in a window'),
  RATE_LIMIT_REGISTER_MAX: count(10, 1, 1_000_000, 'registrations an address may try in a window'),
  RATE_LIMIT_NODES: count(1, 1, 10_000, 'servers that share the load: each has its part of the limits by address, at least 1 of each'),
  RATE_LIMIT_ACCOUNT_WINDOW: seconds(900, 'window of the limits by account'),
  RATE_LIMIT_ACCOUNT_MAX: count(10, 1, 1_000_000, 'wrong passwords for an account from one device in its window, and from one address at one process'),
  RATE_LIMIT_ACCOUNT_TOTAL: count(100, 1, 1_000_000, 'wrong passwords for an account from all addresses in its window; those where it is logged in count apart, and so does each device that was'),
  STATUS_LIST: flag(true, 'whether access tokens name a status list, in which services see within seconds that a device was logged out'),
  STATUS_LIST_TTL: seconds(10, 'how long services may keep a status list before they fetch it anew', { maximum: 120 }),
  JWKS_MAX_AGE: seconds(300, 'max-age of the JWKS', { maximum: 900 }),
  CORS_ORIGINS: text('', 'origins beside its own whose pages may ask Signet and read its answers, exact, with commas between: `https://app.example`'),
  TRUST_PROXY: text('', 'the proxies whose X-Forwarded-For counts: addresses or CIDR ranges with commas between, or a number of hops'),
  TLS_CERT_FILE: text('', 'PEM certificate chain; with TLS_KEY_FILE Signet speaks HTTPS, and follows both files'),
  TLS_KEY_FILE: text('', 'PEM private key of the certificate'),
  HSTS_INCLUDE_SUBDOMAINS: flag(false, '`true`, with TLS_CERT_FILE: browsers demand HTTPS of all subdomains of this host too, for two years'),
  WORKERS: Type.String({ default: '1', pattern: '^(auto|[1-9]\\d{0,2})$', description: 'a number of processes that serve on the port, up to 999, or `auto`, one a core; more than one need MongoDB' }),
  MAX_CONNECTIONS: count(5000, 1, 1_000_000, 'connections that may be open at once; of the files that the process may open, they take three quarters at most'),
  ALLOW_PLAIN_HTTP: flag(false, '`true`: plain HTTP beyond loopback is meant, in production too'),
  LOG_LEVEL: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info', 'debug logs every request'),
  EVENTS_RETENTION_DAYS: count(90, 0, 3650, 'days for which security events are kept in the store; 0: they are in the log alone'),
  EVENTS_FORMAT: choice(['json', 'ocsf'], 'json', 'how the log tells of security events; `ocsf`: each as a line of OCSF 1.3'),
  METRICS_PORT: Type.String({ default: '', pattern: '^(\\d{1,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d\\d|655[0-2]\\d|6553[0-5])?$', description: 'a port from 0 to 65535 of its own for metrics, at /metrics, as Prometheus reads them; empty: there are none' }),
  METRICS_HOST: text('127.0.0.1', 'address to serve metrics on'),
  DOCS: choice(['true', 'false', 'auto'], 'auto', 'whether /docs is served; `auto`: except in production'),
  ACCOUNT_PAGE: flag(true, 'whether /account is served'),
} satisfies Record<string, TSchema>

const schema = Type.Object(SETTINGS)

/** A number is written in digits alone: 1e3, 0x10, and more digits than a number holds are slips of the hand. */
const DIGITS = /^\d{1,15}$/

/** What no setting means to hold: control and format characters, line breaks, and what bytes become that are not UTF-8. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u

export type Config = Static<typeof schema>

/**
 * The settings in `env`, defaults filled in; ISSUER is empty where it is to be the address and the port is not known yet.
 * Throws one sentence that names the setting which cannot be used.
 */
export function readConfig (env: NodeJS.ProcessEnv): Config {
  const config = parse(env)
  const fault = findFault(config)
  if (fault) throw new Error(fault)
  return {
    ...config,
    // What lists every route and takes a password helps those who build a front end, and those who attack one.
    DOCS: config.DOCS === 'auto' ? String(config.NODE_ENV !== 'production') as 'true' | 'false' : config.DOCS,
    ISSUER: config.ISSUER || (config.PORT === 0 ? '' : addressOf(config)),
    HASH_THREADS: config.HASH_THREADS || availableParallelism(),
  }
}

/** How many processes serve. */
export function workersOf ({ WORKERS: wanted }: Config): number {
  return wanted === 'auto' ? availableParallelism() : Number(wanted)
}

/** The settings of one of the workers: of what is meant for all of them each has its part. */
export function partOfWorker (config: Config): Config {
  const part = (whole: number) => Math.ceil(whole / workersOf(config))
  return { ...config, HASH_THREADS: part(config.HASH_THREADS), HASH_QUEUE: part(config.HASH_QUEUE), MAX_CONNECTIONS: part(config.MAX_CONNECTIONS), RATE_LIMIT_NODES: config.RATE_LIMIT_NODES * workersOf(config) }
}

/** The settings of a server for which this free port was found. */
export function withPort (config: Config, port: number): Config {
  return { ...config, PORT: port, ISSUER: addressOf({ ...config, PORT: port }) }
}

/**
 * The environment of the process over the file .env, where there is one. An empty value is an unset one. `warn` is told, in one sentence, which names of
 * the file are nobody's. Throws a sentence if the file cannot be read.
 */
export function readEnvironment (warn: (sentence: string) => void): NodeJS.ProcessEnv {
  const file = readEnvFile('.env')
  const strangers = Object.keys(file).filter(name => !Object.hasOwn(SETTINGS, name))
  if (strangers.length > 0) warn(`The file .env names what is not a setting of Signet, and does not count: ${strangers.map(withLikeness).join(', ')}.`)
  return { ...file, ...withoutBlank(process.env) }
}

function withLikeness (name: string): string {
  const [[alike, letters]] = Object.keys(SETTINGS).map(setting => [setting, differing(name.toUpperCase(), setting)] as const).sort((one, other) => one[1] - other[1]) as [readonly [string, number]]
  return letters <= 2 && letters < name.length / 2 ? `${name} (or is ${alike} meant?)` : name
}

/** How many letters must be added, taken away or replaced to make one name of the other (Levenshtein's distance). */
function differing (one: string, other: string): number {
  let before = [...Array(other.length + 1).keys()]
  for (const [row, letter] of [...one].entries()) {
    const now = [row + 1]
    for (const [column, there] of [...other].entries()) now.push(Math.min(now[column]! + 1, before[column + 1]! + 1, before[column]! + Number(letter !== there)))
    before = now
  }
  return before.at(-1)!
}

/** How long the keys of each kind live, in milliseconds. */
export function keyTerms (config: Config): Record<KeyKind, KeyTerms> {
  const terms = { prepublish: config.KEY_PREPUBLISH * 1000, interval: config.KEY_ROTATION_DAYS * DAY * 1000 }
  return {
    signing: { ...terms, retention: closingRetention(config) },
    refresh: { ...terms, retention: (config.REFRESH_TOKEN_IDLE_TTL + RETENTION_MARGIN) * 1000 },
    // What was sealed may be there for years, so that nothing but a command takes a step.
    sealing: { ...terms, retention: Infinity, interval: 0 },
  }
}

function parse (env: NodeJS.ProcessEnv): Config {
  const data = withoutBlank(env)
  for (const [name, value] of Object.entries(data)) if (UNSEEN.test(value)) throw new Error(`The setting ${name} holds a line break, or another character that is not seen, or is not in UTF-8: type it anew.`)
  const spelled = Object.entries(data).map(([name, value]) => [name, inOneSpelling(SETTINGS[name as keyof typeof SETTINGS], value)] as const)
  const [noNumber] = spelled.find(([name, value]) => SETTINGS[name as keyof typeof SETTINGS].type === 'integer' && !DIGITS.test(value)) ?? []
  if (noNumber) throw refused(noNumber)
  try {
    // One schema for all, for each is compiled once.
    return envSchema<Config>({ schema, env: false, data: Object.fromEntries(spelled) })
  } catch (cause) {
    const [error] = (cause as { errors: Array<{ instancePath: string }> }).errors
    throw refused(error!.instancePath.slice(1), cause)
  }
}

function refused (name: string, cause?: unknown): Error {
  return new Error(`The setting ${name} must be ${wanted(SETTINGS[name as keyof typeof SETTINGS])}.`, { cause })
}

/** The settings among the values, without the blanks around them that are not seen. An empty value is an unset one, as in every line of .env.example that has no default. */
function withoutBlank (env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.keys(SETTINGS).map(name => [name, (env[name] ?? '').trim()] as const).filter(([, value]) => value !== ''))
}

/** Durations in seconds, and a yes and a no as they are written here; both had other spellings, which hold. */
function inOneSpelling (setting: TSchema, value: string): string {
  const [, amount, unit] = (DURATIONS.has(setting) && /^(\d+)([smhd])$/.exec(value)) || []
  if (unit) return String(Number(amount) * UNITS[unit as keyof typeof UNITS])
  const isYesOrNo = setting.type === 'boolean' || (setting['enum'] as string[] | undefined)?.includes('true')
  return isYesOrNo ? { on: 'true', off: 'false' }[value] ?? value : value
}

function wanted (setting: TSchema): string {
  if (setting.type === 'boolean') return 'true or false'
  if (DURATIONS.has(setting)) return `from ${setting['minimum']} to ${setting['maximum']} seconds, in digits, or with a unit as in 90s, 10m, 12h or 14d`
  if (setting['enum']) return `one of ${(setting['enum'] as string[]).join(', ')}`
  if (setting.type === 'integer') return `a whole number from ${setting['minimum']} to ${setting['maximum']}, in digits`
  return String(setting.description)
}

function findFault (config: Config): string | undefined {
  if (workersOf(config) > 1 && config.DATABASE_URL.startsWith('file:')) return 'The setting WORKERS must be 1 with the embedded store, whose file has one writer at a time: more processes need a MongoDB in DATABASE_URL.'
  const noHost = (['HOST', 'METRICS_HOST'] as const).find(name => isIP(config[name]) === 0 && !isName(config[name]))
  if (noHost) return `The setting ${noHost} must be an address or a name, such as 127.0.0.1, ::1 or localhost.`
  if (config.ISSUER === '' && !URL.canParse(addressOf(config))) return 'The setting ISSUER must be set, for the address in HOST has no place in a URL.'
  if (config.ISSUER && !isIssuer(config.ISSUER)) return 'The setting ISSUER must be a URL that begins with http:// or https://, without a user, a query or a fragment.'
  if (Boolean(config.TLS_CERT_FILE) !== Boolean(config.TLS_KEY_FILE)) return 'The settings TLS_CERT_FILE and TLS_KEY_FILE go together.'
  if (config.HSTS_INCLUDE_SUBDOMAINS && !config.TLS_CERT_FILE) return 'The setting HSTS_INCLUDE_SUBDOMAINS needs TLS_CERT_FILE: where a proxy speaks HTTPS, the proxy sends Strict-Transport-Security.'
  if (!listOf(config.CORS_ORIGINS).every(isOrigin)) return 'The setting CORS_ORIGINS must be origins such as https://app.example, with commas between; `*` is none.'
  if (!isTrustProxy(config.TRUST_PROXY)) return 'The setting TRUST_PROXY must be addresses or CIDR ranges with commas between, or a number of hops.'
  if (config.REFRESH_TOKEN_IDLE_TTL > config.REFRESH_TOKEN_TTL) return 'The setting REFRESH_TOKEN_IDLE_TTL must be at most REFRESH_TOKEN_TTL.'
  const mailFault = findMailFault(config)
  if (mailFault) return mailFault
  if (config.NODE_ENV !== 'production') return undefined
  if (!config.ISSUER) return 'The setting ISSUER must be set in production: the URL at which verifiers know this authority.'
  // No hop is no proxy.
  const isProxied = Number(config.TRUST_PROXY) !== 0
  const isPlain = !config.TLS_CERT_FILE && !isProxied && !config.ALLOW_PLAIN_HTTP
  if (isPlain && !isLoopback(config.HOST)) return 'The setting HOST is beyond loopback in plain HTTP: set TLS_CERT_FILE, TRUST_PROXY or ALLOW_PLAIN_HTTP=true.'
  return undefined
}

function findMailFault ({ MAIL_URL: url, MAIL_FROM: from, NODE_ENV: environment, REGISTRATION: registration, REQUIRE_VERIFIED_EMAIL: isRequired }: Config): string | undefined {
  if (url && !isMailUrl(url)) return 'The setting MAIL_URL must be such as smtp://user:password@host:587 or smtps://user:password@host:465; smtp: may end in ?starttls=never.'
  if (from && !readSender(from)) return 'The setting MAIL_FROM must be an e-mail address, or a name and an address such as Example <id@example.com>.'
  if (url && !from) return 'The setting MAIL_FROM must be set with MAIL_URL: whom mails are from.'
  if (environment !== 'production' || url) return undefined
  if (registration === 'verified') return 'The setting REGISTRATION=verified needs MAIL_URL in production: without mails nobody could confirm an address.'
  if (isRequired) return 'The setting REQUIRE_VERIFIED_EMAIL needs MAIL_URL in production: without mails nobody could confirm an address.'
  return undefined
}

function isMailUrl (value: string): boolean {
  return /^smtps?:\/\/[^\s/?#]+\/?$|^smtp:\/\/[^\s/?#]+\/?\?starttls=never$/.test(value) && URL.canParse(value) && new URL(value).hostname !== '' && isDecodable(value)
}

function isDecodable (value: string): boolean {
  try {
    return decodeURIComponent(value) !== ''
  } catch {
    return false
  }
}

/** Whether nobody logs in whose address is not proved. */
export function requiresVerifiedEmail (config: Config): boolean {
  return config.REQUIRE_VERIFIED_EMAIL || config.REGISTRATION === 'verified'
}

/** The members of a setting with commas between. */
export function listOf (value: string): string[] {
  return value === '' ? [] : value.split(',').map(member => member.trim())
}

// What ends in a number is an address or nothing (URL Standard, section 3.5).
function isName (host: string): boolean {
  return /^[\w.-]+$/.test(host) && URL.canParse(`http://${host}`)
}

function isOrigin (value: string): boolean {
  return /^https?:[^*]+$/.test(value) && URL.canParse(value) && new URL(value).origin === value
}

function isTrustProxy (value: string): boolean {
  return value === '' || /^\d{1,2}$/.test(value) || value.split(',').every(range => isRange(range.trim()))
}

function isRange (range: string): boolean {
  const [address = '', bits = '0', ...rest] = range.split('/')
  const widest = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= widest
}

function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

// What OpenID Connect Discovery 1.0, section 3, and RFC 8414, section 2, say of one.
function isIssuer (value: string): boolean {
  return /^https?:\/\/[^\s\\/?#@]+(\/[^\s\\?#]*)?$/i.test(value) && URL.canParse(value)
}

/** Where a server of these settings is found. */
function addressOf ({ HOST: host, PORT: port, TLS_CERT_FILE: cert }: Config): string {
  return `${cert ? 'https' : 'http'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

/** The ages of a family and its tokens, in milliseconds. */
export function familyLimits (config: Config): { idle: number, absolute: number, grace: number } {
  return { idle: config.REFRESH_TOKEN_IDLE_TTL * 1000, absolute: config.REFRESH_TOKEN_TTL * 1000, grace: config.REFRESH_GRACE * 1000 }
}

/** How long a closing counts, and a key that signs no more is needed, in milliseconds: until the last access token has expired, by every clock. */
export function closingRetention (config: Config): number {
  return (config.ACCESS_TOKEN_TTL + RETENTION_MARGIN) * 1000
}

/** How often an address may ask of one of the nodes, and how often it may be guessed at an account; windows in milliseconds. */
export function askingLimits (config: Config) {
  const isOn = config.RATE_LIMIT
  const part = (limit: number) => Math.ceil(limit / config.RATE_LIMIT_NODES)
  return {
    address: { enabled: isOn, window: config.RATE_LIMIT_WINDOW * 1000, max: part(config.RATE_LIMIT_MAX), loginMax: part(config.RATE_LIMIT_LOGIN_MAX), registerMax: part(config.RATE_LIMIT_REGISTER_MAX) },
    guesses: isOn ? { window: config.RATE_LIMIT_ACCOUNT_WINDOW * 1000, placeMax: config.RATE_LIMIT_ACCOUNT_MAX, accountMax: config.RATE_LIMIT_ACCOUNT_TOTAL } : undefined,
  }
}

/** What tokens say, and how long and how many of them are good; `ttl` in seconds. */
export function tokenSettings (config: Config) {
  return {
    accessToken: { issuer: config.ISSUER, audience: config.AUDIENCE, clientId: config.CLIENT_ID, ttl: config.ACCESS_TOKEN_TTL },
    families: familyLimits(config),
    closingRetention: closingRetention(config),
    maxActive: config.MAX_ACTIVE_TOKENS,
    policy: config.ACTIVE_TOKENS_POLICY,
  }
}

/** For how long security events are kept, in milliseconds. */
export function eventRetention (config: Config): number {
  return config.EVENTS_RETENTION_DAYS * DAY * 1000
}
