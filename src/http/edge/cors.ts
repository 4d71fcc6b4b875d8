// Which other origins may read an answer (the Fetch standard's CORS); holds no rule of the cookie.
import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Seconds for which a browser remembers a preflight's answer. */
const PREFLIGHT_MAX_AGE = 600
/** Beside what the routes read, what tracing in a page adds to each of its requests (W3C Trace Context and Baggage, and Sentry's own). */
const ALLOWED_HEADERS = ['authorization', 'content-type', 'traceparent', 'tracestate', 'baggage', 'sentry-trace']
const EXPOSED_HEADERS = ['retry-after', 'www-authenticate']

/** Lets the pages of exactly these origins ask the routes that `app` gets; with none it adds nothing at all. */
export async function addCors (app: FastifyInstance, origins: string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: origins,
    credentials: true,
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_MAX_AGE,
    strictPreflight: false,
  })
}

/** Lets any page ask the routes that `app` gets, and read their answers: for what no cookie opens. Without the plugin, which can be registered only once. */
export function addOpenCors (app: FastifyInstance): void {
  const readable = { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED_HEADERS.join(', ') }
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(readable)
    done()
  })
  const asked = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = asked.get(url)
    if (method === 'OPTIONS') return
    asked.set(url, [...methods ?? [], ...[method].flat()])
    if (methods) return
    app.options(url, { schema: { hide: true } }, (_request, reply) => {
      reply.code(204).headers({ 'access-control-allow-methods': asked.get(url)!.join(', '), 'access-control-allow-headers': ALLOWED_HEADERS.join(', '), 'access-control-max-age': PREFLIGHT_MAX_AGE }).send()
    })
  })
}

/** Lets the pages of these origins read also that there is no such route: a fault of theirs that they could not tell from a network's else. */
export function allowReading (request: FastifyRequest, reply: FastifyReply, origins: string[]): void {
  if (origins.length === 0) return
  reply.header('vary', 'Origin')
  const { origin } = request.headers
  if (origin === undefined || !origins.includes(origin)) return
  reply.headers({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': EXPOSED_HEADERS.join(', ') })
}
