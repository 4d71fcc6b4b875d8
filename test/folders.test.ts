// Folders are made with all above them, and where none can be made that is said, and not tried for ever.
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeFolder } from '../src/folders.js'

t.test('what is missing is made, and nobody else may read it; what is there stays as it is', async t => {
  const folder = t.testdir({ there: {} })
  for (const path of ['one', 'a/b/c', 'there/d/', 'there']) makeFolder(join(folder, path))
  for (const path of ['one', 'a', 'a/b/c', 'there/d']) t.equal(statSync(join(folder, path)).mode & 0o777, 0o700, path)
  mkdirSync(join(folder, 'open'))
  makeFolder(join(folder, 'open'))
  t.notOk(existsSync(join(folder, 'open/open')))
})

t.test('where no folder can be made the system says why', async t => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'file'), '')
  symlinkSync('nowhere/at/all', join(folder, 'link'))
  const cases = { file: 'EEXIST', 'file/below': 'ENOTDIR', 'link/below': 'ENOENT', '/proc/signet': 'ENOENT', '/proc/signet/below': 'ENOENT' }
  for (const [path, code] of Object.entries(cases)) t.throws(() => { makeFolder(path.startsWith('/') ? path : join(folder, path)) }, { code }, path)
})
