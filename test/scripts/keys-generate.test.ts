// `npm run keys:generate` as an operator meets it.
import { existsSync } from 'node:fs'
import t from 'tap'
import { readManifest } from '../../src/keyring/ring-files.js'
import { makeOlder } from '../keyring/rings.js'
import { operator } from './operator.js'

t.test('generate makes a ring, then refuses, then replaces the key that waits', async t => {
  const { run, folder, ids, states } = await operator(t)
  t.match(await run('generate', '--refresh-secret'), { code: 1, out: '', err: /make it without --refresh-secret/ })
  t.strictSame(await run('generate', '--dry-run'), { code: 0, out: `It would make a key ring in ${folder}.\n`, err: '' })
  t.notOk(existsSync(folder))
  t.strictSame(await run('generate', '--bits', '3072'), { code: 0, out: `Made a key ring in ${folder}.\n`, err: '' })
  t.strictSame((await readManifest(folder)).signing.map(({ bits }) => bits), [3072, 3072])
  t.match(await run('generate'), { code: 1, out: '', err: /already, and its next key waits to be rotated in; it was left as it is/ })
  const before = (await ids())('next')
  const rehearsal = await run('generate', '--replace', '--bits', '2048', '--dry-run', '--json')
  t.strictSame(JSON.parse(rehearsal.out), { done: false, dry_run: true, kind: 'signing', steps: [{ id: before, from: 'next', to: null }, { id: null, from: null, to: 'next' }] })
  t.equal((await ids())('next'), before)
  t.match(await run('generate', '--replace', '--bits', '2048'), { code: 0, out: /: made -> next\nIt may sign when it has been published for 65 minutes: npm run keys:rotate\.\n$/, err: '' })
  t.strictSame(await states(), ['active', 'next'])
  t.equal((await readManifest(folder)).signing[1]!.bits, 2048)
  t.match(await run('generate', '--refresh-secret', '--replace'), { code: 0, out: /: npm run keys:rotate -- --refresh-secret\.\n$/ })
})

t.test('generate makes the first sealing secrets of a ring of before there were any, and refuses others', async t => {
  const { run, folder, ids, states } = await operator(t)
  t.match(await run('generate', '--sealing'), { code: 1, out: '', err: /make it without --sealing/ })
  await run('generate')
  makeOlder(folder)
  const made = await run('generate', '--sealing')
  const id = await ids('sealing')
  t.strictSame(made, { code: 0, err: '', out: `Changed in ${folder}:\n  ${id('active')}: made -> active\n  ${id('next')}: made -> next\nIt may sign when it has been published for 65 minutes: npm run keys:rotate -- --sealing.\n` })
  t.match(await run('generate', '--sealing'), { code: 1, err: /its next key waits to be rotated in/ })
  t.strictSame(await states('sealing'), ['active', 'next'])
})
