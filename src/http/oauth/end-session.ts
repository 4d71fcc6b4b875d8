// The end of a session as a browser meets it (OpenID Connect RP-Initiated Logout 1.0); holds no rule of whose.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { writeQuery } from '../../core/parameters.js'
import { withParameters } from '../../core/redirect-uris.js'
import type { LogOut, LogOuts } from '../../services/log-outs.js'
import { clearCookie, tokenOf } from '../edge/refresh-cookie.js'
import { deviceOf } from '../edge/route.js'
import { addDecision, type DecisionParts } from './decisions.js'
import { askedOf } from './forms.js'
import { comesFromElsewhere } from './navigation.js'
import type { Pages } from './pages.js'

export interface EndSessionParts extends DecisionParts { logOuts: LogOuts, pages: Pages }

/** In an address that a page of ours went on to. */
const AGAIN = 'again'

/** Adds the door, and that of the decision. */
export function addEndSession (app: FastifyInstance, parts: EndSessionParts): void {
  const { limits, logOuts } = parts
  const visit = async (request: FastifyRequest, reply: FastifyReply) => await serve(request, reply, parts)
  app.get('/end-session', { ...limits, exposeHeadRoute: false, config: { showsPage: true }, schema: { hide: true } }, visit)
  app.post('/end-session', { ...limits, config: { takesForm: true, showsPage: true }, schema: { hide: true } }, visit)
  addDecision(app, '/end-session/decision', parts, async ({ decision, session, cookie, request, now }) => {
    const confirmed = await logOuts.confirm(decision, session, deviceOf(request), now)
    if (!confirmed) return undefined
    cookie.clear()
    return confirmed.location ? locationOf(confirmed.location) : 'end-session'
  })
}

async function serve (request: FastifyRequest, reply: FastifyReply, { authorizations, clock, logOuts, pages }: EndSessionParts): Promise<FastifyReply> {
  const [parameters, now] = [askedOf(request), clock()]
  const asked = await logOuts.read(parameters, now)
  if (!asked) return pages.send(reply, 'told', { title: 'You cannot be sent on', sentence: 'The application that sent you here wants you to be sent to an address that it has not registered. You are still signed in.', request_id: request.id, account: '' }, 400)
  const again = `end-session?${writeQuery(parameters, AGAIN)}&${AGAIN}=1`
  const token = tokenOf(request)
  if (token === undefined && !parameters.values.has(AGAIN) && comesFromElsewhere(request)) return pages.send(reply, 'go-on', { address: again })
  const session = await authorizations.session(token, now)
  if (!logOuts.isUnasked(asked, session)) return pages.send(reply, 'log-out', { client: asked.client?.name ?? '', email: session!.user.email, address: again, decision: await logOuts.ask(asked, session!, now) })
  await logOuts.end(asked, session, deviceOf(request), now)
  if (token !== undefined) clearCookie(reply)
  if (asked.location) return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(locationOf(asked.location), 303)
  return pages.send(reply, 'told', { title: 'You are signed out', sentence: 'You can close this page.' })
}

function locationOf ({ uri, state }: NonNullable<LogOut['location']>): string {
  return withParameters(uri, { state })
}
