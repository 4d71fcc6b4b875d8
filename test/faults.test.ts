// What the system refuses, in words.
import { mkdirSync, openSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { inWords, isDenied } from '../src/faults.js'

function caught (work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

t.test('what the system refuses is said in words, and neither its code nor its call', async t => {
  const folder = t.testdir({ file: '' })
  symlinkSync('circle', join(folder, 'circle'))
  t.strictSame([
    () => readFileSync(join(folder, 'none')),
    () => readFileSync(folder),
    () => readFileSync(join(folder, 'file', 'x')),
    () => readFileSync(join(folder, 'circle')),
    () => readFileSync(join(folder, 'x'.repeat(300))),
    () => mkdirSync(join(folder, 'file', 'x'), { recursive: true }) ?? openSync(join(folder, 'file'), 'wx'),
  ].map(work => inWords(caught(work))), ['it is not there', 'it is a folder', 'a part of its path is not a folder', 'its links lead round in a circle', 'its name is too long', 'a part of its path is not a folder'])
})

t.test('what a user may not do names the user', async t => {
  for (const code of ['EACCES', 'EPERM', 'SQLITE_READONLY', 'SQLITE_READONLY_DIRECTORY']) {
    const denied = Object.assign(new Error('permission denied'), { code })
    t.ok(isDenied(denied))
    t.equal(inWords(denied), `user ${process.geteuid!()} may not`)
  }
})

t.test('what SQLite says more exactly is in the words of its kind', async t => {
  const said = ['SQLITE_IOERR', 'SQLITE_IOERR_SHMSIZE', 'SQLITE_BUSY_RECOVERY', 'SQLITE_CANTOPEN_ISDIR', 'SQLITE_CORRUPT_INDEX'].map(code => inWords(Object.assign(new Error('disk I/O error'), { code })))
  t.strictSame(said, ['the disk is full, or fails', 'the disk is full, or fails', 'another process holds it', 'it cannot be opened', 'it is damaged'])
})

t.test('what an error says in words of its own is left as it is', async t => {
  t.equal(inWords(new Error('it is damaged')), 'it is damaged')
  t.equal(inWords(Object.assign(new Error('ConnectionFailed("14")'), { code: '' })), 'it cannot be opened')
  t.equal(inWords(Object.assign(new Error('as it says'), { code: 'ENEW' })), 'as it says')
})
