// What others install: each package packed, and installed without a network where there is nothing else; then used as JavaScript and as TypeScript resolve it.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { runningSignet } from '../verifier/running-signet.js'

const execute = promisify(execFile)
const PACKAGES = ['client', 'verifier'] as const
/** What is not a service's to know: `npm test` tells its children which package they belong to, and these belong to another. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_(package|lifecycle|config_local_prefix)|NODE_V8_COVERAGE)/.test(name)))
const modules = resolve('node_modules')

const USE = `
const { TOKEN, OPTIONS } = process.env
const options = JSON.parse(OPTIONS)
const use = async () => {
  const verifier = createVerifier(options)
  const app = Fastify()
  await app.register(signet, options)
  app.get('/', { onRequest: app.requireToken }, async request => request.token)
  const get = async token => (await app.inject({ url: '/', headers: { authorization: 'Bearer ' + token } })).json()
  const claims = await verifier.verify(TOKEN)
  const refusal = await verifier.verify(TOKEN.slice(0, -4) + 'AAAA').catch(error => error)
  const refused = await createClient({ baseUrl: 'http://127.0.0.1:1' }).login({ email: 'x', password: 'x' }).catch(error => error)
  return {
    claims, guarded: await get(TOKEN), isRefusal: refusal instanceof TokenVerificationError, code: refusal.code, refused: (await get('x')).code,
    client: [refused instanceof SignetError, refused.code], express: [typeof requireToken(options), typeof tokenOf]
  }
}
use().then(said => { console.log(JSON.stringify(said)) })
`
const PROGRAMS = {
  'program.js': `
import Fastify from 'fastify'
import { createClient, SignetError } from '@signet/client'
import { createVerifier, TokenVerificationError } from '@signet/verifier'
import { requireToken, tokenOf } from '@signet/verifier/express'
import signet from '@signet/verifier/fastify'
${USE}`,
  'program.cjs': `
const Fastify = require('fastify')
const { createClient, SignetError } = require('@signet/client')
const { createVerifier, TokenVerificationError } = require('@signet/verifier')
const { requireToken, tokenOf } = require('@signet/verifier/express')
const { default: signet } = require('@signet/verifier/fastify')
${USE}`,
}

const TYPED = `
import Fastify from 'fastify'
import express from 'express'
import { createClient, SignetError, type Change, type Client, type User } from '@signet/client'
import { createRecovery } from '@signet/client/recovery'
import { createSecondFactors } from '@signet/client/second-factors'
import { createVerifier, TokenVerificationError, type AccessTokenClaims, type RefusalCode, type Verifier, type VerifierOptions } from '@signet/verifier'
import { requireToken, tokenOf, type GuardOptions, type RequireToken } from '@signet/verifier/express'
import signet from '@signet/verifier/fastify'

export async function use () {
  const options: VerifierOptions = { issuer: 'https://id.example', audience: 'orders', clockTolerance: 5, limits: { staleFor: 60 }, onStatusUnavailable: 'refuse', onStatusUnchecked: ({ sub, status }, cause) => { console.log(sub, status?.status_list?.idx, cause) } }
  const verifier: Verifier = createVerifier(options)
  const fastify = Fastify()
  await fastify.register(signet, options)
  fastify.get('/', { onRequest: fastify.requireToken }, async ({ token }) => {
    const user: string = token.sub
    // @ts-expect-error: a time is a number
    const expiry: string = token.exp
    return { user, expiry }
  })
  const guarded: GuardOptions = { ...options, onRefused: ({ code, retryAfter }, { url }) => { console.log(code, retryAfter, url) } }
  const guard: RequireToken = requireToken(guarded)
  express().use(guard).get('/orders', guard, (request, response) => {
    const user: string = tokenOf(request).sub
    response.json({ user })
  })
  // @ts-expect-error: a policy is one of two
  createVerifier({ ...options, onStatusUnavailable: 'deny' })
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
  const client: Client = createClient({ baseUrl: 'https://id.example' })
  const stop: () => void = client.onChange(({ status, reason }: Change) => { console.log(status, reason) })
  const user: User | undefined = await client.register({ email: '', password: '' })
  const left: number = (await createSecondFactors(client).list()).recovery_codes
  const sent: Promise<void> = createRecovery(client).forgotPassword('')
  // @ts-expect-error: it has no token to show
  console.log(client.token)
  return { stop, user, left, sent, fields: await client.logout().catch((error: unknown) => error instanceof SignetError && error.errors[0]?.field) }
}
`

function temporaryFolder (test: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'signet-'))
  test.teardown(() => { rmSync(folder, { recursive: true }) })
  return folder
}

/** Packs both as a clean clone would, and returns where their tarballs are. */
async function pack (test: Test): Promise<string[]> {
  const [clone, packed] = [temporaryFolder(test), temporaryFolder(test)]
  for (const path of ['package.json', 'tsconfig.json', ...PACKAGES.map(name => `src/${name}`)]) {
    mkdirSync(dirname(join(clone, path)), { recursive: true })
    cpSync(path, join(clone, path), { recursive: true, filter: path => basename(path) !== 'dist' })
  }
  symlinkSync(modules, join(clone, 'node_modules'))
  await execute('npm', ['pack', '--workspaces', '--pack-destination', packed], { cwd: clone, env: environment })
  return readdirSync(packed).sort().map(name => join(packed, name))
}

