// A server that follows its ring: adopts what is good, keeps what it has, and does what is due once, however many they are.
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SETTLING_MS } from '../../src/core/clock.js'
import { planRotation, type KeyTerms, type Step } from '../../src/core/key-life-cycle.js'
import { KeyRing, readRing } from '../../src/keyring/key-ring.js'
import { changeRing } from '../../src/keyring/ring-changes.js'
import { readManifest, type HistoryEntry } from '../../src/keyring/ring-files.js'
import { withLock } from '../../src/keyring/ring-lock.js'
import { RingWatcher } from '../../src/keyring/ring-watcher.js'
import { copyRing, makeOlder, makeRing } from './rings.js'

const NOW = 1_800_000_000_000
const DAY = 86_400_000
const NEVER: KeyTerms = { prepublish: 1000, retention: DAY, interval: 0 }
const DAILY: KeyTerms = { ...NEVER, interval: DAY }

/** The wall's clock, and that of the process, which began before the first look. */
class Clocks {
  now: number
  uptime = 5000

  constructor (now: number) { this.now = now }
  pass (milliseconds: number): void {
    this.now += milliseconds
    this.uptime += milliseconds
  }
}

/** A server's part that follows the ring in `folder`, and what its log says. */
async function follow (folder: string, terms = NEVER, clock = new Clocks(NOW)) {
  const ring = (await readRing({ folder }))!
  const keyRing = new KeyRing(ring.parts)
  const said: Array<[event: string, what: unknown]> = []
  const seen: HistoryEntry[] = []
  const watcher = new RingWatcher({
    place: { folder }, keyRing, ring, terms: { signing: terms, refresh: terms, sealing: { ...terms, interval: 0 } }, clock: () => clock.now, uptime: () => clock.uptime,
    log: {
      adopted: active => { said.push(['adopted', active]) },
      refused: fault => { said.push(['refused', fault.message]) },
      stepsSeen: (history, known) => { seen.push(...history.slice(known)) },
      stepsTaken: (kind, steps: Step[]) => { said.push([`kept up ${kind}`, steps.map(({ to }) => to)]) },
      upkeepFailed: fault => { said.push(['failed', fault.message]) },
      goesUnsealed: fault => { said.push(['goes unsealed', fault?.message]) },
    },
  })
  const published = () => (JSON.parse(keyRing.jwks.body) as { keys: Array<{ kid: string }> }).keys.map(({ kid }) => kid)
  /** Looks now, and once more when the clock has been in agreement for long enough; that moment is given. */
  const settle = async (at: number) => {
    clock.now = at - SETTLING_MS
    await watcher.look()
    clock.pass(SETTLING_MS)
  }
  return { keyRing, watcher, said, seen, clock, published, settle }
}

async function ringIn (t: Test, name = 'keys', parent = t.testdir()): Promise<string> {
  const folder = join(parent, name)
  await makeRing({ folder }, NOW)
  return folder
}

async function rotate (folder: string): Promise<void> {
  await changeRing({ folder }, { kind: 'signing', now: NOW, by: 'command', plan: keys => planRotation(keys, NOW, { prepublish: 0, urgency: 'regular' }) }, { milliseconds: 0 })
}

const idsOf = async (folder: string) => (await readManifest(folder)).signing.filter(({ state }) => state !== 'revoked').map(({ id }) => id)
const activeOf = async (folder: string) => (await readManifest(folder)).signing.find(({ state }) => state === 'active')!.id

t.test('a ring that has not changed is left alone', async t => {
  const { watcher, said, keyRing } = await follow(await ringIn(t))
  const { jwks } = keyRing
  await watcher.look()
  t.equal(keyRing.jwks, jwks)
  t.strictSame(said, [])
})

t.test('a rotation is adopted at the next look, and said', async t => {
  const folder = await ringIn(t)
  const { watcher, said, published } = await follow(folder)
  await rotate(folder)
  await watcher.look()
  t.strictSame(published(), await idsOf(folder))
  t.match(said, [['adopted', { signing: await activeOf(folder), refresh: /^[\da-f]{16}$/, sealing: /^[\da-f]{16}$/ }]])
})

t.test('the ages of the keys are those of the ring that is in use', async t => {
  const folder = await ringIn(t)
  const { watcher } = await follow(folder)
  await rotate(folder)
  const states = (kind: string) => watcher.ages(NOW + 5_000).filter(([[other]]) => other === kind).map(([[, state]]) => state)
  t.strictSame(states('signing'), ['next', 'active'])
  await watcher.look()
  t.strictSame(states('signing'), ['next', 'active', 'retired'])
  t.strictSame(states('refresh'), ['next', 'active'])
  t.strictSame(states('sealing'), ['next', 'active'])
  t.strictSame(watcher.ages(NOW + 5_000).filter(([[kind]]) => kind === 'signing').map(([, seconds]) => seconds), [5, 5, 5])
})

