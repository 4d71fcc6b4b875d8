// The composition root: wires parts into a Fastify application by hand; reads no environment and opens nothing.
import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import Fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions, type RouteOptions } from 'fastify'
import { familyLimits, listOf, type Config } from './config.js'
import { AuthError } from './errors.js'
import type { Hasher } from './hashing/hasher.js'
import { addAccountPage } from './http/account-page.js'
import { AuthController } from './http/auth-controller.js'
import { identifyCaller } from './http/bearer-guard.js'
import type { Connections } from './http/connections.js'
import { addCors, allowReading } from './http/cors.js'
import { addDocs } from './http/docs.js'
import { AuthTokenDTO, DeviceDTO, FieldErrorDTO, HealthDTO, JwkDTO, JwksDTO, ProblemDTO, RegistrationDTO, RevocationDTO, TokenListDTO, UserDTO } from './http/dto.js'
import { addForwarding } from './http/forwarding.js'
import { addFrontDoor } from './http/front-door.js'
import { Readiness } from './http/health.js'
import { addJsonBodies } from './http/json-bodies.js'
import { addOpenApi } from './http/openapi.js'
import { sendProblem } from './http/problems.js'
import { addRateLimits, type Limit, type LimitOptions } from './http/rate-limits.js'
import { addCookies, openCookie, type RefreshCookie } from './http/refresh-cookie.js'
import { AuthenticationRequest, ChangePasswordRequest, ChangeUserRequest, RefreshRequest } from './http/requests.js'
import { JWKS_SCHEMA, LIVENESS_SCHEMA, READINESS_SCHEMA, routeSchema } from './http/route-schemas.js'
import { ROUTES, type CallerRoute, type Route, type TokenRoute, type Visit } from './http/routes.js'
import type { TlsFiles } from './http/tls-files.js'
import type { KeyRing } from './keyring/key-ring.js'
import { loggerOptions, type LogSink } from './log.js'
import { AccountService } from './services/account-service.js'
import { GuessLimits } from './services/guess-limits.js'
import { TokenService } from './services/token-service.js'
import type { Store } from './store/store.js'

export interface AppParts {
  config: Config
  store: Store
  keyRing: KeyRing
  hasher: Hasher
  /** Milliseconds since the epoch. */
  clock: () => number
  log: LogSink
  connections: Connections
  /** What to speak HTTPS with. */
  tls?: TlsFiles
}

/** The fault itself names files, so it is in the log alone. */
const OLD_RING = 'The key ring on disk cannot be used, and the one before it is kept; the log says why.'
const OLD_CERTIFICATE = 'The TLS files cannot be used, and the certificate before them is kept; the log says why.'
const STOPPING = { status: 'unavailable' as const, reason: 'Signet is stopping.' }
const BODY_LIMIT = 16 * 1024
/** A header may be kilobytes long; what is kept of it a device is not (promise 7). */
const USER_AGENT_MAX_LENGTH = 200
const VERSION = '0.1.0'
/** RFC 6797: two years. What browsers preload is a whole domain's to decide. */
const HSTS = { false: 'max-age=63072000', true: 'max-age=63072000; includeSubDomains' }
const SCHEMAS = [AuthTokenDTO, AuthenticationRequest.schema, ChangePasswordRequest, ChangeUserRequest, DeviceDTO, FieldErrorDTO, HealthDTO, JwkDTO, JwksDTO, ProblemDTO, RefreshRequest.schema, RegistrationDTO, RevocationDTO, TokenListDTO, UserDTO]

