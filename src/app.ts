// The composition root: wires parts into a Fastify application by hand; reads no environment and opens nothing.
import Fastify, { type FastifyInstance } from 'fastify'
import { aroundAll, followClosings, forgetDeleted, keepEvents, sendMails, watchOver, type AppParts } from './background.js'
import { askingLimits, closingRetention, familyLimits, listOf, requiresVerifiedEmail, tokenSettings } from './config.js'
import type { RecordEvent } from './core/events.js'
import { AuthController } from './http/account/auth-controller.js'
import { ApplicationDTO, AuthTokenDTO, DeviceDTO, EventClientDTO, EventDTO, EventListDTO, LinkSentDTO, RegistrationDTO, RevocationDTO, TokenListDTO, UserDTO } from './http/account/dto.js'
import { AuthenticationRequest, ChangeEmailRequest, ChangePasswordRequest, ChangeUserRequest, DeleteAccountRequest, ForgotPasswordRequest, RefreshRequest, ResetPasswordRequest, VerifyEmailRequest } from './http/account/requests.js'
import { routesWith } from './http/account/mail-routes.js'
import { AddedFactorDTO, PasskeyDTO, RecoveryCodesDTO, SecondFactorsDTO, TotpDTO, TotpOfferDTO } from './http/account/factor-dto.js'
import { ConfirmTotpRequest, ProofRequest, RemoveFactorRequest, SecondFactorRequest } from './http/account/factor-requests.js'
import { factorRoutes } from './http/account/factor-routes.js'
import { PASSKEY_SCHEMAS } from './http/account/passkey-requests.js'
import { passkeyRoutes } from './http/account/passkey-routes.js'
import { WEBAUTHN_SCHEMAS } from './http/account/webauthn-dto.js'
import { addAccountRoutes } from './http/account/serve-routes.js'
import { addCors } from './http/edge/cors.js'
import { addForwarding } from './http/edge/forwarding.js'
import { addHeaders, addRequestLog, headersOfAll, HSTS, isTold } from './http/edge/headers.js'
import { addJsonBodies } from './http/edge/json-bodies.js'
import { FieldErrorDTO, ProblemDTO } from './http/edge/problem-dto.js'
import { sendProblem } from './http/edge/problems.js'
import { addressBelow } from './http/edge/issuer.js'
import { Publications } from './http/edge/publications.js'
import { addRateLimits } from './http/edge/rate-limits.js'
import { addCookies, deviceTokensShown } from './http/edge/refresh-cookie.js'
import { addRouteNotes } from './http/edge/request-times.js'
import { serverOptions } from './http/edge/server-options.js'
import { addUnknownRoutes } from './http/edge/unknown-routes.js'
import { AccessTokenForm, ClientTokensDTO, IntrospectionDTO, MetadataDTO, OAuthErrorDTO, OneTokenForm, TokenForm, UserClaimsDTO } from './http/oauth/dto.js'
import { addOAuth } from './http/oauth/doors.js'
import { PROVING } from './http/oauth/metadata.js'
import { addAccountPage } from './http/public/account-page.js'
import { addDocs } from './http/public/docs.js'
import { HealthDTO, JwkDTO, JwksDTO, StatusListsDTO } from './http/public/dto.js'
import { addFrontDoor } from './http/public/front-door.js'
import { addHealth } from './http/public/health.js'
import { addJwks } from './http/public/jwks.js'
import { offered } from './http/public/offers.js'
import { addOpenApi } from './http/public/openapi.js'
import { addStatusLists } from './http/public/status-lists.js'
import { loggerOptions } from './log.js'
import { Activity } from './services/activity.js'
import { AccountService } from './services/account-service.js'
import { AddressProofs } from './services/address-proofs.js'
import { Authorizations } from './services/authorizations.js'
import { ClientAuthentication } from './services/client-authentication.js'
import { ClientTokens } from './services/client-tokens.js'
import { Clients } from './services/clients.js'
import { GuessLimits } from './services/guess-limits.js'
import { LogOuts } from './services/log-outs.js'
import { MailedLinks } from './services/mailed-links.js'
import { Notices } from './services/notices.js'
import { PasswordResets } from './services/password-resets.js'
import { openSecondFactors } from './services/open-second-factors.js'
import { Registrations } from './services/registrations.js'
import { StatusPlaces } from './services/status-places.js'
import { TokenService } from './services/token-service.js'

export type { AppParts }

const VERSION = '0.1.0'
const SCHEMAS = [...WEBAUTHN_SCHEMAS, ...PASSKEY_SCHEMAS, AddedFactorDTO, ConfirmTotpRequest, PasskeyDTO, ProofRequest, RecoveryCodesDTO, RemoveFactorRequest, SecondFactorRequest, SecondFactorsDTO, TotpDTO, TotpOfferDTO, ApplicationDTO, AuthTokenDTO, AuthenticationRequest.schema, ChangeEmailRequest, ChangePasswordRequest, ChangeUserRequest, DeleteAccountRequest, DeviceDTO, EventClientDTO, EventDTO, EventListDTO, FieldErrorDTO, ForgotPasswordRequest, HealthDTO, JwkDTO, JwksDTO, LinkSentDTO, ProblemDTO, AccessTokenForm, ClientTokensDTO, IntrospectionDTO, MetadataDTO, OAuthErrorDTO, OneTokenForm, TokenForm, UserClaimsDTO, RefreshRequest.schema, RegistrationDTO, ResetPasswordRequest, RevocationDTO, StatusListsDTO, TokenListDTO, UserDTO, VerifyEmailRequest]

