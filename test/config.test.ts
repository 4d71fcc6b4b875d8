// Every setting: its default runs, its faults are one sentence, and schema, .env.example and docs/settings.md agree.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { askingLimits, partOfWorker, readConfig, readEnvironment, SETTINGS, withPort, workersOf } from '../src/config.js'

const names = Object.entries(SETTINGS).map(([name, { default: value, description }]) => ({ name, value: String(value), description: String(description) }))

t.test('no setting is needed', async t => {
  const config = readConfig({})
  for (const { name, value } of names) {
    if (!['ISSUER', 'HASH_THREADS', 'DOCS'].includes(name)) t.equal(String(config[name as keyof typeof config]), value, name)
  }
  t.equal(config.ISSUER, 'http://127.0.0.1:3000')
  t.equal(config.HASH_THREADS, availableParallelism())
  t.strictSame(readConfig(Object.fromEntries(names.map(({ name, value }) => [name, value]))), config, 'the defaults written out are the defaults')
})

t.test('the limits by address are divided among the nodes, at least one to each, and those by account are not', async t => {
  const limitsOf = (env: Record<string, string>) => {
    const { address: { max, loginMax, registerMax }, guesses } = askingLimits(readConfig(env))
    return { limits: [max, loginMax, registerMax], guesses }
  }
  const one = limitsOf({})
  t.strictSame(one, { limits: [600, 30, 10], guesses: { window: 900_000, placeMax: 10, accountMax: 100 } })
  t.strictSame(limitsOf({ RATE_LIMIT_NODES: '20' }), { ...one, limits: [30, 2, 1] })
  t.strictSame(limitsOf({ RATE_LIMIT_NODES: '7' }), { ...one, limits: [86, 5, 2] })
  t.strictSame(limitsOf({ RATE_LIMIT_NODES: '10000' }), { ...one, limits: [1, 1, 1] })
  for (const nodes of ['0', '10001', '1.5', 'auto']) t.throws(() => readConfig({ RATE_LIMIT_NODES: nodes }), { message: 'The setting RATE_LIMIT_NODES must be a whole number from 1 to 10000, in digits.' })
})

t.test('the docs are for development, unless somebody says otherwise', async t => {
  const production = { NODE_ENV: 'production', ISSUER: 'https://id.example' }
  for (const [env, docs] of [[{}, 'true'], [{ DOCS: 'false' }, 'false'], [production, 'false'], [{ ...production, DOCS: 'true' }, 'true'], [{ ...production, DOCS: 'auto' }, 'false']] as const) t.equal(readConfig(env).DOCS, docs)
})

t.test('a yes is true and a no is false, and what they were called before still holds', async t => {
  const flags = names.filter(({ value }) => ['true', 'false'].includes(value)).map(({ name }) => name)
  t.strictSame(flags, ['REQUIRE_VERIFIED_EMAIL', 'RATE_LIMIT', 'STATUS_LIST', 'HSTS_INCLUDE_SUBDOMAINS', 'ALLOW_PLAIN_HTTP', 'ACCOUNT_PAGE'])
  const withTls = { TLS_CERT_FILE: 'cert', TLS_KEY_FILE: 'key' }
  for (const name of flags) {
    for (const [value, is] of [['true', true], ['false', false], ['on', true], ['off', false]] as const) t.equal(readConfig({ ...withTls, [name]: value })[name as 'RATE_LIMIT'], is, `${name}=${value}`)
    for (const value of ['yes', '1', 'ON', 'auto']) t.throws(() => readConfig({ [name]: value }), { message: `The setting ${name} must be true or false.` })
  }
  t.strictSame([readConfig({ DOCS: 'on' }).DOCS, readConfig({ DOCS: 'off' }).DOCS], ['true', 'false'])
})

