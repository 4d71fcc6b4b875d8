// The ring as it is read: whole, private, or refused.
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import * as fsPromises from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { KeyRing, readRing } from '../../src/keyring/key-ring.js'
import * as ringFiles from '../../src/keyring/ring-files.js'
import type { Manifest, RingPlace } from '../../src/keyring/ring-files.js'
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
  t.match(manifest, { version: 1, signing: [{ ...active, bits: 2048 }, { ...next, bits: 2048 }], refresh: [active, next], sealing: [active, next] })
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(readdirSync(folder).length, 8)
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  const loaded = await openRing({ folder })
  const { keys } = JSON.parse(loaded.jwks.body) as { keys: Array<{ kid: string }> }
  t.strictSame(keys.map(({ kid }) => kid), manifest.signing.map(({ id }) => id), 'the next key is published')
  t.strictSame(Object.keys(keys[0]!).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  t.strictSame([loaded.refreshSecret.id, loaded.sealingSecret?.id], [manifest.refresh[0]!.id, manifest.sealing![0]!.id])
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
  await broken(({ path }) => { rmSync(path); mkdirSync(path) }, /^The key ring in .* cannot be read: it is a folder\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { (manifest.version as number) = 2 }) }, /another version\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.published_at = 'yesterday' }) }, /its manifest is damaged at \/signing\/0\/published_at\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.file = '../../secret.pem' }) }, /its manifest is damaged at \/signing\/0\/file\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.state = 'retired' }) }, /exactly one active key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.refresh.push({ ...manifest.refresh[0]! }) }) }, /exactly one active key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.refresh.push({ ...manifest.refresh[1]! }) }) }, /at most one next key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.sealing = [] }) }, /exactly one active key of each kind\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing.push({ ...manifest.signing[0]!, state: 'revoked' }) }) }, /two of its keys have one id\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.activated_at = null }) }, /a key lacks the time of its last step\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[1]!.state = 'retired' }) }, /a key lacks the time of its last step\.$/)
  await broken(({ rewrite }) => { rewrite(manifest => { manifest.signing[0]!.id = 'another' }) }, /^The key ring's file signing-.*\.pem cannot be used: it is another key than its id says\.$/)
  await broken(({ folder, manifest }) => { writeFileSync(join(folder, manifest.refresh[0]!.file), 'short') }, /cannot be used: it must be 32 bytes\.$/)
  await broken(({ folder, manifest }) => { rmSync(join(folder, manifest.sealing![0]!.file)) }, /sealing-.*\.key cannot be read: it is not there\.$/)
  await broken(({ folder, manifest }) => { renameSync(join(folder, manifest.signing[0]!.file), join(folder, 'gone')) }, /\.pem cannot be read: it is not there\.$/)
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
  const files = [...manifest.signing, ...manifest.refresh, ...manifest.sealing!].map(({ file }) => join(folder, file))
  for (const file of [path, ...files]) chmodSync(file, 0o440)
  chmodSync(folder, 0o777)
  const access = async () => { throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' }) }
  const onMount = await t.mockImport<typeof ringFiles>('../../src/keyring/ring-files.js', { 'node:fs/promises': { ...fsPromises, access } })
  await t.resolves(onMount.assertPrivate(folder, manifest))
  chmodSync(files[0]!, 0o444)
  await t.rejects(onMount.assertPrivate(folder, manifest), { message: `${files[0]!} is open to others: chmod 640 ${files[0]!}` })
})

t.test('what this user may not read is said with the chown that mends it', async t => {
  const { folder, manifest } = await ring(t)
  const denied = async () => { throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }) }
  const onDisk = await t.mockImport<typeof ringFiles>('../../src/keyring/ring-files.js', { 'node:fs/promises': { ...fsPromises, readFile: denied, stat: denied } })
  const us = process.geteuid!()
  await t.rejects(onDisk.readManifestText(folder), { message: `The key ring in ${folder} cannot be read: user ${us} may not: chown -R ${us} ${folder}` })
  await t.rejects(onDisk.assertPrivate(folder, manifest), { message: `${folder} cannot be read: user ${us} may not: chown -R ${us} ${folder}` })
})

t.test('a folder of a stranger, and a file of a strange group, are refused', async t => {
  const { folder, manifest, path } = await ring(t)
  const us = process.geteuid!()
  const as = async (folderStats: object, fileStats: object) => {
    const stat = async (target: string) => ({ ...await fsPromises.stat(target), uid: us, ...target === folder ? folderStats : fileStats })
    const onDisk = await t.mockImport<typeof ringFiles>('../../src/keyring/ring-files.js', { 'node:fs/promises': { ...fsPromises, stat } })
    await onDisk.assertPrivate(folder, manifest)
  }
  await t.rejects(as({ uid: us + 1 }, {}), { message: `${folder} belongs to user ${us + 1}, who could put other keys into it: run as that user, or chown -R ${us} ${folder}` })
  await t.resolves(as({ uid: 0 }, { uid: 0 }))
  const shared = { mode: 0o42770, gid: 7 }
  await t.resolves(as(shared, { mode: 0o100660, gid: 7 }))
  await t.resolves(as(shared, { mode: 0o100600, gid: 8 }))
  await t.rejects(as(shared, { mode: 0o100660, gid: 8 }), { message: `${path} is open to another group than its folder: chgrp 7 ${path}` })
})

