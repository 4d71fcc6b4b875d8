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

/** Lets the pages of these origins read also that there is no such route: a fault of theirs that they could not tell from a network's else. */
export function allowReading (request: FastifyRequest, reply: FastifyReply, origins: string[]): void {
  if (origins.length === 0) return
  reply.header('vary', 'Origin')
  const { origin } = request.headers
  if (origin === undefined || !origins.includes(origin)) return
  reply.headers({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': EXPOSED_HEADERS.join(', ') })
}
