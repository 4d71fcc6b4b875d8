// What looks after a Signet's process asks it by its own settings.
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { start } from '../../src/server.js'
import { certificateFor } from '../certificates.js'
import { plainNode } from '../compiled.js'
import { AT_ONCE, run, settings, withRing } from '../server-process.js'

const check = async (t: Test, env: Record<string, string>) => {
  const { code, out, err } = await run(t, env, plainNode('scripts/check-health.ts')).ended
  return { code, out, err }
}

t.test('a server that is ready is so, in plain HTTP and over TLS, on any address and port', async t => {
  const common = await withRing(settings(t))
  const { paths: { cert, key } } = certificateFor(t)
  for (const env of [{ HOST: '127.0.0.1' }, { HOST: '0.0.0.0' }, { HOST: '::1', TLS_CERT_FILE: cert, TLS_KEY_FILE: key }, { HOST: '::', ISSUER: 'https://id.example' }]) {
    const used = { ...common, ...env }
    const { app, stop } = await start(readConfig(used), AT_ONCE)
    t.strictSame(await check(t, { ...used, PORT: String((app.server.address() as AddressInfo).port) }), { code: 0, out: '{"status":"ok"}\n', err: '' }, env.HOST)
    await stop()
  }
})

t.test('one that is not ready, that is away, that says nothing, or whose settings are wrong is said to be so', async t => {
  const used = await withRing(settings(t))
  const { app, stop } = await start(readConfig(used), AT_ONCE)
  t.teardown(stop)
  rmSync(used['DATABASE_URL']!.slice('file:'.length))
  const PORT = String((app.server.address() as AddressInfo).port)
  t.strictSame(await check(t, { ...used, PORT }), { code: 1, out: '', err: '{"status":"unavailable","reason":"A file of the store was replaced or removed while it was in use; restart Signet to use what is there."}\n' })
  const silent = createServer(socket => { socket.resume() }).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  t.strictSame(await check(t, { ...used, PORT: String(port) }), { code: 1, out: '', err: 'It did not answer within 4 seconds.\n' })
  silent.close()
  await once(silent, 'close')
  t.strictSame(await check(t, { ...used, PORT: String(port) }), { code: 1, out: '', err: `connect ECONNREFUSED 127.0.0.1:${port}\n` })
  t.strictSame(await check(t, { PORT: 'x' }), { code: 1, out: '', err: 'The setting PORT must be a whole number from 0 to 65535, in digits.\n' })
})

t.test('an answer that is not whole in time, or is cut off, is none', async t => {
  const begin = (endings: (response: ServerResponse) => void) => createHttpServer((_request, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('{"status"')
    endings(response)
  })
  const dripping = begin(response => {
    const drip = setInterval(() => { response.write(' ') }, 500)
    response.on('close', () => { clearInterval(drip) })
  })
  const cut = begin(response => { response.socket!.end() })
  for (const [server, err] of [[dripping, 'It did not answer within 4 seconds.\n'], [cut, 'Its answer was cut off.\n']] as const) {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.teardown(() => server.close())
    t.strictSame(await check(t, { PORT: String((server.address() as AddressInfo).port) }), { code: 1, out: '', err })
  }
})
