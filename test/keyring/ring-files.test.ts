// Where a ring is, and how its passphrase gets there.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import * as fsPromises from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { assertPlainPassphrase, ringPlace } from '../../src/keyring/ring-files.js'

t.test('the passphrase is what its file holds, but for the line break at the end', async t => {
  const folder = t.testdir({ plain: 'a passphrase ', unix: 'a passphrase\n', windows: 'a passphrase\r\n', empty: '\n' })
  for (const name of ['plain', 'unix', 'windows', 'empty']) chmodSync(join(folder, name), 0o600)
  t.strictSame(await ringPlace('keys', ''), { folder: 'keys' })
  t.strictSame(await ringPlace('keys', join(folder, 'plain')), { folder: 'keys', passphrase: 'a passphrase ' })
  for (const name of ['unix', 'windows']) t.strictSame(await ringPlace('keys', join(folder, name)), { folder: 'keys', passphrase: 'a passphrase' }, name)
  await t.rejects(ringPlace('keys', join(folder, 'empty')), { message: 'The setting KEYS_PASSPHRASE_FILE names a file that is empty.' })
  await t.rejects(ringPlace('keys', join(folder, 'none')), { message: 'The setting KEYS_PASSPHRASE_FILE names a file that cannot be read: it is not there.' })
  await t.rejects(ringPlace('keys', folder), { message: 'The setting KEYS_PASSPHRASE_FILE names a file that cannot be read: it is a folder.' })
})

t.test('a passphrase that others may read is refused, and the sentence is the chmod', async t => {
  const path = join(t.testdir({ file: 'a passphrase' }), 'file')
  for (const mode of [0o644, 0o640, 0o604, 0o602, 0o666]) {
    chmodSync(path, mode)
    await t.rejects(ringPlace('keys', path), { message: `${path} is open to others: chmod 600 ${path}` }, mode.toString(8))
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    chmodSync(path, mode)
    t.strictSame(await ringPlace('keys', path), { folder: 'keys', passphrase: 'a passphrase' }, mode.toString(8))
  }
})

t.test('on a mount that nobody can write to, its group may read a passphrase', async t => {
  const path = join(t.testdir({ file: 'a passphrase' }), 'file')
  const access = async () => { throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' }) }
  const onMount = await t.mockImport<typeof import('../../src/keyring/ring-files.js')>('../../src/keyring/ring-files.js', { 'node:fs/promises': { ...fsPromises, access } })
  chmodSync(path, 0o440)
  t.equal((await onMount.ringPlace('keys', path)).passphrase, 'a passphrase')
  chmodSync(path, 0o444)
  await t.rejects(onMount.ringPlace('keys', path), { message: `${path} is open to others: chmod 640 ${path}` })
})

t.test('a ring is made under a passphrase in which all can be seen, and one of before is read with what it was made with', async t => {
  const path = join(t.testdir(), 'file')
  const read = async (content: string | Uint8Array) => {
    writeFileSync(path, content, { mode: 0o600 })
    return (await ringPlace('keys', path)).passphrase!
  }
  for (const content of ['\uFEFFa passphrase', 'a passphrase \n', ' a passphrase', 'a passphrase\n\n', 'a\npassphrase', 'a\tpassphrase', ' ', Buffer.from('p\u00E4ss', 'latin1'), Buffer.from('\uFEFFpass', 'utf16le')]) {
    const passphrase = await read(content)
    t.equal(passphrase, readFileSync(path, 'utf8').replace(/\n$/, ''))
    t.throws(() => { assertPlainPassphrase(passphrase) }, { message: /^The file of KEYS_PASSPHRASE_FILE must hold one line of text in UTF-8, without blanks around it and without a byte order mark; / }, JSON.stringify(passphrase))
  }
  for (const plain of ['a passphrase', 'p\u00E4ss w\u00F6rd', 'x']) t.doesNotThrow(() => { assertPlainPassphrase(plain) })
  t.doesNotThrow(() => { assertPlainPassphrase(undefined) })
})