t.test('a folder is a group\'s where it passes its group on, as fsGroup makes it, or is of root\'s group; else its user\'s alone', async t => {
  for (const [mode, gid, folder, file] of [
    [0o40700, 0, 0o700, 0o600], [0o40750, 0, 0o700, 0o600], [0o42750, 7, 0o700, 0o600], [0o40770, 7, 0o700, 0o600],
    [0o40770, 0, 0o770, 0o660], [0o40777, 0, 0o770, 0o660], [0o42770, 7, 0o775, 0o660], [0o42777, 0, 0o775, 0o660],
  ] as const) t.strictSame(ringFiles.modesOf({ mode, gid }), { folder, file }, `${mode.toString(8)} of ${gid}`)
})

t.test('a group\'s folder is left to it, and what is made there is for it', async t => {
  const folder = join(t.testdir(), 'keys')
  mkdirSync(folder)
  chmodSync(folder, 0o2770)
  await makeRing({ folder }, NOW)
  t.equal(statSync(folder).mode & 0o7777, 0o2770)
  for (const name of readdirSync(folder)) t.strictSame([statSync(join(folder, name)).mode & 0o777, statSync(join(folder, name)).gid], [0o660, statSync(folder).gid], name)
  await t.resolves((await openRing({ folder })).assertServes(NOW))
})

t.test('a key that was read before is taken from memory, for as long as its file says the same', async t => {
  const { folder, manifest } = await ring(t)
  const first = (await readRing({ folder }))!
  const again = (await readRing({ folder }, first.known))!
  t.equal(again.parts.active, first.parts.active)
  t.equal(again.parts.activeSecret, first.parts.activeSecret)
  t.equal(again.parts.sealing?.active, first.parts.sealing?.active)
  t.equal(again.known.size, 6)
  const [one, other] = manifest.signing.map(({ file }) => join(folder, file)) as [string, string]
  writeFileSync(one, readFileSync(other))
  await t.rejects(readRing({ folder }, first.known), { message: /it is another key than its id says\.$/ }, 'and under its own id')
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
  t.equal(loaded.findSecret(manifest.refresh[0]!.id)?.symmetricKeySize, 32)
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
  const { folder } = await ring(t)
  const other = join(t.testdirName, 'other')
  await makeRing({ folder: other }, NOW)
  let looks = 0
  // The manifest of before, the files of after: what a reader sees whom the swap of a symlink overtakes.
  const swapped = { get folder () { return looks++ === 0 ? folder : other } }
  const found = (await readRing(swapped))!
  t.equal(found.text, readFileSync(join(other, 'manifest.json'), 'utf8'))
  t.strictSame(new KeyRing(found.parts).jwks, (await openRing({ folder: other })).jwks)
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

t.test('a token that is asked about again is good no longer than one that is asked about once: not when it has expired, for nobody else, and not by other keys', async t => {
  const [own, other] = ['own', 'other'].map(name => ({ folder: join(t.testdir({}), name) })) as [RingPlace, RingPlace]
  for (const place of [own, other]) await makeRing(place, NOW)
  const ring = await openRing(own)
  const issuedAt = NOW / 1000
  const claims = { iss: 'issuer', aud: 'api', sub: 'user', client_id: 'web', sid: 'family', jti: 'token', iat: issuedAt, exp: issuedAt + 600, auth_time: issuedAt }
  const token = await ring.sign(claims)
  const again = (text: string, now: number, issuer = 'issuer') => ring.verifyAgain(text, { issuer }, now)
  const assertJudged = (when: string) => {
    t.strictSame(again(token, NOW), claims, when)
    t.throws(() => again(token, NOW + 600_000), { message: 'it has expired' }, when)
    t.throws(() => again(token, NOW - 300_001), { message: 'it was issued in the future' }, when)
    t.throws(() => again(token, NOW, 'other'), { message: 'it was issued by or for somebody else' }, when)
    for (const text of [`${token}A`, token.slice(0, -4), `${token}=`, token.replace('.', '..'), ` ${token}`]) t.throws(() => again(text, NOW), when)
  }
  assertJudged('at first')
  assertJudged('and then')
  ring.adopt((await readRing(other))!.parts)
  t.throws(() => again(token, NOW), { message: 'the header is of no key of the ring' })
})
