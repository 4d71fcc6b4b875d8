// One request at a time a connection, no place for those who do not read, and an end in which nothing is lost; over real sockets, with TLS and without.
import { once } from 'node:events'
import type { RequestListener, ServerResponse } from 'node:http'
import { Socket, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { Connections } from '../../../src/http/edge/connections.js'
import { certificateFor } from '../../certificates.js'
import { testApp } from '../../test-app.js'
import { dial, get, readAll, readAnswer } from '../raw-client.js'

const PROTOCOLS = ['http', 'https'] as const
const AT_ONCE = { linger: 0, settle: 0, patience: 0 }
/** More than the kernel keeps for a client that does not read. */
const HUGE = Buffer.alloc(16 * 1024 * 1024)
/** More than it keeps for a client to read, and less than it keeps to send. */
const LONG = 'x'.repeat(512 * 1024)
const POST = 'POST / HTTP/1.1\r\nhost: signet.example\r\ncontent-length: 4\r\n\r\n'

/** A server that answers as `handler` does, and a way to connect to it. */
async function serve (t: Test, handler: RequestListener, { max = 100, protocol = 'http' as 'http' | 'https' } = {}) {
  const connections = new Connections({ max, keepAlive: 30_000 })
  const server = connections.createServer(handler, protocol === 'https' ? certificateFor(t).pair : undefined)
  server.on('clientError', (error, socket) => { connections.refuse(error, socket as Socket) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => { await connections.end(AT_ONCE) })
  const open = async () => await new Promise<number>(resolve => { server.getConnections((_error, count) => { resolve(count) }) })
  return { connections, server, open, dial: async () => await dial(t, (server.address() as AddressInfo).port, protocol) }
}

/** Answers that are given when the test says so, in the order of the requests. */
function held () {
  const answers: ServerResponse[] = []
  return { answers, handler: (_request: unknown, response: ServerResponse) => { answers.push(response) } }
}

async function until (isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await pause(5)
}

for (const protocol of PROTOCOLS) {
  t.test(`${protocol}: of requests that do not wait for their answers the first is answered, and its connection closed`, async t => {
    const { answers, handler } = held()
    const { dial } = await serve(t, handler, { protocol })
    const socket = await dial()
    const all = readAll(socket)
    socket.write(get('/first') + get('/second') + get('/third'))
    await until(() => answers.length > 0)
    socket.write(get('/fourth'))
    await pause(50)
    answers[0]!.end('the first')
    const text = await all
    t.match(text, /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n[^]*\r\n\r\nthe first$/i)
    t.equal(answers.length, 1, 'nobody saw the others')
  })

  t.test(`${protocol}: what such a client has not read yet of its answer is not taken back`, async t => {
    const { answers, handler } = held()
    const { dial } = await serve(t, handler, { protocol })
    const socket = await dial()
    const all = readAll(socket)
    socket.write(get('/').repeat(2))
    await until(() => answers.length > 0)
    socket.pause()
    socket.write(get('/').repeat(100))
    answers[0]!.end(LONG)
    await until(() => answers[0]!.writableFinished)
    socket.resume()
    t.equal((await all).split('\r\n\r\n')[1]!.length, LONG.length)
  })

  t.test(`${protocol}: a client that asks the instant it has the last byte is never refused, however fast it is and however long the answers are`, async t => {
    const bodies = ['', 'short', 'x'.repeat(200_000)]
    let served = 0
    const { dial } = await serve(t, (_request, response) => {
      const body = bodies[served++ % bodies.length]!
      response.setHeader('content-length', body.length)
      if (served % 2 === 0) response.end(body)
      else setImmediate(() => { response.end(body) })
    }, { protocol })
    const sockets = await Promise.all([1, 2, 3, 4].map(dial))
    await Promise.all(sockets.map(async socket => {
      for (let turn = 0; turn < 250; turn++) {
        socket.write(get('/'))
        await readAnswer(socket)
      }
    }))
    t.equal(served, 1_000)
  })
}

for (const protocol of PROTOCOLS) {
  t.test(`${protocol}: of a thousand requests in one piece no more are made than are answered`, async t => {
    const { answers, handler } = held()
    const { dial, server } = await serve(t, handler, { protocol })
    let made = 0
    server.on('request', () => { made++ })
    const socket = await dial()
    const all = readAll(socket)
    socket.write(get('/').repeat(1_000))
    await until(() => answers.length > 0)
    answers[0]!.end('the first')
    t.match(await all, /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n[^]*\r\n\r\nthe first$/i)
    t.equal(made, 2, 'the one that is answered, and the one that was too early')
  })
}

t.test('nor is any of them heard where the parser cannot be told to stop', async t => {
  const { answers, handler } = held()
  const { dial } = await serve(t, (request, response) => {
    Object.assign(request.socket, { parser: null })
    handler(request, response)
  })
  const socket = await dial()
  const all = readAll(socket)
  socket.write(get('/').repeat(10))
  await until(() => answers.length > 0)
  answers[0]!.end('the first')
  t.match(await all, /\r\n\r\nthe first$/)
  t.equal(answers.length, 1)
})

t.test('of requests that are answered at once, two may be on their way, and no third is heard before a client can have had one', async t => {
  let served = 0
  const { dial } = await serve(t, (_request, response) => { served++; response.end(HUGE) })
  const socket = await dial()
  socket.pause()
  socket.write(get('/').repeat(5000))
  await until(() => served > 0)
  await pause(100)
  t.ok(served <= 2, `${served}`)
})

t.test('an answer that has begun is sent whole before the connection of one who went on asking is closed', async t => {
  const { dial } = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 8 }).write('half')
    setTimeout(() => { response.end('half') }, 50)
  })
  const socket = await dial()
  socket.write(get('/'))
  await once(socket, 'data')
  const rest = readAll(socket)
  socket.write(get('/'))
  t.equal(await rest, 'half')
})

