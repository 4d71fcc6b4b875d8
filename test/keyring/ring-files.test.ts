// Where a ring is, and how its passphrase gets there.
import { join } from 'node:path'
import t from 'tap'
import { ringPlace } from '../../src/keyring/ring-files.js'

t.test('the passphrase is what its file holds, but for the line break at the end', async t => {
  const folder = t.testdir({ plain: 'a passphrase ', unix: 'a passphrase\n', windows: 'a passphrase\r\n', empty: '\n' })
  t.strictSame(await ringPlace('keys', ''), { folder: 'keys' })
  t.strictSame(await ringPlace('keys', join(folder, 'plain')), { folder: 'keys', passphrase: 'a passphrase ' })
  for (const name of ['unix', 'windows']) t.strictSame(await ringPlace('keys', join(folder, name)), { folder: 'keys', passphrase: 'a passphrase' }, name)
  await t.rejects(ringPlace('keys', join(folder, 'empty')), { message: 'The setting KEYS_PASSPHRASE_FILE names a file that is empty.' })
  await t.rejects(ringPlace('keys', join(folder, 'none')), { message: /^The setting KEYS_PASSPHRASE_FILE names a file that cannot be read: ENOENT.*\.$/ })
})