t.test('a server that watches sees a rotation within two seconds', async t => {
  const folder = await ringIn(t)
  const { watcher, published } = await follow(folder)
  watcher.start()
  watcher.start()
  await rotate(folder)
  const ids = await idsOf(folder)
  const began = Date.now()
  while (published().join() !== ids.join() && Date.now() - began < 5_000) await pause(20)
  const took = Date.now() - began
  await watcher.stop()
  t.ok(took < 2_000, `${took} ms`)
})

t.test('a folder that is swapped by its symlink is followed, also as Kubernetes does it, file by file', async t => {
  const parent = t.testdir()
  for (const name of ['folder', 'files']) {
    const [one, two] = [await ringIn(t, `${name}-1`, parent), await ringIn(t, `${name}-2`, parent)]
    const folder = join(parent, name)
    const data = name === 'folder' ? folder : join(folder, '..data')
    if (name === 'files') mkdirSync(folder, { mode: 0o700 })
    symlinkSync(one, data)
    const link = async (target: string) => {
      if (name === 'folder') return
      const { signing, refresh, sealing } = await readManifest(target)
      for (const file of ['manifest.json', ...[...signing, ...refresh, ...sealing!].map(({ file }) => file)]) {
        rmSync(join(folder, file), { force: true })
        symlinkSync(join('..data', file), join(folder, file))
      }
    }
    await link(one)
    const { watcher, published, said } = await follow(folder)
    symlinkSync(two, `${data}-new`)
    renameSync(`${data}-new`, data)
    await link(two)
    await watcher.look()
    t.strictSame(published(), await idsOf(two), name)
    t.match(said, [['adopted', {}]])
  }
})

t.test('a broken ring is refused, loudly and again each minute, and the one in use is kept until it is whole again', async t => {
  const folder = await ringIn(t)
  const { watcher, said, keyRing, published, clock } = await follow(folder)
  const ids = published()
  const path = join(folder, 'manifest.json')
  const whole = readFileSync(path, 'utf8')
  const broken = ['refused', `The key ring in ${folder} cannot be read: its manifest is of another version.`] as [string, string]
  writeFileSync(path, '{}')
  await watcher.look()
  clock.pass(59_999)
  await watcher.look()
  t.strictSame(said, [broken], 'said once')
  t.equal(keyRing.fault?.message, broken[1])
  clock.now -= 3_600_000
  clock.pass(1)
  await watcher.look()
  t.strictSame(said, [broken, broken], 'and again after a minute, whatever the clock was set to')
  rmSync(path)
  await watcher.look()
  t.strictSame(said[2], ['refused', `There is no key ring in ${folder} any more.`], 'and at once where the fault is another')
  t.strictSame(published(), ids)
  await t.resolves(keyRing.assertServes(NOW))
  writeFileSync(path, whole, { mode: 0o600 })
  await watcher.look()
  t.equal(keyRing.fault, undefined)
  t.match(said[3], ['adopted', {}])
})

t.test('a change while a ring is broken is adopted when it can be', async t => {
  const folder = await ringIn(t)
  const { watcher, keyRing, published } = await follow(folder)
  await rotate(folder)
  chmodSync(folder, 0o755)
  await watcher.look()
  t.equal(keyRing.fault?.message, `${folder} is open to others: chmod 700 ${folder}`)
  chmodSync(folder, 0o700)
  await watcher.look()
  t.strictSame(published(), await idsOf(folder))
})

t.test('twenty servers on one folder rotate once when it is due, prune once when nothing needs the old key, and all follow', async t => {
  const folder = await ringIn(t)
  const clock = new Clocks(NOW + DAY - 1 - SETTLING_MS)
  const servers = await Promise.all(Array.from({ length: 20 }, async () => await follow(folder, DAILY, clock)))
  // In each turn one of them takes the steps of a kind at the least, and the others may find it at that.
  const look = async () => { for (let turn = 0; turn < 3; turn++) await Promise.all(servers.map(async ({ watcher }) => { await watcher.look() })) }
  const taken = () => servers.flatMap(({ said }) => said.splice(0)).filter(([event]) => event.startsWith('kept up')).sort(([one], [other]) => other.localeCompare(one))
  await look()
  clock.pass(SETTLING_MS)
  await look()
  t.strictSame(taken(), [])
  clock.pass(1)
  await look()
  t.strictSame(taken(), [['kept up signing', ['retired', 'active', 'next']], ['kept up refresh', ['retired', 'active', 'next']]])
  t.strictSame((await readManifest(folder)).signing.map(({ state }) => state), ['retired', 'active', 'next'])
  const ids = await idsOf(folder)
  for (const { published } of servers) t.strictSame(published(), ids)
  clock.pass(DAY - 1)
  await look()
  t.strictSame(taken(), [], 'not before it is due')
  clock.pass(1)
  await look()
  t.strictSame(taken(), [['kept up signing', [null, 'retired', 'active', 'next']], ['kept up refresh', [null, 'retired', 'active', 'next']]])
  t.ok((await readManifest(folder)).history!.slice(4).every(({ by }) => by === 'server'))
  for (const { keyRing } of servers) await keyRing.assertServes(NOW)
})

