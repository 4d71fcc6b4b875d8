// What stands between a verifier and Signet: passes all on but the status lists that a proof serves in Signet's place; holds no list and no verdict.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Answer } from './status-lists.js'

const DRIP_EVERY_MS = 500
const LIST = /^\/status-lists\/(\d+)$/

export class StatusFront {
  readonly #upstream: string
  readonly #server: Server
  readonly #answers = new Map<number, Answer>()
  readonly #requests = new Map<number, number>()

  private constructor (upstream: string) {
    this.#upstream = upstream
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => { response.writeHead(502).end() })
    })
  }

  /** Before the server at `upstream`. */
  static async open (upstream: string): Promise<StatusFront> {
    const front = new StatusFront(upstream)
    front.#server.listen(0, '127.0.0.1')
    await once(front.#server, 'listening')
    return front
  }

  get url (): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From now on, as the list of this number. */
  serve (list: number, answer: Answer): void {
    this.#answers.set(list, answer)
  }

  /** How often the list of this number was asked for. */
  requests (list: number): number {
    return this.#requests.get(list) ?? 0
  }

  close (): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer ({ url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const list = Number(LIST.exec(url!)?.[1])
    const { status = 200, headers, body, drips } = this.#answers.get(list) ?? await this.#passOn(url!)
    this.#requests.set(list, this.requests(list) + 1)
    if (drips !== undefined) {
      drip(response.socket!, drips)
      return
    }
    response.writeHead(status, { 'content-type': 'application/statuslist+jwt', ...headers }).end(body)
  }

  async #passOn (path: string): Promise<Answer> {
    const answer = await fetch(`${this.#upstream}${path}`)
    return { status: answer.status, headers: { 'content-type': answer.headers.get('content-type') ?? '' }, body: await answer.text() }
  }
}

function drip (socket: Socket, beginning: string): void {
  socket.write(beginning)
  const dripping = setInterval(() => { socket.write('0') }, DRIP_EVERY_MS)
  socket.once('close', () => { clearInterval(dripping) })
}
