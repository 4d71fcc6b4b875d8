// How often an address may ask; holds no route and no limit of an account.
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import type { RecordEvent } from '../../core/events.js'
import type { Meter } from '../../core/metrics.js'
import { RecentCounts } from '../../core/recent-counts.js'
import { AuthError } from '../../errors.js'
import { LimitWindows } from './limit-windows.js'
import { deviceOf } from './route.js'

/** `window` in milliseconds. */
export interface RateLimitSettings {
  enabled: boolean
  window: number
  max: number
  loginMax: number
  registerMax: number
}

/** Which limit of its address (an IPv6 one by its /64) a request is under: the one over all routes, and perhaps one of the route's own. */
export type Limit = 'none' | 'address' | 'register' | 'login'

/** Checks before anything of the body is read. */
export interface LimitOptions { onRequest?: preHandlerAsyncHookHandler[] }

/** Of how many addresses and limits a refusal is known to be logged. */
const REMEMBERED = 10_000

/** Registers the limits and returns what a route of a given limit adds to its options. `record` is told of the first refusal of an address in a window, `meter` of all; `clock` tells milliseconds. */
export async function addRateLimits (app: FastifyInstance, settings: RateLimitSettings, record: RecordEvent, clock: () => number, meter: Meter): Promise<(limit: Limit) => LimitOptions> {
  if (!settings.enabled) return () => ({})
  const { window } = settings
  const refused = new RecentCounts(window, REMEMBERED)
  const tooMany = (limit: Limit) => (request: FastifyRequest, { ttl }: { ttl: number }) => {
    meter.count('signet_rate_limited_total', [limit])
    // The clock is that of the windows.
    const isRepeated = refused.add(`${limit} ${normalizeIP(request.ip)}`, performance.now()) > 1
    if (!isRepeated) record({ kind: 'limit.hit', at: clock(), ...deviceOf(request), details: { limit } })
    return new AuthError('rate_limited', { retryAfter: Math.ceil(ttl / 1000), isRepeated })
  }
  await app.register(rateLimit, { global: false, max: settings.max, timeWindow: window, store: LimitWindows, errorResponseBuilder: tooMany('address') })
  // The plugin checks one limit a request; the one beside it is asked by hand.
  const count = app.createRateLimit()
  const overAll = async (request: FastifyRequest) => {
    const state = await count(request)
    if (!state.isAllowed && state.isExceeded) throw tooMany('address')(request, state)
  }
  const own = (limit: Limit, max: number) => [overAll, app.rateLimit({ max, errorResponseBuilder: tooMany(limit) })]
  const options: Record<Limit, LimitOptions> = {
    none: {},
    address: { onRequest: [app.rateLimit()] },
    register: { onRequest: own('register', settings.registerMax) },
    login: { onRequest: own('login', settings.loginMax) },
  }
  return limit => options[limit]
}
