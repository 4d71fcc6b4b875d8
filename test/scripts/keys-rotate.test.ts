// `npm run keys:rotate` as an operator meets it.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { readManifest, type Manifest } from '../../src/keyring/ring-files.js'
import { certificateFor } from '../certificates.js'
import { makeOlder, openRing } from '../keyring/rings.js'
import { instant, MINUTE, operator } from './operator.js'

t.test('rotate waits until verifiers have seen the key, and says from when it will', async t => {
  const { run, states } = await operator(t, 64 * MINUTE)
  const before = Date.now()
  const refused = await run('rotate')
  const allowed = [before, Date.now()].map(now => instant(now + MINUTE))
  t.match(refused, { code: 1, out: '' })
  t.ok(allowed.some(at => refused.err === `The next key must have been published for 65 minutes (KEY_PREPUBLISH) before it signs, which will be so from ${at} on. --force does not wait, and says what breaks.\n`), refused.err)
  t.match(JSON.parse((await run('rotate', '--json')).out), { done: false, refused: 'too_young', allowed_at: /^\d{4}-.*Z$/, message: /KEY_PREPUBLISH/ })
  t.strictSame(await states(), ['active', 'next'])
})

t.test('a rotation that is due is told step by step, serves, and goes back', async t => {
  const { run, ids, states, folder } = await operator(t, 66 * MINUTE)
  const before = await ids()
  const rehearsal = await run('rotate', '--dry-run')
  t.match(rehearsal, { code: 0, err: '', out: `Nothing was changed in ${folder}. It would be:\n  ${before('active')}: active -> retired\n  ${before('next')}: next -> active\n  a new key: made -> next\nServers would follow within 2 seconds.` })
  t.strictSame(await states(), ['active', 'next'])
  const done = await run('rotate')
  const after = await ids()
  t.match(done, { code: 0, err: '', out: new RegExp(`^Changed in ${folder}:\n  ${before('active')}: active -> retired\n  ${before('next')}: next -> active\n  ${after('next')}: made -> next\nServers follow within 2 seconds\\. Tokens of the retired key stay good; it may be pruned from .* UTC on\\.\n$`) })
  t.equal(after('active'), before('next'))
  await t.resolves((await openRing({ folder })).assertServes(Date.now()))
  const back = JSON.parse((await run('rotate', '--back', '--json')).out) as { done: boolean, steps: object[] }
  t.strictSame(back, { done: true, dry_run: false, kind: 'signing', steps: [{ id: after('active'), from: 'active', to: 'retired' }, { id: before('active'), from: 'retired', to: 'active' }] })
  t.match(await (await operator(t, 0)).run('rotate', '--back'), { code: 1, err: /^There is no retired key to go back to/ })
})

t.test('a forced rotation says first what will break, by library', async t => {
  const { run } = await operator(t, 20 * MINUTE)
  const { breaks } = JSON.parse((await run('rotate', '--force', '--json')).out) as { breaks: object[] }
  t.match(breaks, [{ library: /^Authlib/, seconds: null }, { library: 'keyfunc (Go)', seconds: Number }])
  t.equal(breaks.length, 2)
  t.match(await run('rotate', '--force'), { code: 0, out: /^These verifiers, with their stock settings, may refuse good tokens:\n {2}@signet\/verifier \(Node\.js\) +for up to \d+ seconds\n[^]*keyfunc \(Go\) +for up to 60 minutes\n[^]*\nChanged in / })
  t.match(await run('rotate', '--force', '--refresh-secret'), { code: 0, out: /^Servers that have not read the next secret yet refuse its tokens[^\n]*\nChanged in / })
})

