// The commands on the key ring as an operator meets them: what they say, what they leave, and their exit codes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readManifest, type Manifest } from '../../src/keyring/ring-files.js'
import { withLock } from '../../src/keyring/ring-lock.js'
import { compileFor } from '../compiled.js'
import { makeRing, openRing } from '../keyring/rings.js'

const COMMANDS = ['generate', 'rotate', 'list', 'prune', 'revoke']
const MINUTE = 60_000
const compiled = compileFor(t)

interface Outcome { code: number | null, out: string, err: string }

/** An operator with a folder of keys, in which a ring was made `age` milliseconds ago. */
async function operator (t: Test, age?: number, env: Record<string, string> = {}) {
  const folder = join(t.testdir(), 'keys')
  if (age !== undefined) await makeRing({ folder }, Date.now() - age)
  const run = async (command: string, ...args: string[]): Promise<Outcome> => {
    const { PATH = '' } = process.env
    const child = spawn(process.execPath, [join(compiled, 'scripts', `keys-${command}.js`), ...args], { cwd: t.testdirName, env: { PATH, KEYS_DIR: folder, ...env } })
    const outcome: Outcome = { code: null, out: '', err: '' }
    child.stdout.on('data', chunk => { outcome.out += String(chunk) })
    child.stderr.on('data', chunk => { outcome.err += String(chunk) })
    const [code] = await once(child, 'close') as [number | null]
    return { ...outcome, code }
  }
  const ids = async (kind: 'signing' | 'refresh' = 'signing') => {
    const keys = (await readManifest(folder))[kind]
    return (state: string) => keys.find(key => key.state === state)!.id
  }
  const states = async (kind: 'signing' | 'refresh' = 'signing') => (await readManifest(folder))[kind].map(({ state }) => state)
  return { folder, run, ids, states }
}

const instant = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`

t.test('every command explains itself, and wrong use is exit code 2', async t => {
  const { run } = await operator(t, 0)
  for (const command of COMMANDS) {
    t.match(await run(command, '--help'), { code: 0, out: new RegExp(`Usage: npm run keys:${command}[^]*--json[^]*Exit code: 0`), err: '' }, command)
    t.match(await run(command, '--nonsense'), { code: 2, out: '', err: /Usage: npm run keys:/ }, command)
    t.match(await run(command, 'one', 'two'), { code: 2, out: '', err: /^This command takes .* id.*\n\n[^]*Usage:/ }, command)
  }
  for (const line of ['generate --bits 1024', 'generate --bits 2048 --refresh-secret', 'rotate --back --force', 'rotate --check http://x --refresh-secret', 'revoke']) {
    const [command, ...args] = line.split(' ')
    t.match(await run(command!, ...args), { code: 2, out: '' }, line)
  }
})

t.test('a command says what it cannot read, in words and as JSON', async t => {
  const { run, folder } = await operator(t)
  const sentence = `There is no key ring in ${folder}: make one with \`npm run keys:generate\`.`
  for (const command of ['rotate', 'list', 'prune']) {
    t.strictSame(await run(command), { code: 1, out: '', err: `${sentence}\n` }, command)
    const { code, out } = await run(command, '--json')
    t.strictSame([code, JSON.parse(out)], [1, { done: false, refused: 'error', message: sentence }], command)
  }
  t.match(await (await operator(t, 0, { KEY_PREPUBLISH: 'soon' })).run('list'), { code: 1, err: 'The setting KEY_PREPUBLISH must be integer.\n' })
  const loose = await operator(t, 0)
  chmodSync(loose.folder, 0o755)
  t.strictSame(await loose.run('rotate', '--force'), { code: 1, out: '', err: `${loose.folder} is open to others: chmod 700 ${loose.folder}\n` })
})

t.test('generate makes a ring, then refuses, then replaces the key that waits', async t => {
  const { run, folder, ids, states } = await operator(t)
  t.match(await run('generate', '--refresh-secret'), { code: 1, out: '', err: /make it without --refresh-secret/ })
  t.strictSame(await run('generate', '--dry-run'), { code: 0, out: `It would make a key ring in ${folder}.\n`, err: '' })
  t.notOk(existsSync(folder))
  t.strictSame(await run('generate', '--bits', '3072'), { code: 0, out: `Made a key ring in ${folder}.\n`, err: '' })
  t.strictSame((await readManifest(folder)).signing.map(({ bits }) => bits), [3072, 3072])
  t.match(await run('generate'), { code: 1, out: '', err: /already, and its next key waits to be rotated in; it was left as it is/ })
  const before = (await ids())('next')
  const rehearsal = await run('generate', '--replace', '--bits', '2048', '--dry-run', '--json')
  t.strictSame(JSON.parse(rehearsal.out), { done: false, dry_run: true, kind: 'signing', steps: [{ id: before, from: 'next', to: null }, { id: null, from: null, to: 'next' }] })
  t.equal((await ids())('next'), before)
  t.match(await run('generate', '--replace', '--bits', '2048'), { code: 0, out: /: next\nIt may sign when it has been published for 65 minutes: npm run keys:rotate\.\n$/, err: '' })
  t.strictSame(await states(), ['active', 'next'])
  t.equal((await readManifest(folder)).signing[1]!.bits, 2048)
  t.match(await run('generate', '--refresh-secret', '--replace'), { code: 0 })
})