t.test('who does not take an answer is closed after 25 seconds, and nobody who does', async t => {
  const { connections, dial, open } = await serve(t, (request, response) => { response.end(request.url === '/huge' ? HUGE : 'short') })
  const [idle, reader, sleeper] = [await dial(), await dial(), await dial()]
  sleeper.pause()
  sleeper.write(get('/huge'))
  for (const path of ['/', '/huge', '/huge']) {
    reader.write(get(path))
    await readAnswer(reader)
  }
  const look = (now: number) => { connections.look(now, () => {}) }
  for (const now of [0, 5_000, 24_999]) look(now)
  await pause(50)
  t.equal(await open(), 3)
  look(25_000)
  await until(async () => await open() === 2)
  t.notOk(idle.destroyed || reader.destroyed)
})

t.test('each answer has its 25 seconds', async t => {
  const { connections, dial, open } = await serve(t, (_request, response) => { response.end(HUGE) })
  const socket = await dial()
  socket.pause()
  socket.write(get('/'))
  await until(async () => await open() === 1)
  await pause(50)
  const look = (now: number) => { connections.look(now, () => {}) }
  look(0)
  socket.write(get('/'))
  await pause(50)
  look(20_000)
  look(40_000)
  await pause(50)
  t.equal(await open(), 1)
  look(45_000)
  await until(async () => await open() === 0)
})

t.test('an answer that we do not give closes its connection after 35 seconds', async t => {
  const { answers, handler } = held()
  const { connections, dial, open } = await serve(t, handler)
  const socket = await dial()
  socket.write(get('/'))
  await until(() => answers.length === 1)
  const look = (now: number) => { connections.look(now, () => {}) }
  look(0)
  look(34_999)
  await pause(50)
  t.equal(await open(), 1)
  look(35_000)
  await until(async () => await open() === 0)
})

t.test('who is refused, and neither goes nor says more, is closed', async t => {
  const { dial, open } = await serve(t, () => {})
  const socket = await dial()
  socket.pause()
  socket.write('NONSENSE\r\n\r\n')
  await until(async () => await open() === 0)
})

t.test('where no more may be open, the newest has the place of one that has been idle for a while, and that is said once a minute', async t => {
  const { connections, dial } = await serve(t, (_request, response) => { response.end() }, { max: 2 })
  const [one, other] = [await dial(), await dial()]
  const said: number[] = []
  const look = (now: number) => { connections.look(now, count => { said.push(count) }) }
  for (const socket of [other, one]) {
    look(0)
    socket.write(get('/'))
    await readAnswer(socket)
  }
  const newest = await dial()
  await readAll(other)
  newest.write(get('/'))
  t.match(await readAnswer(newest), /^HTTP\/1\.1 200/)
  t.notOk(one.destroyed)
  for (const now of [5_000, 10_000]) look(now)
  for (let more = 0; more < 3; more++) await dial()
  for (const now of [64_999, 65_000, 70_000]) look(now)
  t.strictSame(said, [1, 3])
})

for (const protocol of PROTOCOLS) {
  t.test(`${protocol}: who keeps us waiting keeps nobody out: of all that do, the oldest has to go`, async t => {
    const { answers, handler } = held()
    const { connections, dial } = await serve(t, handler, { max: 2, protocol })
    const asking = await dial()
    asking.write(get('/asking'))
    const slow = await dial()
    slow.resume().write(POST)
    await until(() => answers.length === 2)
    connections.look(0, () => {})
    for (const path of ['/newer', '/newest']) {
      const newest = await dial()
      newest.write(get(path))
      await until(() => answers.at(-1)!.req.url === path)
      answers.at(-1)!.end('welcome')
      t.match(await readAnswer(newest), /welcome$/)
    }
    await until(() => slow.destroyed)
    answers[0]!.end('still here')
    t.match(await readAnswer(asking), /still here$/)
  })
}

