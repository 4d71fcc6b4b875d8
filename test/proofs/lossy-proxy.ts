// An HTTP proxy that drops, delays and doubles a share of what passes, and watches how many refreshes are under way; knows nothing of tokens.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request as ask, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const FATES = ['request dropped', 'answer dropped', 'answer never comes', 'request late', 'answer late', 'request doubled', 'answer doubled'] as const
export type Fate = typeof FATES[number]

/** Late means up to so many milliseconds, which is more than the tabs' patience with one answer. */
const LATEST_MS = 1_500

interface Answer { status: number, headers: string[], body: Buffer }

export class LossyProxy {
  readonly #server: Server
  readonly #target: URL
  readonly #random: () => number
  #underWay = 0
  #refreshing = 0
  /** The share of requests that meet with a fate. */
  share = 0
  /** The most refreshes that were under way at one moment, as the browser sees it. */
  mostAtOnce = 0
  refreshes = 0
  readonly met = new Map<Fate, number>()

  readonly #scheme: 'http' | 'https'

  private constructor (target: URL, random: () => number, tls?: { cert: string, key: string }) {
    this.#target = target
    this.#random = random
    this.#scheme = tls ? 'https' : 'http'
    const serve = (request: IncomingMessage, response: ServerResponse) => { this.#track(this.#pass(request, response)).catch(() => { response.destroy() }) }
    this.#server = tls ? createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, serve) : createServer(serve)
  }

  /** Listens before `url`, over HTTPS where it has the files of a certificate; `random` answers numbers from 0 to 1. */
  static async open (url: string, random: () => number, tls?: { cert: string, key: string }): Promise<LossyProxy> {
    const proxy = new LossyProxy(new URL(url), random, tls)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url (): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Waits until nothing is on its way to the server, so that no request is later than a network makes one. */
  async untilQuiet (): Promise<void> {
    while (this.#underWay > 0) await pause(5)
  }

  close (): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #pass (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    if (request.url === '/refresh' && request.method === 'POST') this.#watch(response)
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const fate = this.#draw()
    const forward = async () => await this.#forward(request, Buffer.concat(chunks))
    if (fate === 'request dropped') {
      response.destroy()
      return
    }
    if (fate === 'request late') await pause(this.#random() * LATEST_MS)
    if (fate === 'request doubled') this.#track(pause(this.#random() * LATEST_MS).then(forward)).catch(() => {})
    const answer = await forward()
    if (fate === 'answer never comes') return
    if (fate === 'answer late') await pause(this.#random() * LATEST_MS)
    if (fate === 'answer dropped') response.destroy()
    else this.#answer(response, answer, fate === 'answer doubled')
  }

  async #track<T> (work: Promise<T>): Promise<T> {
    this.#underWay++
    return await work.finally(() => { this.#underWay-- })
  }

  #draw (): Fate | undefined {
    if (this.#random() >= this.share) return undefined
    const fate = FATES[Math.floor(this.#random() * FATES.length)]!
    this.met.set(fate, (this.met.get(fate) ?? 0) + 1)
    return fate
  }

  #watch (response: ServerResponse): void {
    this.refreshes++
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#refreshing)
    response.once('close', () => { this.#refreshing-- })
  }

  async #forward (request: IncomingMessage, body: Buffer): Promise<Answer> {
    const { hostname, port } = this.#target
    const outgoing = ask({ hostname, port, method: request.method, path: request.url, headers: request.headers, agent: false })
    outgoing.end(body)
    const [answer] = await once(outgoing, 'response') as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    return { status: answer.statusCode!, headers: answer.rawHeaders, body: Buffer.concat(chunks) }
  }

  #answer (response: ServerResponse, { status, headers, body }: Answer, isDoubled: boolean): void {
    const kept = headers.flatMap((name, at) => at % 2 === 0 && !/^(connection|keep-alive|transfer-encoding)$/i.test(name) ? [name, headers[at + 1]!] : [])
    response.writeHead(status, kept)
    const { socket } = response
    response.end(body, () => {
      if (!isDoubled) return
      const lines = kept.flatMap((name, at) => at % 2 === 0 ? [`${name}: ${kept[at + 1]!}\r\n`] : [])
      socket?.write(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Again\r\n${lines.join('')}\r\n`), body]))
    })
  }
}
