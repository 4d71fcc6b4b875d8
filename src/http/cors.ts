// Which other origins may read an answer (the Fetch standard's CORS); holds no rule of the cookie.
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** Seconds for which a browser remembers a preflight's answer. */
const PREFLIGHT_MAX_AGE = 600

/** Lets the pages of exactly these origins ask the routes that `app` gets; with none it adds nothing at all. */
export async function addCors (app: FastifyInstance, origins: string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: origins,
    credentials: true,
    methods: ['GET', 'POST', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type'],
    exposedHeaders: ['retry-after', 'www-authenticate'],
    maxAge: PREFLIGHT_MAX_AGE,
    strictPreflight: false,
  })
}
