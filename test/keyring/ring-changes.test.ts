// The ring as it changes on disk: one change at a time, and what a change leaves and takes away.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { planGeneration, planPruning, planRevocation, planRotation, type KeyRecord } from '../../src/core/key-life-cycle.js'
import { changeRing, rehearseChange, type Change } from '../../src/keyring/ring-changes.js'
import { readManifest, type RingPlace } from '../../src/keyring/ring-files.js'
import { copyRing, makeOlder, makeRing, openRing } from './rings.js'

const NOW = 1_800_000_000_000
const AT_ONCE = { milliseconds: 0 }
const rotation: Change = { kind: 'signing', now: NOW, by: 'command', plan: keys => planRotation(keys, NOW, { prepublish: 0, urgency: 'regular' }) }

async function ring (test: Test, passphrase?: string): Promise<RingPlace & { activeOf: () => Promise<KeyRecord> }> {
  const place = { folder: join(test.testdir(), 'keys'), passphrase }
  if (passphrase === undefined) await copyRing(place.folder, NOW)
  else await makeRing(place, NOW)
  return { ...place, activeOf: async () => (await readManifest(place.folder)).signing.find(({ state }) => state === 'active')! }
}

const filesOf = (folder: string) => readdirSync(folder).filter(name => name !== 'lock').sort()

t.test('eight that make a ring at once end with one, and leave nothing else', async t => {
  const folder = t.testdir()
  const made = await Promise.all(Array.from({ length: 8 }, async () => await makeRing({ folder }, NOW)))
  t.equal(made.filter(Boolean).length, 1)
  t.equal(filesOf(folder).length, 7)
  await t.resolves((await openRing({ folder })).assertServes(NOW))
})

t.test('a rotation is on disk with its history, and the ring serves on', async t => {
  const place = await ring(t)
  const before = await readManifest(place.folder)
  const plan = await changeRing(place, rotation, AT_ONCE) as { steps: object[] }
  const [old, next] = before.signing as [KeyRecord, KeyRecord]
  const after = await readManifest(place.folder)
  t.strictSame(plan.steps, [{ id: old.id, from: 'active', to: 'retired' }, { id: next.id, from: 'next', to: 'active' }, { id: after.signing[2]!.id, from: null, to: 'next' }])
  t.strictSame(after.history!.slice(4), plan.steps.map(step => ({ at: new Date(NOW).toISOString(), kind: 'signing', by: 'command', ...step })))
  t.strictSame(after.refresh, before.refresh)
  t.equal(filesOf(place.folder).length, 8)
  await t.resolves((await openRing(place)).assertServes(NOW))
})

t.test('a ring of the time before there was a history gets one with its first change', async t => {
  const place = await ring(t)
  const { history: _, ...old } = await readManifest(place.folder)
  writeFileSync(join(place.folder, 'manifest.json'), JSON.stringify({ ...old, signing: old.signing.map(({ bits: _, ...key }) => key) }))
  await changeRing(place, rotation, AT_ONCE)
  const { history, signing } = await readManifest(place.folder)
  t.strictSame(history!.map(({ from, to }) => [from, to]), [['active', 'retired'], ['next', 'active'], [null, 'next']])
  t.strictSame(signing.map(({ bits }) => bits), [undefined, undefined, 2048])
})

t.test('a key that is made is of the size of the active one, or of the size that is asked for', async t => {
  const place = await ring(t)
  await changeRing(place, { ...rotation, bits: 3072 }, AT_ONCE)
  t.strictSame((await readManifest(place.folder)).signing.map(({ bits }) => bits), [2048, 2048, 3072])
  await changeRing(place, rotation, AT_ONCE)
  await changeRing(place, rotation, AT_ONCE)
  t.strictSame((await readManifest(place.folder)).signing.map(({ bits }) => bits), [2048, 2048, 3072, 2048, 3072])
})