t.test('no command ever prints a private key or a secret', async t => {
  const { run, folder, ids } = await operator(t, 0)
  const active = (await ids())('active')
  const said = [await run('generate', '--replace', '--json'), await run('rotate', '--force', '--json'), await run('list', '--history', '--json'), await run('list', '--history'), await run('revoke', active, '--json')]
  const secrets = readdirSync(folder).filter(name => /^(signing|refresh)-/.test(name)).map(name => readFileSync(join(folder, name), 'utf8').trim().split('\n').slice(0, 2).at(-1)!)
  t.equal(secrets.length, 4)
  for (const { out, err } of said) t.notOk(secrets.some(secret => out.includes(secret) || err.includes(secret)) || /PRIVATE/.test(out + err))
})

t.test('rotate waits until verifiers have seen the key, and says from when it will', async t => {
  const { run, states } = await operator(t, 64 * MINUTE)
  const before = Date.now()
  const refused = await run('rotate')
  const allowed = [before, Date.now()].map(now => instant(now + MINUTE))
  t.match(refused, { code: 1, out: '' })
  t.ok(allowed.some(at => refused.err === `The next key must have been published for 65 minutes (KEY_PREPUBLISH) before it signs, which will be so from ${at} on. --force does not wait, and says what breaks.\n`), refused.err)
  t.match(JSON.parse((await run('rotate', '--json')).out), { done: false, refused: 'too_young', allowed_at: /^\d{4}-.*Z$/, message: /KEY_PREPUBLISH/ })
  t.strictSame(await states(), ['active', 'next'])
})

t.test('a rotation that is due is told step by step, serves, and goes back', async t => {
  const { run, ids, states, folder } = await operator(t, 66 * MINUTE)
  const before = await ids()
  const rehearsal = await run('rotate', '--dry-run')
  t.match(rehearsal, { code: 0, err: '', out: `Nothing was changed in ${folder}. It would be:\n  ${before('active')}: active -> retired\n  ${before('next')}: next -> active\n  a new key: next\nServers would follow within 2 seconds.` })
  t.strictSame(await states(), ['active', 'next'])
  const done = await run('rotate')
  const after = await ids()
  t.match(done, { code: 0, err: '', out: new RegExp(`^Changed in ${folder}:\n  ${before('active')}: active -> retired\n  ${before('next')}: next -> active\n  ${after('next')}: next\nServers follow within 2 seconds\\. Tokens of the retired key stay good; it may be pruned from .* UTC on\\.\n$`) })
  t.equal(after('active'), before('next'))
  await t.resolves((await openRing({ folder })).assertServes(Date.now()))
  const back = JSON.parse((await run('rotate', '--back', '--json')).out) as { done: boolean, steps: object[] }
  t.strictSame(back, { done: true, dry_run: false, kind: 'signing', steps: [{ id: after('active'), from: 'active', to: 'retired' }, { id: before('active'), from: 'retired', to: 'active' }] })
  t.match(await (await operator(t, 0)).run('rotate', '--back'), { code: 1, err: /^There is no retired key to go back to/ })
})

t.test('a forced rotation says what will break, by library', async t => {
  const { run } = await operator(t, 20 * MINUTE)
  const { breaks } = JSON.parse((await run('rotate', '--force', '--json')).out) as { breaks: object[] }
  t.match(breaks, [{ library: /^Authlib/, seconds: null }, { library: 'keyfunc (Go)', seconds: Number }])
  t.equal(breaks.length, 2)
  t.match(await run('rotate', '--force'), { code: 0, out: /may refuse good tokens:\n {2}signet\/verifier \(Node\.js\) +for up to \d+ seconds\n[^]*keyfunc \(Go\) +for up to 60 minutes/ })
  t.match(await run('rotate', '--force', '--refresh-secret'), { code: 0, out: /Servers that have not read the next secret yet refuse its tokens/ })
})

