// The door that a page's script sends a person's decision to; holds no rule of what may be decided.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OAuthError } from '../../errors.js'
import type { Authorizations, Session } from '../../services/authorizations.js'
import type { LimitOptions } from '../edge/rate-limits.js'
import { openCookie, type RefreshCookie } from '../edge/refresh-cookie.js'
import { formOf } from './forms.js'

export interface DecisionParts { authorizations: Authorizations, issuer: string, limits: LimitOptions, clock: () => number }

/** One decision: as a page of ours was given it to send, whose log-in it is, and the cookie that brought that. `now` in milliseconds. */
export interface Decided { decision: string, session: Session, cookie: RefreshCookie, request: FastifyRequest, now: number }

/** Adds it, for pages of the issuer's own origin alone. `decide` says where the browser goes on to; undefined where the decision is not good, or of another log-in. */
export function addDecision (app: FastifyInstance, url: string, { authorizations, clock, issuer, limits }: DecisionParts, decide: (decided: Decided) => Promise<string | undefined>): void {
  const own = new Set([new URL(issuer).origin])
  app.post(url, { ...limits, config: { takesForm: true }, schema: { hide: true } }, async (request, reply) => {
    const [now, cookie] = [clock(), openCookie(request, reply, own)]
    const session = await authorizations.session(cookie?.token, now)
    const location = session && await decide({ decision: formOf(request).values.get('decision') ?? '', session, cookie: cookie!, request, now })
    reply.header('cache-control', 'no-store')
    if (location === undefined) throw new OAuthError('invalid_request', 'This page stood open for too long, or somebody else has signed in since.')
    return { location }
  })
}
