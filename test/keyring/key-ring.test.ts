// The ring as it is read: whole, private, or refused.
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import * as fsPromises from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { KeyRing, readRing } from '../../src/keyring/key-ring.js'
import * as ringFiles from '../../src/keyring/ring-files.js'
import type { Manifest } from '../../src/keyring/ring-files.js'
import { copyRing, makeRing, openRing } from './rings.js'

const NOW = 1_800_000_000_000

async function ring (test: Test) {
  const folder = join(test.testdir(), 'keys')
  await copyRing(folder, NOW)
  const path = join(folder, 'manifest.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
  const rewrite = (change: (manifest: Manifest) => void) => {
    change(manifest)
    writeFileSync(path, JSON.stringify(manifest))
  }
  return { folder, path, manifest, rewrite }
}

t.test('a folder without a manifest holds no ring', async t => {
  t.equal(await readRing({ folder: t.testdir() }), undefined)
})

t.test('a new ring has an active and a next key of each kind, and only its owner can read it', async t => {
  const { folder, manifest } = await ring(t)
  const at = new Date(NOW).toISOString()
  const active = { state: 'active', created_at: at, published_at: at, activated_at: at, retired_at: null }
  const next = { ...active, state: 'next', activated_at: null }
  t.match(manifest, { version: 1, signing: [{ ...active, bits: 2048 }, { ...next, bits: 2048 }], refresh: [active, next] })
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(readdirSync(folder).length, 6)
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  const loaded = await openRing({ folder })
  const { keys } = JSON.parse(loaded.jwks.body) as { keys: Array<{ kid: string }> }
  t.strictSame(keys.map(({ kid }) => kid), manifest.signing.map(({ id }) => id), 'the next key is published')
  t.strictSame(Object.keys(keys[0]!).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  await t.resolves(loaded.assertServes(NOW))
})

t.test('a damaged ring is refused with a sentence', async t => {
  const broken = async (damage: (ring: Awaited<ReturnType<typeof openForDamage>>) => void, message: RegExp) => {
    const made = await openForDamage()
    damage(made)
    await t.rejects(readRing({ folder: made.folder }), { message })
    rmSync(made.folder, { recursive: true })
  }
  const openForDamage = async () => await ring(t)
  await broken(({ path }) => { writeFileSync(path, '{') }, /^The key ring in .* cannot be read: /)
  await broken(({ path }) => { writeFileSync(path, 'null') }, /another version\.$/)
  await broken(({ path }) => { rmSync(path); mkdirSync(path) }, /^The key ring in .* cannot be read: EISDIR/)
  await broken(({ rewrite }) => { rewrite(manifest => { (manifest.version as number) = 2 }) }, /another version\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.published_at = 'yesterday' }) }, /its manifest is damaged at \/signing\/0\/published_at: /)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.file = '../../secret.pem' }) }, /its manifest is damaged at \/signing\/0\/file: /)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.state = 'retired' }) }, /exactly one active key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.refresh.push({ ...manifest.refresh[0]! }) }) }, /exactly one active key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.refresh.push({ ...manifest.refresh[1]! }) }) }, /at most one next key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing.push({ ...manifest.signing[0]!, state: 'revoked' }) }) }, /two of its keys have one id\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.activated_at = null }) }, /a key lacks the time of its last step\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[1]!.state = 'retired' }) }, /a key lacks the time of its last step\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.id = 'another' }) }, /^The key ring's file signing-.*\.pem cannot be used: it is another key than its id says\.$/)
  await broken(({ folder, manifest }) => { writeFileSync(join(folder, manifest.refresh[0]!.file), 'short') }, /cannot be used: it must be 32 bytes\.$/)
  await broken(({ folder, manifest }) => { renameSync(join(folder, manifest.signing[0]!.file), join(folder, 'gone')) }, /ENOENT/)
})

