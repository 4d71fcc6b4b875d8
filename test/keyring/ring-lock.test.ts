// Who may change a ring: one at a time, and nobody for ever.
import { readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { RingBusyError, withLock } from '../../src/keyring/ring-lock.js'

t.test('whoever comes second waits, is told so once, and goes on when the first is done', async t => {
  const folder = t.testdir()
  const order: string[] = []
  const first = withLock(folder, { milliseconds: 0 }, async () => {
    await pause(200)
    order.push('first')
  })
  const second = withLock(folder, { milliseconds: 5_000, onWait: () => { order.push('waits') } }, async () => { order.push('second') })
  await Promise.all([first, second])
  t.strictSame(order, ['waits', 'first', 'second'])
})

t.test('whoever has no patience is told that somebody else is at it', async t => {
  const folder = t.testdir()
  await withLock(folder, { milliseconds: 0 }, async () => {
    t.ok(await withLock(folder, { milliseconds: 0 }, async () => {}).catch(error => error) instanceof RingBusyError)
    t.strictSame(readdirSync(folder), ['lock'])
    await t.rejects(withLock(folder, { milliseconds: 100 }, async () => {}), { message: 'Another command or server is changing the key ring; try again in a moment.' })
  })
  t.equal(await withLock(folder, { milliseconds: 0 }, async () => 'free'), 'free')
})

t.test('work that fails lets go of the lock, which only its owner can read', async t => {
  const folder = t.testdir()
  await t.rejects(withLock(folder, { milliseconds: 0 }, async () => { throw new Error('failed') }), { message: 'failed' })
  t.equal(await withLock(folder, { milliseconds: 0 }, async () => 'free'), 'free')
  t.equal(statSync(join(folder, 'lock')).mode & 0o777, 0o600)
})

t.test('what the system refuses during the work is said in words, by the folder', async t => {
  const folder = t.testdir()
  await t.rejects(withLock(folder, { milliseconds: 0 }, async () => { throw new Error('a sentence of its own') }), { message: 'a sentence of its own' })
  await t.rejects(withLock(folder, { milliseconds: 0 }, async () => await readFile(join(folder, 'none'))), { message: `The key ring in ${folder} cannot be changed: it is not there.` })
})

t.test('a folder in which no lock can be taken is said in a sentence', async t => {
  const parent = t.testdir({ folder: { lock: {} }, text: { lock: 'not a database, but longer than its header would be, so that nobody takes it for one that is empty' } })
  for (const name of ['folder', 'text', 'nowhere']) {
    const folder = join(parent, name)
    await t.rejects(withLock(folder, { milliseconds: 0 }, async () => {}), { message: new RegExp(`^The key ring in ${folder} cannot be changed: .*\\.$`) }, name)
  }
})