t.test('an interval of none leaves the ring to the commands', async t => {
  const folder = await ringIn(t)
  const { watcher, said, settle } = await follow(folder)
  await settle(NOW + 10_000 * DAY)
  await watcher.look()
  t.strictSame(said, [])
})

t.test('while somebody else changes the ring, upkeep waits for the next look', async t => {
  const folder = await ringIn(t)
  const { watcher, said, settle } = await follow(folder, DAILY)
  await settle(NOW + DAY)
  await withLock(folder, { milliseconds: 0 }, async () => { await watcher.look() })
  t.strictSame(said, [])
  await watcher.look()
  t.equal(said.filter(([event]) => event.startsWith('kept up')).length, 2)
})

t.test('upkeep that another did meanwhile is not done again', async t => {
  const folder = await ringIn(t)
  const [one, other] = [await follow(folder, DAILY), await follow(folder, DAILY)]
  for (const { settle } of [one, other]) await settle(NOW + DAY)
  await one.watcher.look()
  await other.watcher.look()
  t.strictSame(other.said.map(([event]) => event), ['adopted'])
})

t.test('upkeep that fails is said, and tried again after an hour', async t => {
  const folder = await ringIn(t)
  const { watcher, said, clock, keyRing, settle } = await follow(folder, DAILY)
  await settle(NOW + DAY)
  rmSync(join(folder, 'lock'))
  mkdirSync(join(folder, 'lock'))
  await watcher.look()
  await watcher.look()
  t.match(said, [['failed', /open/]])
  t.equal(said.length, 1)
  t.equal(keyRing.fault, undefined, 'the ring in use is as good as before')
  clock.pass(3_599_999)
  rmSync(join(folder, 'lock'), { recursive: true })
  await watcher.look()
  t.equal(said.length, 1)
  clock.pass(1)
  await watcher.look()
  t.equal(said.filter(([event]) => event.startsWith('kept up')).length, 2)
})

t.test('looks by a clock that is ahead change nothing until the clock has said so for hours, and a restart forgets them', async t => {
  const folder = await ringIn(t)
  const before = readFileSync(join(folder, 'manifest.json'), 'utf8')
  const { watcher, said, clock } = await follow(folder, DAILY)
  for (const ahead of [1400 * DAY, 0, 30 * DAY, -30 * DAY, 0]) {
    clock.now += ahead
    await watcher.look()
    clock.pass(SETTLING_MS - 1)
    await watcher.look()
    clock.now -= ahead
  }
  const again = await follow(folder, DAILY, clock)
  clock.now += 1400 * DAY
  await again.watcher.look()
  t.strictSame([said, again.said], [[], []])
  t.equal(readFileSync(join(folder, 'manifest.json'), 'utf8'), before)
})

t.test('a clock that is slewed, or stepped by less than clocks may differ, goes on to be believed', async t => {
  const folder = await ringIn(t)
  const { watcher, said, clock, settle } = await follow(folder, DAILY)
  await settle(NOW + DAY - 60_000)
  clock.now += 60_000
  await watcher.look()
  t.equal(said.filter(([event]) => event.startsWith('kept up')).length, 2)
})

t.test('steps that a clock dated into the future are dated anew, once, and count from then on', async t => {
  const folder = await ringIn(t)
  const plan = (keys: Parameters<typeof planRotation>[0]) => planRotation(keys, NOW, { prepublish: 0, urgency: 'forced' })
  await changeRing({ folder }, { kind: 'signing', now: NOW + 1400 * DAY, by: 'command', plan }, { milliseconds: 0 })
  const ids = await idsOf(folder)
  const { watcher, said, clock, settle } = await follow(folder, DAILY)
  const taken = () => said.filter(([event]) => event.startsWith('kept up'))
  await settle(NOW + DAY - 1)
  await watcher.look()
  await watcher.look()
  t.strictSame(taken(), [['kept up signing', ['retired', 'active', 'next']]], 'said')
  t.strictSame(await idsOf(folder), ids)
  const at = new Date(NOW + DAY - 1).toISOString()
  t.match((await readManifest(folder)).signing, [{ state: 'retired', retired_at: at }, { state: 'active', activated_at: at }, { state: 'next', published_at: at }])
  clock.pass(DAY - 1)
  await watcher.look()
  t.equal(taken().filter(([event]) => event === 'kept up signing').length, 1)
  clock.pass(1)
  await watcher.look()
  t.strictSame(taken().filter(([event]) => event === 'kept up signing')[1], ['kept up signing', [null, 'retired', 'active', 'next']])
})

