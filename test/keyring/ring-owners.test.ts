// Whom a ring belongs to: what root writes its server can read, what a stranger could swap is refused, and a group's folder is the group's.
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { planRotation } from '../../src/core/key-life-cycle.js'
import { readRing } from '../../src/keyring/key-ring.js'
import { changeRing, createRing } from '../../src/keyring/ring-changes.js'
import { asRoot, programs, type User } from './as-user.js'
import { makeRing } from './rings.js'

const NOW = 1_800_000_000_000
const [ADA, EVE]: [User, User] = [{ uid: 21_001, gid: 21_001 }, { uid: 21_002, gid: 21_002 }]
const GROUP = 21_100

asRoot(() => {
  const { keys, serve, ROOT } = programs()
  const owners = (folder: string) => [...new Set(['', ...readdirSync(folder)].map(name => statSync(join(folder, name)).uid))]
  const modes = (folder: string) => [...new Set(readdirSync(folder).map(name => [statSync(join(folder, name)).gid, (statSync(join(folder, name)).mode & 0o7777).toString(8)].join(' ')))]
  const folderOf = (test: Test, { uid, gid }: User, mode: number) => {
    const folder = join(test.testdir(), 'keys')
    mkdirSync(folder)
    chownSync(folder, uid, gid)
    chmodSync(folder, mode)
    return folder
  }
  const DONE = { code: 0, said: /(Made|Changed)/ }
  // A server that has read its ring goes on to its store, which is nowhere.
  const SERVES = { code: 1, said: 'The store file:/nowhere/else/signet.db cannot be opened: user 21001 may not.\n' }

  t.test('what root makes and rotates in a user\'s folder is that user\'s', async t => {
    const folder = folderOf(t, ADA, 0o700)
    t.match(await keys(ROOT, 'generate', folder), DONE)
    t.match(await keys(ROOT, 'rotate', folder, '--force'), DONE)
    t.match(await keys(ROOT, 'prune', folder), { code: 0 })
    t.strictSame(owners(folder), [ADA.uid])
    t.match(await keys(ADA, 'rotate', folder, '--force'), DONE)
    t.match(await serve(ADA, folder), SERVES)
  })

  t.test('what root makes below a user\'s folder is that user\'s', async t => {
    const home = folderOf(t, ADA, 0o755)
    const folder = join(home, 'signet', 'keys')
    t.match(await keys(ROOT, 'generate', folder), DONE)
    t.strictSame([owners(folder), owners(join(home, 'signet'))], [[ADA.uid], [ADA.uid]])
    t.match(await serve(ADA, folder), SERVES)
  })

  t.test('a ring that this user may not read is said with the chown, by servers and commands', async t => {
    const folder = folderOf(t, ROOT, 0o700)
    t.match(await keys(ROOT, 'generate', folder), DONE)
    const said = `The key ring in ${folder} cannot be read: user ${ADA.uid} may not: chown -R ${ADA.uid} ${folder}\n`
    t.strictSame(await serve(ADA, folder), { code: 1, said })
    t.strictSame(await keys(ADA, 'rotate', folder), { code: 1, said })
    for (const name of ['', ...readdirSync(folder)]) chownSync(join(folder, name), ADA.uid, ADA.gid)
    t.match(await serve(ADA, folder), SERVES)
    const key = readdirSync(folder).find(name => name.startsWith('signing-'))!
    chownSync(join(folder, key), 0, 0)
    t.strictSame(await serve(ADA, folder), { code: 1, said: `The key ring's file ${key} cannot be used: user ${ADA.uid} may not: chown -R ${ADA.uid} ${join(folder, key)}\n` })
  })

  t.test('a folder of somebody else than this user and root is refused, before anything is written to it', async t => {
    const folder = folderOf(t, EVE, 0o2770)
    const message = (us: User) => `${folder} belongs to user ${EVE.uid}, who could put other keys into it: run as that user, or chown -R ${us.uid} ${folder}`
    await t.rejects(createRing({ folder }, { now: NOW, by: 'server' }, { milliseconds: 0 }), { message: message(ROOT) })
    t.strictSame(readdirSync(folder), [])
    const within = { uid: ADA.uid, gid: EVE.gid }
    t.strictSame(await keys(within, 'generate', folder), { code: 1, said: `${message(ADA)}\n` })
    t.strictSame(readdirSync(folder), [])
    t.match(await keys(EVE, 'generate', folder), DONE)
    const before = readdirSync(folder)
    await t.rejects(readRing({ folder }), { message: message(ROOT) })
    await t.rejects(changeRing({ folder }, { kind: 'signing', now: NOW, by: 'server', plan: keys => planRotation(keys, NOW, { prepublish: 0, urgency: 'regular' }) }, { milliseconds: 0 }), { message: message(ROOT) })
    for (const outcome of [await serve(within, folder), await keys(within, 'rotate', folder)]) t.strictSame(outcome, { code: 1, said: `${message(ADA)}\n` })
    t.strictSame(readdirSync(folder), before)
    t.match(await serve(ROOT, folder), { code: 1, said: `${message(ROOT)}\n` })
  })

  t.test('a volume that Kubernetes gives to a group (fsGroup) is the group\'s, whichever user of it comes', async t => {
    const folder = folderOf(t, { uid: 0, gid: GROUP }, 0o2775)
    const [one, other] = [{ uid: ADA.uid, gid: GROUP }, { uid: EVE.uid, gid: GROUP }]
    t.match(await keys(one, 'generate', folder), DONE)
    t.match(await keys(other, 'rotate', folder, '--force'), DONE)
    t.match(await serve(one, folder), SERVES)
    t.strictSame(modes(folder), [`${GROUP} 660`])
    t.equal(statSync(folder).mode & 0o7777, 0o2775, 'and its mode is left as it was')
    t.match(await keys(ADA, 'prune', folder), { code: 1, said: /may not/ }, 'but nobody else\'s')
  })

  t.test('a private ring on a volume serves on when Kubernetes has opened it to the group', async t => {
    const folder = folderOf(t, ADA, 0o700)
    t.match(await keys(ADA, 'generate', folder), DONE)
    // What the kubelet does to a volume at each mount.
    for (const name of readdirSync(folder)) {
      chownSync(join(folder, name), ADA.uid, GROUP)
      chmodSync(join(folder, name), 0o660)
    }
    chownSync(folder, ADA.uid, GROUP)
    chmodSync(folder, 0o2770)
    t.match(await serve({ uid: ADA.uid, gid: GROUP }, folder), SERVES)
  })

  t.test('an image\'s folder of root\'s group serves any user of it, as OpenShift gives to a container', async t => {
    const folder = folderOf(t, ROOT, 0o770)
    t.match(await keys({ uid: EVE.uid, gid: 0 }, 'generate', folder), DONE)
    t.match(await keys({ uid: ADA.uid, gid: 0 }, 'rotate', folder, '--force'), DONE)
    t.match(await serve({ uid: ADA.uid, gid: 0 }, folder), SERVES)
    t.strictSame(modes(folder), ['0 660'])
  })

  t.test('a group\'s folder that others may write to, and a file of another group, are refused with what mends them', async t => {
    const folder = folderOf(t, { uid: 0, gid: GROUP }, 0o2770)
    await makeRing({ folder }, NOW)
    t.ok(await readRing({ folder }))
    chmodSync(folder, 0o2777)
    await t.rejects(readRing({ folder }), { message: `${folder} is open to others: chmod 2775 ${folder}` })
    chmodSync(folder, 0o2770)
    const key = join(folder, readdirSync(folder).find(name => name.startsWith('signing-'))!)
    chmodSync(key, 0o664)
    await t.rejects(readRing({ folder }), { message: `${key} is open to others: chmod 660 ${key}` })
    chmodSync(key, 0o660)
    chownSync(key, 0, EVE.gid)
    await t.rejects(readRing({ folder }), { message: `${key} is open to another group than its folder: chgrp ${GROUP} ${key}` })
    chmodSync(key, 0o600)
    t.ok(await readRing({ folder }), 'a file that is open to no group may be of any')
  })

  t.test('a folder of a common group, not given to it on purpose, is refused', async t => {
    const folder = folderOf(t, { uid: 0, gid: GROUP }, 0o700)
    await makeRing({ folder }, NOW)
    for (const mode of [0o770, 0o750, 0o2750, 0o710]) {
      chmodSync(folder, mode)
      await t.rejects(readRing({ folder }), { message: `${folder} is open to others: chmod ${mode >= 0o2000 ? '2700' : '700'} ${folder}` }, mode.toString(8))
    }
  })

  t.test('a change that the system refuses half-way is said in words', async t => {
    const folder = folderOf(t, ADA, 0o700)
    t.match(await keys(ADA, 'generate', folder), DONE)
    const before = readdirSync(folder)
    chmodSync(folder, 0o500)
    t.match(await keys(ADA, 'rotate', folder, '--force'), { code: 1, said: new RegExp(`The key ring in ${folder} cannot be changed: user ${ADA.uid} may not\\.\n$`) })
    t.strictSame(readdirSync(folder), before)
    chmodSync(folder, 0o700)
    chownSync(join(folder, 'lock'), 0, 0)
    t.match(await keys(ADA, 'rotate', folder, '--force'), { code: 1, said: new RegExp(`The key ring in ${folder} cannot be changed: user ${ADA.uid} may not\\.\n$`) })
  })

  t.test('a folder that cannot be made is said in words', async t => {
    const parent = folderOf(t, ROOT, 0o755)
    t.strictSame(await keys(ADA, 'generate', join(parent, 'ring')), { code: 1, said: `The folder ${join(parent, 'ring')} of KEYS_DIR cannot be made: user ${ADA.uid} may not.\n` })
  })
})
