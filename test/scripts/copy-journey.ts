// A Signet that outgrows its file: what clients hold goes on working on the new store; knows no destination.
import type { Test } from 'tap'
import { plainNode } from '../compiled.js'
import { ask, run, settings, withRing } from '../server-process.js'

export const STORE_COPY = plainNode('scripts/store-copy.ts')
const ACCOUNT = { email: 'ada@example.com', password: 'correct horse battery' }

export async function copyJourney (t: Test, destination: (folder: string) => string): Promise<void> {
  const env = await withRing(settings(t, { LOG_LEVEL: 'info', ISSUER: 'https://id.example' }))
  const to = destination(t.testdirName)
  const serve = async (databaseUrl: string) => {
    const { child, ready, ended } = run(t, { ...env, DATABASE_URL: databaseUrl })
    const url = await ready()
    const post = async (path: string, body: object) => await ask(`${url}${path}`, body) as { status: number, body: Record<string, string> }
    const whoami = async (token: string) => (await ask(`${url}/user-info`, undefined, token)).status
    const stop = async () => {
      child.kill('SIGTERM')
      await ended
    }
    return { post, whoami, stop }
  }
  const copy = async () => await run(t, env, [...STORE_COPY, env['DATABASE_URL']!, to]).ended

  const old = await serve(env['DATABASE_URL']!)
  await old.post('/register', ACCOUNT)
  const { body: first } = await old.post('/login', ACCOUNT)
  const { body: pair } = await old.post('/refresh', { refresh_token: first['refresh_token'] })
  // A copy of a store in use is a backup, and one of a store at rest a move.
  t.match(await copy(), { code: 0, out: /^1 users; 1 copied now, 0 there before\.\n\d security events, those among them that were there before\.\nVerified by count and by a digest a user\.\n$/, err: /1 users/ })
  await old.stop()
  t.match(await copy(), { code: 0, out: /^1 users; 0 copied now, 1 there before\.\n\d security events, those among them that were there before\.\nVerified by count and by a digest a user\.\n$/ })

  const grown = await serve(to)
  t.equal(await grown.whoami(pair['access_token']!), 200)
  t.equal((await grown.post('/refresh', { refresh_token: pair['refresh_token'] })).status, 200)
  t.equal((await grown.post('/register', ACCOUNT)).status, 409)
  t.equal((await grown.post('/register', { ...ACCOUNT, email: 'eve@example.com' })).status, 201)
  await grown.stop()
  t.match(await copy(), { code: 1, out: '', err: 'The destination holds users that the source does not.\n' })
}
