// How each page of Signet's own, and what it loads, is served; holds no page.
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { SOURCES } from '../../places.js'
import { sendStatic, type StaticFile } from '../edge/static-files.js'

/** What runs in browsers lies beside this folder, in the sources as in the build. */
export const FOLDER = fileURLToPath(new URL('browser/', SOURCES))

/** Nothing from elsewhere, nothing inline, no text that becomes a script; and no form that leaves the page, should its script not load. */
export const FENCE = {
  'content-security-policy': [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    "require-trusted-types-for 'script'", "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
}

/** A new version counts at the next load. */
const PAGE_HEADERS = { ...FENCE, 'cache-control': 'no-cache' }

/** Serves a file at an address; it is made when it is first asked for. */
export function addPage (app: FastifyInstance, url: string, make: () => StaticFile | Promise<StaticFile>): void {
  let file: StaticFile | Promise<StaticFile> | undefined
  const send = async (request: FastifyRequest, reply: FastifyReply) => {
    file ??= make()
    return await sendStatic(request, reply.headers(PAGE_HEADERS), await file)
  }
  // Not by the HEAD that Fastify makes of a GET: it says of a 304 that the page is empty (RFC 9110, section 8.6).
  app.route({ method: ['GET', 'HEAD'], url, schema: { hide: true }, handler: send })
}

/** Leads to the page from its address with a slash too: relative, as every address in a page is, so that it holds under a prefix of a proxy's. */
export function addSlash (app: FastifyInstance, url: string): void {
  app.get(`${url}/`, { schema: { hide: true } }, (_request, reply) => { reply.headers(PAGE_HEADERS).redirect(`..${url}`, 308) })
}