t.test('a rotation looks at the public JWKS first where it is told to, and refuses unless the next key is there', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE)
  let answer: { status: number, body: string } = { status: 200, body: JSON.stringify({ keys: [] }) }
  const server = createServer((_request, response) => { response.writeHead(answer.status, answer.status === 302 ? { location: '/' } : {}).end(answer.body) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`
  t.match(await run('rotate', '--check', url), { code: 1, out: '', err: /^The JWKS at that address does not hold the next key/ })
  for (const [status, body] of [[500, ''], [302, ''], [200, 'x'], [200, '{}']] as const) {
    answer = { status, body }
    t.match(await run('rotate', '--check', url), { code: 1, out: '', err: new RegExp(`^The JWKS at ${url} cannot be read, so nothing was changed: `) }, `${status} ${body}`)
  }
  t.match(await run('rotate', '--check', 'http://127.0.0.1:1/'), { code: 1, out: '' })
  t.strictSame(await states(), ['active', 'next'])
  answer = { status: 200, body: JSON.stringify({ keys: [{ kid: (await ids())('next') }] }) }
  t.match(await run('rotate', '--check', url), { code: 0 })
})

t.test('without a next key rotate and revoke name the command that makes one', async t => {
  const { run, folder, ids } = await operator(t, 0)
  const manifest = await readManifest(folder)
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, signing: [manifest.signing[0]!] } satisfies Manifest))
  t.match(await run('rotate'), { code: 1, err: `There is no next key in ${folder}: make one with \`npm run keys:generate\`.\n` })
  t.match(await run('list'), { code: 0, out: /it goes on; there is no next key, which keys:generate makes/ })
  t.match(await run('revoke', (await ids())('active')), { code: 1, err: /there is no next key to take its place/ })
  t.match(await run('generate'), { code: 0 })
})

t.test('prune says what it keeps and until when, and removes the rest', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE, { ACCESS_TOKEN_TTL: '10' })
  await run('rotate')
  const retired = (await ids())('retired')
  t.match(await run('prune'), { code: 0, err: '', out: new RegExp(`^There is nothing to prune\\.\nKept: ${retired}, needed until .* UTC\\.\n$`) })
  t.match(JSON.parse((await run('prune', '--json')).out), { done: true, steps: [], kept: [{ id: retired, needed_until: /Z$/ }] })
  t.strictSame(await states(), ['retired', 'active', 'next'])
})

t.test('prune removes a key that no token can need, and says so first where it only rehearses', async t => {
  const { run, ids, states, folder } = await operator(t, 66 * MINUTE)
  await run('rotate')
  const manifest = await readManifest(folder)
  manifest.signing[0]!.retired_at = new Date(Date.now() - 901_000).toISOString()
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  const retired = (await ids())('retired')
  t.match(await run('prune', '--dry-run'), { code: 0, out: `Nothing was changed in ${folder}. It would be:\n  ${retired}: retired -> removed\n` })
  t.strictSame(await states(), ['retired', 'active', 'next'])
  t.match(await run('prune'), { code: 0, out: `Changed in ${folder}:\n  ${retired}: retired -> removed\n` })
  t.strictSame(await states(), ['active', 'next'])
  t.match(await run('list', '--history'), { code: 0, out: new RegExp(`signing  ${retired}  retired -> pruned, by command`) })
})

t.test('list is a table for people and a document for machines, and needs no passphrase', async t => {
  const { run, ids, folder } = await operator(t)
  await makeRing({ folder, passphrase: 'a passphrase' }, Date.now() - 66 * MINUTE)
  const id = await ids()
  const listed = await run('list')
  t.match(listed, { code: 0, err: '', out: new RegExp(`^Signing keys in ${folder}\n {2}STATE +KEY +AGE +PUBLISHED SINCE +WHAT COMES NEXT\n {2}active +${id('active')} +RSA 2048 +66 minutes +${instant(Date.now() - 66 * MINUTE).slice(0, 10)} .* UTC +retired by keys:rotate from now on, by itself on .* UTC\n {2}next +${id('next')} `) })
  const { signing, refresh } = JSON.parse((await run('list', '--json')).out) as Record<string, object[]>
  t.match(signing, [{ state: 'active', next: { to: 'retired', allowed_at: /Z$/, due_at: /Z$/ } }, { state: 'next', next: { to: 'active' } }])
  t.equal(refresh!.length, 2)
})

t.test('a ring under a passphrase is rotated with it, and without it nothing changes', async t => {
  const { run, folder, states } = await operator(t)
  await makeRing({ folder, passphrase: 'a passphrase' }, Date.now() - 66 * MINUTE)
  t.match(await run('rotate'), { code: 1, out: '', err: /it is encrypted, so KEYS_PASSPHRASE_FILE must be set\.\n$/ })
  t.strictSame(await states(), ['active', 'next'])
  writeFileSync(join(t.testdirName, '.env'), 'KEYS_PASSPHRASE_FILE=passphrase\n')
  writeFileSync(join(t.testdirName, 'passphrase'), 'a passphrase\n')
  t.match(await run('rotate'), { code: 0, err: '' })
  t.strictSame(await states(), ['retired', 'active', 'next'])
})

