// That the example for Node goes on where the fetch of a status list does not end; what it says of tokens and lists is the proof's.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import t from 'tap'

const { createStatusCheck } = await import(resolve('examples/verify/node/status-lists.js')) as { createStatusCheck: (options: object) => (claims: object) => Promise<void> }

t.test('a list that is refused, or comes in another coding than it says, holds nobody up for ever, and no connection', async t => {
  const closed: Array<Promise<unknown>> = []
  const server = createServer(({ url }, response) => {
    closed.push(once(response, 'close'))
    if (url === '/status-lists/0') response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'.repeat(65_536))
    else response.writeHead(503).write('x'.repeat(1_000_000))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const check = createStatusCheck({ jwksUrl: `${issuer}/.well-known/jwks.json`, issuer, keys: () => { throw new Error('no key') } })
  for (const number of [0, 1]) await check({ status: { status_list: { idx: 0, uri: `${issuer}/status-lists/${number}` } } })
  await Promise.all(closed)
  t.equal(closed.length, 2)
})