t.test('a duration is seconds, or says what it is', async t => {
  for (const [value, seconds] of [['90', 90], ['90s', 90], ['10m', 600], ['12h', 43_200], ['1d', 86_400]] as const) t.equal(readConfig({ ACCESS_TOKEN_TTL: value }).ACCESS_TOKEN_TTL, seconds, value)
  for (const value of ['10 m', '1.5h', '10min', '2w', 'm', '-1m', '9s', '2d']) {
    t.throws(() => readConfig({ ACCESS_TOKEN_TTL: value }), { message: 'The setting ACCESS_TOKEN_TTL must be from 10 to 86400 seconds, in digits, or with a unit as in 90s, 10m, 12h or 14d.' }, value)
  }
  t.throws(() => readConfig({ RATE_LIMIT_MAX: '10m' }), { message: 'The setting RATE_LIMIT_MAX must be a whole number from 1 to 1000000, in digits.' }, 'what is no duration has no unit')
})

t.test('a number is written in digits', async t => {
  const numbers = Object.entries(SETTINGS).filter(([, { type }]) => type === 'integer').map(([name]) => name)
  t.ok(numbers.includes('PORT') && numbers.includes('REFRESH_GRACE'))
  for (const name of numbers) {
    for (const value of ['1e1', '0x10', '+20', '20.0', '٢٠', '2_0', '1e400', '9'.repeat(400)]) {
      t.throws(() => readConfig({ [name]: value }), { message: new RegExp(`^The setting ${name} must be [^.]*, in digits(, or with a unit as in 90s, 10m, 12h or 14d)?\\.$`) }, `${name}=${value}`)
    }
  }
  t.throws(() => readConfig({ REFRESH_TOKEN_TTL: `${'9'.repeat(400)}d` }), { message: 'The setting REFRESH_TOKEN_TTL must be from 1 to 315360000 seconds, in digits, or with a unit as in 90s, 10m, 12h or 14d.' })
  t.match(readConfig({ PORT: '080', REFRESH_TOKEN_TTL: '0090d' }), { PORT: 80, REFRESH_TOKEN_TTL: 7_776_000 }, 'and those that lead it with zeros are the same number')
})

t.test('an issuer that is not set is the address that Signet listens on', async t => {
  t.equal(readConfig({ PORT: '8443', HOST: '::1', TLS_CERT_FILE: 'cert', TLS_KEY_FILE: 'key' }).ISSUER, 'https://[::1]:8443')
  for (const ISSUER of ['https://id.example', 'https://id.example/', 'http://localhost:3000/tenants/1', 'HTTPS://ID.example:443']) t.equal(readConfig({ ISSUER, PORT: '0' }).ISSUER, ISSUER, 'as it is written')
  const unknown = readConfig({ PORT: '0', HOST: '::1' })
  t.equal(unknown.ISSUER, '', 'which nobody knows before it listens')
  t.strictSame(withPort(unknown, 4321), { ...unknown, PORT: 4321, ISSUER: 'http://[::1]:4321' })
})