t.test('of eight rotations at once each is one, in turn', async t => {
  const place = await ring(t)
  await Promise.all(Array.from({ length: 8 }, async () => await changeRing(place, rotation, { milliseconds: 20_000 })))
  const { signing } = await readManifest(place.folder)
  t.equal(signing.filter(({ state }) => state === 'retired').length, 8)
  t.equal(filesOf(place.folder).length, 15)
  await t.resolves((await openRing(place)).assertServes(NOW))
})

t.test('a pruned and a revoked key lose their files, and what a crash left behind goes with them', async t => {
  const place = await ring(t)
  await changeRing(place, rotation, AT_ONCE)
  writeFileSync(join(place.folder, 'signing-orphan.pem'), 'x')
  writeFileSync(join(place.folder, 'README.md'), 'x')
  const { id } = await place.activeOf()
  await changeRing(place, { ...rotation, plan: keys => planRevocation(keys, id, 'next') }, AT_ONCE)
  await changeRing(place, { ...rotation, plan: keys => planPruning(keys, NOW, 0) }, AT_ONCE)
  const { signing, refresh, sealing } = await readManifest(place.folder)
  t.strictSame(signing.map(({ state }) => state), ['revoked', 'active', 'next'])
  t.strictSame(filesOf(place.folder), [...signing.slice(1).map(({ file }) => file), ...refresh.map(({ file }) => file), ...sealing!.map(({ file }) => file), 'README.md', 'manifest.json'].sort())
})

t.test('a plan that is refused, or has nothing to do, changes nothing', async t => {
  const place = await ring(t)
  const before = readFileSync(join(place.folder, 'manifest.json'), 'utf8')
  t.strictSame(await changeRing(place, { ...rotation, plan: () => ({ refused: 'no_next' }) }, AT_ONCE), { refused: 'no_next' })
  t.strictSame(await changeRing(place, { ...rotation, plan: () => ({ steps: [] }) }, AT_ONCE), { steps: [] })
  t.match(await rehearseChange(place, rotation), { steps: [{ from: 'active' }, { from: 'next' }, { id: null, from: null, to: 'next' }] })
  t.equal(readFileSync(join(place.folder, 'manifest.json'), 'utf8'), before)
  t.equal(filesOf(place.folder).length, 7)
})

t.test('where there is no ring there is nothing to change', async t => {
  const folder = t.testdir()
  const message = `There is no key ring in ${folder}: make one with \`npm run keys:generate\`.`
  await t.rejects(changeRing({ folder }, rotation, AT_ONCE), { message })
  t.strictSame(readdirSync(folder), [])
})