/** A project with both packages, jose from where this one has it, and nothing else. */
async function install (test: Test): Promise<string> {
  const [[client, verifier], project] = [await pack(test), temporaryFolder(test)]
  const dependencies = { '@signet/client': `file:${client!}`, '@signet/verifier': `file:${verifier!}`, jose: `file:${modules}/jose` }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  await execute('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: project, env: environment })
  return project
}

/** Bytes of the files. */
function sizeOf (folder: string): number {
  return readdirSync(folder, { recursive: true }).map(name => lstatSync(join(folder, String(name)))).filter(entry => entry.isFile()).reduce((sum, { size }) => sum + size, 0)
}

const COMPILER = { target: 'ES2022', lib: ['ES2022'], strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: ['node'] }

async function compile (project: string, files: string[], options: object): Promise<string> {
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...COMPILER, ...options }, files }))
  return await execute(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', '.', '--pretty', 'false'], { cwd: project, env: environment }).then(({ stdout }) => stdout, ({ stdout }: { stdout: string }) => stdout)
}

t.test('the packed packages, installed in an empty project', async t => {
  const project = await install(t)
  const installed = (name: string) => join(project, 'node_modules', name)

  await t.test('hold what is used and nothing else, and bring nothing but jose', async t => {
    const filesOf = (name: string) => readdirSync(installed(name), { recursive: true }).map(String).filter(file => statSync(join(installed(name), file)).isFile()).sort()
    t.strictSame(filesOf('@signet/client'), [
      'LICENSE', 'README.md', 'client.js', 'dist/client.d.ts', 'dist/recovery.d.ts', 'dist/requests.d.ts', 'dist/second-factors.d.ts', 'package.json', 'recovery.js', 'requests.js', 'second-factors.js',
    ])
    t.equal(readFileSync(join(installed('@signet/client'), 'client.js'), 'utf8'), readFileSync('src/client/client.js', 'utf8'))
    const parts = readdirSync('src/verifier').filter(name => name.endsWith('.ts')).flatMap(name => ['d.ts', 'js'].map(extension => `dist/${name.slice(0, -2)}${extension}`))
    t.strictSame(filesOf('@signet/verifier'), ['LICENSE', 'README.md', 'package.json', ...parts].sort())
    t.strictSame(readdirSync(join(project, 'node_modules')).filter(name => !name.startsWith('.')), ['@signet', 'jose'])
    const [client, verifier, jose] = ['@signet/client', '@signet/verifier', 'jose'].map(name => sizeOf(installed(name)))
    t.comment(`installed: @signet/client ${client!} bytes, @signet/verifier ${verifier!} bytes, and jose ${jose!} bytes`)
  })

  mkdirSync(installed('@types'))
  for (const name of ['fastify', 'express', '@types/express', '@types/node']) symlinkSync(join(modules, name), installed(name))

  await t.test('verify a token of a running Signet, imported and required, and guard a service in Express', async t => {
    const { token, user, options } = await runningSignet(t)
    for (const [name, program] of Object.entries(PROGRAMS)) {
      writeFileSync(join(project, name), program)
      const { stdout } = await execute(process.execPath, [name], { cwd: project, env: { ...environment, TOKEN: token, OPTIONS: JSON.stringify(options) } })
      const said = JSON.parse(stdout) as { claims: Record<string, unknown> }
      t.match(said.claims, { iss: options.issuer, aud: options.audience, sub: user.id, client_id: 'signet' })
      t.strictSame(said, { claims: said.claims, guarded: said.claims, isRefusal: true, code: 'bad_signature', refused: 'invalid_token', client: [true, 'unreachable'], express: ['function', 'function'] }, name)
    }
    cpSync('examples/verify/express/service.js', join(project, 'service.js'))
    const service = spawn(process.execPath, ['service.js'], { cwd: project, env: { ...environment, PORT: '0', ISSUER: options.issuer, AUDIENCE: options.audience, JWKS_URL: options.jwksUri } })
    t.teardown(() => { service.kill() })
    const url = String((await once(service.stdout, 'data'))[0]).trim()
    const refused = once(service.stderr, 'data')
    t.equal((await fetch(url, { headers: { authorization: 'Bearer x' } })).status, 401)
    t.match(String((await refused)[0]), /^malformed_token The token is not a signed JWT\./)
    t.strictSame(await (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).json(), { user: user.id, orders: [] })
  })

  await t.test('have types for bundlers and for Node, imported and required; node16 alone does not know that a module can be required', async t => {
    writeFileSync(join(project, 'typed.ts'), TYPED)
    writeFileSync(join(project, 'typed.cts'), TYPED)
    t.equal(await compile(project, ['typed.ts', 'typed.cts'], { module: 'NodeNext', skipLibCheck: false }), '')
    t.equal(await compile(project, ['typed.ts'], { module: 'ESNext', moduleResolution: 'Bundler', skipLibCheck: true }), '')
    writeFileSync(join(project, 'required.cts'), "import { createClient } from '@signet/client'\nimport { createVerifier } from '@signet/verifier'\nexport const made = [createClient, createVerifier]")
    writeFileSync(join(project, 'lazy.cts'), "export const verifier = import('@signet/verifier').then(({ createVerifier }) => createVerifier({ issuer: 'https://id.example', audience: 'orders' }))")
    const faults = (await compile(project, ['required.cts', 'lazy.cts'], { module: 'Node16', skipLibCheck: true })).trim().split('\n')
    t.strictSame(faults.map(fault => /^([\w.]+)\((\d+).* error (TS\d+)/.exec(fault)?.slice(1)), [['required.cts', '1', 'TS1479'], ['required.cts', '2', 'TS1479']])
  })
})
