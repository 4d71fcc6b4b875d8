// `npm run keys:list` as an operator meets it.
import t from 'tap'
import { makeOlder, makeRing } from '../keyring/rings.js'
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

t.test('list tells what comes next of sealing secrets: nothing by itself, and for a retired one nothing before it is revoked', async t => {
  const { run, ids, folder } = await operator(t, 66 * MINUTE)
  await run('rotate', '--sealing')
  await run('rotate')
  const id = await ids('sealing')
  const line = (state: string, next: string) => new RegExp(`\nSealing secrets in ${folder}\n[^]*  ${state} +${id(state)} .* UTC +${next}\n`)
  const { out } = await run('list')
  t.match(out, line('retired', 'kept for what it sealed, until it is revoked'))
  t.match(out, line('active', 'retired by keys:rotate from \\d{4}-.* UTC on'))
  t.match(out, line('next', 'active by keys:rotate from \\d{4}-.* UTC on'))
  const { sealing } = JSON.parse((await run('list', '--json')).out) as { sealing: object[] }
  t.match(sealing, [{ state: 'retired', next: null }, { state: 'active', next: { to: 'retired', due_at: null } }, { state: 'next', next: { to: 'active', due_at: null } }])
  const told = (await run('list', '--history')).out.split('\nHistory\n')[1]!.trim().split('\n').map(row => row.trim().split(/  +/)[1])
  t.strictSame(told, ['signing', 'signing', 'refresh', 'refresh', 'sealing', 'sealing', 'sealing', 'sealing', 'sealing', 'signing', 'signing', 'signing'], 'in the order of time')
  makeOlder(folder)
  t.match((await run('list')).out, new RegExp(`\nSealing secrets in ${folder}\n  none yet: a server that rotates by itself makes them, or the next command that changes the ring\n$`))
})
