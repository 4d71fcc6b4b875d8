// A TCP proxy before a database that can stall, cut an answer in half and drop connections; knows nothing of what it forwards.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

type Direction = 'requests' | 'answers'

export class MongoProxy {
  readonly #server: Server
  readonly #pairs = new Set<[Socket, Socket]>()
  readonly #stalled = new Set<Direction>()
  #cutAfter: string | undefined
  #holdAfter: string | undefined
  #held: Array<() => void> = []
  /** The URL of the same database through the proxy. */
  url = ''

  private constructor (target: URL) {
    const [port, host] = [Number(target.port), target.hostname]
    this.#server = createServer(client => { this.#join(client, connect(port, host)) })
  }

  static async open (test: Test, url: string): Promise<MongoProxy> {
    const target = new URL(url)
    const proxy = new MongoProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    target.host = `127.0.0.1:${(proxy.#server.address() as AddressInfo).port}`
    proxy.url = target.href
    test.teardown(() => {
      proxy.#server.close()
      proxy.drop()
    })
    return proxy
  }

  /** From now on nothing of this direction comes through. */
  stall (direction: Direction): void {
    this.#stalled.add(direction)
  }

  /** Forwards again, what was held first. */
  resume (): void {
    this.#stalled.clear()
    for (const forward of this.#held.splice(0)) forward()
  }

  /** Ends every connection, and loses what was held. */
  drop (): void {
    this.#held = []
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
  }

  /** Lets the next command of this name through, and half of its answer. */
  cutAnswerTo (command: string): void {
    this.#cutAfter = command
  }

  /** Lets the next command of this name through, and keeps its answer until `resume`. */
  holdAnswerTo (command: string): void {
    this.#holdAfter = command
  }

  #join (client: Socket, server: Socket): void {
    const pair: [Socket, Socket] = [client, server]
    let [isDoomed, isHeld] = [false, false]
    this.#pairs.add(pair)
    const end = () => {
      this.#pairs.delete(pair)
      for (const socket of pair) socket.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
    client.on('data', chunk => {
      if (this.#cutAfter && chunk.includes(this.#cutAfter)) {
        this.#cutAfter = undefined
        isDoomed = true
      }
      if (this.#holdAfter && chunk.includes(this.#holdAfter)) {
        this.#holdAfter = undefined
        isHeld = true
      }
      this.#forward('requests', () => server.write(chunk))
    })
    server.on('data', chunk => {
      if (isHeld) {
        isHeld = false
        this.#held.push(() => client.write(chunk))
      } else if (!isDoomed) this.#forward('answers', () => client.write(chunk))
      else client.write(chunk.subarray(0, chunk.length / 2), end)
    })
  }

  #forward (direction: Direction, write: () => void): void {
    if (this.#stalled.has(direction)) this.#held.push(write)
    else write()
  }
}
