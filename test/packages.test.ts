// What others install: of which version, under which licence, and what each brings along; test/proofs/packages.test.ts packs them, installs them and uses them.
import { readFileSync } from 'node:fs'
import t from 'tap'

const PACKAGES = ['client', 'verifier'] as const

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>

t.test('the packages are of the version of the whole, and under its licence', async t => {
  const { version, engines, dependencies } = readJson('package.json') as { version: string, engines: object, dependencies: Record<string, string> }
  for (const name of PACKAGES) {
    t.match(readJson(`src/${name}/package.json`), { name: `@signet/${name}`, version, license: 'MIT', type: 'module', private: undefined })
    t.equal(readFileSync(`src/${name}/LICENSE`, 'utf8'), readFileSync('LICENSE', 'utf8'))
  }
  // By its file, for what a registry has under its name may be a stranger's.
  t.match(readJson('examples/verify/express/package.json'), { private: true, dependencies: { '@signet/verifier': `file:../../../signet-verifier-${version}.tgz` } })
  t.match(readJson('src/verifier/package.json'), { engines, dependencies: { jose: dependencies['jose'] } })
})
