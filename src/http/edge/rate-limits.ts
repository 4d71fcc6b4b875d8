// How often an address may ask; holds no route and no limit of an account.
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import type { RecordEvent } from '../../core/events.js'
import { SILENT, type Meter } from '../../core/metrics.js'
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

/** Throws `rate_limited` unless an address that has asked too often may once more as a device of this account; as none of any it may not. */
export type OverLimit = (userId: string | undefined) => void

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a log-in that is over a limit of its address, and shows that somebody logged in before: to be asked before anything is done. */
    overLimit: OverLimit | undefined
  }
}

/** Checks before anything of the body is read, or before it is looked at. */
export interface LimitOptions { onRequest?: preHandlerAsyncHookHandler[], preValidation?: preHandlerAsyncHookHandler }

/** Of how many addresses and limits a refusal is known to be logged, and of how many accounts the log-ins beyond the limits of an address. */
const REMEMBERED = 10_000

/** Which limit an address is over, and for how many milliseconds. */
interface Excess { limit: Limit, ttl: number }

export interface LimitParts {
  /** Is told of the first refusal of an address in a window. */
  record: RecordEvent
  /** Is told of all. */
  meter?: Meter | undefined
  /** Milliseconds. */
  clock: () => number
  /** Whether a log-in comes with an authentic device token: nobody on an address keeps out somebody else there who logged in before. */
  showsDevice: (request: FastifyRequest) => boolean
}

/** Registers the limits and returns what a route of a given limit adds to its options. */
export async function addRateLimits (app: FastifyInstance, settings: RateLimitSettings, { record, meter = SILENT, clock, showsDevice }: LimitParts): Promise<(limit: Limit) => LimitOptions> {
  app.decorateRequest('overLimit', undefined)
  if (!settings.enabled) return () => ({})
  const { window } = settings
  const refused = new RecentCounts(window, REMEMBERED)
  const excessOf = (limit: Limit) => (_request: FastifyRequest, { ttl }: { ttl: number }): Excess => ({ limit, ttl })
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
  const own = (limit: Limit, max: number, toThrow: typeof tooMany | typeof excessOf): preHandlerAsyncHookHandler[] => [
    async request => {
      const state = await count(request)
      if (!state.isAllowed && state.isExceeded) throw toThrow('address')(request, state)
    },
    app.rateLimit({ max, errorResponseBuilder: toThrow(limit) }),
  ]
  const loginChecks = own('login', settings.loginMax, excessOf)
  const beyond = new RecentCounts(window, REMEMBERED)
  const mayGoOn = (userId: string | undefined) => userId !== undefined && beyond.add(userId, performance.now()) <= settings.loginMax
  const options: Record<Limit, LimitOptions> = {
    none: {},
    address: { onRequest: [app.rateLimit()] },
    register: { onRequest: own('register', settings.registerMax, tooMany) },
    login: {
      onRequest: [async function (request, reply) {
        try {
          for (const check of loginChecks) await check.call(this, request, reply)
        } catch (excess) {
          const { limit, ttl } = excess as Excess
          reply.removeHeader('retry-after')
          request.overLimit = userId => { if (!mayGoOn(userId)) throw tooMany(limit)(request, { ttl }) }
        }
      }],
      // What the body shows is known only now.
      preValidation: async request => { if (request.overLimit && !showsDevice(request)) request.overLimit(undefined) },
    },
  }
  return limit => options[limit]
}