t.test('the steps that others took are told when their ring is adopted, with who took them, and once', async t => {
  const folder = await ringIn(t)
  const { watcher, seen } = await follow(folder)
  await changeRing({ folder }, { kind: 'signing', now: NOW + 2000, by: 'command', who: 'ada', plan: keys => planRotation(keys, NOW + 2000, { prepublish: 0, urgency: 'regular' }) }, { milliseconds: 0 })
  await watcher.look()
  await watcher.look()
  const { history } = await readManifest(folder)
  t.strictSame(seen, history!.slice(4))
  t.match(seen[0], { kind: 'signing', by: 'command', who: 'ada' })
})

t.test('a ring without a history tells of no steps, and all of one that takes its place', async t => {
  const folder = await ringIn(t)
  const text = readFileSync(join(folder, 'manifest.json'), 'utf8')
  const { history, ...rest } = JSON.parse(text) as { history: HistoryEntry[] }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(rest))
  const { watcher, seen } = await follow(folder)
  writeFileSync(join(folder, 'manifest.json'), text)
  await watcher.look()
  t.strictSame(seen, history)
})

/** A ring of the time before there were sealing secrets. */
async function olderRingIn (t: Test): Promise<string> {
  const folder = join(t.testdir(), 'keys')
  await copyRing(folder, NOW)
  makeOlder(folder)
  return folder
}

t.test('twenty servers on a ring of before there were sealing secrets make it one, at once and once, and all follow', async t => {
  const folder = await olderRingIn(t)
  const servers = await Promise.all(Array.from({ length: 20 }, async () => await follow(folder, DAILY)))
  for (const { keyRing, watcher } of servers) t.strictSame([keyRing.sealingSecret, watcher.ages(NOW).filter(([[kind]]) => kind === 'sealing')], [undefined, []])
  for (let turn = 0; turn < 2; turn++) await Promise.all(servers.map(async ({ watcher }) => { await watcher.look() }))
  const { sealing, sealing_history: history } = await readManifest(folder)
  t.strictSame(sealing!.map(({ state }) => state), ['active', 'next'])
  t.match(history, [{ kind: 'sealing', id: sealing![0]!.id, from: null, to: 'active', by: 'server' }, { id: sealing![1]!.id, to: 'next' }])
  t.equal(history!.length, 2)
  t.strictSame(servers.flatMap(({ said }) => said).filter(([event]) => event !== 'adopted'), [['kept up sealing', ['active', 'next']]])
  for (const { keyRing, seen } of servers) {
    t.equal(keyRing.sealingSecret?.id, sealing![0]!.id)
    t.ok(sealing!.every(({ id }) => keyRing.findSealingSecret(id)))
    t.strictSame(seen, history, 'told once')
  }
})

t.test('where servers leave the ring to commands, one of before goes on without a sealing secret until a command makes it, and that is said once', async t => {
  const folder = await olderRingIn(t)
  const { watcher, said, keyRing } = await follow(folder)
  await watcher.look()
  await watcher.look()
  t.strictSame(said, [['goes unsealed', undefined]])
  await rotate(folder)
  await watcher.look()
  t.equal(keyRing.sealingSecret?.id, (await readManifest(folder)).sealing![0]!.id)
})

t.test('a ring of before that cannot be changed serves on without a sealing secret, and that is said once', async t => {
  const folder = await olderRingIn(t)
  rmSync(join(folder, 'lock'))
  mkdirSync(join(folder, 'lock'))
  const { watcher, said, keyRing, clock } = await follow(folder, DAILY)
  for (let looks = 0; looks < 3; looks++) {
    await watcher.look()
    clock.pass(3_600_000)
  }
  t.match(said, [['goes unsealed', /^The key ring in .* cannot be changed: /]])
  t.equal(said.length, 1)
  t.strictSame([keyRing.sealingSecret, keyRing.fault], [undefined, undefined])
  await t.resolves(keyRing.assertServes(NOW))
})

t.test('a ring of before that somebody else is changing gets its sealing secret at the next look', async t => {
  const folder = await olderRingIn(t)
  const { watcher, said, keyRing } = await follow(folder, DAILY)
  await withLock(folder, { milliseconds: 0 }, async () => { await watcher.look() })
  t.strictSame([said, keyRing.sealingSecret], [[], undefined])
  await watcher.look()
  t.ok(keyRing.sealingSecret)
})
