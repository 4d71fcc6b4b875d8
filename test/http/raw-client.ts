// A client that writes what it likes to a socket, for what no HTTP client would do; holds no assertion.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Test } from 'tap'

/** A connection to a server of ours, closed after the test at the latest; over TLS whatever the certificate. */
export async function dial (t: Test, port: number, protocol: 'http' | 'https' = 'http'): Promise<Socket> {
  const socket = protocol === 'https' ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1')
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, protocol === 'https' ? 'secureConnect' : 'connect')
  return socket
}

/** What comes on a connection until the other side ends it. */
export async function readAll (socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', chunk => { text += String(chunk) })
  await once(socket, 'close')
  return text
}

/** The next whole answer of a connection that is kept; its length must be said. */
export async function readAnswer (socket: Socket): Promise<string> {
  const pieces: Buffer[] = []
  let [have, want] = [0, Infinity]
  while (have < want) {
    const [piece] = await once(socket, 'data') as [Buffer]
    pieces.push(piece)
    have += piece.length
    if (want === Infinity) want = lengthOf(Buffer.concat(pieces))
  }
  return Buffer.concat(pieces).toString()
}

function lengthOf (answer: Buffer): number {
  const end = answer.indexOf('\r\n\r\n')
  if (end === -1) return Infinity
  const said = /^content-length: (\d+)/im.exec(answer.subarray(0, end).toString())
  return end + 4 + Number(said?.[1] ?? 0)
}

export function get (path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nhost: signet.example\r\n${headers}\r\n`
}