t.test('a bad value is refused in one sentence that names its setting', async t => {
  const faults: Array<[Record<string, string>, string]> = [
    [{ PORT: '70000' }, 'The setting PORT must be a whole number from 0 to 65535, in digits.'],
    [{ PORT: 'http' }, 'The setting PORT must be a whole number from 0 to 65535, in digits.'],
    [{ BCRYPT_COST: '3' }, 'The setting BCRYPT_COST must be a whole number from 4 to 18, in digits.'],
    [{ ACTIVE_TOKENS_POLICY: 'ask' }, 'The setting ACTIVE_TOKENS_POLICY must be one of evict, refuse.'],
    [{ DATABASE_URL: 'postgres://x' }, 'The setting DATABASE_URL must be `file:PATH`, an embedded SQLite file, or the `mongodb://` or `mongodb+srv://` URL of a MongoDB.'],
    ...['nobody', 'urn:signet', 'ftp://id.example', 'https:id.example', 'https:///id.example', 'https://', 'https://id.example?', 'https://id.example/?tenant=1', 'https://id.example/#top', 'https://ada@id.example', 'https://ada:secret@id.example', 'https://id.example/a b', 'https://id.example\\a', 'https://id.example:port']
      .map(ISSUER => [{ ISSUER }, 'The setting ISSUER must be a URL that begins with http:// or https://, without a user, a query or a fragment.'] as [Record<string, string>, string]),
    ...['a b', '[::1]', '127.0.0.999', '127.0.0.1.1', 'http://localhost', 'localhost:3000', 'ada@localhost'].map(HOST => [{ HOST }, 'The setting HOST must be an address or a name, such as 127.0.0.1, ::1 or localhost.'] as [Record<string, string>, string]),
    [{ HOST: 'fe80::1%eth0' }, 'The setting ISSUER must be set, for the address in HOST has no place in a URL.'],
    ...['*', 'null', 'app.example', 'https://app.example/', 'https://app.example,', 'HTTPS://app.example', 'https://app.example:443', 'ftp://app.example', 'https://*.example'].map(CORS_ORIGINS => [{ CORS_ORIGINS }, 'The setting CORS_ORIGINS must be origins such as https://app.example, with commas between; `*` is none.'] as [Record<string, string>, string]),
    [{ HSTS_INCLUDE_SUBDOMAINS: 'true' }, 'The setting HSTS_INCLUDE_SUBDOMAINS needs TLS_CERT_FILE: where a proxy speaks HTTPS, the proxy sends Strict-Transport-Security.'],
    [{ TLS_CERT_FILE: 'cert' }, 'The settings TLS_CERT_FILE and TLS_KEY_FILE go together.'],
    [{ REFRESH_TOKEN_IDLE_TTL: '100', REFRESH_TOKEN_TTL: '99' }, 'The setting REFRESH_TOKEN_IDLE_TTL must be at most REFRESH_TOKEN_TTL.'],
    ...['mail.example', 'http://mail.example', 'smtp://', 'smtp:///', 'smtp://mail.example/inbox', 'smtp://mail.example?starttls=maybe', 'smtp://mail.example?tls=no', 'smtps://mail.example?starttls=never', 'smtp://mail.example#x', 'smtp://a%zz:b@mail.example', 'smtp://mail.example:70000', 'smtp://a b@mail.example'].map(MAIL_URL => [{ MAIL_URL, MAIL_FROM: 'id@example.com' }, 'The setting MAIL_URL must be such as smtp://user:password@host:587 or smtps://user:password@host:465; smtp: may end in ?starttls=never.'] as [Record<string, string>, string]),
    ...['id', 'Example', 'Example <id>', 'a@b@c', 'id@example.com, eve@example.com', '<id@example.com', 'Example <id@example.com> x', 'a b@example.com'].map(MAIL_FROM => [{ MAIL_FROM }, 'The setting MAIL_FROM must be an e-mail address, or a name and an address such as Example <id@example.com>.'] as [Record<string, string>, string]),
    [{ MAIL_URL: 'smtp://mail.example' }, 'The setting MAIL_FROM must be set with MAIL_URL: whom mails are from.'],
    [{ MAIL_LANGUAGE: '../en' }, 'The setting MAIL_LANGUAGE must be the language of mails: `en`, `de`, or a folder of MAIL_TEMPLATES.'],
    [{ NODE_ENV: 'production', ISSUER: 'https://id.example', REGISTRATION: 'verified' }, 'The setting REGISTRATION=verified needs MAIL_URL in production: without mails nobody could confirm an address.'],
    [{ NODE_ENV: 'production', ISSUER: 'https://id.example', REQUIRE_VERIFIED_EMAIL: 'true' }, 'The setting REQUIRE_VERIFIED_EMAIL needs MAIL_URL in production: without mails nobody could confirm an address.'],
    [{ NODE_ENV: 'production' }, 'The setting ISSUER must be set in production: the URL at which verifiers know this authority.'],
    [{ NODE_ENV: 'production', ISSUER: 'https://id.example', HOST: '0.0.0.0' }, 'The setting HOST is beyond loopback in plain HTTP: set TLS_CERT_FILE, TRUST_PROXY or ALLOW_PLAIN_HTTP=true.'],
    [{ NODE_ENV: 'production', ISSUER: 'https://id.example', HOST: '0.0.0.0', TRUST_PROXY: '0' }, 'The setting HOST is beyond loopback in plain HTTP: set TLS_CERT_FILE, TRUST_PROXY or ALLOW_PLAIN_HTTP=true.'],
  ]
  for (const TRUST_PROXY of ['true', '10.0.0.0/33', '10.0.0.1/8/8', 'proxy.example', '::1/129', '10.0.0.1,', '-1', '10.0.0.0/']) {
    faults.push([{ TRUST_PROXY }, 'The setting TRUST_PROXY must be addresses or CIDR ranges with commas between, or a number of hops.'])
  }
  for (const [env, message] of faults) t.throws(() => readConfig(env), { message }, message)
})