t.test('nor do handshakes that do not go on', async t => {
  const { server, open, dial: dialSecure } = await serve(t, (_request, response) => { response.end('welcome') }, { max: 3, protocol: 'https' })
  const stalled: Socket[] = []
  while (stalled.length < 3) {
    stalled.push((await dial(t, (server.address() as AddressInfo).port)).resume())
    await until(async () => await open() === stalled.length)
  }
  const newest = await dialSecure()
  newest.write(get('/'))
  t.match(await readAnswer(newest), /welcome$/)
  await until(() => stalled[0]!.destroyed)
  t.notOk(stalled[2]!.destroyed)
})

t.test('a client that has gone when its handshake ends is held no longer', async t => {
  const { server } = await serve(t, () => {}, { protocol: 'https' })
  const gone = new Socket()
  server.emit('secureConnection', gone)
  t.ok(gone.destroyed)
})

t.test('a connection on which no request comes is closed, whatever else does', async t => {
  const { connections, dial } = await serve(t, (_request, response) => { response.end('answered') })
  const look = (now: number) => { connections.look(now, () => {}) }
  const socket = await dial()
  socket.write(get('/'))
  await readAnswer(socket)
  for (const now of [0, 34_999]) {
    look(now)
    socket.write('\r\n')
  }
  socket.write(get('/'))
  await readAnswer(socket)
  for (const now of [35_000, 69_999]) look(now)
  t.notOk(socket.destroyed)
  look(70_000)
  await readAll(socket)
})

t.test('a request that expects what nobody knows is one like every other', async t => {
  const { answers, handler } = held()
  const { dial } = await serve(t, handler)
  const socket = await dial()
  const all = readAll(socket)
  socket.write(get('/', 'expect: a miracle\r\n').repeat(3))
  await until(() => answers.length > 0)
  answers[0]!.end('the first')
  t.match(await all, /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n[^]*\r\n\r\nthe first$/i)
  t.equal(answers.length, 1)
})

t.test('where all that may be open are asking, the newest is closed', async t => {
  const { answers, handler } = held()
  const { dial } = await serve(t, handler, { max: 1 })
  const asking = await dial()
  asking.write(get('/'))
  await until(() => answers.length === 1)
  const newest = await dial()
  await readAll(newest)
  answers[0]!.end('still here')
  t.match(await readAnswer(asking), /still here$/)
})

t.test('what cannot be read is answered where it is the answer to nothing else', async t => {
  const { answers, handler } = held()
  const { dial } = await serve(t, (request, response) => {
    if (request.url === '/early') response.end('early')
    else handler(request, response)
  })
  const bad = /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json[^]*"code":"invalid_request"/
  const first = await dial()
  first.write('NONSENSE\r\n\r\n')
  t.match(await readAll(first), bad)

  const body = await dial()
  body.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n')
  await until(() => answers.length === 1)
  body.write('NONSENSE\r\n')
  t.match(await readAll(body), bad, 'of the request in flight')

  const behind = await dial()
  const all = readAll(behind)
  behind.write(get('/') + get('/') + 'NONSENSE\r\n\r\n')
  await until(() => answers.length === 2)
  await pause(50)
  answers[1]!.end('the answer')
  t.match(await all, /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n[^]*the answer$/i, 'behind another that is answered first')

  const right = await dial()
  const rightAll = readAll(right)
  right.write(get('/') + 'NONSENSE\r\n\r\n')
  await until(() => answers.length === 3)
  await pause(50)
  answers[2]!.end('the answer')
  t.match(await rightAll, /^HTTP\/1\.1 200 OK\r\nconnection: close\r\n[^]*the answer$/i)

  const answered = await dial()
  answered.write('POST /early HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n')
  t.match(await readAnswer(answered), /early/)
  answered.write('NONSENSE\r\n')
  t.equal(await readAll(answered), '', 'of a request that has its answer')
})

t.test('a connection on which nothing was asked is closed without a word', async t => {
  const { connections, server, dial } = await serve(t, () => {})
  const accepted = once(server, 'connection')
  const socket = await dial()
  const [ours] = await accepted as [Socket]
  connections.refuse(Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), ours)
  t.equal(await readAll(socket), '')
})

t.test('so is one whose TLS handshake fails', async t => {
  const { server } = await serve(t, () => {}, { protocol: 'https' })
  const socket = await dial(t, (server.address() as AddressInfo).port)
  socket.write(get('/'))
  t.notMatch(await readAll(socket), 'HTTP')
})

