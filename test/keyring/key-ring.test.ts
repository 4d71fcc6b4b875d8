// The ring on disk and in memory: made once, private, whole or refused.
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import * as fsPromises from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadRing } from '../../src/keyring/key-ring.js'
import { createRing, readManifest, type Manifest } from '../../src/keyring/ring-files.js'

const NOW = 1_800_000_000_000

async function ring (test: Test) {
  const folder = join(test.testdir(), 'keys')
  await createRing(folder, NOW)
  const path = join(folder, 'manifest.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest
  const rewrite = (change: (manifest: Manifest) => void) => {
    change(manifest)
    writeFileSync(path, JSON.stringify(manifest))
  }
  return { folder, path, manifest, rewrite }
}

t.test('a folder without a manifest holds no ring', async t => {
  t.equal(await loadRing(t.testdir()), undefined)
})

t.test('a new ring has one active key of each kind, and only its owner can read it', async t => {
  const { folder, manifest } = await ring(t)
  const at = new Date(NOW).toISOString()
  const active = { state: 'active', created_at: at, published_at: at, activated_at: at, retired_at: null }
  t.match(manifest, { version: 1, signing: [active], refresh: [active] })
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(readdirSync(folder).length, 3)
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  const loaded = (await loadRing(folder))!
  t.strictSame(Object.keys((JSON.parse(loaded.jwks.body) as { keys: object[] }).keys[0]!).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  await t.resolves(loaded.assertServes(NOW))
})

t.test('eight that make a ring at once end with one, and leave nothing else', async t => {
  const folder = t.testdir()
  const made = await Promise.all(Array.from({ length: 8 }, async () => await createRing(folder, NOW)))
  t.equal(made.filter(Boolean).length, 1)
  t.equal(readdirSync(folder).length, 3)
  t.ok(await loadRing(folder))
})

t.test('a file system without hard links is an error, not a lost race, and leaves nothing', async t => {
  const folder = t.testdir()
  const link = async () => { throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' }) }
  const files = await t.mockImport<typeof import('../../src/keyring/ring-files.js')>('../../src/keyring/ring-files.js', { 'node:fs/promises': { ...fsPromises, link } })
  await t.rejects(files.createRing(folder, NOW), { code: 'ENOENT' })
  t.strictSame(readdirSync(folder), [])
})

t.test('a damaged ring is refused with a sentence', async t => {
  const broken = async (damage: (ring: Awaited<ReturnType<typeof openRing>>) => void, message: RegExp) => {
    const made = await openRing()
    damage(made)
    await t.rejects(loadRing(made.folder), { message })
    rmSync(made.folder, { recursive: true })
  }
  const openRing = async () => await ring(t)
  await broken(({ path }) => { writeFileSync(path, '{') }, /^The key ring in .* cannot be read: /)
  await broken(({ rewrite }) => { rewrite(manifest => { (manifest.version as number) = 2 }) }, /another version\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.state = 'retired' }) }, /exactly one active key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.refresh.push({ ...manifest.refresh[0]! }) }) }, /exactly one active key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.id = 'another' }) }, /^The key ring's file signing-.*\.pem cannot be used: it is another key than its id says\.$/)
  await broken(({ folder, manifest }) => { writeFileSync(join(folder, manifest.refresh[0]!.file), 'short') }, /cannot be used: it must be 32 bytes\.$/)
  await broken(({ folder, manifest }) => { renameSync(join(folder, manifest.signing[0]!.file), join(folder, 'gone')) }, /cannot be used: ENOENT/)
})

t.test('a revoked key is neither published nor accepted', async t => {
  const { folder, rewrite, manifest } = await ring(t)
  rewrite(manifest => {
    manifest.signing.push({ ...manifest.signing[0]!, id: 'revoked', state: 'revoked', file: 'gone.pem' })
    manifest.refresh.push({ ...manifest.refresh[0]!, id: '0000000000000000', state: 'revoked', file: 'gone.key' })
  })
  const loaded = (await loadRing(folder))!
  t.equal((JSON.parse(loaded.jwks.body) as { keys: object[] }).keys.length, 1)
  t.equal(loaded.findSecret('0000000000000000'), undefined)
  t.equal(loaded.findSecret(manifest.refresh[0]!.id)?.length, 32)
  t.equal((await readManifest(folder))!.signing.length, 2)
})
