// What stands before several servers: each request goes to the next of them that answers; holds no server and no answer.
import { once } from 'node:events'
import { createServer, request as ask, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface Balancer { url: string, close: () => void }
interface Answer { status: number, headers: IncomingHttpHeaders, body: Buffer }

/** Milliseconds, after which a server that does not answer counts as one that is gone. */
const PATIENCE_MS = 4_000

/** Passes on what has no body, from one server after the other. One that is gone is passed over, as nginx does it in docs/proxies.md; 502 where all are. */
export async function openBalancer (servers: Array<{ url: string }>): Promise<Balancer> {
  let turn = 0
  const answerOf = async (path: string, headers: IncomingHttpHeaders): Promise<Answer> => {
    const first = turn++
    for (let tries = 0; tries < servers.length; tries++) {
      const answer = await passOn(`${servers[(first + tries) % servers.length]!.url}${path}`, headers).catch(() => {})
      if (answer) return answer
    }
    return { status: 502, headers: {}, body: Buffer.alloc(0) }
  }
  const balancer = createServer((request, response) => {
    void answerOf(request.url!, request.headers).then(({ status, headers, body }) => { response.writeHead(status, headers).end(body) })
  }).listen(0, '127.0.0.1')
  await once(balancer, 'listening')
  const close = () => {
    balancer.close()
    balancer.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(balancer.address() as AddressInfo).port}`, close }
}

/** The whole answer, so that what is cut short is asked for again elsewhere. */
async function passOn (url: string, headers: IncomingHttpHeaders): Promise<Answer> {
  const asked = ask(url, { headers: { ...headers, connection: 'close' }, agent: false, timeout: PATIENCE_MS })
  asked.once('timeout', () => { asked.destroy() })
  asked.end()
  const [answer] = await once(asked, 'response')
  const { connection, 'transfer-encoding': encoding, ...kept } = answer.headers as IncomingHttpHeaders
  return { status: answer.statusCode, headers: kept, body: await buffer(answer) }
}