t.test('at the end Signet listens for a while yet; who is connected is served and closed, and who comes later when nobody listens any more', async t => {
  const { answers, handler } = held()
  const { connections, server, dial } = await serve(t, (request, response) => {
    if (request.url === '/slow') handler(request, response)
    else response.end('served')
  })
  const [asks, idle, slow] = [await dial(), await dial(), await dial()]
  slow.write(get('/slow'))
  await until(() => answers.length === 1)
  const idleEnds = readAll(idle)
  const ending = connections.end({ linger: 1_000, settle: 1_000, patience: 10_000 })
  t.ok(connections.isEnding)
  const asked = readAll(asks)
  asks.write(get('/'))
  t.match(await asked, /connection: close\r\n[^]*served$/i)
  const late = await dial()
  late.write(get('/'))
  t.match(await readAnswer(late), /connection: keep-alive\r\n[^]*served$/i)
  await until(() => !server.listening)
  const lateEnds = readAll(late)
  late.write(get('/'))
  t.match(await lateEnds, /connection: close\r\n[^]*served$/i)
  t.equal(await idleEnds, '', 'and who asks for nothing is closed')
  const slowEnds = readAll(slow)
  answers[0]!.end('at last')
  t.match(await slowEnds, /connection: close\r\n[^]*at last$/i)
  await ending
})

t.test('a server that is closed meanwhile, as of a worker by the process that leads it, has lingered, and loses nobody who is connected', async t => {
  const { connections, server, dial } = await serve(t, (_request, response) => { response.end('served') })
  const idle = await dial()
  idle.write(get('/'))
  await readAnswer(idle)
  const ending = connections.end({ linger: 3_600_000, settle: 1_000, patience: 10_000 })
  server.close()
  t.notOk(server.listening)
  const last = readAll(idle)
  idle.write(get('/'))
  t.match(await last, /connection: close\r\n[^]*served$/i)
  await ending
})

t.test('whoever asks without a pause meanwhile has every answer whole, and the last one says that it is', async t => {
  const { connections, dial } = await serve(t, (_request, response) => { response.end('served') })
  const ending = connections.end({ linger: 500, settle: 1_000, patience: 10_000 })
  const ask = async (socket: Socket) => {
    let answer = ''
    while (!/^connection: close/im.test(answer)) {
      socket.write(get('/'))
      answer = await readAnswer(socket)
      if (!answer.endsWith('served')) t.fail(answer)
    }
    t.equal(await readAll(socket), '')
  }
  await Promise.all((await Promise.all(Array.from({ length: 8 }, dial))).map(ask))
  await ending
})

t.test('what is in flight when the patience is over is refused with a time to come back', async t => {
  const { answers, handler } = held()
  const { connections, dial } = await serve(t, handler)
  const [waiting, begun, sending] = [await dial(), await dial(), await dial()]
  for (const socket of [waiting, begun]) {
    socket.write(get('/'))
    await until(() => answers.length === (socket === waiting ? 1 : 2))
  }
  answers[1]!.write('begun')
  await once(begun, 'data')
  sending.write(POST)
  await until(() => answers.length === 3)
  const [refused, cut, refusedToo] = [readAll(waiting), readAll(begun), readAll(sending)]
  await connections.end({ linger: 0, settle: 0, patience: 50 })
  for (const text of [await refused, await refusedToo]) {
    t.match(text, /^HTTP\/1\.1 503 Service Unavailable\r\n/)
    t.match(text, /\r\nretry-after: 1\r\n/i)
    t.match(text, /\r\nconnection: close\r\n/i)
    t.match(text, /\r\ncontent-type: application\/problem\+json; charset=utf-8\r\n/i)
    t.match(text, /"status":503,.*"code":"unavailable"/)
  }
  t.equal(await cut, '')
})

t.test('a certificate is exchanged while connections go on', async t => {
  const { connections, dial } = await serve(t, (_request, response) => { response.end('served') }, { protocol: 'https' })
  const printOf = (socket: Socket) => (socket as TLSSocket).getPeerCertificate().fingerprint256
  const before = await dial()
  connections.useCertificate(certificateFor(t).pair)
  const after = await dial()
  t.not(printOf(before), printOf(after))
  before.write(get('/'))
  t.match(await readAnswer(before), /served$/)
})

t.test('connections that are closed for want of room are in the log', async t => {
  const { app, lines } = await testApp(t, {}, { connections: new Connections({ max: 1, keepAlive: 30_000 }) })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  for (let more = 0; more < 3; more++) await dial(t, port)
  const said = () => lines.find(line => line.includes('see MAX_CONNECTIONS'))
  await until(() => said() !== undefined)
  t.match(JSON.parse(said()!), { level: 40, count: 2 })
})
