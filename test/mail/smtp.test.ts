// Mails over a real SMTP server: what arrives, what is never sent in clear, and what is worth another try.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { LetterRefused } from '../../src/core/letters.js'
import { smtpSender } from '../../src/mail/smtp.js'
import { certificateFor } from '../certificates.js'
import { openHouse, refusal } from './smtp-house.js'

const FROM = { name: 'Bücher, "Signet"', address: 'id@example.com' }
const TO = 'ada@example.org'
const LETTER = { subject: 'Grüße', text: 'Öffnen Sie https://id.example/account#reset-password=x\n.\nEnde\n', html: '<p>Ende</p>' }
const TIMES = { connect: 300, answer: 300, whole: 20_000 }
/** For what must not happen before a busy machine has done its part. */
const PATIENT = { connect: 20_000, answer: 20_000, whole: 20_000 }

const clear = (port: number) => `smtp://127.0.0.1:${port}?starttls=never`

/** A TCP server that does this with whoever connects. */
async function open (t: Test, meet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}))
    meet(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function failsToSend (t: Test, send: ReturnType<typeof smtpSender>, finality: 'for good' | 'for now', what: string): Promise<void> {
  const fault = await send(TO, LETTER).then(() => undefined, (error: Error) => error)
  t.ok(fault, what)
  t.notMatch(`${String(fault?.message)} ${JSON.stringify(fault)} ${String(fault?.cause)}`, TO, 'nobody\'s address gets into the log')
  t.equal(fault instanceof LetterRefused, finality === 'for good', `${what}: ${String(fault)}`)
}

t.test('a mail goes by STARTTLS, with the user of the URL, and says that a program wrote it', async t => {
  const { pair: { cert, key } } = certificateFor(t)
  const { arrived, port } = await openHouse(t, { cert, key, authOptional: false, onAuth: ({ username, password }, _session, done) => { done(password === 'p@ss' ? null : refusal(535), { user: username }) } })
  await smtpSender(`smtp://user:p%40ss@127.0.0.1:${port}`, FROM, { times: PATIENT, tls: { ca: cert } })(TO, LETTER)
  const [mail] = arrived
  t.match(mail, { secure: true, user: 'user', from: 'id@example.com', to: [TO] })
  t.match(mail?.message, /^From: =\?UTF-8\?[^\r\n]+\?= <id@example\.com>\r\n/m)
  t.match(mail?.message, /^To: ada@example\.org\r\n/m)
  t.match(mail?.message, /^Auto-Submitted: auto-generated\r\n/m)
  t.match(mail?.message, /^Subject: =\?UTF-8\?Q\?Gr=C3=BC=C3=9Fe\?=\r\n/m)
  t.match(mail?.message, /Content-Type: multipart\/alternative/)
  await failsToSend(t, smtpSender(`smtp://user:wrong@127.0.0.1:${port}`, FROM, { times: PATIENT, tls: { ca: cert } }), 'for now', 'a password that is not taken is the operator\'s to mend')
  t.equal(arrived.length, 1)
})

t.test('a mail goes by TLS from the start', async t => {
  const { pair: { cert, key } } = certificateFor(t)
  const { arrived, port } = await openHouse(t, { cert, key, secure: true })
  await smtpSender(`smtps://127.0.0.1:${port}`, FROM, { times: PATIENT, tls: { ca: cert } })(TO, LETTER)
  t.match(arrived, [{ secure: true, to: [TO] }])
})

t.test('a server that does not speak TLS, or not with a good certificate, is sent nothing', async t => {
  const { pair: { cert, key } } = certificateFor(t)
  for (const [options, scheme, what] of [
    [{ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }, 'smtp', 'without STARTTLS'], [{ cert, key }, 'smtp', 'STARTTLS by a stranger\'s certificate'], [{ cert, key, secure: true }, 'smtps', 'TLS by a stranger\'s certificate'],
  ] as const) {
    const { arrived, port } = await openHouse(t, { ...options, disabledCommands: [...'disabledCommands' in options ? options.disabledCommands : []] })
    await failsToSend(t, smtpSender(`${scheme}://user:secret@127.0.0.1:${port}`, FROM, { times: PATIENT }), 'for now', what)
    t.strictSame(arrived, [], what)
  }
})

t.test('a server that takes mails by TLS alone gets them so', async t => {
  const { pair: { cert, key } } = certificateFor(t)
  const { arrived, port } = await openHouse(t, { cert, key, onMailFrom: (_address, { secure }, done) => { done(secure ? null : refusal(530)) } })
  await smtpSender(`smtp://127.0.0.1:${port}`, FROM, { times: PATIENT, tls: { ca: cert } })(TO, LETTER)
  t.match(arrived, [{ secure: true }])
  await failsToSend(t, smtpSender(clear(port), FROM, { times: PATIENT }), 'for good', 'in clear, against its will')
})

t.test('in clear a mail goes where the URL says so alone', async t => {
  const { arrived, port } = await openHouse(t, { disabledCommands: ['AUTH', 'STARTTLS'] })
  await smtpSender(clear(port), FROM, { times: PATIENT })(TO, LETTER)
  t.match(arrived, [{ secure: false, to: [TO] }])
})

t.test('what cannot be reached, is too slow, or breaks off, may be better next time', async t => {
  const closed = await openHouse(t, {})
  await closed.close()
  await failsToSend(t, smtpSender(clear(closed.port), FROM), 'for now', 'nobody listens')
  await failsToSend(t, smtpSender(clear(await open(t, () => {})), FROM, { times: TIMES }), 'for now', 'no greeting')
  await failsToSend(t, smtpSender(clear(await open(t, socket => { socket.write('220 house\r\n') })), FROM, { times: TIMES }), 'for now', 'no answer')
  await failsToSend(t, smtpSender(clear(await open(t, socket => { socket.end('220 house\r\n') })), FROM, { times: PATIENT }), 'for now', 'gone after the greeting')
  await failsToSend(t, smtpSender(clear(await open(t, socket => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') })), FROM, { times: PATIENT }), 'for now', 'no mail server at all')
  for (const [at, what] of [[/^DATA/m, 'at DATA'], [/^\.\r\n/m, 'after the message']] as const) {
    const port = await open(t, socket => {
      socket.write('220 house\r\n')
      socket.on('data', (data: Buffer) => {
        if (at.test(data.toString())) socket.destroy()
        else if (/^DATA/m.test(data.toString())) socket.write('354 go on\r\n')
        else if (/^(EHLO|MAIL|RCPT)/.test(data.toString())) socket.write('250 fine\r\n')
      })
    })
    await failsToSend(t, smtpSender(clear(port), FROM, { times: PATIENT }), 'for now', `dropped ${what}`)
  }
})

/** A server that answers every line with this, from its second on. */
function answering (t: Test, answer: (socket: Socket) => void): Promise<number> {
  return open(t, socket => {
    socket.write('220 house\r\n')
    socket.on('data', (data: Buffer) => {
      if (/^EHLO/m.test(data.toString())) socket.write('250 fine\r\n')
      else answer(socket)
    })
  })
}

t.test('a server that goes on answering for ever loses its connection', async t => {
  const drip = (socket: Socket, then: () => void) => {
    const drops = setInterval(() => { socket.write('2') }, 50)
    socket.on('close', () => {
      clearInterval(drops)
      then()
    })
  }
  let closed = () => {}
  const isClosed = new Promise<void>(resolve => { closed = resolve })
  await failsToSend(t, smtpSender(clear(await answering(t, socket => { drip(socket, closed) })), FROM, { times: { ...PATIENT, whole: 300 } }), 'for now', 'an answer without end')
  await isClosed
})

t.test('where the URL names no port it is that of its protocol', async t => {
  for (const [url, port] of [['smtp://127.0.0.1', 587], ['smtps://127.0.0.1', 465]] as const) await t.rejects(smtpSender(url, FROM, { times: PATIENT })(TO, LETTER), { message: `connect ECONNREFUSED 127.0.0.1:${port}` })
})

t.test('no more of an answer is taken or told than has a meaning, and nobody\'s address in whatever case', async t => {
  await failsToSend(t, smtpSender(clear(await answering(t, socket => { socket.write(`250-${'x'.repeat(100_000)}\r\n`) })), FROM, { times: PATIENT }), 'for now', 'too long an answer')
  const refused = await smtpSender(clear(await answering(t, socket => { socket.write(`550 ADA@Example.ORG ${'no '.repeat(1_000)}\r\n`) })), FROM, { times: PATIENT })(TO, LETTER).then(() => undefined, (error: Error) => error)
  t.ok(refused instanceof LetterRefused)
  t.match(refused?.message, /550 the recipient no /)
  t.notMatch(refused?.message, /ada@example\.org/i)
  t.ok(refused!.message.length < 600, String(refused!.message.length))
})

t.test('what the server refuses for good is not tried again, and what it refuses for now is', async t => {
  const ways = {
    onMailFrom: (code: number) => ({ onMailFrom: (_address: unknown, _session: unknown, done: (error: Error) => void) => { done(refusal(code)) } }),
    onRcptTo: (code: number) => ({ onRcptTo: ({ address }: { address: string }, _session: unknown, done: (error: Error) => void) => { done(refusal(code, `<${address}>: unknown`)) } }),
    onData: (code: number) => ({ onData: (stream: NodeJS.ReadableStream, _session: unknown, done: (error: Error) => void) => { stream.resume().on('end', () => { done(refusal(code)) }) } }),
  }
  for (const [what, options] of Object.entries(ways)) {
    for (const [code, finality] of [[450, 'for now'], [421, 'for now'], [550, 'for good'], [554, 'for good']] as const) {
      const { port } = await openHouse(t, options(code) as Parameters<typeof openHouse>[1])
      await failsToSend(t, smtpSender(clear(port), FROM, { times: PATIENT }), finality, `${what} ${code}`)
    }
  }
})

t.test('a mail goes to the very address and to no other, whatever is in it, and nothing in it makes a header', async t => {
  const { arrived, port } = await openHouse(t, {})
  const send = smtpSender(clear(port), FROM, { times: PATIENT })
  for (const [to, recipient] of [
    ['eve,ada@example.org', '"eve,ada"@example.org'], ['a(b)c@example.org', '"a(b)c"@example.org'], ['ada;eve@example.org', '"ada;eve"@example.org'], ['ada:eve@example.org', '"ada:eve"@example.org'],
    ['a\\b@example.org', '"a\\\\b"@example.org'], ['"quoted"@example.org', '"quoted"@example.org'], ["o'brien@example.org", "o'brien@example.org"], ['zoë@example.org', 'zoë@example.org'],
    // The server shows it as it is read.
    ['ada@xn--mnchen-3ya.example', 'ada@münchen.example'],
  ] as const) {
    arrived.splice(0)
    await send(to, LETTER)
    t.strictSame(arrived.map(mail => mail.to), [[recipient]], to)
  }
  arrived.splice(0)
  for (const to of ['eve@evil.example>,<ada@example.org', '<ada>@example.org', 'ada@example.org\r\nRCPT TO:<eve@evil.example>']) await t.rejects(send(to, LETTER), { message: 'There is no mail to such an address.' }, to)
  t.strictSame(arrived, [])
  arrived.splice(0)
  await send(TO, { ...LETTER, subject: 'one\r\nBcc: eve@evil.example\r\n\r\ntwo' })
  t.match(arrived, [{ to: [TO] }])
  t.notMatch(arrived[0]!.message, /^Bcc/m)
})
