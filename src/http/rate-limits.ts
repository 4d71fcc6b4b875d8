// How often an address or an account may ask; holds no route.
import { finished } from 'node:stream'
import rateLimit, { type CreateRateLimitOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { normaliseEmail, spellingsOf } from '../core/credentials.js'
import { AuthError } from '../errors.js'
import { LimitWindows } from './limit-windows.js'

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

/** A log-in in flight is decided within about this long. */
const UNDECIDED_MS = 1_000

/** Registers the limits and returns what a route of a given limit adds to its options. */
export async function addRateLimits (app: FastifyInstance, settings: RateLimitSettings): Promise<(limit: Limit) => object> {
  if (!settings.enabled) return () => ({})
  await app.register(rateLimit, {
    global: false,
    max: settings.max,
    timeWindow: settings.window * 1000,
    store: LimitWindows,
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

// A success costs an account nothing, a failure counts once it is known to be one. Until then it holds one of those that are
// left, so that guesses made all at once are no more than guesses made one by one.
function limitAccounts (app: FastifyInstance, settings: RateLimitSettings): object {
  const undecided = new Map<string, number>()
  const check = app.createRateLimit({
    max: settings.accountMax,
    timeWindow: settings.accountWindow * 1000,
    keyGenerator: request => accountOf(request),
  } satisfies CreateRateLimitOptions)
  const decide = (account: string) => {
    const left = undecided.get(account)! - 1
    if (left === 0) undecided.delete(account)
    else undecided.set(account, left)
  }
  return {
    preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
      const state = await check(request, { increment: false })
      const account = accountOf(request)
      const trying = undecided.get(account) ?? 0
      if (!state.isAllowed && trying >= state.remaining) throw tooMany(state.remaining === 0 ? state.ttl : UNDECIDED_MS)
      undecided.set(account, trying + 1)
      // Unlike the hooks of a response, this also comes when the client has gone.
      finished(reply.raw, () => {
        if (reply.statusCode === 401) void check(request)
        decide(account)
      })
    },
  }
}

function accountOf (request: FastifyRequest): string {
  const { email } = request.body as { email: string }
  return normaliseEmail(email) ?? spellingsOf(email)[0] ?? email
}

function tooMany (milliseconds: number): AuthError {
  return new AuthError('rate_limited', { retryAfter: Math.ceil(milliseconds / 1000) })
}
