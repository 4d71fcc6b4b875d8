// The headers of every answer; holds none of a single route's.
import type { FastifyInstance } from 'fastify'
import { readTraceParent } from '../../core/trace-context.js'

/** RFC 6797: two years. What browsers preload is a whole domain's to decide. */
export const HSTS = { ofHost: 'max-age=63072000', withSubdomains: 'max-age=63072000; includeSubDomains' }

/**
 * The headers of every answer. `hsts` is Strict-Transport-Security. Over plain HTTP it would mean nothing (RFC 6797, section 7.2), and where a proxy speaks HTTPS the header is the proxy's: browsers
 * take the first of two.
 */
export function headersOfAll (hsts: string | undefined): Record<string, string> {
  return { 'x-content-type-options': 'nosniff', ...(hsts && { 'strict-transport-security': hsts }) }
}

/** Adds these to every answer of a route. */
export function addHeaders (app: FastifyInstance, headers: Record<string, string>): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}

/** Whether a log of this level is told of every answer. */
export function isTold (level: string): boolean {
  return level === 'debug' || level === 'trace'
}

/** Tells the log of every answer. */
export function addRequestLog (app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug({ request_id: request.id, ...readTraceParent(request.headers['traceparent']), method: request.method, path: request.routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime }, 'request answered')
    done()
  })
}