t.test('a ring under a passphrase is rotated with that passphrase only', async t => {
  const place = await ring(t, 'a passphrase')
  for (const name of filesOf(place.folder)) {
    const text = readFileSync(join(place.folder, name), 'utf8')
    if (name.endsWith('.pem')) t.match(text, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/, name)
    if (name.endsWith('.key')) t.match(text, /^ey[\w-]+\.[\w-]+\.[\w-]+\.[\w-]+\.[\w-]+\n$/, name)
  }
  const before = filesOf(place.folder)
  await t.rejects(changeRing({ folder: place.folder }, rotation, AT_ONCE), { message: /it is encrypted, so KEYS_PASSPHRASE_FILE must be set\.$/ })
  await t.rejects(changeRing({ folder: place.folder, passphrase: 'another' }, rotation, AT_ONCE), { message: /^The key ring's file signing-.* cannot be used: / })
  t.strictSame(filesOf(place.folder), before, 'and no key is left behind')
  t.match(await changeRing(place, rotation, AT_ONCE), { steps: [{}, {}, {}] })
  await t.resolves((await openRing(place)).assertServes(NOW))
})

t.test('a ring in clear goes under a passphrase key by key', async t => {
  const place = await ring(t)
  const sealed = { ...place, passphrase: 'a passphrase' }
  await changeRing(sealed, rotation, AT_ONCE)
  await t.resolves((await openRing(sealed)).assertServes(NOW))
  await t.rejects(openRing(place), { message: /KEYS_PASSPHRASE_FILE/ })
})

const sealingRotation: Change = { ...rotation, kind: 'sealing' }

t.test('a sealing secret is rotated as others are, with a history of its own, and a revoked one opens nothing', async t => {
  const place = await ring(t)
  const before = await readManifest(place.folder)
  const [old, next] = before.sealing as [KeyRecord, KeyRecord]
  const { steps } = await changeRing(place, sealingRotation, AT_ONCE) as { steps: object[] }
  t.match(steps, [{ id: old.id, from: 'active', to: 'retired' }, { id: next.id, from: 'next', to: 'active' }, { from: null, to: 'next' }])
  const after = await readManifest(place.folder)
  t.strictSame(after.sealing_history!.slice(2), steps.map(step => ({ at: new Date(NOW).toISOString(), kind: 'sealing', by: 'command', ...step })))
  t.strictSame([after.history, after.signing, after.refresh], [before.history, before.signing, before.refresh])
  const opened = await openRing(place)
  t.equal(opened.sealingSecret?.id, next.id)
  t.ok(opened.findSealingSecret(old.id), 'the retired one still opens')
  t.equal(opened.findSecret(old.id), undefined, 'and is good for no token')
  await changeRing(place, { ...sealingRotation, plan: keys => planRevocation(keys, old.id, 'next') }, AT_ONCE)
  t.equal((await openRing(place)).findSealingSecret(old.id), undefined)
  t.notOk(filesOf(place.folder).includes(old.file))
})

t.test('a ring of before there were sealing secrets gets them with its first change, of whichever kind', async t => {
  for (const change of [rotation, { ...rotation, kind: 'refresh' as const }, { ...sealingRotation, plan: (keys: KeyRecord[]) => planGeneration(keys, 'keep') }]) {
    const place = await ring(t)
    makeOlder(place.folder)
    t.equal((await openRing(place)).sealingSecret, undefined)
    const { steps } = await changeRing(place, change, AT_ONCE) as { steps: object[] }
    t.equal(steps.length, change.kind === 'sealing' ? 2 : 3, 'what is answered is the change that was asked for')
    const { sealing, sealing_history: history } = await readManifest(place.folder)
    t.strictSame(sealing!.map(({ state }) => state), ['active', 'next'])
    t.match(history, [{ id: sealing![0]!.id, to: 'active' }, { id: sealing![1]!.id, to: 'next' }])
    t.match(sealing!.map(({ file }) => file), [/^sealing-[\da-f]{16}\.key$/, /^sealing-[\da-f]{16}\.key$/])
    t.equal((await openRing(place)).sealingSecret?.id, sealing![0]!.id)
  }
})

t.test('what is refused, or changes nothing, gives a ring of before no sealing secret', async t => {
  const place = await ring(t)
  makeOlder(place.folder)
  const before = filesOf(place.folder)
  t.strictSame(await changeRing(place, sealingRotation, AT_ONCE), { refused: 'no_next' })
  t.strictSame(await rehearseChange(place, { ...sealingRotation, plan: keys => planGeneration(keys, 'keep') }), { steps: [{ id: null, from: null, to: 'active' }, { id: null, from: null, to: 'next' }] })
  t.strictSame(await changeRing(place, { ...rotation, plan: () => ({ steps: [] }) }, AT_ONCE), { steps: [] })
  t.strictSame(filesOf(place.folder), before)
})

t.test('a folder that cannot be made is said in a sentence', async t => {
  const place = await ring(t)
  rmSync(join(place.folder, 'lock'))
  const readOnly = join(t.testdirName, 'file')
  writeFileSync(readOnly, '')
  await t.rejects(makeRing({ folder: join(readOnly, 'keys') }, NOW), { message: `The folder ${join(readOnly, 'keys')} of KEYS_DIR cannot be made: a part of its path is not a folder.` })
  chmodSync(place.folder, 0o700)
  t.ok(await changeRing(place, rotation, AT_ONCE), 'a lock that is missing is made again')
})
