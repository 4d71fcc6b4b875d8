// Behind a real nginx: restarts lose no request, and long heads come through.
import { Agent } from 'node:https'
import t from 'tap'
import { SqliteStore } from '../src/store/sqlite-store.js'
import { freePorts } from './free-port.js'
import { CALLBACK, client } from './http/oauth/oauth-app.js'
import { startNginx, withNginx } from './nginx.js'
import { ask, proveRestarts } from './restarts.js'
import { run, settings, withRing } from './server-process.js'

/** Each of the two nodes twice; test/proofs/restarts.test.ts goes on for longer. */
const RESTARTS = 4
const ISSUER = 'https://id.example'

withNginx(() => {
  proveRestarts(RESTARTS)

  t.test('an answer that has a long state in its head comes through', async t => {
    const [port, ...upstreams] = await freePorts(3) as [number, number, number]
    const env = await withRing(settings(t, { LOG_LEVEL: 'info', ISSUER, PORT: String(upstreams[0]), TRUST_PROXY: '127.0.0.1' }))
    await run(t, env).ready()
    const store = new SqliteStore(env['DATABASE_URL']!.replace('file:', ''))
    const { secret, ...record } = client()
    await store.insertClient(record)
    await store.close()
    await startNginx(t, port, upstreams)
    const agent = new Agent()
    t.strictSame(await ask(agent, port, `/authorize?${new URLSearchParams({ client_id: record.id, redirect_uri: CALLBACK, state: 's'.repeat(7_500) })}`), { status: 303, body: '' })
    agent.destroy()
  })
})
