// What another project gets: the package built, packed, and installed where there is nothing else.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { runningSignet } from './running-signet.js'

const execute = promisify(execFile)
/** Not a part of a clean clone. */
const LEFT_OUT = ['node_modules', 'dist', '.git', '.tap', 'data', 'keys', '.env']
const QUIET = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']

// `npm test` tells its children which package they belong to; these belong to another.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_(package|lifecycle|config_local_prefix)|NODE_V8_COVERAGE)/.test(name)))

const PROGRAM = `
import Fastify from 'fastify'
import signet from 'signet/fastify'
import { createVerifier, TokenVerificationError } from 'signet/verifier'

const { TOKEN, OPTIONS } = process.env
const options = JSON.parse(OPTIONS)
const verifier = createVerifier(options)
const app = Fastify()
await app.register(signet, options)
app.get('/', { onRequest: app.requireToken }, async request => request.token)
const get = async token => (await app.inject({ url: '/', headers: { authorization: \`Bearer \${token}\` } })).json()

const claims = await verifier.verify(TOKEN)
const refusal = await verifier.verify(TOKEN.slice(0, -4) + 'AAAA').catch(error => error)
console.log(JSON.stringify({ claims, guarded: await get(TOKEN), isRefusal: refusal instanceof TokenVerificationError, code: refusal.code, refused: (await get('x')).code }))
`

const TYPED_PROGRAM = `
import Fastify from 'fastify'
import signet from 'signet/fastify'
import { createVerifier, TokenVerificationError, type AccessTokenClaims, type RefusalCode, type Verifier, type VerifierOptions } from 'signet/verifier'

const options: VerifierOptions = { issuer: 'https://id.example', audience: 'orders', clockTolerance: 5, limits: { staleFor: 60 } }
const verifier: Verifier = createVerifier(options)
const app = Fastify()
await app.register(signet, options)
app.get('/', { onRequest: app.requireToken }, async ({ token }) => {
  const user: string = token.sub
  // @ts-expect-error: a time is a number
  const expiry: string = token.exp
  return { user, expiry }
})
// @ts-expect-error: a token is for somebody
createVerifier({ issuer: 'https://id.example' })
try {
  const claims: AccessTokenClaims = await verifier.verify('')
  console.log(claims.auth_time)
} catch (error) {
  const code: RefusalCode | undefined = error instanceof TokenVerificationError ? error.code : undefined
  // @ts-expect-error: the table is closed
  if (code === 'unheard_of') console.log(code)
}
`

function temporaryFolder (test: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'signet-'))
  test.teardown(() => { rmSync(folder, { recursive: true }) })
  return folder
}

async function pack (test: Test): Promise<string> {
  const [clone, packed] = [temporaryFolder(test), temporaryFolder(test)]
  cpSync('.', clone, { recursive: true, filter: path => !LEFT_OUT.includes(basename(path)) || path.includes('/') })
  symlinkSync(resolve('node_modules'), join(clone, 'node_modules'))
  await execute('npm', ['pack', '--pack-destination', packed], { cwd: clone, env: environment })
  return join(packed, readdirSync(packed)[0]!)
}

t.test('the packed package, installed in an empty project, verifies a token of a running Signet, in JavaScript and in TypeScript', async t => {
  const [{ token, user, options }, tarball, project] = [await runningSignet(t), await pack(t), temporaryFolder(t)]
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  await execute('npm', ['install', ...QUIET, tarball], { cwd: project, env: environment })

  const installed = readdirSync(join(project, 'node_modules', 'signet'), { recursive: true }).map(String)
  const parts = new Set(installed.filter(name => !/^(dist\/(src|scripts)|docs)\//.test(name)))
  t.strictSame(parts, new Set(['dist', 'dist/src', 'dist/scripts', 'docs', '.env.example', 'CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']))

  writeFileSync(join(project, 'program.js'), PROGRAM)
  const { stdout } = await execute(process.execPath, ['program.js'], { cwd: project, env: { ...environment, TOKEN: token, OPTIONS: JSON.stringify(options) } })
  const said = JSON.parse(stdout) as { claims: Record<string, unknown> }
  t.match(said.claims, { iss: options.issuer, aud: options.audience, sub: user.id, client_id: 'signet' })
  t.strictSame(said, { claims: said.claims, guarded: said.claims, isRefusal: true, code: 'bad_signature', refused: 'invalid_token' })

  writeFileSync(join(project, 'typed.ts'), TYPED_PROGRAM)
  const compilerOptions = { module: 'NodeNext', target: 'ES2022', lib: ['ES2022'], strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: ['node'], typeRoots: [resolve('node_modules/@types')] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['typed.ts'] }))
  const compiled = await execute(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: project, env: environment }).catch((error: { stdout: string }) => error)
  t.equal(compiled.stdout, '')
})
