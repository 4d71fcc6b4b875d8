// The commands that prepare compose.yaml, as they stand in it: each file .env that there may be is whole afterwards, and its own settings count.
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readEnvFile } from '../src/env-file.js'

const PREPARATION = /^# {3}(\(umask .*)$/m.exec(readFileSync('compose.yaml', 'utf8'))![1]!

t.test('a file .env gets what it lacks, once, and keeps what it has', async t => {
  const folder = t.testdir()
  const file = join(folder, '.env')
  const prepare = () => {
    t.strictSame(spawnSync('sh', ['-c', PREPARATION], { cwd: folder, encoding: 'utf8' }).stderr, '')
    t.equal(statSync(file).mode & 0o777, 0o600)
    return readEnvFile(file)
  }
  const passwords = { MONGODB_PASSWORD: /^[\da-f]{48}$/, MONGODB_ROOT_PASSWORD: /^[\da-f]{48}$/ }
  const made = prepare()
  t.match(made, { ISSUER: 'https://id.example', ...passwords })
  t.strictSame(prepare(), made, 'a second time changes nothing')

  writeFileSync(file, 'AUDIENCE=orders\nISSUER=https://mine.example', { mode: 0o644 })
  t.match(prepare(), { AUDIENCE: 'orders', ISSUER: 'https://mine.example', ...passwords }, 'the last line of one may have no end')
  writeFileSync(file, readFileSync('.env.example'))
  t.match(prepare(), { ISSUER: 'https://id.example', ...passwords }, 'a value that is empty is none')
})
