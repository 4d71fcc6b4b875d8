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
  let text = ''
  while (!isWhole(text)) text += String((await once(socket, 'data'))[0])
  return text
}

function isWhole (text: string): boolean {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const length = /^content-length: (\d+)/im.exec(head)
  return rest.length > 0 && rest.join('\r\n\r\n').length >= Number(length?.[1] ?? 0)
}

export function get (path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nhost: signet.example\r\n${headers}\r\n`
}