t.test('a production listens beyond loopback behind TLS, behind a proxy, or where it is meant', async t => {
  const production = { NODE_ENV: 'production', ISSUER: 'https://id.example' }
  for (const env of [
    { HOST: '0.0.0.0', TLS_CERT_FILE: 'cert', TLS_KEY_FILE: 'key' }, { HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.0/8, ::1' }, { HOST: '::', TRUST_PROXY: '1' },
    { HOST: '0.0.0.0', ALLOW_PLAIN_HTTP: 'true' }, { HOST: 'localhost' }, { HOST: '::1' }, { HOST: '127.0.0.2' },
  ]) t.ok(readConfig({ ...production, ...env }), JSON.stringify(env))
})

t.test('a production that asks for proved addresses has mails, and a development need not', async t => {
  const mail = { MAIL_URL: 'smtps://user:p%40ss@mail.example', MAIL_FROM: 'Example <id@example.com>' }
  for (const env of [{ REGISTRATION: 'verified' }, { REQUIRE_VERIFIED_EMAIL: 'true' }, {}]) {
    t.ok(readConfig(env))
    t.ok(readConfig({ ...env, ...mail, NODE_ENV: 'production', ISSUER: 'https://id.example' }))
  }
  for (const MAIL_URL of ['smtp://mail.example', 'smtp://mail.example/', 'smtp://[::1]:25?starttls=never', 'smtp://user@mail.example:587', 'smtps://mail.example:465']) t.equal(readConfig({ ...mail, MAIL_URL }).MAIL_URL, MAIL_URL)
})

t.test('blanks around a value, which nobody sees, are not of it', async t => {
  const padded = Object.fromEntries(Object.entries({ ISSUER: 'https://id.example', AUDIENCE: 'orders', KEYS_DIR: './ring', HOST: '::1', PORT: '4000', LOG_LEVEL: 'warn' }).map(([name, value]) => [name, `\uFEFF \t${value}\u00A0 \r\n`]))
  t.match(readConfig(padded), { ISSUER: 'https://id.example', AUDIENCE: 'orders', KEYS_DIR: './ring', HOST: '::1', PORT: 4000, LOG_LEVEL: 'warn' })
  t.strictSame(readConfig({ AUDIENCE: ' \r\n', PORT: '\t' }), readConfig({}), 'and a value of blanks is none')
})

t.test('a value with what cannot be seen in it is refused', async t => {
  for (const unseen of ['\n', '\r', '\0', '\u0085', '\u200B', '\u202E', '\u2028', '\uFEFF', '\uFFFD']) {
    for (const name of ['ISSUER', 'AUDIENCE', 'KEYS_DIR', 'DATABASE_URL', 'PORT']) {
      t.throws(() => readConfig({ [name]: `file:a${unseen}b` }), { message: `The setting ${name} holds a line break, or another character that is not seen, or is not in UTF-8: type it anew.` }, `${name} ${unseen.codePointAt(0)!.toString(16)}`)
    }
  }
})

/** What the settings are in a folder with this file .env, and what is said of it. */
function inFolderWith (file: string | Uint8Array) {
  const folder = mkdtempSync(join(tmpdir(), 'signet-'))
  const before = process.cwd()
  writeFileSync(join(folder, '.env'), file)
  process.chdir(folder)
  const said: string[] = []
  try {
    return { ...readConfig(readEnvironment(sentence => { said.push(sentence) })), said }
  } finally {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  }
}

t.test('workers share what is meant for all of them, and the embedded store has one', async t => {
  const shared = { DATABASE_URL: 'mongodb://127.0.0.1/signet', HASH_THREADS: '4', HASH_QUEUE: '10', MAX_CONNECTIONS: '100', RATE_LIMIT_NODES: '2' }
  const config = readConfig({ ...shared, WORKERS: '3' })
  t.equal(workersOf(config), 3)
  t.strictSame(partOfWorker(config), { ...config, HASH_THREADS: 2, HASH_QUEUE: 4, MAX_CONNECTIONS: 34, RATE_LIMIT_NODES: 6 })
  t.equal(workersOf(readConfig({ ...shared, WORKERS: 'auto' })), availableParallelism())
  t.throws(() => readConfig({ WORKERS: '2' }), { message: /^The setting WORKERS must be 1 with the embedded store/ })
  for (const wrong of ['0', '-1', '1000', 'all', '2.5']) t.throws(() => readConfig({ ...shared, WORKERS: wrong }), { message: /^The setting WORKERS must be a number of processes/ }, wrong)
})

t.test('metrics are off, or have a port', async t => {
  t.match(readConfig({}), { METRICS_PORT: '', METRICS_HOST: '127.0.0.1' })
  for (const port of ['0', '9464', '65535']) t.equal(readConfig({ METRICS_PORT: port }).METRICS_PORT, port)
  for (const wrong of ['65536', '99999', '123456', '-1', '1e3', 'on', '80.5']) t.throws(() => readConfig({ METRICS_PORT: wrong }), { message: /^The setting METRICS_PORT must be a port from 0 to 65535/ }, wrong)
  t.throws(() => readConfig({ METRICS_HOST: 'no host' }), { message: 'The setting METRICS_HOST must be an address or a name, such as 127.0.0.1, ::1 or localhost.' })
})

t.test('a file .env sets what the environment does not', async t => {
  t.teardown(() => {
    delete process.env['AUDIENCE']
    delete process.env['CLIENT_ID']
  })
  process.env['AUDIENCE'] = 'environment'
  process.env['CLIENT_ID'] = ' '
  const { PORT, AUDIENCE, CLIENT_ID, said } = inFolderWith('PORT=4000\nAUDIENCE=file\nCLIENT_ID=file\n')
  t.strictSame({ PORT, AUDIENCE, CLIENT_ID, said }, { PORT: 4000, AUDIENCE: 'environment', CLIENT_ID: 'file', said: [] }, 'an empty value is an unset one')
})

t.test('the first line of a file .env counts behind a byte order mark', async t => {
  t.match(inFolderWith('\uFEFFLOG_LEVEL=warn\r\nAUDIENCE=orders\r\n'), { LOG_LEVEL: 'warn', AUDIENCE: 'orders', said: [] })
})

t.test('names in a file .env that are nobody\'s are said, with those that may be meant', async t => {
  const { said } = inFolderWith('ISSUR=x\nkeys_dir=x\nMONGODB_PASSWORD=x\nKEYS_DIRECTORY=x\nNODE_EVN=x\nHOME=x\nPORTS=1\nPORT=3001\n')
  t.strictSame(said, ['The file .env names what is not a setting of Signet, and does not count: ISSUR (or is ISSUER meant?), keys_dir (or is KEYS_DIR meant?), MONGODB_PASSWORD, KEYS_DIRECTORY, NODE_EVN (or is NODE_ENV meant?), HOME, PORTS (or is PORT meant?).'])
})

t.test('.env.example has every setting with its default, in order, and a comment', async t => {
  const lines = readFileSync('.env.example', 'utf8').split('\n').filter(line => line !== '')
  t.strictSame(lines.filter(line => !line.startsWith('#')), names.map(({ name, value }) => `${name}=${value}`))
  for (const { name } of names) t.match(lines[lines.findIndex(line => line.startsWith(`${name}=`)) - 1], /^# \S/, name)
})

t.test('the table of settings in the docs is the schema', async t => {
  const rows = readFileSync('docs/settings.md', 'utf8').split('\n').filter(line => /^\| `[A-Z_]+` \|/.test(line))
  t.strictSame(rows, names.map(({ name, value, description }) => `| \`${name}\` | ${value === '' ? '' : `\`${value}\``} | ${description.replaceAll('|', '\\|')} |`))
})
