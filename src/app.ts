// The composition root: wires parts into a Fastify application by hand; reads no environment and opens nothing.
import Fastify, { type FastifyInstance } from 'fastify'
import { askingLimits, closingRetention, familyLimits, listOf, tokenSettings, type Config } from './config.js'
import type { Hasher } from './hashing/hasher.js'
import { AuthController } from './http/account/auth-controller.js'
import { AuthTokenDTO, DeviceDTO, RegistrationDTO, RevocationDTO, TokenListDTO, UserDTO } from './http/account/dto.js'
import { AuthenticationRequest, ChangePasswordRequest, ChangeUserRequest, RefreshRequest } from './http/account/requests.js'
import { ROUTES } from './http/account/routes.js'
import { addAccountRoutes } from './http/account/serve-routes.js'
import type { Connections } from './http/edge/connections.js'
import { addCors } from './http/edge/cors.js'
import { addForwarding } from './http/edge/forwarding.js'
import { addHeaders, addRequestLog, HSTS } from './http/edge/headers.js'
import { addJsonBodies } from './http/edge/json-bodies.js'
import { FieldErrorDTO, ProblemDTO } from './http/edge/problem-dto.js'
import { sendProblem } from './http/edge/problems.js'
import { addRateLimits } from './http/edge/rate-limits.js'
import { addCookies } from './http/edge/refresh-cookie.js'
import { serverOptions } from './http/edge/server-options.js'
import type { TlsFiles } from './http/edge/tls-files.js'
import { addUnknownRoutes } from './http/edge/unknown-routes.js'
import { addAccountPage } from './http/public/account-page.js'
import { addDocs } from './http/public/docs.js'
import { HealthDTO, JwkDTO, JwksDTO, StatusListsDTO } from './http/public/dto.js'
import { addFrontDoor } from './http/public/front-door.js'
import { addHealth, Readiness } from './http/public/health.js'
import { addJwks } from './http/public/jwks.js'
import { addOpenApi } from './http/public/openapi.js'
import { addStatusLists } from './http/public/status-lists.js'
import type { KeyRing } from './keyring/key-ring.js'
import { loggerOptions, type LogSink } from './log.js'
import { AccountService } from './services/account-service.js'
import { GuessLimits } from './services/guess-limits.js'
import { StatusLists } from './services/status-lists.js'
import { StatusPlaces } from './services/status-places.js'
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
const VERSION = '0.1.0'
const ASK_EVERY_MS = 1_000
const SCHEMAS = [AuthTokenDTO, AuthenticationRequest.schema, ChangePasswordRequest, ChangeUserRequest, DeviceDTO, FieldErrorDTO, HealthDTO, JwkDTO, JwksDTO, ProblemDTO, RefreshRequest.schema, RegistrationDTO, RevocationDTO, StatusListsDTO, TokenListDTO, UserDTO]