/** The application, ready to listen or to be asked by `inject`. */
export async function buildApp (parts: AppParts): Promise<FastifyInstance> {
  const { config, clock, connections, keyRing, log, meter, store, tls } = parts
  const [limits, origins] = [askingLimits(config), listOf(config.CORS_ORIGINS)]
  const [publications, headers] = [new Publications(), headersOfAll(tls && HSTS[config.HSTS_INCLUDE_SUBDOMAINS ? 'withSubdomains' : 'ofHost'])]
  const app = Fastify(serverOptions({ logger: loggerOptions(config.LOG_LEVEL, log), connections, publications, tls, around: aroundAll(parts) }))
  const events = keepEvents(app, parts, VERSION)
  const accountPage = addressBelow(config.ISSUER, '/account')
  const mails = parts.mail && sendMails(app, parts, parts.mail, accountPage)
  const notices = mails && new Notices({ store, mails })
  const record: RecordEvent = event => {
    events.record(event)
    notices?.hear(event)
  }
  addForwarding(app, config.TRUST_PROXY)
  addJsonBodies(app)
  app.setErrorHandler<Error>(sendProblem)
  for (const schema of SCHEMAS) app.addSchema(schema)
  addHeaders(app, headers)
  if (isTold(config.LOG_LEVEL)) addRequestLog(app)
  if (meter) addRouteNotes(app)
  const limitOptions = await addRateLimits(app, limits.address, { record, meter, clock, showsDevice: request => tokens.readDevices(deviceTokensShown(request), clock()).length > 0 })
  addUnknownRoutes(app, limitOptions('address'), origins)
  const guesses = limits.guesses && new GuessLimits(limits.guesses, store)
  const places = config.STATUS_LIST ? new StatusPlaces(store, addressBelow(config.ISSUER, '/status-lists')) : undefined
  const accounts = new AccountService({ ...parts, passwordMinLength: config.PASSWORD_MIN_LENGTH, registration: config.REGISTRATION, requiresVerifiedEmail: requiresVerifiedEmail(config), families: familyLimits(config), guesses, closingRetention: closingRetention(config), places, record })
  const issuing = { ...tokenSettings(config), store, keyRing, places, clients: new Clients(store), issuer: config.ISSUER, record, meter }
  const tokens = new TokenService(issuing)
  const resets = new PasswordResets({ ...parts, accounts, families: familyLimits(config), closingRetention: closingRetention(config), record })
  const links = new MailedLinks({ keyRing, accountPage })
  const offers = offered({ passwordMinLength: config.PASSWORD_MIN_LENGTH, registration: config.REGISTRATION, mail: mails, issuer: config.ISSUER })
  const second = openSecondFactors({ ...parts, issuer: config.ISSUER, origins, isRequired: config.SECOND_FACTOR === 'required', accounts, tokens, families: familyLimits(config), closingRetention: closingRetention(config), isLimited: limits.guesses !== undefined, record })
  const routes = [...routesWith(mails && {
    addresses: new AddressProofs({ store, keyRing, accounts, proofs: second.fresh, links, mails, record }), resets, links, mails,
    registrations: config.REGISTRATION === 'verified' ? new Registrations({ store, accounts, links, mails, record }) : config.REQUIRE_VERIFIED_EMAIL ? 'with proof' : 'without', weaknessOf: (password, email) => accounts.weaknessOf(password, email),
  }), ...factorRoutes({ ...second, tokens }), ...passkeyRoutes({ ...second, tokens })]
  const document = addOpenApi(app, { version: VERSION, issuer: config.ISSUER, passwordMinLength: config.PASSWORD_MIN_LENGTH, bodyOptional: routes.filter(route => route.isBodyOptional) })
  await addCookies(app)
  await app.register(async authority => {
    await addCors(authority, origins)
    addAccountRoutes(authority, { controller: new AuthController({ accounts, tokens, clients: issuing.clients, activity: new Activity(store), resets, stepUps: second.stepUps }), routes, stepUps: second.stepUps, tokens, clock, limitOptions, trusted: new Set([new URL(config.ISSUER).origin, ...origins]) })
  })
  await addOAuth(app, {
    authorizations: new Authorizations(issuing), logOuts: new LogOuts(issuing), tokens: new ClientTokens(issuing), issuer: config.ISSUER, hasLists: config.STATUS_LIST, hasAccountPage: config.ACCOUNT_PAGE, offers, maxAge: config.JWKS_MAX_AGE, limits: limitOptions('address'), clock,
    authentication: new ClientAuthentication({ clients: issuing.clients, audiences: [config.ISSUER, ...PROVING.map(path => addressBelow(config.ISSUER, path))], limits: config.RATE_LIMIT ? { window: limits.address.window, max: limits.address.loginMax } : undefined, record, meter }),
  })
  app.after(() => {
    const publishers = [addJwks(app, keyRing, config.JWKS_MAX_AGE, headers)]
    if (places) publishers.push(addStatusLists(app, followClosings(app, parts, places), places, config.STATUS_LIST_TTL, headers, clock))
    // Where the log is told of every request, all of them go by the routes.
    if (!isTold(config.LOG_LEVEL)) for (const publisher of publishers) publications.add(publisher)
    addHealth(app, watchOver(app, parts, mails), connections, clock)
    forgetDeleted(app, parts)
  })
  if (config.DOCS === 'true') addDocs(app, document)
  if (config.ACCOUNT_PAGE) addAccountPage(app, offers)
  addFrontDoor(app, config.ACCOUNT_PAGE ? '/account' : config.DOCS === 'true' ? '/docs' : undefined)
  await app.ready()
  return app
}
