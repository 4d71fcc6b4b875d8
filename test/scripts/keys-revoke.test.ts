// `npm run keys:revoke` as an operator meets it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readManifest } from '../../src/keyring/ring-files.js'
import { MINUTE, operator } from './operator.js'

t.test('revoke says what took the key\'s place and how long each library goes on accepting it', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE)
  const before = await ids()
  const done = await run('revoke', before('active'))
  t.match(done, { code: 0, err: '', out: /It was signing; the next key, which is published already, signs in its place\.\nServers follow within 2 seconds and refuse its tokens\. Verifiers elsewhere have it in their caches:\n {2}VERIFIER, STOCK SETTINGS +STILL ACCEPTS THE REVOKED KEY +REFUSES GOOD TOKENS\n[^]* {2}jose \(Node\.js\) +for up to 10 minutes +not at all\n/ })
  t.strictSame(await states(), ['revoked', 'active', 'next'])
  t.equal((await ids())('active'), before('next'))
  t.match(await run('revoke', before('active')), { code: 1, err: 'That key has been revoked already.\n' })
  t.match(await run('revoke', 'nobody'), { code: 1, err: /^There is no such key in the ring/ })
})

t.test('revoke tells honestly what breaks where the next key is too young, or where nobody has seen the key that follows', async t => {
  const { run, ids, states } = await operator(t, 0)
  const young = JSON.parse((await run('revoke', (await ids())('active'), '--json')).out) as { successor: string, verifiers: Array<{ library: string, accepts_revoked: number, refuses_new: number }> }
  t.equal(young.successor, 'next')
  t.match(young.verifiers.find(({ library }) => library.startsWith('keyfunc')), { accepts_revoked: 3600, refuses_new: Number })
  t.ok(young.verifiers.find(({ library }) => library.startsWith('keyfunc'))!.refuses_new > 3500)
  t.match(await run('revoke', (await ids())('next'), '--unseen'), { code: 1, err: /^That key does not sign/ })
  const unseen = JSON.parse((await run('revoke', (await ids())('active'), '--unseen', '--json')).out) as typeof young
  t.equal(unseen.successor, 'unseen')
  t.match(unseen.verifiers.find(({ library }) => library === 'jose (Node.js)'), { accepts_revoked: 30, refuses_new: 30 })
  t.strictSame(await states(), ['revoked', 'revoked', 'next', 'active'])
  t.match(await run('revoke', (await ids())('next')), { code: 0, out: /It was not signing, so the active key goes on\./ })
})

t.test('revoking a refresh secret says first whom it logs out', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE)
  const secret = await ids('refresh')
  const rehearsal = await run('revoke', secret('active'), '--refresh-secret', '--dry-run')
  t.match(rehearsal, { code: 0, out: /^Every device whose refresh token this secret made is logged out: those that logged in or refreshed last between .* UTC and .* UTC\.\nNothing was changed/ })
  t.match(await run('revoke', secret('next'), '--refresh-secret'), { code: 0, out: /^This secret made no token yet, so nobody is logged out\.\nChanged/ })
  t.match(JSON.parse((await run('revoke', secret('active'), '--refresh-secret', '--json')).out), { done: true, kind: 'refresh', successor: 'next', logged_out: [{ from: /Z$/, until: /Z$/ }] })
  t.strictSame(await states('refresh'), ['revoked', 'revoked', 'active', 'next'])
})

t.test('the times of a secret that signed twice are told both, and of a ring older than its history the last', async t => {
  const { run, ids, folder } = await operator(t, 66 * MINUTE)
  const secret = (await ids('refresh'))('active')
  await run('rotate', '--refresh-secret')
  await run('rotate', '--refresh-secret', '--back')
  t.match(await run('revoke', secret, '--refresh-secret', '--dry-run'), { code: 0, out: /between .* UTC and .* UTC, or between .* UTC and .* UTC\./ })
  const { history: _, ...old } = await readManifest(folder)
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(old))
  t.match(await run('revoke', secret, '--refresh-secret', '--dry-run'), { code: 0, out: /last between [^,]* UTC and [^,]* UTC\.\n/ })
})

t.test('revoking a sealing secret says first whose authenticator apps it costs', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE)
  const secret = await ids('sealing')
  t.match(await run('revoke', secret('active'), '--refresh-secret'), { code: 1, err: /--sealing for sealing secrets/ })
  t.match(await run('revoke', secret('active'), '--sealing', '--dry-run'), { code: 0, out: /^Every authenticator app whose seed is under this secret is lost: those that were added or used last between .* UTC and .* UTC\. Their users go on with recovery codes, with passkeys, or by you \(npm run users:remove-second-factors\), and then add the app anew\.\nNothing was changed/ })
  t.match(await run('revoke', secret('next'), '--sealing'), { code: 0, out: /^This secret sealed nothing yet, so nothing is lost\.\nChanged/ })
  t.match(JSON.parse((await run('revoke', secret('active'), '--sealing', '--json')).out), { done: true, kind: 'sealing', successor: 'next', lost: [{ from: /Z$/, until: /Z$/ }] })
  t.strictSame(await states('sealing'), ['revoked', 'revoked', 'active', 'next'])
})
