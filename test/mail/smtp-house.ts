// A real SMTP server that keeps what it is sent, as its options say; holds no assertion.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Test } from 'tap'

/** What arrived: whether it was by TLS, for whom, and the message as it was sent. */
export interface Arrived { secure: boolean, user: unknown, from: string, to: string[], message: string }

/** A refusal of the server's, with this code. */
export function refusal (responseCode: number, message = 'not now, or never'): Error {
  return Object.assign(new Error(message), { responseCode })
}

/** Listens on a free port, or on this one, until the test ends. */
export async function openHouse (t: Test, options: SMTPServerOptions, port = 0) {
  const arrived: Arrived[] = []
  const server = new SMTPServer({
    authOptional: true, logger: false, disableReverseLookup: true,
    onData (stream, session, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => { parts.push(part) })
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        arrived.push({ secure: session.secure, user: session.user, from: (mailFrom as { address: string }).address, to: rcptTo.map(({ address }) => address), message: Buffer.concat(parts).toString() })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')
  const close = async () => { await new Promise<void>(resolve => { server.close(() => { resolve() }) }) }
  t.teardown(close)
  return { arrived, close, port: (server.server.address() as AddressInfo).port }
}
