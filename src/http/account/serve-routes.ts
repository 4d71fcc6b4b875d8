// How the routes of accounts are served: who calls, and what of it is the cookie's; holds no route and no rule of either.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuthError } from '../../errors.js'
import type { StepUps } from '../../services/step-ups.js'
import type { Caller, TokenService } from '../../services/token-service.js'
import type { Limit, LimitOptions } from '../edge/rate-limits.js'
import { openCookie, openDeviceTokens, type RefreshCookie } from '../edge/refresh-cookie.js'
import { toFastifyRoute, type Serve, type Visit } from '../edge/route.js'
import type { AuthController } from './auth-controller.js'
import { identifyCaller, readTicket } from './bearer-guard.js'
import type { AuthTokenDTO } from './dto.js'
import type { CallerRoute, EnrollerRoute, Route, TokenRoute } from './routes.js'

/** What every route is served with. `trusted` are the origins that may use the cookie; `clock` tells milliseconds. */
export interface RouteParts { controller: AuthController, routes: Route[], tokens: TokenService, stepUps: Pick<StepUps, 'enrolment'>, clock: () => number, limitOptions: (limit: Limit) => LimitOptions, trusted: ReadonlySet<string> }

/** Adds every route of these. */
export function addAccountRoutes (app: FastifyInstance, parts: RouteParts): void {
  for (const route of parts.routes) app.route(toFastifyRoute({ ...route, takesCookie: route.cookie === 'exchanged' }, serveOf(route, parts), parts.limitOptions(route.limit), parts.clock))
}

function serveOf (route: Route, parts: RouteParts): Serve {
  if (route.guard === 'enrolling') return async (visit, request, reply) => await serveEnroller(route, visit, parts, request, reply)
  if (route.guard === 'bearer') return async (visit, request, reply) => await serveCaller(route, visit, parts, request, reply)
  if (route.guard === 'either') return async (visit, request) => await route.handle(parts.controller, visit, async () => await callerOf(request, visit, parts))
  if (route.cookie) return async (visit, request, reply) => await serveTokens(route, { ...visit, deviceTokens: openDeviceTokens(request, parts.trusted) }, parts, openCookie(request, reply, parts.trusted))
  return async visit => await route.handle(parts.controller, visit)
}

async function serveTokens (route: TokenRoute, visit: Visit, { controller }: RouteParts, cookie: RefreshCookie | undefined): Promise<AuthTokenDTO> {
  if (!cookie) return await route.handle(controller, visit)
  try {
    const answer = await route.handle(controller, { ...visit, cookieToken: cookie.token })
    return route.cookie === 'exchanged' ? cookie.keep(answer) : cookie.answer(answer)
  } catch (error) {
    // Only the token's own end is the cookie's; what passes by, such as a 503, leaves it.
    if ((error as AuthError).code === 'invalid_grant' && cookie.token !== undefined) cookie.clear()
    throw error
  }
}

async function callerOf (request: FastifyRequest, { device, now }: Visit, { tokens }: Pick<RouteParts, 'tokens'>): Promise<Caller> {
  return { ...await identifyCaller(request.headers.authorization, tokens, now), device }
}

async function serveEnroller (route: EnrollerRoute, visit: Visit, parts: RouteParts, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  const { authorization } = request.headers
  const ticket = readTicket(authorization)
  if (ticket === undefined) return await route.handle(parts.controller, visit, await callerOf(request, visit, parts))
  const enrolment = await parts.stepUps.enrolment(ticket, visit.now)
  const cookie = openCookie(request, reply, parts.trusted)
  const answer = await route.handle(parts.controller, visit, { ...enrolment, held: parts.tokens.read(cookie?.token) })
  if (!cookie || !('refresh_token' in answer)) return answer
  return cookie.answer(answer as AuthTokenDTO)
}

async function serveCaller (route: CallerRoute, visit: Visit, { controller, tokens, trusted }: RouteParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const caller = await callerOf(request, visit, { tokens })
  const cookie = (route.endsLogin ?? route.cookie) ? openCookie(request, reply, trusted) : undefined
  const answer = await route.handle(controller, visit, caller)
  if (!cookie) return answer
  if (route.cookie) return cookie.isWanted || tokens.read(cookie.token)?.familyId === caller.familyId ? cookie.keep(answer as AuthTokenDTO) : answer
  if (route.endsLogin!(visit, caller)) cookie.clear()
  if (route.endsAccount) cookie.forget(caller.user.id)
  return answer
}