/** The application, ready to listen or to be asked by `inject`. */
export async function buildApp (parts: AppParts): Promise<FastifyInstance> {
  const { config, clock, connections, keyRing, log, store, tls } = parts
  const [limits, origins] = [askingLimits(config), listOf(config.CORS_ORIGINS)]
  const app = Fastify(serverOptions({ logger: loggerOptions(config.LOG_LEVEL, log), connections, tls }))
  addForwarding(app, config.TRUST_PROXY)
  addJsonBodies(app)
  app.setErrorHandler<Error>(sendProblem)
  for (const schema of SCHEMAS) app.addSchema(schema)
  addHeaders(app, tls && HSTS[config.HSTS_INCLUDE_SUBDOMAINS ? 'withSubdomains' : 'ofHost'])
  addRequestLog(app)
  const limitOptions = await addRateLimits(app, limits.address)
  addUnknownRoutes(app, limitOptions('address'), origins)
  const document = addOpenApi(app, { version: VERSION, issuer: config.ISSUER, passwordMinLength: config.PASSWORD_MIN_LENGTH, bodyOptional: ROUTES.filter(route => route.isBodyOptional) })

  const guesses = limits.guesses && new GuessLimits(limits.guesses, store)
  const places = config.STATUS_LIST ? new StatusPlaces(store, `${config.ISSUER.replace(/\/$/, '')}/status-lists`) : undefined
  const accounts = new AccountService({ ...parts, passwordMinLength: config.PASSWORD_MIN_LENGTH, families: familyLimits(config), guesses, closingRetention: closingRetention(config), places })
  const tokens = new TokenService({ ...tokenSettings(config), store, keyRing, places, record: event => { app.log.warn(event, 'security event') } })
  await addCookies(app)
  await app.register(async authority => {
    await addCors(authority, origins)
    addAccountRoutes(authority, { controller: new AuthController(accounts, tokens), tokens, clock, limitOptions, trusted: new Set([new URL(config.ISSUER).origin, ...origins]) })
  })
  app.after(() => {
    addJwks(app, keyRing, config.JWKS_MAX_AGE)
    addHealth(app, watchOver(app, parts), connections, clock)
    if (places) followClosings(app, parts, places)
  })
  if (config.DOCS === 'true') addDocs(app, document)
  if (config.ACCOUNT_PAGE) await addAccountPage(app, config.PASSWORD_MIN_LENGTH)
  addFrontDoor(app, config.ACCOUNT_PAGE ? '/account' : config.DOCS === 'true' ? '/docs' : undefined)
  await app.ready()
  return app
}

/** Serves the status lists, and keeps them up from when the application is ready until it closes. */
function followClosings (app: FastifyInstance, { clock, config, keyRing, store }: AppParts, places: StatusPlaces): void {
  const lists = new StatusLists({
    store, places, keyRing, issuer: config.ISSUER, ttl: config.STATUS_LIST_TTL, closingRetention: closingRetention(config), familyLife: familyLimits(config).absolute, clock, uptime: () => performance.now(),
    report: err => { if (err) app.log.error({ err }, 'the status lists cannot be brought up to date'); else app.log.info('the status lists are up to date again') },
  })
  addStatusLists(app, lists, places, config.STATUS_LIST_TTL, clock)
  app.addHook('onReady', done => {
    lists.start()
    // Ahead of the first log-in, which does it where this fails.
    places.lookThrough(clock()).catch(() => {})
    done()
  })
  app.addHook('onClose', async () => { await lists.stop() })
}

/** Looks after the parts while the application listens, and tells the log what it sees. */
function watchOver (app: FastifyInstance, { clock, config, connections, keyRing, store, tls }: AppParts): Readiness {
  const worry = () => [keyRing.fault && OLD_RING, tls?.fault && OLD_CERTIFICATE].filter(Boolean).join(' ') || undefined
  const readiness = new Readiness([
    async () => { await store.ping() },
    async now => { await keyRing.assertServes(now) },
  ], worry, faults => {
    for (const err of faults) app.log.error({ err }, 'not ready')
    app.log.info({ ready: faults.length === 0 }, faults.length === 0 ? readyText(app, config) : 'Signet is not ready')
  })
  app.addHook('onListen', done => {
    const stopWatching = connections.watch(count => { app.log.warn({ count }, 'connections closed, for more are open than may be: see MAX_CONNECTIONS') })
    // Asked unasked, so that the log says what a start lacks, and when it lacks that no more.
    const ask = async () => { if ((await readiness.check(clock())).status !== 'unavailable') clearInterval(asking) }
    const asking = setInterval(() => { void ask() }, ASK_EVERY_MS)
    void ask()
    app.server.once('close', () => {
      clearInterval(asking)
      stopWatching()
    })
    done()
  })
  return readiness
}

function readyText (app: FastifyInstance, { ACCOUNT_PAGE: page, DOCS: docs, ISSUER: issuer }: Config): string {
  const origin = app.server.listening ? app.listeningOrigin : issuer
  return `Signet is ready: ${origin}${docs === 'true' ? '/docs' : ''}${page ? `, for people: ${origin}/account` : ''}, issuer: ${issuer}`
}
