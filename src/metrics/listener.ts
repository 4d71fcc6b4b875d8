// Where Prometheus looks: a listener of its own, that serves one document and nothing of Signet's; holds no figure.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AuthError } from '../errors.js'
import { Connections } from '../http/edge/connections.js'
import { PROBLEM_TYPE, toProblem } from '../http/edge/problems.js'
import { EXPOSITION_TYPE } from './exposition.js'

export const PATH = '/metrics'

/** Each is bounded in time, as Signet's own are, so that nobody who reads slowly takes the place of another for long; and the oldest gives way. */
const LIMITS = { max: 50, keepAlive: 120_000 }
const FAREWELL = { linger: 0, settle: 0, patience: 1_000 }
const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

export interface Listener { address: AddressInfo, close: () => Promise<void> }

/** Listens there, and answers with what `write` makes at that moment. Rejects as Node does where it cannot listen. */
export async function listenForScrapes (place: { host: string, port: number }, write: () => string): Promise<Listener> {
  const connections = new Connections(LIMITS)
  const server = connections.createServer((request, response) => { answer(request, response, write) })
  server.on('clientError', (error, socket) => { connections.refuse(error, socket as Parameters<Connections['refuse']>[1]) })
  server.listen(place)
  await once(server, 'listening')
  const stopWatching = connections.watch(() => {})
  const close = async () => {
    stopWatching()
    await connections.end(FAREWELL)
  }
  return { address: server.address() as AddressInfo, close }
}

function answer ({ method, url }: IncomingMessage, response: ServerResponse, write: () => string): void {
  if (url!.split('?', 1)[0] !== PATH) refuse(response, new AuthError('not_found'))
  else if (method === 'GET' || method === 'HEAD') send(response, 200, { 'content-type': EXPOSITION_TYPE }, write())
  else refuse(response, new AuthError('method_not_allowed', { allow: ['GET', 'HEAD'] }))
}

function refuse (response: ServerResponse, error: AuthError): void {
  send(response, error.status, { 'content-type': PROBLEM_TYPE, ...(error.allow && { allow: error.allow.join(', ') }) }, JSON.stringify(toProblem(error, randomUUID())))
}

// Of an answer to HEAD Node sends no body.
function send (response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
}
