// A process that may open no more files still follows its ring.
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { planRotation } from '../../src/core/key-life-cycle.js'
import { KeyRing, readRing } from '../../src/keyring/key-ring.js'
import { changeRing } from '../../src/keyring/ring-changes.js'
import { RingWatcher } from '../../src/keyring/ring-watcher.js'
import { readTextSparing } from '../../src/keyring/spare-file.js'
import { makeRing } from './rings.js'

const PRLIMIT = '/usr/bin/prlimit'
const ROOM = 64

/** Runs `act` while this process may open nothing. */
async function exhausted (act: () => Promise<void>): Promise<void> {
  const limit = (soft: string) => { execFileSync(PRLIMIT, ['--pid', String(process.pid), `--nofile=${soft}:`]) }
  const before = /NOFILE\s+.*?(\d+|unlimited)\s+\S+\s+\S+$/m.exec(execFileSync(PRLIMIT, ['--pid', String(process.pid), '--nofile', '--raw', '--noheadings'], { encoding: 'utf8' }))![1]!
  limit(String(readdirSync('/proc/self/fd').length + ROOM))
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync(devNull, 'r'))
  } catch (error) {
    t.match(error, { code: 'EMFILE' })
  }
  try {
    await act()
  } finally {
    for (const descriptor of taken) closeSync(descriptor)
    limit(before)
  }
}

const skip = existsSync(PRLIMIT) ? false : `there is no ${PRLIMIT}`

t.test('a process that begins with nothing to spare says so, and reads when it can', { skip }, async t => {
  const path = join(t.testdir({ file: 'text' }), 'file')
  await exhausted(async () => { await t.rejects(readTextSparing(path), { code: 'EMFILE' }) })
  t.equal(await readTextSparing(path), 'text')
})

t.test('where no descriptor is left, rotations and revocations are followed all the same, and a fault is said', { skip }, async t => {
  const folder = join(t.testdir(), 'keys')
  await makeRing({ folder }, Date.now())
  const ring = (await readRing({ folder }))!
  const keyRing = new KeyRing(ring.parts)
  const terms = { prepublish: 0, retention: 1, interval: 0 }
  const ignore = () => {}
  const watcher = new RingWatcher({ place: { folder }, keyRing, ring, terms: { signing: terms, refresh: terms, sealing: terms }, clock: Date.now, uptime: () => performance.now(), log: { adopted: ignore, refused: ignore, stepsSeen: ignore, stepsTaken: ignore, upkeepFailed: ignore, goesUnsealed: ignore } })
  await changeRing({ folder }, { kind: 'signing', now: Date.now(), by: 'command', plan: keys => planRotation(keys, Date.now(), { prepublish: 0, urgency: 'regular' }) }, { milliseconds: 0 })
  const { body } = new KeyRing((await readRing({ folder }))!.parts).jwks
  t.not(keyRing.jwks.body, body)
  await exhausted(async () => {
    for (let look = 0; look < 3; look++) await watcher.look()
    t.equal(keyRing.fault, undefined)
    t.equal(keyRing.jwks.body, body)
    await t.rejects(readTextSparing(join(folder, 'none')), { code: 'ENOENT' })
  })
  writeFileSync(join(folder, 'manifest.json'), '{}')
  await exhausted(async () => { await watcher.look() })
  t.match(keyRing.fault?.message, 'its manifest is of another version')
})
