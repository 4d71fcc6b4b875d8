// `npm run keys:list` as an operator meets it.
import t from 'tap'
import { makeRing } from '../keyring/rings.js'
import { instant, MINUTE, operator } from './operator.js'

t.test('list is a table for people and a document for machines, and needs no passphrase', async t => {
  const { run, ids, folder } = await operator(t)
  await makeRing({ folder, passphrase: 'a passphrase' }, Date.now() - 66 * MINUTE)
  const id = await ids()
  const listed = await run('list')
  t.match(listed, { code: 0, err: '', out: new RegExp(`^Signing keys in ${folder}\n {2}STATE +KEY +AGE +PUBLISHED SINCE +WHAT COMES NEXT\n {2}active +${id('active')} +RSA 2048 +66 minutes +${instant(Date.now() - 66 * MINUTE).slice(0, 10)} .* UTC +retired by keys:rotate from now on, by itself on .* UTC\n {2}next +${id('next')} `) })
  const { signing, refresh } = JSON.parse((await run('list', '--json')).out) as Record<string, object[]>
  t.match(signing, [{ state: 'active', next: { to: 'retired', allowed_at: /Z$/, due_at: /Z$/ } }, { state: 'next', next: { to: 'active' } }])
  t.equal(refresh!.length, 2)
})
