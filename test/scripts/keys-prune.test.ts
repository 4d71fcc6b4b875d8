// `npm run keys:prune` as an operator meets it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readManifest } from '../../src/keyring/ring-files.js'
import { MINUTE, operator } from './operator.js'

t.test('prune says what it keeps and until when, and removes the rest', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE, { ACCESS_TOKEN_TTL: '10' })
  await run('rotate')
  const retired = (await ids())('retired')
  t.match(await run('prune'), { code: 0, err: '', out: new RegExp(`^There is nothing to prune\\.\nKept: ${retired}, needed until .* UTC\\.\n$`) })
  t.match(JSON.parse((await run('prune', '--json')).out), { done: true, steps: [], kept: [{ id: retired, needed_until: /Z$/ }] })
  t.strictSame(await states(), ['retired', 'active', 'next'])
})

t.test('prune removes a key that no token can need, and says so first where it only rehearses', async t => {
  const { run, ids, states, folder } = await operator(t, 66 * MINUTE)
  await run('rotate')
  const manifest = await readManifest(folder)
  manifest.signing[0]!.retired_at = new Date(Date.now() - 901_000).toISOString()
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  const retired = (await ids())('retired')
  t.match(await run('prune', '--dry-run'), { code: 0, out: `Nothing was changed in ${folder}. It would be:\n  ${retired}: retired -> pruned\n` })
  t.strictSame(await states(), ['retired', 'active', 'next'])
  t.match(await run('prune'), { code: 0, out: `Changed in ${folder}:\n  ${retired}: retired -> pruned\n` })
  t.strictSame(await states(), ['active', 'next'])
  t.match(await run('list', '--history'), { code: 0, out: new RegExp(`signing  ${retired}  retired -> pruned, by command`) })
})

t.test('prune never takes a sealing secret, however long ago it was retired', async t => {
  const { run, ids, states, folder } = await operator(t, 66 * MINUTE)
  await run('rotate', '--sealing')
  const manifest = await readManifest(folder)
  manifest.sealing![0]!.retired_at = new Date(0).toISOString()
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  const retired = (await ids('sealing'))('retired')
  t.strictSame(await run('prune', '--sealing'), { code: 0, err: '', out: `There is nothing to prune.\nKept: ${retired}, needed until it is revoked.\n` })
  t.strictSame(JSON.parse((await run('prune', '--sealing', '--json')).out), { done: true, dry_run: false, kind: 'sealing', steps: [], kept: [{ id: retired, needed_until: null }] })
  t.strictSame(await states('sealing'), ['retired', 'active', 'next'])
})
