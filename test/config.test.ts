// Every setting: its default runs, its faults are one sentence, and schema, .env.example and README agree.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readConfig, readEnvironment, SETTINGS } from '../src/config.js'

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

t.test('the docs are for development, unless somebody says otherwise', async t => {
  const production = { NODE_ENV: 'production', ISSUER: 'https://id.example' }
  for (const [env, docs] of [[{}, 'on'], [{ DOCS: 'off' }, 'off'], [production, 'off'], [{ ...production, DOCS: 'on' }, 'on'], [{ ...production, DOCS: 'auto' }, 'off']] as const) t.equal(readConfig(env).DOCS, docs)
})

t.test('an issuer that is not set is the address that Signet listens on', async t => {
  t.equal(readConfig({ PORT: '8443', HOST: '::1', TLS_CERT_FILE: 'cert', TLS_KEY_FILE: 'key' }).ISSUER, 'https://[::1]:8443')
  t.equal(readConfig({ ISSUER: 'https://id.example' }).ISSUER, 'https://id.example')
})

t.test('a bad value is refused in one sentence that names its setting', async t => {
  const faults: Array<[Record<string, string>, string]> = [
    [{ PORT: '70000' }, 'The setting PORT must be <= 65535.'],
    [{ PORT: 'http' }, 'The setting PORT must be integer.'],
    [{ BCRYPT_COST: '3' }, 'The setting BCRYPT_COST must be >= 4.'],
    [{ ACTIVE_TOKENS_POLICY: 'ask' }, 'The setting ACTIVE_TOKENS_POLICY must be equal to one of the allowed values: evict, refuse.'],
    [{ DATABASE_URL: 'postgres://x' }, 'The setting DATABASE_URL must match pattern "^(file:.+|mongodb(\\+srv)?://.+)$".'],
    [{ ISSUER: 'nobody' }, 'The setting ISSUER must be a URL.'],
    ...['*', 'null', 'app.example', 'https://app.example/', 'https://app.example,', 'HTTPS://app.example', 'https://app.example:443', 'ftp://app.example', 'https://*.example'].map(CORS_ORIGINS => [{ CORS_ORIGINS }, 'The setting CORS_ORIGINS must be origins such as https://app.example, with commas between; `*` is none.'] as [Record<string, string>, string]),
    [{ HSTS_INCLUDE_SUBDOMAINS: 'true' }, 'The setting HSTS_INCLUDE_SUBDOMAINS needs TLS_CERT_FILE: where a proxy speaks HTTPS, the proxy sends Strict-Transport-Security.'],
    [{ TLS_CERT_FILE: 'cert' }, 'The settings TLS_CERT_FILE and TLS_KEY_FILE go together.'],
    [{ REFRESH_TOKEN_IDLE_TTL: '100', REFRESH_TOKEN_TTL: '99' }, 'The setting REFRESH_TOKEN_IDLE_TTL must be at most REFRESH_TOKEN_TTL.'],
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

t.test('a file .env sets what the environment does not', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-'))
  const before = process.cwd()
  t.teardown(() => {
    process.chdir(before)
    delete process.env['AUDIENCE']
    rmSync(folder, { recursive: true })
  })
  writeFileSync(join(folder, '.env'), 'PORT=4000\nAUDIENCE=file\nUNKNOWN=1\n')
  process.chdir(folder)
  process.env['AUDIENCE'] = 'environment'
  const { PORT, AUDIENCE } = readConfig(readEnvironment())
  t.strictSame({ PORT, AUDIENCE }, { PORT: 4000, AUDIENCE: 'environment' })
})

t.test('.env.example has every setting with its default, in order, and a comment', async t => {
  const lines = readFileSync('.env.example', 'utf8').split('\n').filter(line => line !== '')
  t.strictSame(lines.filter(line => !line.startsWith('#')), names.map(({ name, value }) => `${name}=${value}`))
  for (const { name } of names) t.match(lines[lines.findIndex(line => line.startsWith(`${name}=`)) - 1], /^# \S/, name)
})

t.test('the table of settings in the README is the schema', async t => {
  const rows = readFileSync('README.md', 'utf8').split('\n').filter(line => /^\| `[A-Z_]+` \|/.test(line))
  t.strictSame(rows, names.map(({ name, value, description }) => `| \`${name}\` | ${value === '' ? '' : `\`${value}\``} | ${description.replaceAll('|', '\\|')} |`))
})
