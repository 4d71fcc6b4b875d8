// The command that lists events, as operators run it, on both stores.
import { once } from 'node:events'
import { randomBytes, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { eventId, toKept, type SecurityEvent } from '../../src/core/events.js'
import { openStore } from '../../src/store/open-store.js'
import { plainNode } from '../compiled.js'
import { startProgram } from '../program.js'
import { throwawayDatabase } from '../throwaway-database.js'
import { newUser } from '../store/store-contract.js'

const { TEST_MONGODB_URL: MONGODB } = process.env
const PROGRAM = plainNode('scripts/events-list.ts')
let sequence = 0

const PLACES: Array<[name: string, open: (t: Test) => string]> = [['a file', t => `file:${t.testdir({})}/signet.db`]]
if (MONGODB) {
  PLACES.push(['MongoDB', t => {
    const { url, drop } = throwawayDatabase(MONGODB)
    t.teardown(drop)
    return url
  }])
}

function list (t: Test, url: string, ...args: string[]) {
  const program = startProgram([...PROGRAM, ...args], { cwd: t.testdirName, env: { DATABASE_URL: url } })
  t.teardown(async () => await program.end('SIGKILL'))
  return program
}

for (const [name, open] of PLACES) {
  t.test(`events are listed by user, instant and kind, and followed, on ${name}`, async t => {
    t.testdir({})
    const url = open(t)
    const [store, user, now] = [await openStore(url), newUser(), Date.now()]
    t.teardown(async () => { await store.close() })
    const add = async (event: SecurityEvent) => { await store.insertEvents([toKept(event, eventId(event.at, sequence++, randomBytes(8)))]) }
    await store.insertUser(user)
    await add({ kind: 'login.succeeded', at: now - 7_200_000, userId: user.id, ip: '203.0.113.7' })
    await add({ kind: 'login.failed', at: now - 3_600_000, userId: user.id, details: { reason: 'wrong_password' } })
    await add({ kind: 'family.closed', at: now - 60_000, userId: randomUUID(), details: { cause: 'logout' } })
    const kinds = async (...args: string[]) => {
      const { code, out } = await list(t, url, '--json', ...args).ended
      t.equal(code, 0)
      return (JSON.parse(out) as { events: Array<{ kind: string }> }).events.map(({ kind }) => kind)
    }
    t.strictSame(await kinds(), ['login.succeeded', 'login.failed', 'family.closed'])
    t.strictSame(await kinds('--user', user.email.toUpperCase()), ['login.succeeded', 'login.failed'])
    t.strictSame(await kinds('--user', user.id, '--since', '90m'), ['login.failed'])
    t.strictSame(await kinds('--since', new Date(now - 7_200_000).toISOString(), '--kind', 'login'), ['login.succeeded', 'login.failed'])
    t.strictSame(await kinds('--kind', 'login.failed', '--kind', 'family', '--limit', '1'), ['family.closed'])
    t.match(JSON.parse((await list(t, url, '--json', '--limit', '2').ended).out), { events: { length: 2 }, has_older: true })
    t.match(JSON.parse((await list(t, url, '--json', '--limit', '3').ended).out), { events: { length: 3 }, has_older: false })
    t.match(await list(t, url, '--limit', '1').ended, { code: 0, out: /^There are older ones; these are the newest 1 \(--limit\)\.\n.* family\.closed .*\n$/ }, 'what is left out is said')
    const { out } = await list(t, url, '--kind', 'login').ended
    t.equal(out, `${[['login.succeeded', now - 7_200_000, 'from 203.0.113.7'], ['login.failed', now - 3_600_000, 'reason wrong_password']].map(([kind, at, said]) =>
      `${new Date(Number(at)).toISOString().slice(0, 19).replace('T', ' ')} UTC  ${String(kind).padEnd(29)}  user ${user.id}, ${said}`).join('\n')}\n`)
    t.match(await list(t, url, '--kind', 'user').ended, { code: 0, out: 'No such events are kept.\n' })
    t.match(await list(t, url, '--user', 'nobody@example.com').ended, { code: 1, err: 'Nobody has this e-mail address.\n' })

    const following = list(t, url, '--follow', '--json', '--user', user.id)
    const seen = () => following.output.out.split('\n').filter(Boolean).map(line => (JSON.parse(line) as { kind: string }).kind)
    const until = async (count: number) => { while (seen().length < count) await once(following.child.stdout, 'data') }
    await until(2)
    await add({ kind: 'password.changed', at: Date.now(), userId: user.id })
    await until(3)
    await add({ kind: 'login.succeeded', at: Date.now() - 5_000, userId: user.id })
    await until(4)
    following.child.kill('SIGINT')
    t.equal((await following.ended).code, 0)
    t.strictSame(seen(), ['login.succeeded', 'login.failed', 'password.changed', 'login.succeeded'], 'one that is written late, too, and none twice')
  })
}

t.test('what is asked for wrongly is said', async t => {
  t.testdir({})
  const url = `file:${t.testdirName}/signet.db`
  for (const [args, sentence] of [
    [['--since', 'yesterday'], 'The option --since takes a day'], [['--since', '2026-99-99'], 'The option --since takes'], [['--kind', 'logins'], 'There is no kind of event logins'],
    [['--limit', '0'], 'The option --limit takes'], [['--limit', '1e3'], 'The option --limit takes'], [['one'], 'This command takes no event id.'], [['--when'], 'There is no option --when.'],
  ] as const) t.match(await list(t, url, ...args).ended, { code: 2, out: '', err: sentence }, args.join(' '))
  t.match(await list(t, url).ended, { code: 1, err: /^There is no store in/ })
})
