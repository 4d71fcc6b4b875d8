// The authorization endpoint as a browser meets it (RFC 6749, section 3.1): who is sent where, and by which page; holds no rule of a client or a log-in.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuthorizationRequest, Refusal } from '../../core/authorization-request.js'
import type { Client } from '../../core/client.js'
import { writeQuery, type Parameters } from '../../core/parameters.js'
import { LOOPBACK_HOSTS, withParameters } from '../../core/redirect-uris.js'
import type { Session } from '../../services/authorizations.js'
import { tokenOf } from '../edge/refresh-cookie.js'
import { deviceOf } from '../edge/route.js'
import { wordsOf } from '../public/scope-words.js'
import { addDecision, type DecisionParts } from './decisions.js'
import { askedOf } from './forms.js'
import { comesFromElsewhere } from './navigation.js'
import type { Pages } from './pages.js'

export interface AuthorizeParts extends DecisionParts { pages: Pages }

/** What is in an address beside what the client asks: when somebody was first shown the log-in, and that a page of ours went on to it. */
const ASKED = 'asked'
const AGAIN = 'again'

const WEB = ['http:', 'https:']

const UNTRUSTED = {
  client: 'The application that sent you here is not known to Signet, so you cannot be sent back to it. If you follow a link, it may be an old one; else tell who runs the application.',
  redirect_uri: 'The application that sent you here wants you to be sent to an address that it has not registered, so you are not. Tell who runs the application.',
}

/** Adds the door, and that of the decision. */
export function addAuthorize (app: FastifyInstance, parts: AuthorizeParts): void {
  const { authorizations, issuer, limits } = parts
  const visit = async (request: FastifyRequest, reply: FastifyReply) => await serve(request, reply, parts)
  app.get('/authorize', { ...limits, exposeHeadRoute: false, config: { showsPage: true }, schema: { hide: true } }, visit)
  app.post('/authorize', { ...limits, config: { takesForm: true, showsPage: true }, schema: { hide: true } }, visit)
  addDecision(app, '/authorize/decision', parts, async ({ decision, session, request, now }) => {
    const allowed = await authorizations.allow(decision, session, deviceOf(request), now)
    return allowed && answerTo(allowed.request, { code: allowed.code }, issuer)
  })
}

async function serve (request: FastifyRequest, reply: FastifyReply, parts: AuthorizeParts): Promise<FastifyReply> {
  const { authorizations, clock, issuer, pages } = parts
  const [parameters, now] = [askedOf(request), clock()]
  const target = await authorizations.target(parameters, now)
  if ('untrusted' in target) return pages.send(reply, 'told', { title: 'You cannot be sent on', sentence: UNTRUSTED[target.untrusted], request_id: request.id, account: '' }, 400)
  const asked = authorizations.read(parameters, target)
  if ('error' in asked) return refuse(reply, { redirectUri: target.redirectUri, state: stateOf(parameters) }, asked, issuer)
  const query = writeQuery(parameters, ASKED, AGAIN)
  const askedAt = authorizations.askedAt(query, parameters.values.get(ASKED), now)
  const isLate = askedAt === undefined && parameters.values.has(ASKED)
  const goOn = () => `authorize?${query}&${ASKED}=${askedAt === undefined ? authorizations.stamp(query, now) : parameters.values.get(ASKED)!}`
  const token = tokenOf(request)
  const isFirst = askedAt === undefined && !parameters.values.has(AGAIN)
  if (token === undefined && isFirst && comesFromElsewhere(request)) return pages.send(reply, 'go-on', { address: `authorize?${query}&${AGAIN}=1` })
  const session = await authorizations.session(token, now)
  const step = await authorizations.next(asked, session, askedAt, deviceOf(request), now)
  switch (step.kind) {
    case 'refusal': return refuse(reply, asked, step.refusal, issuer)
    case 'code': return redirect(reply, answerTo(asked, { code: step.code }, issuer))
    case 'log-in': return pages.send(reply, 'log-in', { ...logInValues(asked, session, isLate), address: goOn(), cancel: denial(asked, issuer) })
    case 'consent': return pages.send(reply, 'consent', { ...consentValues(asked, session!, issuer), decision: step.decision, address: goOn(), other: otherLogIn(asked, parameters), cancel: denial(asked, issuer) })
  }
}

function logInValues ({ client, loginHint, prompts }: AuthorizationRequest, session: Session | undefined, isLate: boolean) {
  const email = session && !prompts.includes('select_account') ? session.user.email : ''
  return { client: client.name, login_hint: loginHint ?? email, lead: leadOf(session, isLate) }
}

function leadOf (session: Session | undefined, isLate: boolean): string {
  if (isLate) return 'This page stood open for too long. Sign in once more.'
  return session ? `You are signed in as ${session.user.email}. Sign in again, or with another account.` : 'Use the e-mail address and the password of your account.'
}

function consentValues ({ client, redirectUri, scope, audience }: AuthorizationRequest, { user }: Session, issuer: string) {
  const services = audience.filter(one => one !== issuer).map(one => `Act for you at ${one}`)
  return { client: client.name, email: user.email, may: [...scope.map(wordsOf), ...services], ...placeOf(client, redirectUri) }
}

/** Whom a person is sent to, as an address shows it; and what to think of, where that is whoever listens on the device: without a secret anybody can pretend to be the client there. */
function placeOf ({ authMethod }: Client, redirectUri: string): { host: string, hint: string } {
  const { host, hostname, protocol } = new URL(redirectUri)
  if (!WEB.includes(protocol)) return { host: protocol, hint: 'This is an app on your own device. Allow it only if you have just used it.' }
  return { host, hint: authMethod === 'none' && LOOPBACK_HOSTS.includes(hostname) ? 'This is a program on your own device. Allow it only if you have just started it.' : '' }
}

/** Asks the same of whoever logs in next. */
function otherLogIn ({ prompts }: AuthorizationRequest, { values, lists, repeated }: Parameters): string {
  const prompt = [...new Set([...prompts, 'select_account'])].join(' ')
  return `authorize?${writeQuery({ values: new Map(values).set('prompt', prompt), lists, repeated }, ASKED, AGAIN)}`
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
