// Documents that everybody is sent alike, and asks for without end: answered from memory, before a route is looked for; holds none of them.
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http'
import { namesHost } from './forwarding.js'
import { noteRoute } from './request-times.js'

/** A document, all that is said of it, and the pattern of the route that serves it otherwise. */
export interface Publication { route: string, headers: OutgoingHttpHeaders, body: Buffer }

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
      if (found) send(found, response)
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

function send ({ route, headers, body }: Publication, response: ServerResponse): void {
  noteRoute(response, route)
  response.writeHead(200, headers).end(body)
}

/** Whether a request says no more than what it asks for. */
function isPlain (request: IncomingMessage): boolean {
  if (request.method !== 'GET' || !namesHost(request)) return false
  const { headers } = request
  return headers['if-none-match'] === undefined && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
}
