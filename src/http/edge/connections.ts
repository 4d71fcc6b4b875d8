// The connections of clients: how many there are, what each may ask and for how long, and how they end when Signet does; holds no route and no answer but the refusal.
import { randomUUID } from 'node:crypto'
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import https from 'node:https'
import { Server as ListeningServer, type Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { setImmediate as turn } from 'node:timers/promises'
import { AuthError } from '../../errors.js'
import { HEADER_OPTIONS } from './forwarding.js'
import { PROBLEM_TYPE, sendRawProblem, toProblem } from './problems.js'

/** In milliseconds: a client that is slow in whatever way is gone within 40 seconds, the time until it is looked at included. */
const LOOK_EVERY_MS = 5_000
const REQUEST_MS = 30_000
const HANDSHAKE_MS = 15_000
/** An answer that its client does not take, and one that we do not give. */
const UNTAKEN_MS = 25_000
const UNANSWERED_MS = 35_000
/** Until the client of a last answer has read it. */
const READING_MS = 1_000
const SAY_EVERY_MS = 60_000
/** Until a turn of the event loop comes in which no client does anything. */
const QUIET_WITHIN_MS = 200
const FAREWELL_MS = 100
const RETRY_AFTER_SECONDS = '1'

/** How long each step of an end lasts, in milliseconds. */
export interface Farewell {
  /** Signet still listens, and says that it is not ready. */
  linger: number
  /** It listens no more, and serves what comes on the connections that are left. */
  settle: number
  /** What is in flight is waited for. */
  patience: number
}

export interface ConnectionLimits {
  /** The most that may be open at once. */
  max: number
  /** How long one that has been answered is kept for its next request, in milliseconds. */
  keepAlive: number
}

/** What is known of one connection. */
interface Exchange {
  /** The answers to its last two requests, until they are seen to be delivered. */
  last: ServerResponse | undefined
  before: ServerResponse | undefined
  /** Its next answer closes it. */
  isLast: boolean
  /** It asked more than it may, and what else it says is not heard. */
  isDone: boolean
  /** The answer that was found not to be delivered, and since when. */
  late: { answer: ServerResponse, since: number } | undefined
  /** Since when it has been seen to ask nothing. */
  idleSince: number | undefined
}

/** Where a connection has its exchange: a look into a map would be the dearest part of every request. */
const EXCHANGE = Symbol('exchange')
/** `parser` reads its requests, and tells each by `onIncoming`; Node documents neither. */
type Asking = Socket & { [EXCHANGE]: Exchange, parser?: { onIncoming: () => number } | null }
/** Told so, the parser leaves the rest of what came to somebody else, as after an upgrade. */
const NOT_OURS = 2

export class Connections {
  readonly #limits: ConnectionLimits
  readonly #servers: http.Server[] = []
  /** Every connection as it was accepted, the oldest first. */
  readonly #sockets = new Map<Socket, Exchange>()
  /** Those that can ask; over TLS by the socket that the handshake made. */
  readonly #exchanges = new Map<Socket, Exchange>()
  /** All by their peer, for nothing else tells which of them the socket of a handshake was made of. */
  readonly #byPeer = new Map<string, Exchange>()
  #activity = 0
  #turnedAway = 0
  #saidAt = -Infinity
  #onEmpty = () => {}
  #isEnding = false

  constructor (limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** How many are open. */
  get count (): number {
    return this.#sockets.size
  }

  /** Whether Signet is about to end. */
  get isEnding (): boolean {
    return this.#isEnding
  }

  /** A server, over TLS with a certificate, whose requests reach `handler` one at a time a connection. */
  createServer (handler: RequestListener, tls?: SecureContextOptions): http.Server {
    const options = { ...HEADER_OPTIONS, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: LOOK_EVERY_MS, keepAliveTimeout: this.#limits.keepAlive }
    const serve: RequestListener = (request, response) => { if (this.#takes(request, response)) handler(request, response) }
    const server = tls ? https.createServer({ ...options, handshakeTimeout: HANDSHAKE_MS, ...tls }, serve) : http.createServer(options, serve)
    // No time-out of its own for a socket: beside those above, every connection is looked at, which costs a request nothing.
    server.setTimeout(0)
    server.on('connection', (socket: Socket) => { this.#admit(socket) })
    server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => { this.#hold(socket) })
    // What a request may expect beside 100-continue is nothing that Signet knows, and no reason to answer it past us (RFC 9110, section 10.1.1).
    server.on('checkExpectation', serve)
    this.#servers.push(server)
    return server
  }

  /** From the next handshake on, TLS is spoken with another certificate. */
  useCertificate (pair: SecureContextOptions): void {
    for (const server of this.#servers) (server as https.Server).setSecureContext(pair)
  }

  /** Looks every few seconds, until it is told to stop. `crowded` is told how many were turned away. */
  watch (crowded: (count: number) => void): () => void {
    const timer = setInterval(() => { this.look(performance.now(), crowded) }, LOOK_EVERY_MS).unref()
    return () => { clearInterval(timer) }
  }

  /** Closes what has waited for an answer, or has not taken it, for too long. `now` in milliseconds of a clock that never jumps. */
  look (now: number, crowded: (count: number) => void): void {
    for (const [socket, exchange] of this.#sockets) if (isLate(exchange, now, this.#limits.keepAlive + LOOK_EVERY_MS)) socket.destroy()
    if (this.#turnedAway === 0 || now - this.#saidAt < SAY_EVERY_MS) return
    crowded(this.#turnedAway)
    this.#turnedAway = 0
    this.#saidAt = now
  }

  /** Answers what never became a request, unless the answer would be taken for that of another one. */
  refuse (error: NodeJS.ErrnoException, socket: Socket): void {
    const exchange = this.#exchanges.get(socket)
    const answer = exchange?.last
    // Of a TLS handshake that failed nobody can read an answer, and a proxy that opens connections ahead would take it for one to its next request.
    const isUnasked = !exchange || socket.bytesRead === 0
    if (isUnasked || (answer?.headersSent && !answer.req.complete)) socket.destroy()
    else if (isBusy(exchange) && answer!.req.complete) this.#cutOff(socket, exchange)
    else {
      sendRawProblem(error, socket, randomUUID())
      closeRead(socket)
    }
  }

  /** Ends every connection, so that a proxy between loses no request, and refuses what is still in flight after the patience. */
  async end ({ linger, settle, patience }: Farewell): Promise<void> {
    this.#isEnding = true
    this.#retire()
    await this.#lingered(linger)
    await this.#stopListening()
    this.#retire()
    await this.#emptied(settle)
    for (const [socket, exchange] of this.#exchanges) if (!isBusy(exchange)) socket.destroy()
    await this.#emptied(patience)
    for (const exchange of this.#exchanges.values()) if (isBusy(exchange)) turnAway(exchange.last!)
    await this.#emptied(FAREWELL_MS)
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  #admit (socket: Socket): void {
    this.#activity++
    const exchange: Exchange = { last: undefined, before: undefined, isLast: false, isDone: false, late: undefined, idleSince: undefined }
    const peer = peerOf(socket)
    this.#sockets.set(socket, exchange)
    this.#byPeer.set(peer, exchange)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (this.#byPeer.get(peer) === exchange) this.#byPeer.delete(peer)
    })
    if (this.#sockets.size <= this.#limits.max) return
    this.#turnedAway++
    this.#leastMissed().destroy()
  }

  // Who opens connections without end must not keep others out, so the newest one has the place of one that waits for nothing of ours: the oldest that was seen to ask nothing (not even a
  // handshake's end), or to keep us waiting for its body or until it takes its answer, or just the oldest.
  #leastMissed (): Socket {
    const open = [...this.#sockets].filter(([socket, exchange]) => !socket.destroyed && !awaitsUs(exchange))
    const place = open.find(([, { idleSince }]) => idleSince !== undefined) ?? open.find(([, { late, last }]) => late && late.answer === last) ?? open[0]!
    return place[0]
  }

  #hold (socket: Socket): void {
    const exchange = this.#sockets.get(socket) ?? this.#byPeer.get(peerOf(socket))
    if (!exchange) {
      // Its client is gone, and nobody's any more.
      socket.destroy()
      return
    }
    ;(socket as Asking)[EXCHANGE] = exchange
    this.#exchanges.set(socket, exchange)
    socket.once('close', () => {
      this.#exchanges.delete(socket)
      if (this.#exchanges.size === 0) this.#onEmpty()
    })
  }

  // The client can have no answer whole that has not ended. One that has may be on its way while the next request comes, but no two.
  #takes ({ socket }: IncomingMessage, response: ServerResponse): boolean {
    this.#activity++
    const exchange = (socket as Asking)[EXCHANGE]
    const { last, before } = exchange
    if (exchange.isDone) return false
    if (last && (!last.writableEnded || before?.writableFinished === false)) {
      this.#cutOff(socket, exchange)
      return false
    }
    exchange.before = last?.writableFinished === false ? last : undefined
    exchange.last = response
    exchange.idleSince = undefined
    if (exchange.isLast) response.setHeader('connection', 'close')
    return true
  }

  // Its first request is answered; what it sent beyond that one is not looked at (RFC 9112, section 9.3.2: it may send that again).
  #cutOff (socket: Socket, exchange: Exchange): void {
    if (exchange.isDone) return
    exchange.isDone = true
    closeAfter(exchange)
    socket.pause()
    // Thousands may have come in one piece, each of which Node would make a request of and hold until the end of the connection.
    const { parser } = socket as Asking
    if (parser) parser.onIncoming = () => NOT_OURS
    // Whichever closes it, Node's server or we: with what it sent beyond unread, that would be a reset, and take back what the client has not read yet (RFC 9112, section 9.6).
    socket.destroySoon = () => { closeRead(socket) }
    exchange.last!.once('finish', () => { socket.destroySoon() })
  }

  // Those that come later are kept for now: were each closed, a proxy would open one a request, and the last would wait to be accepted when nobody listens any more.
  #retire (): void {
    for (const exchange of this.#sockets.values()) {
      exchange.isLast = true
      closeAfter(exchange)
    }
  }

  // Until the time is over, or the process that leads this one closes a server. From now on that is to listen no more, and not HTTP's own way, which closes idle connections first.
  async #lingered (milliseconds: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, milliseconds)
      for (const server of this.#servers) {
        server.close = told => {
          clearTimeout(timer)
          resolve()
          return ListeningServer.prototype.close.call(server, told) as typeof server
        }
      }
    })
  }

  // What the kernel holds for us to accept is reset when nobody listens; in a turn in which nothing came, it holds nothing.
  async #stopListening (): Promise<void> {
    const latest = performance.now() + QUIET_WITHIN_MS
    let before
    do {
      before = this.#activity
      await turn()
    } while (before !== this.#activity && performance.now() < latest)
    for (const server of this.#servers) server.close()
  }

  async #emptied (milliseconds: number): Promise<void> {
    if (this.#exchanges.size === 0) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, milliseconds)
      this.#onEmpty = () => { clearTimeout(timer); resolve() }
    })
  }
}

function isBusy ({ last }: Exchange): boolean {
  return last?.writableFinished === false
}

/** Whether it is our turn on the connection, and not its client's. */
function awaitsUs (exchange: Exchange): boolean {
  return isBusy(exchange) && exchange.last!.req.complete && !exchange.last!.headersSent
}

/** Whether the connection has waited for too long: for its next request, for `idleMax` milliseconds whatever else comes, or for the end of its answer. Lets go of answers that are delivered. */
function isLate (exchange: Exchange, now: number, idleMax: number): boolean {
  const { last, late } = exchange
  if (!last || last.writableFinished) {
    exchange.last = exchange.before = exchange.late = undefined
    exchange.idleSince ??= now
    return now - exchange.idleSince >= idleMax
  }
  if (late?.answer !== last) exchange.late = { answer: last, since: now }
  return now - exchange.late!.since >= (last.headersSent ? UNTAKEN_MS : UNANSWERED_MS)
}

function closeAfter (exchange: Exchange): void {
  if (isBusy(exchange) && !exchange.last!.headersSent) exchange.last!.setHeader('connection', 'close')
}

/** Says the end, and closes when a client can have read it. */
function closeRead (socket: Socket): void {
  socket.end()
  setTimeout(() => { socket.destroy() }, READING_MS).unref()
}

function turnAway (answer: ServerResponse): void {
  if (answer.headersSent) return
  const problem = toProblem(new AuthError('unavailable'), randomUUID())
  answer.writeHead(problem.status, { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store', 'retry-after': RETRY_AFTER_SECONDS, connection: 'close' }).end(JSON.stringify(problem))
}

function peerOf ({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