/** The application, ready to listen or to be asked by `inject`. */
export async function buildApp (parts: AppParts): Promise<FastifyInstance> {
  const { config, clock, connections, keyRing, store } = parts
  const app = Fastify(serverOptions(parts))
  addForwarding(app, config.TRUST_PROXY)
  addJsonBodies(app)
  app.setErrorHandler<Error>(sendProblem)
  for (const schema of SCHEMAS) app.addSchema(schema)
  addHeaders(app, parts.tls && HSTS[config.HSTS_INCLUDE_SUBDOMAINS])
  const limitOptions = await addRateLimits(app, rateLimitSettings(config))
  const origins = listOf(config.CORS_ORIGINS)
  addUnknownRoutes(app, limitOptions('address'), origins)
  await addOpenApi(app, { version: VERSION, issuer: config.ISSUER, passwordMinLength: config.PASSWORD_MIN_LENGTH, bodyOptional: ROUTES.filter(route => route.isBodyOptional) })

  const guesses = config.RATE_LIMIT === 'on' ? new GuessLimits(guessLimitSettings(config), store) : undefined
  const accounts = new AccountService({ ...parts, passwordMinLength: config.PASSWORD_MIN_LENGTH, families: familyLimits(config), guesses })
  const tokens = new TokenService({ ...tokenSettings(config), store, keyRing, record: event => { app.log.warn(event, 'security event') } })
  const controller = new AuthController(accounts, tokens)
  const readiness = new Readiness([
    async () => { await store.ping() },
    async now => { await keyRing.assertServes(now) },
  ], () => worriesOf(parts), faults => {
    for (const err of faults) app.log.error({ err }, 'not ready')
    app.log.info({ ready: faults.length === 0 }, 'readiness changed')
  })
  // Asked once unasked, so that the log says what a start lacks.
  app.addHook('onListen', done => {
    void readiness.check(clock())
    const stopWatching = connections.watch(count => { app.log.warn({ count }, 'connections closed, for more are open than may be: see MAX_CONNECTIONS') })
    app.server.once('close', stopWatching)
    done()
  })
  const edge: Edge = { controller, tokens, clock, limitOptions, trusted: new Set([new URL(config.ISSUER).origin, ...origins]) }
  await addCookies(app)
  await app.register(async authority => {
    await addCors(authority, origins)
    for (const route of ROUTES) authority.route(toFastifyRoute(route, edge))
  })
  app.after(() => {
    addPublicRoutes(app, parts, readiness)
  })
  if (config.DOCS === 'on') addDocs(app)
  if (config.ACCOUNT_PAGE === 'true') await addAccountPage(app, config.PASSWORD_MIN_LENGTH)
  addFrontDoor(app, config.ACCOUNT_PAGE === 'true' ? '/account' : config.DOCS === 'on' ? '/docs' : undefined)
  await app.ready()
  return app
}

function worriesOf ({ keyRing, tls }: AppParts): string | undefined {
  return [keyRing.fault && OLD_RING, tls?.fault && OLD_CERTIFICATE].filter(Boolean).join(' ') || undefined
}

function serverOptions ({ config, connections, log, tls }: AppParts): FastifyServerOptions {
  const options: FastifyServerOptions = {
    logger: loggerOptions(config.LOG_LEVEL, log),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    // A logger of its own would be the dearest part of a request; each line that needs the request's id names it.
    childLoggerFactory: logger => logger,
    bodyLimit: BODY_LIMIT,
    serverFactory: handler => connections.createServer(handler as RequestListener, tls?.pair),
    routerOptions: { ignoreTrailingSlash: false },
    // Fastify's defaults drop unknown members and coerce mistyped ones.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: true } },
    frameworkErrors: (error, request, reply) => { void sendProblem(error, request, reply) },
    clientErrorHandler: (error, socket) => { connections.refuse(error, socket) },
  }
  return { ...options, ...(tls && { https: tls.pair }) }
}

function rateLimitSettings (config: Config) {
  return {
    enabled: config.RATE_LIMIT === 'on',
    window: config.RATE_LIMIT_WINDOW,
    max: config.RATE_LIMIT_MAX,
    loginMax: config.RATE_LIMIT_LOGIN_MAX,
    registerMax: config.RATE_LIMIT_REGISTER_MAX,
  }
}

function guessLimitSettings (config: Config) {
  return { window: config.RATE_LIMIT_ACCOUNT_WINDOW * 1000, placeMax: config.RATE_LIMIT_ACCOUNT_MAX, accountMax: config.RATE_LIMIT_ACCOUNT_TOTAL }
}

function tokenSettings (config: Config) {
  return {
    accessToken: { issuer: config.ISSUER, audience: config.AUDIENCE, clientId: config.CLIENT_ID, ttl: config.ACCESS_TOKEN_TTL },
    families: familyLimits(config),
    maxActive: config.MAX_ACTIVE_TOKENS,
    policy: config.ACTIVE_TOKENS_POLICY,
  }
}

// Over plain HTTP it would mean nothing (RFC 6797, section 7.2), and where a proxy speaks HTTPS the header is the proxy's: browsers take the first of two.
function addHeaders (app: FastifyInstance, hsts: string | undefined): void {
  const headers: Record<string, string> = { 'x-content-type-options': 'nosniff' }
  if (hsts) headers['strict-transport-security'] = hsts
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
  if (app.log.level !== 'debug' && app.log.level !== 'trace') return
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug({ request_id: request.id, method: request.method, path: request.routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime }, 'request answered')
    done()
  })
}

// What no route takes is refused before its body is read: as 405 where the address exists, else as 404.
function addUnknownRoutes (app: FastifyInstance, { onRequest: checks = [] }: LimitOptions, origins: string[]): void {
  const known = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => { known.set(url, [...known.get(url) ?? [], ...[method].flat()]) })
  const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
    allowReading(request, reply, origins)
    for (const check of checks) await check.call(app, request, reply)
    const allow = allowedMethods(known, request.url)
    throw allow.length > 0 ? new AuthError('method_not_allowed', { allow }) : new AuthError('not_found')
  }
  // By callback: every request comes through here, and a promise for each would be the dearest part of the JWKS.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) refuse(request, reply).catch(done)
    else done()
  })
}

