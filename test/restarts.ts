// Behind a real nginx, Signets that are restarted in turn lose no request of clients that never ask twice; holds not how often.
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { freePorts } from './free-port.js'
import { startNginx } from './nginx.js'
import type { Program } from './program.js'
import { run, settings, withRing } from './server-process.js'

const CLIENTS = 12
const ISSUER = 'https://id.example'

export interface Answer { status: number, body: string }

/** Asks over one connection that is kept, once. */
export async function ask (agent: Agent, port: number, path: string, token = '', body?: object): Promise<Answer> {
  const headers = { ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) }
  const asking = request({ agent, port, path, method: body ? 'POST' : 'GET', headers, rejectUnauthorized: false })
  asking.end(body && JSON.stringify(body))
  const [response] = await once(asking, 'response') as [NodeJS.ReadableStream & { statusCode: number }]
  let text = ''
  for await (const piece of response) text += String(piece)
  return { status: response.statusCode, body: text }
}

/** What starts a Signet on a port, again and again on the same files, and resolves when it listens. */
async function starter (t: Test): Promise<(port: number) => Promise<Program>> {
  const env = await withRing(settings(t, { LOG_LEVEL: 'info', ISSUER, RATE_LIMIT: 'off', TRUST_PROXY: '127.0.0.1' }))
  return async port => {
    const node = run(t, { ...env, PORT: String(port) })
    await node.ready()
    return node
  }
}

/** Declares the test of so many restarts. */
export function proveRestarts (restarts: number): void {
  t.test(`${restarts} restarts in turn under ${CLIENTS} clients that do not ask twice: each request is answered`, async t => {
    const [port, ...upstreams] = await freePorts(3) as [number, number, number]
    const start = await starter(t)
    const nodes: Program[] = []
    for (const upstream of upstreams) nodes.push(await start(upstream))
    await startNginx(t, port, upstreams)
    const failed: string[] = []
    let requests = 0
    const over = new AbortController()
    const client = async (index: number) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const credentials = { email: `client-${index}@example.com`, password: 'correct horse battery' }
      const want = async (status: number, path: string, token?: string, body?: object) => {
        requests++
        const answer = await ask(agent, port, path, token, body).catch((error: Error) => ({ status: 0, body: error.message }))
        if (answer.status !== status) failed.push(`${path}: ${answer.status} ${answer.body}`)
        return answer.body
      }
      await want(201, '/register', '', credentials)
      let pair = JSON.parse(await want(200, '/login', '', credentials)) as { access_token: string, refresh_token: string }
      while (!over.signal.aborted && failed.length === 0) {
        await want(200, '/user-info', pair.access_token)
        await want(200, '/.well-known/jwks.json')
        pair = JSON.parse(await want(200, '/refresh', '', { refresh_token: pair.refresh_token })) as typeof pair
        await pause(60)
      }
      agent.destroy()
    }
    const clients = Promise.all(Array.from({ length: CLIENTS }, async (_, index) => { await client(index) }))
    const stops: number[] = []
    for (let restart = 0; restart < restarts; restart++) {
      const at = restart % nodes.length
      await pause(300)
      const began = performance.now()
      await nodes[at]!.end('SIGTERM')
      stops.push(Math.round(performance.now() - began))
      nodes[at] = await start(upstreams[at]!)
    }
    over.abort()
    await clients
    t.strictSame(failed, [])
    t.ok(requests > restarts * CLIENTS, `${requests} requests`)
    t.comment(`${requests} requests, ${failed.length} failed; the longest stop took ${Math.max(...stops)} ms`)
  })
}
