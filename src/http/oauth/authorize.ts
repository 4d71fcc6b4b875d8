// The authorization endpoint as a browser meets it (RFC 6749, section 3.1): who is sent where, and by which page; holds no rule of a client or a log-in.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuthorizationRequest, Refusal } from '../../core/authorization-request.js'
import { writeQuery, type Parameters } from '../../core/parameters.js'
import { withParameters } from '../../core/redirect-uris.js'
import { OAuthError } from '../../errors.js'
import type { Authorizations, Session } from '../../services/authorizations.js'
import type { LimitOptions } from '../edge/rate-limits.js'
import { openCookie, tokenOf } from '../edge/refresh-cookie.js'
import { deviceOf } from '../edge/route.js'
import { askedOf, formOf } from './forms.js'
import { comesFromElsewhere } from './navigation.js'
import type { Pages } from './pages.js'

export interface AuthorizeParts { authorizations: Authorizations, pages: Pages, issuer: string, limits: LimitOptions, clock: () => number }

/** What is in an address beside what the client asks: when somebody was first shown the log-in, and that a page of ours went on to it. */
const ASKED = 'asked'
const AGAIN = 'again'

const UNTRUSTED = {
  client: 'The application that sent you here is not known to Signet, so you cannot be sent back to it. If you follow a link, it may be an old one; else tell who runs the application.',
  redirect_uri: 'The application that sent you here wants you to be sent to an address that it has not registered, so you are not. Tell who runs the application.',
  form: 'The address that led you here cannot be read.',
}

/** Adds the door, and that of the decision. */
export function addAuthorize (app: FastifyInstance, parts: AuthorizeParts): void {
  const { authorizations, clock, issuer, limits } = parts
  const visit = async (request: FastifyRequest, reply: FastifyReply) => await serve(request, reply, parts)
  app.get('/authorize', { ...limits, exposeHeadRoute: false, config: { showsPage: true }, schema: { hide: true } }, visit)
  app.post('/authorize', { ...limits, config: { takesForm: true, showsPage: true }, schema: { hide: true } }, visit)
  const own = new Set([new URL(issuer).origin])
  app.post('/authorize/decision', { ...limits, config: { takesForm: true }, schema: { hide: true } }, async (request, reply) => {
    const [now, cookie] = [clock(), openCookie(request, reply, own)]
    const session = await authorizations.session(cookie?.token, now)
    const allowed = session && await authorizations.allow(formOf(request).values.get('decision') ?? '', session, deviceOf(request), now)
    reply.header('cache-control', 'no-store')
    if (!allowed) throw new OAuthError('invalid_request', 'This page stood open for too long, or somebody else has signed in since; go back to the application and begin anew.')
    return { location: answerTo(allowed.request, { code: allowed.code }, issuer) }
  })
}

async function serve (request: FastifyRequest, reply: FastifyReply, parts: AuthorizeParts): Promise<FastifyReply> {
  const { authorizations, clock, issuer, pages } = parts
  const [parameters, now] = [askedOf(request), clock()]
  const target = await authorizations.target(parameters, now)
  if ('untrusted' in target) return pages.send(reply, 'told', { title: 'You cannot be sent on', sentence: UNTRUSTED[target.untrusted], request_id: request.id }, 400)
  const asked = authorizations.read(parameters, target)
  if ('error' in asked) return refuse(reply, { redirectUri: target.redirectUri, state: stateOf(parameters) }, asked, issuer)
  const query = writeQuery(parameters, ASKED, AGAIN)
  const askedAt = authorizations.askedAt(query, parameters.values.get(ASKED), now)
  const afterLogIn = () => `authorize?${query}&${ASKED}=${askedAt === undefined ? authorizations.stamp(query, now) : parameters.values.get(ASKED)!}`
  const token = tokenOf(request)
  const isFirst = askedAt === undefined && !parameters.values.has(AGAIN)
  if (token === undefined && isFirst && comesFromElsewhere(request)) return pages.send(reply, 'go-on', { address: `authorize?${query}&${AGAIN}=1` })
  const session = await authorizations.session(token, now)
  const step = await authorizations.next(asked, session, askedAt, deviceOf(request), now)
  switch (step.kind) {
    case 'refusal': return refuse(reply, asked, step.refusal, issuer)
    case 'code': return redirect(reply, answerTo(asked, { code: step.code }, issuer))
    case 'log-in': return pages.send(reply, 'log-in', { client: asked.client.name, login_hint: asked.loginHint ?? '', address: afterLogIn(), cancel: denial(asked, issuer) })
    case 'consent': return pages.send(reply, 'consent', consentValues(asked, session!, step.decision, issuer))
  }
}

function consentValues (asked: AuthorizationRequest, { user }: Session, decision: string, issuer: string) {
  const { client, redirectUri, scope } = asked
  return { client: client.name, host: hostOf(redirectUri), email: user.email, scope, decision, cancel: denial(asked, issuer) }
}

/** Whom a person is sent to, as an address shows it. */
function hostOf (redirectUri: string): string {
  const { host, protocol } = new URL(redirectUri)
  return host || protocol
}

function denial (asked: { redirectUri: string, state: string | undefined }, issuer: string): string {
  return answerTo(asked, { error: 'access_denied', error_description: 'The user did not let the client in.' }, issuer)
}

function refuse (reply: FastifyReply, asked: { redirectUri: string, state: string | undefined }, { error, description }: Refusal, issuer: string): FastifyReply {
  return redirect(reply, answerTo(asked, { error, error_description: description }, issuer))
}

/** RFC 6749, sections 4.1.2 and 4.1.2.1; `iss` against mix-up (RFC 9207, section 2). */
function answerTo ({ redirectUri, state }: { redirectUri: string, state: string | undefined }, answer: Record<string, string>, issuer: string): string {
  return withParameters(redirectUri, { ...answer, state, iss: issuer })
}

// 303, so that no browser sends a form on (RFC 9700, section 4.12); and no address that brought somebody here goes along (section 4.2.4).
function redirect (reply: FastifyReply, location: string): FastifyReply {
  return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(location, 303)
}

/** A state that came twice is nobody's. */
function stateOf ({ repeated, values }: Parameters): string | undefined {
  return repeated.includes('state') ? undefined : values.get('state')
}
