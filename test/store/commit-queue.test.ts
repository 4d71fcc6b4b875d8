// One commit for all that waits: what cannot be committed is rejected whole, and the next is not harmed.
import { join } from 'node:path'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import Database from 'libsql'
import t from 'tap'
import { CommitQueue } from '../../src/store/commit-queue.js'

t.test('a commit that fails rejects every write in it, undoes them, and leaves the next one alone', async t => {
  const database = new Database(join(t.testdir(), 'queue.db'))
  t.teardown(() => database.close())
  database.exec('PRAGMA foreign_keys = ON')
  database.exec('CREATE TABLE parents (id INTEGER PRIMARY KEY)')
  database.exec('CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)')
  const queue = new CommitQueue(database)
  const parent = async (id: number) => await queue.write(() => database.prepare('INSERT INTO parents VALUES (?)').run([id]).changes)
  const orphan = queue.write(() => database.prepare('INSERT INTO children VALUES (7)').run([]).changes)
  const outcomes = await Promise.allSettled([orphan, parent(1)])
  t.strictSame(outcomes.map(({ status }) => status), ['rejected', 'rejected'])
  t.equal(await parent(1), 1)
})

t.test('a file that another process writes to is waited for, by nobody but those who write', async t => {
  const path = join(t.testdir(), 'queue.db')
  const [database, other] = [new Database(path), new Database(path)]
  t.teardown(() => { for (const open of [database, other]) open.close() })
  database.exec('CREATE TABLE numbers (number INTEGER PRIMARY KEY)')
  database.exec('PRAGMA busy_timeout = 0')
  const queue = new CommitQueue(database)
  const write = async () => await queue.write(() => database.prepare('INSERT INTO numbers DEFAULT VALUES').run([]).changes)
  other.exec('BEGIN IMMEDIATE')
  const written = [write()]
  await pause(50)
  written.push(write())
  other.exec('ROLLBACK')
  t.strictSame(await Promise.all(written), [1, 1])
  other.exec('BEGIN IMMEDIATE')
  await t.rejects(write(), { code: 'SQLITE_BUSY' }, 'but not for ever')
  const last = write()
  await pause(50)
  queue.flush()
  await t.rejects(last, { code: 'SQLITE_BUSY' }, 'nor when there is no time left')
})

t.test('two queues of one connection write again after a file that was busy, whatever is read in between', async t => {
  const path = join(t.testdir(), 'queue.db')
  const [database, other] = [new Database(path), new Database(path)]
  t.teardown(() => { for (const open of [database, other]) open.close() })
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('CREATE TABLE numbers (number INTEGER PRIMARY KEY)')
  database.exec('PRAGMA busy_timeout = 0')
  const [insert, count] = [database.prepare('INSERT INTO numbers DEFAULT VALUES'), database.prepare('SELECT count(*) FROM numbers').raw()]
  const write = async (queue: CommitQueue) => await queue.write(() => insert.run([]).changes)
  const queues = [new CommitQueue(database), new CommitQueue(database)] as const
  other.exec('BEGIN IMMEDIATE')
  const waiting = write(queues[0])
  await turn()
  await turn()
  count.all([])
  other.exec('INSERT INTO numbers DEFAULT VALUES')
  other.exec('COMMIT')
  t.strictSame(await Promise.all([write(queues[1]), waiting]), [1, 1])
  t.strictSame(count.all([]), [[3]])
})