function allowedMethods (known: Map<string, string[]>, url: string): string[] {
  const path = url.split('?', 1)[0]!.split('/')
  return [...known].filter(([pattern]) => matches(pattern.split('/'), path)).flatMap(([, methods]) => methods)
}

function matches (want: string[], have: string[]): boolean {
  return want.length === have.length && want.every((part, at) => part === have[at] || (part.startsWith(':') && have[at] !== ''))
}

/** What every route is served with. `trusted` are the origins that may use the cookie. */
interface Edge { controller: AuthController, tokens: TokenService, clock: () => number, limitOptions: (limit: Limit) => LimitOptions, trusted: ReadonlySet<string> }

function toFastifyRoute (route: Route, edge: Edge): RouteOptions {
  const serve = serverOf(route, edge)
  return {
    method: route.method,
    url: route.url,
    ...edge.limitOptions(route.limit),
    ...(route.isBodyOptional && { preValidation: fillBody }),
    schema: routeSchema(route),
    handler: async (request, reply) => {
      const answer = await serve(toVisit(request, edge.clock()), request, reply)
      // Returned, not sent: to await a reply is to watch its stream until the end.
      reply.code(route.status).header('cache-control', 'no-store')
      return answer
    },
  }
}

type Serve = (visit: Visit, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

function serverOf (route: Route, edge: Edge): Serve {
  if (route.guard === 'bearer') return async (visit, request, reply) => await serveCaller(route, visit, edge, request, reply)
  if (route.cookie) return async (visit, request, reply) => await serveTokens(route, visit, edge, openCookie(request, reply, edge.trusted))
  return async visit => await route.handle(edge.controller, visit)
}

async function serveTokens (route: TokenRoute, visit: Visit, { controller }: Edge, cookie: RefreshCookie | undefined): Promise<AuthTokenDTO> {
  if (!cookie) return await route.handle(controller, visit)
  try {
    const answer = await route.handle(controller, { ...visit, cookieToken: cookie.token })
    if (cookie.isWanted || route.cookie === 'exchanged') return cookie.keep(answer)
    // The log-in that it stood for has ended with this one.
    cookie.clear()
    return answer
  } catch (error) {
    // Only the token's own end is the cookie's; what passes by, such as a 503, leaves it.
    if ((error as AuthError).code === 'invalid_grant' && cookie.token !== undefined) cookie.clear()
    throw error
  }
}

async function serveCaller (route: CallerRoute, visit: Visit, { controller, tokens, trusted }: Edge, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const caller = await identifyCaller(request.headers.authorization, tokens, visit.now)
  const cookie = (route.endsLogin ?? route.cookie) ? openCookie(request, reply, trusted) : undefined
  const answer = await route.handle(controller, visit, caller)
  if (!cookie) return answer
  if (route.cookie) return cookie.isWanted || tokens.read(cookie.token)?.familyId === caller.familyId ? cookie.keep(answer as AuthTokenDTO) : answer
  if (route.endsLogin!(visit, caller)) cookie.clear()
  return answer
}

// A request whose token is in the cookie needs no body.
function fillBody (request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.body ??= {}
  done()
}

function toVisit (request: FastifyRequest, now: number): Visit {
  const { id = '' } = request.params as { id?: string }
  return { body: request.body, id, device: { ip: request.ip, userAgent: request.headers['user-agent']?.slice(0, USER_AGENT_MAX_LENGTH) ?? null }, now }
}

function addPublicRoutes (app: FastifyInstance, { config, connections, clock, keyRing }: AppParts, readiness: Readiness): void {
  const cacheControl = `public, max-age=${config.JWKS_MAX_AGE}`
  app.get('/.well-known/jwks.json', { schema: JWKS_SCHEMA }, (request, reply) => {
    const { body, etag } = keyRing.jwks
    reply.headers({ 'cache-control': cacheControl, etag, 'access-control-allow-origin': '*' })
    if (request.headers['if-none-match']?.includes(etag)) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').serializer(asIs).send(body)
  })
  app.get('/health/live', { schema: LIVENESS_SCHEMA }, async () => ({ status: 'ok' }))
  app.get('/health/ready', { schema: READINESS_SCHEMA }, async (_request, reply) => {
    const answer = connections.isEnding ? STOPPING : await readiness.check(clock())
    return await reply.code(answer.status === 'unavailable' ? 503 : 200).header('cache-control', 'no-store').send(answer)
  })
}

function asIs (body: unknown): string {
  return body as string
}