t.test('a ring that others may read is refused, and the sentence is the chmod', async t => {
  const { folder, manifest, path } = await ring(t)
  const key = join(folder, manifest.signing[1]!.file)
  for (const [target, loose, strict] of [[folder, 0o750, '700'], [folder, 0o701, '700'], [path, 0o644, '600'], [key, 0o640, '600'], [key, 0o602, '600']] as const) {
    const { mode } = statSync(target)
    chmodSync(target, loose)
    await t.rejects(readRing({ folder }), { message: `${target} is open to others: chmod ${strict} ${target}` })
    chmodSync(target, mode)
  }
  chmodSync(key, 0o400)
  t.ok(await readRing({ folder }), 'stricter is as good')
})

t.test('on a mount that nobody can write to, as of a Kubernetes secret, the folder may be open and its group may read', async t => {
  const { folder, manifest, path } = await ring(t)
  const files = [...manifest.signing, ...manifest.refresh].map(({ file }) => join(folder, file))
  for (const file of [path, ...files]) chmodSync(file, 0o440)
  chmodSync(folder, 0o777)
  const access = async () => { throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' }) }
  const onMount = await t.mockImport<typeof ringFiles>('../../src/keyring/ring-files.js', { 'node:fs/promises': { ...fsPromises, access } })
  await t.resolves(onMount.assertPrivate(folder, manifest))
  chmodSync(files[0]!, 0o444)
  await t.rejects(onMount.assertPrivate(folder, manifest), { message: `${files[0]!} is open to others: chmod 640 ${files[0]!}` })
})

t.test('a revoked key is neither published nor accepted, and needs no file', async t => {
  const { folder, rewrite, manifest } = await ring(t)
  rewrite(manifest => {
    manifest.signing.push({ ...manifest.signing[0]!, id: 'revoked', state: 'revoked', file: 'signing-revoked.pem' })
    manifest.refresh.push({ ...manifest.refresh[0]!, id: '0000000000000000', state: 'revoked', file: 'refresh-0000000000000000.key' })
  })
  const loaded = await openRing({ folder })
  t.equal((JSON.parse(loaded.jwks.body) as { keys: object[] }).keys.length, 2)
  t.equal(loaded.findSecret('0000000000000000'), undefined)
  t.equal(loaded.findSecret(manifest.refresh[0]!.id)?.length, 32)
})

t.test('a ring of the time before there was a history is read as it is', async t => {
  const { folder, rewrite } = await ring(t)
  rewrite(manifest => {
    delete manifest.history
    manifest.signing = [manifest.signing[0]!]
    manifest.refresh = [manifest.refresh[0]!]
    delete manifest.signing[0]!.bits
  })
  await t.resolves((await openRing({ folder })).assertServes(NOW))
})

t.test('a ring that is replaced while it is read is read again', async t => {
  const { folder, path } = await ring(t)
  const other = join(t.testdirName, 'other')
  await makeRing({ folder: other }, NOW)
  const old = readFileSync(path, 'utf8')
  let reads = 0
  // The manifest of before, the files of after: what a reader sees whom a swap overtakes.
  const readManifestText = async () => reads++ === 0 ? old : await ringFiles.readManifestText(folder)
  const overtaken = await t.mockImport<typeof import('../../src/keyring/key-ring.js')>('../../src/keyring/key-ring.js', { '../../src/keyring/ring-files.js': { ...ringFiles, readManifestText } })
  rmSync(folder, { recursive: true })
  renameSync(other, folder)
  const found = (await overtaken.readRing({ folder }))!
  t.equal(found.text, readFileSync(path, 'utf8'))
  t.strictSame(new KeyRing(found.parts).jwks, (await openRing({ folder })).jwks)
})

t.test('a token that a clock issued in the future is not good, beyond what clocks differ by', async t => {
  const place = { folder: join(t.testdir(), 'keys') }
  await makeRing(place, NOW)
  const ring = await openRing(place)
  const issuedAt = NOW / 1000
  const token = await ring.sign({ iss: 'issuer', aud: 'api', sub: 'user', client_id: 'web', sid: 'family', jti: 'token', iat: issuedAt, exp: issuedAt + 600, auth_time: issuedAt })
  const verify = (now: number) => ring.verify(token, { issuer: 'issuer', audience: 'api' }, now)
  t.equal(verify(NOW - 300_000).jti, 'token')
  t.throws(() => verify(NOW - 300_001), { message: 'it was issued in the future' })
})
