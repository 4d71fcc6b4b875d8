// How long every request took, by its method, its route and its status; holds no route, and nothing that a client may choose.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Meter } from '../../core/metrics.js'

/** The methods of RFC 9110 and RFC 5789, as OpenTelemetry's semantic conventions have it; whatever else a client sends is one more. */
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'])
const OTHER = '_OTHER'

/** Where an answer has the pattern of its route. */
const ROUTE = Symbol('route')
type Routed = ServerResponse & { [ROUTE]?: string }

/** Notes of an answer which route it is of, for whoever times it. */
export function noteRoute (response: ServerResponse, pattern: string): void {
  (response as Routed)[ROUTE] = pattern
}

/** Notes the route of every answer; what no route takes, a method that it does not know included, has none. */
export function addRouteNotes (app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) noteRoute(reply.raw, request.routeOptions.url!)
    done()
  })
}

/** Serves as before, and times each request until its answer was handed to the system. */
export function timed (serve: RequestListener, meter: Meter): RequestListener {
  return (request, response) => {
    const began = performance.now()
    response.once('finish', () => {
      meter.time('http_server_request_duration_seconds', [methodOf(request), (response as Routed)[ROUTE] ?? OTHER, String(response.statusCode)], (performance.now() - began) / 1000)
    })
    serve(request, response)
  }
}

function methodOf ({ method }: IncomingMessage): string {
  return METHODS.has(method!) ? method! : OTHER
}