t.test('revoke says what took the key\'s place and how long each library goes on accepting it', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE)
  const before = await ids()
  const done = await run('revoke', before('active'))
  t.match(done, { code: 0, err: '', out: /It was signing; the next key, which is published already, signs in its place\.\nServers follow within 2 seconds and refuse its tokens\. Verifiers elsewhere have it in their caches:\n {2}VERIFIER, STOCK SETTINGS +STILL ACCEPTS THE REVOKED KEY +REFUSES GOOD TOKENS\n[^]* {2}jose \(Node\.js\) +for up to 10 minutes +not at all\n/ })
  t.strictSame(await states(), ['revoked', 'active', 'next'])
  t.equal((await ids())('active'), before('next'))
  t.match(await run('revoke', before('active')), { code: 1, err: 'That key has been revoked already.\n' })
  t.match(await run('revoke', 'nobody'), { code: 1, err: /^There is no such key in the ring/ })
})

t.test('revoke tells honestly what breaks where the next key is too young, or where nobody has seen the key that follows', async t => {
  const { run, ids, states } = await operator(t, 0)
  const young = JSON.parse((await run('revoke', (await ids())('active'), '--json')).out) as { successor: string, verifiers: Array<{ library: string, accepts_revoked: number, refuses_new: number }> }
  t.equal(young.successor, 'next')
  t.match(young.verifiers.find(({ library }) => library.startsWith('keyfunc')), { accepts_revoked: 3600, refuses_new: Number })
  t.ok(young.verifiers.find(({ library }) => library.startsWith('keyfunc'))!.refuses_new > 3500)
  t.match(await run('revoke', (await ids())('next'), '--unseen'), { code: 1, err: /^That key does not sign/ })
  const unseen = JSON.parse((await run('revoke', (await ids())('active'), '--unseen', '--json')).out) as typeof young
  t.equal(unseen.successor, 'unseen')
  t.match(unseen.verifiers.find(({ library }) => library === 'jose (Node.js)'), { accepts_revoked: 30, refuses_new: 30 })
  t.strictSame(await states(), ['revoked', 'revoked', 'next', 'active'])
  t.match(await run('revoke', (await ids())('next')), { code: 0, out: /It was not signing, so the active key goes on\./ })
})

t.test('revoking a refresh secret says first whom it logs out', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE)
  const secret = await ids('refresh')
  const rehearsal = await run('revoke', secret('active'), '--refresh-secret', '--dry-run')
  t.match(rehearsal, { code: 0, out: /^Every device whose refresh token this secret made is logged out: those that logged in or refreshed last between .* UTC and .* UTC\.\nNothing was changed/ })
  t.match(await run('revoke', secret('next'), '--refresh-secret'), { code: 0, out: /^This secret made no token yet, so nobody is logged out\.\nChanged/ })
  t.match(JSON.parse((await run('revoke', secret('active'), '--refresh-secret', '--json')).out), { done: true, kind: 'refresh', successor: 'next', logged_out: [{ from: /Z$/, until: /Z$/ }] })
  t.strictSame(await states('refresh'), ['revoked', 'revoked', 'active', 'next'])
})

t.test('the times of a secret that signed twice are told both, and of a ring older than its history the last', async t => {
  const { run, ids, folder } = await operator(t, 66 * MINUTE)
  const secret = (await ids('refresh'))('active')
  await run('rotate', '--refresh-secret')
  await run('rotate', '--refresh-secret', '--back')
  t.match(await run('revoke', secret, '--refresh-secret', '--dry-run'), { code: 0, out: /between .* UTC and .* UTC, or between .* UTC and .* UTC\./ })
  const { history: _, ...old } = await readManifest(folder)
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(old))
  t.match(await run('revoke', secret, '--refresh-secret', '--dry-run'), { code: 0, out: /last between [^,]* UTC and [^,]* UTC\.\n/ })
})

t.test('of two commands at once one waits for the other and says so', async t => {
  const { run, states, folder } = await operator(t, 66 * MINUTE)
  let waiting: Promise<Outcome> | undefined
  await withLock(folder, { milliseconds: 0 }, async () => {
    waiting = run('rotate')
    await new Promise(resolve => { setTimeout(resolve, 2_000) })
    t.strictSame(await states(), ['active', 'next'])
  })
  t.match(await waiting, { code: 0, err: 'Another command or server is changing the key ring; waiting for it.\n' })
  t.strictSame(await states(), ['retired', 'active', 'next'])
})
