// How often an address or an account may ask; holds no route.
import rateLimit, { type CreateRateLimitOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { normaliseEmail } from '../core/credentials.js'
import { AuthError } from '../errors.js'

/** Windows in seconds. */
export interface RateLimitSettings {
  enabled: boolean
  window: number
  max: number
  loginMax: number
  registerMax: number
  accountWindow: number
  accountMax: number
}

/** Which limit a route has. By address (an IPv6 one by its /64); `login` by account as well. */
export type Limit = 'none' | 'address' | 'register' | 'login'

/** How many addresses and accounts are remembered, so that no flood of them fills the memory. */
const REMEMBERED = 10_000

/** Registers the limits and returns what a route of a given limit adds to its options. */
export async function addRateLimits (app: FastifyInstance, settings: RateLimitSettings): Promise<(limit: Limit) => object> {
  if (!settings.enabled) return () => ({})
  await app.register(rateLimit, {
    global: false,
    max: settings.max,
    timeWindow: settings.window * 1000,
    cache: REMEMBERED,
    errorResponseBuilder: (_request, { ttl }) => tooMany(ttl),
  })
  const byAccount = limitAccounts(app, settings)
  const perAddress = (max: number) => ({ config: { rateLimit: { max } } })
  const options: Record<Limit, object> = {
    none: {},
    address: perAddress(settings.max),
    register: perAddress(settings.registerMax),
    login: { ...perAddress(settings.loginMax), ...byAccount },
  }
  return limit => options[limit]
}

// A success costs an account nothing; a failure is counted once it is known to be one.
function limitAccounts (app: FastifyInstance, settings: RateLimitSettings): object {
  const check = app.createRateLimit({
    max: settings.accountMax,
    timeWindow: settings.accountWindow * 1000,
    keyGenerator: request => accountOf(request),
  } satisfies CreateRateLimitOptions)
  return {
    preHandler: async (request: FastifyRequest) => {
      const state = await check(request, { increment: false })
      if (!state.isAllowed && state.remaining === 0) throw tooMany(state.ttl)
    },
    onResponse: async (request: FastifyRequest, reply: FastifyReply) => {
      if (reply.statusCode === 401) await check(request)
    },
  }
}

function accountOf (request: FastifyRequest): string {
  const { email } = request.body as { email: string }
  return normaliseEmail(email) ?? email
}

function tooMany (milliseconds: number): AuthError {
  return new AuthError('rate_limited', { retryAfter: Math.ceil(milliseconds / 1000) })
}
