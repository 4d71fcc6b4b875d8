// One commit for all that waits: what cannot be committed is rejected whole, and the next is not harmed.
import { join } from 'node:path'
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
