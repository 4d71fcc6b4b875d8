// The headers of every answer; holds none of a single route's.
import type { FastifyInstance } from 'fastify'

/** RFC 6797: two years. What browsers preload is a whole domain's to decide. */
export const HSTS = { ofHost: 'max-age=63072000', withSubdomains: 'max-age=63072000; includeSubDomains' }

/** `hsts` is Strict-Transport-Security. Over plain HTTP it would mean nothing (RFC 6797, section 7.2), and where a proxy speaks HTTPS the header is the proxy's: browsers take the first of two. */
export function addHeaders (app: FastifyInstance, hsts: string | undefined): void {
  const headers: Record<string, string> = { 'x-content-type-options': 'nosniff' }
  if (hsts) headers['strict-transport-security'] = hsts
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}

/** Tells the log of every answer, where it keeps so much. */
export function addRequestLog (app: FastifyInstance): void {
  if (app.log.level !== 'debug' && app.log.level !== 'trace') return
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug({ request_id: request.id, method: request.method, path: request.routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime }, 'request answered')
    done()
  })
}
