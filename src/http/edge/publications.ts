// Documents that everybody is sent alike, and asks for without end: answered from memory, before a route is looked for; holds none of them.
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener } from 'node:http'
import { namesHost } from './forwarding.js'

/** A document, and all that is said of it. */
export interface Publication { headers: OutgoingHttpHeaders, body: Buffer }

/** What a GET of an address is answered with now; undefined where there is nothing to say but what a route says. */
export type Publisher = (request: IncomingMessage) => Publication | undefined

export class Publications {
  readonly #publishers: Publisher[] = []

  add (publisher: Publisher): void {
    this.#publishers.push(publisher)
  }

  /** Serves plain requests for what is published, and leaves all others to `routes`, which answer the same where they are asked for it. */
  before (routes: RequestListener): RequestListener {
    return (request, response) => {
      const found = isPlain(request) ? this.#find(request) : undefined
      if (found) response.writeHead(200, found.headers).end(found.body)
      else routes(request, response)
    }
  }

  #find (request: IncomingMessage): Publication | undefined {
    for (const publish of this.#publishers) {
      const found = publish(request)
      if (found) return found
    }
    return undefined
  }
}

/** Whether a request says no more than what it asks for. */
function isPlain (request: IncomingMessage): boolean {
  if (request.method !== 'GET' || !namesHost(request)) return false
  const { headers } = request
  return headers['if-none-match'] === undefined && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
}
