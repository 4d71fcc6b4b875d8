// What a server keeps of its events when it is stopped, killed, or out of room: over real processes and files.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { KeptEvent } from '../src/core/events.js'
import { openStore } from '../src/store/open-store.js'
import { ask, run, settings } from './server-process.js'

const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }

async function kept (url: string): Promise<KeptEvent[]> {
  const store = await openStore(url)
  try {
    return (await store.listEvents({ limit: 1000 })).reverse()
  } finally {
    await store.close()
  }
}

async function start (t: Test, env = settings(t)) {
  const program = run(t, env)
  return { ...program, url: await program.ready(), database: env['DATABASE_URL']!, env }
}

/** The kinds of what is kept, without the steps of keys. */
const kindsOf = (events: KeptEvent[]) => events.map(({ kind }) => kind).filter(kind => !kind.startsWith('keys.'))

t.test('a server that is stopped at once has kept what happened until then', async t => {
  const { url, end, database } = await start(t, settings(t, { LOG_LEVEL: 'info' }))
  await ask(`${url}/register`, ACCOUNT)
  await ask(`${url}/login`, ACCOUNT)
  await ask(`${url}/login`, { ...ACCOUNT, password: 'wrong' })
  t.equal((await end('SIGTERM')).code, 0)
  t.strictSame(kindsOf(await kept(database)), ['registration.succeeded', 'login.succeeded', 'login.failed'])
})

t.test('one that is killed has kept all but what was waiting, and goes on', async t => {
  const first = await start(t, settings(t, { LOG_LEVEL: 'info' }))
  await ask(`${first.url}/register`, ACCOUNT)
  const { access_token: token } = (await ask(`${first.url}/login`, ACCOUNT)).body as { access_token: string }
  const isKept = async () => ((await ask(`${first.url}/events`, undefined, token)).body as { events: object[] }).events.length === 2
  while (!await isKept()) await pause(20)
  await first.end('SIGKILL')
  const second = await start(t, first.env)
  await ask(`${second.url}/login`, ACCOUNT)
  await second.end('SIGTERM')
  t.strictSame(kindsOf(await kept(first.database)), ['registration.succeeded', 'login.succeeded', 'login.succeeded'])
})

t.test('the steps of keys are kept once, however often a server starts on them', async t => {
  const env = settings(t, { LOG_LEVEL: 'info' })
  for (let starts = 0; starts < 2; starts++) await (await start(t, env)).end('SIGTERM')
  const events = await kept(env['DATABASE_URL']!)
  t.strictSame(events.map(({ kind, by, details }) => `${kind} ${details!.key_kind} ${by}`).sort(), ['keys.activated refresh server', 'keys.activated sealing server', 'keys.activated signing server', 'keys.made refresh server', 'keys.made sealing server', 'keys.made signing server'])
})

t.test('on a full disk whoever needs no write is answered, and events wait for room', { skip: existsSync('/usr/bin/prlimit') ? false : 'there is no prlimit' }, async t => {
  const { child, url, end, database } = await start(t, settings(t, { LOG_LEVEL: 'info', RATE_LIMIT: 'off' }))
  const limit = (bytes: string) => { execFileSync('/usr/bin/prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]) }
  await ask(`${url}/register`, ACCOUNT)
  const { refresh_token: token } = (await ask(`${url}/login`, ACCOUNT)).body as { refresh_token: string }
  // What a full disk is to the kernel: no file may grow.
  limit('0')
  for (let more = 0; more < 5; more++) t.equal((await ask(`${url}/login`, { ...ACCOUNT, password: 'wrong' })).status, 401)
  await pause(1_500)
  limit('unlimited')
  t.equal((await ask(`${url}/refresh`, { refresh_token: token })).status, 200)
  await end('SIGTERM')
  t.strictSame(kindsOf(await kept(database)), ['registration.succeeded', 'login.succeeded', ...Array<string>(5).fill('login.failed')])
})

t.test('a flood of log-ins that fail takes nobody else\'s events away, and everybody is answered', async t => {
  const { url, end, database } = await start(t, settings(t, { LOG_LEVEL: 'info', RATE_LIMIT: 'off', HASH_QUEUE: '1000' }))
  await ask(`${url}/register`, ACCOUNT)
  const flood = Promise.all(Array.from({ length: 20 }, async (_, one) => {
    for (let more = 0; more < 20; more++) await ask(`${url}/login`, { email: `nobody${one}@example.com`, password: 'wrong' })
  }))
  for (let more = 0; more < 5; more++) t.equal((await ask(`${url}/login`, ACCOUNT)).status, 200)
  await flood
  await end('SIGTERM')
  const kinds = kindsOf(await kept(database))
  t.equal(kinds.filter(kind => kind === 'login.succeeded').length, 5)
  t.equal(kinds.filter(kind => kind === 'login.failed').length, 400)
})

t.test('where no events are kept, none is', async t => {
  const { url, end, database } = await start(t, settings(t, { LOG_LEVEL: 'info', EVENTS_RETENTION_DAYS: '0' }))
  await ask(`${url}/register`, ACCOUNT)
  await end('SIGTERM')
  t.strictSame(await kept(database), [])
})
