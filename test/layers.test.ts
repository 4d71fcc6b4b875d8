// Imports run one way, and only one file reads the environment.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { sourceFiles } from '../scripts/source-files.js'

const ROOT = ['server.ts', 'app.ts', 'background.ts', 'config.ts', 'env-file.ts', 'errors.ts', 'faults.ts', 'folders.ts', 'log.ts', 'places.ts', 'schema.ts', 'tracing.ts', 'workers.ts']
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  'errors.ts': [],
  'faults.ts': [],
  'folders.ts': [],
  'places.ts': [],
  'schema.ts': [],
  'tracing.ts': [],
  'workers.ts': [],
  'env-file.ts': ['faults.ts'],
  mail: ['core', 'faults.ts', 'folders.ts', 'places.ts'],
  'config.ts': ['core', 'env-file.ts', 'schema.ts'],
  'log.ts': ['core'],
  // Nobody imports it but by import(), so that it is loaded where it is wanted alone.
  metrics: ['core', 'errors.ts', 'http/edge', 'store/store.ts'],
  keyring: ['core', 'faults.ts', 'folders.ts', 'schema.ts'],
  hashing: ['core', 'errors.ts', 'places.ts'],
  store: ['core', 'errors.ts', 'faults.ts', 'folders.ts'],
  services: ['core', 'errors.ts', 'store/store.ts', 'keyring', 'hashing', 'places.ts'],
  'http/edge': ['core', 'errors.ts', 'faults.ts', 'schema.ts', 'services'],
  'http/account': ['core', 'errors.ts', 'http/edge', 'schema.ts', 'services', 'store/store.ts'],
  'http/oauth': ['core', 'errors.ts', 'http/edge', 'http/public', 'places.ts', 'schema.ts', 'services'],
  'http/public': ['errors.ts', 'http/edge', 'keyring', 'places.ts', 'schema.ts', 'services'],
  verifier: [],
  'app.ts': ['background.ts', 'config.ts', 'core', 'http/account', 'http/edge', 'http/oauth', 'http/public', 'log.ts', 'services'],
  'background.ts': ['config.ts', 'core', 'hashing', 'http/edge', 'http/public', 'keyring', 'log.ts', 'services', 'store/store.ts', 'tracing.ts'],
  browser: [],
  client: [],
  'server.ts': ['app.ts', 'background.ts', 'config.ts', 'core', 'hashing', 'http/edge', 'keyring', 'log.ts', 'services', 'store', 'tracing.ts', 'workers.ts'],
}

const files = sourceFiles('src').filter(path => /\.(ts|js)$/.test(path)).map(path => relative('src', path))
const placeOf = (file: string) => ROOT.includes(file) ? file : /^(http\/)?[^/]+/.exec(file)![0]

t.test('imports run one way', async t => {
  for (const file of files) {
    const text = readFileSync(join('src', file), 'utf8')
    for (const [, path] of text.matchAll(/^(?:import|export) .*? from '(\.[^']+)'$/gm)) {
      const target = relative('src', join('src', dirname(file), path!)).replace(/\.js$/, '.ts')
      const [from, to] = [placeOf(file), placeOf(target)]
      if (from !== to) t.ok(MAY_IMPORT[from]!.some(allowed => allowed === to || allowed === target), `${file} -> ${target}`)
    }
  }
})

t.test('a service that verifies needs no package but jose', async t => {
  const imports = files.filter(file => placeOf(file) === 'verifier').flatMap(file =>
    [...readFileSync(join('src', file), 'utf8').matchAll(/^(?:import|export) (type )?.*?from '([^.'][^']*)'$/gm)].map(([, type = '', name]) => type + name))
  t.strictSame(new Set(imports), new Set(['jose', 'type jose', 'node:events', 'node:http', 'type node:http', 'node:util', 'node:zlib', 'type fastify']))
})

t.test('only config.ts reads the environment', async t => {
  t.strictSame(files.filter(file => /process\.env/.test(readFileSync(join('src', file), 'utf8'))), ['config.ts'])
})

t.test('no test is left out of the suite', async t => {
  const runs = readdirSync('test/together').flatMap(name => /^runTogether\((.*)\)$/m.exec(readFileSync(join('test/together', name), 'utf8'))?.[1]!.match(/[^', ]+/g) ?? [])
  const isRun = (file: string) => runs.some(place => file === place || file.startsWith(`${place}/`)) || /^(proofs\/|browser\/(account|journey-\w+)\.test)/.test(file)
  t.strictSame(readdirSync('test', { recursive: true }).map(String).filter(file => file.endsWith('.test.ts') && !isRun(file)), [])
})

t.test('the first line of every source says what it holds', async t => {
  for (const file of files) t.match(readFileSync(join('src', file), 'utf8'), /^\/\/ [A-Z`].*[.]\n/, file)
})
