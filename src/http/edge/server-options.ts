// What Fastify is made with: how it logs, checks, listens and refuses; holds no route.
import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { LogController, type FastifyServerOptions } from 'fastify'
import { compilersFactory } from './compilers.js'
import type { Connections } from './connections.js'
import { sendProblem } from './problems.js'
import type { Publications } from './publications.js'
import type { TlsFiles } from './tls-files.js'

const BODY_LIMIT = 16 * 1024

/** `tls` is what to speak HTTPS with; `around` is put around what serves every request, by a route or without. */
export interface ServerParts { logger: NonNullable<FastifyServerOptions['logger']>, connections: Connections, publications: Publications, tls?: TlsFiles | undefined, around: (serve: RequestListener) => RequestListener }

/** Fastify's options. */
export function serverOptions ({ logger, connections, publications, tls, around }: ServerParts): FastifyServerOptions {
  const options: FastifyServerOptions = {
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    // A logger of its own would be the dearest part of a request; each line that needs the request's id names it.
    childLoggerFactory: logger => logger,
    bodyLimit: BODY_LIMIT,
    serverFactory: handler => connections.createServer(around(publications.before(handler as RequestListener)), tls?.pair),
    // The id of a passkey is as long as its authenticator makes it (W3C Web Authentication, section 5.8.3: 1023 bytes).
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 1_364 },
    // Fastify's defaults drop unknown members and coerce mistyped ones. The schemas are ours, so that none need be compiled that checks them.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: true, meta: false, validateSchema: false } },
    schemaController: { compilersFactory },
    frameworkErrors: (error, request, reply) => { void sendProblem(error, request, reply) },
    clientErrorHandler: (error, socket) => { connections.refuse(error, socket) },
  }
  return { ...options, ...(tls && { https: tls.pair }) }
}