t.test('a rotation looks at the public JWKS first where it is told to, and refuses unless the next key is there', async t => {
  const { run, ids, states } = await operator(t, 66 * MINUTE)
  let answer: { status: number, body: string } = { status: 200, body: JSON.stringify({ keys: [] }) }
  const server = createServer((_request, response) => { response.writeHead(answer.status, answer.status === 302 ? { location: '/' } : {}).end(answer.body) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`
  t.match(await run('rotate', '--check', url), { code: 1, out: '', err: /^The JWKS at that address does not hold the next key/ })
  const refused = (at: string, why: string) => ({ code: 1, out: '', err: `The JWKS at ${at} cannot be read, so nothing was changed: ${why}.\n` })
  const [NO_JWKS, ELSEWHERE] = ['the answer is not a JWKS', 'the answer leads elsewhere, and verifiers follow no redirect']
  for (const [status, body, why] of [[500, '', 'the answer has the status 500'], [302, '', ELSEWHERE], [200, 'x', NO_JWKS], [200, '{}', NO_JWKS], [200, 'null', NO_JWKS]] as const) {
    answer = { status, body }
    t.match(await run('rotate', '--check', url), refused(url, why), `${status} ${body}`)
  }
  const { pair } = certificateFor(t)
  const secure = createSecureServer(pair).listen(0, '127.0.0.1')
  await once(secure, 'listening')
  t.teardown(() => secure.close())
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const closed = `http://127.0.0.1:${(gone.address() as AddressInfo).port}/`
  await once(gone.close(), 'close')
  const secureUrl = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/`
  for (const [at, why] of [
    [closed, 'nothing listens there'], ['http://127.0.0.1:9/', 'at that port no HTTP is to be asked for'], [url.replace('http:', 'https:'), 'what listens there speaks no HTTPS'], [secureUrl.replace('https:', 'http:'), 'what listens there hung up'], ['http://nobody.invalid/', /its name (is not found|cannot be looked up now)/],
    [secureUrl, 'its certificate is of nobody whom this machine trusts; NODE_EXTRA_CA_CERTS names a file of more'],
  ] as const) t.match(await run('rotate', '--check', at), { code: 1, out: '', err: why }, at)
  for (const at of ['id.example', 'ftp://127.0.0.1/', 'https://']) t.match(await run('rotate', '--check', at), refused(at, 'that is not a URL that begins with http:// or https://'))
  t.strictSame(await states(), ['active', 'next'])
  answer = { status: 200, body: JSON.stringify({ keys: [{ kid: (await ids())('next') }] }) }
  t.match(await run('rotate', '--check', url), { code: 0 })
})

t.test('without a next key rotate and revoke name the command that makes one', async t => {
  const { run, folder, ids } = await operator(t, 0)
  const manifest = await readManifest(folder)
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, signing: [manifest.signing[0]!] } satisfies Manifest))
  t.match(await run('rotate'), { code: 1, err: `There is no next key in ${folder}: make one with \`npm run keys:generate\`.\n` })
  t.match(await run('list'), { code: 0, out: /it goes on; there is no next key, which keys:generate makes/ })
  t.match(await run('revoke', (await ids())('active')), { code: 1, err: /there is no next key to take its place/ })
  t.match(await run('generate'), { code: 0 })
})

t.test('a ring whose steps lie in the future is not rotated unless that is forced, which leaves nothing in the future that counts', async t => {
  const { run, states, folder } = await operator(t, -60 * MINUTE)
  const { code, out, err } = await run('rotate')
  t.match({ code, out }, { code: 1, out: '' })
  const saying = new RegExp(`^Steps of the ring in ${folder} lie in the future of this machine's clock, which says \\d{4}-.* UTC; npm run keys:list shows them\\. Set the clock right\\.`)
  t.match(err, saying)
  t.match(JSON.parse((await run('rotate', '--json')).out), { done: false, refused: 'clock_behind', message: saying })
  t.strictSame(await states(), ['active', 'next'])
  t.match(await run('rotate', '--force'), { code: 0, err: '' })
  t.match(await run('rotate'), { code: 1, err: /^The next key must have been published for 65 minutes/ })
  t.match(await run('prune'), { code: 0, out: /^There is nothing to prune\.\nKept: / })
})

t.test('a sealing secret is rotated by command, waits as others do, and what the one before sealed can still be opened', async t => {
  const { run, ids, states, folder } = await operator(t, 66 * MINUTE)
  const before = await ids('sealing')
  const done = await run('rotate', '--sealing')
  t.match(done, { code: 0, err: '', out: new RegExp(`^Changed in ${folder}:\n[^]*Servers follow within 2 seconds\\. What the retired secret sealed opens as before, and is sealed anew when it is used; the secret is kept until it is revoked\\.\n$`) })
  const ring = await openRing({ folder })
  t.strictSame([ring.sealingSecret?.id, ring.findSealingSecret(before('active'))?.symmetricKeySize], [before('next'), 32])
  t.match(await run('rotate', '--sealing'), { code: 1, err: /^The next key must have been published for 65 minutes/ })
  t.match(await run('rotate', '--sealing', '--force'), { code: 0, out: /^Servers that have not read the next secret yet cannot open what it seals until they have, within 2 seconds\.\nChanged/ })
  t.strictSame(await states('sealing'), ['retired', 'retired', 'active', 'next'])
  makeOlder(folder)
  t.match(await run('rotate', '--sealing'), { code: 1, err: `There is no next key in ${folder}: make one with \`npm run keys:generate -- --sealing\`.\n` })
})

t.test('of a clock that the sealing secrets are ahead of it is not said that a server corrects it', async t => {
  const { run } = await operator(t, -60 * MINUTE)
  t.match(await run('rotate', '--sealing'), { code: 1, err: /another one was ahead when they were taken: --force does not wait\.\n$/ })
})
