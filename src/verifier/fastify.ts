// `@signet/verifier/fastify`: a plugin that guards routes with the verifier; holds no rule about tokens.
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { AccessTokenClaims } from './access-token-claims.js'
import { NO_TOKEN, readBearer, refusalOf, type Refusal } from './bearer.js'
import { assertFunction } from './options.js'
import type { TokenVerificationError } from './token-verification-error.js'
import { createVerifier, type VerifierOptions } from './verifier.js'
import { isWithin } from './within.js'

// Named, for in the declarations that are built an import counts as unused whose only use is in a module that is augmented.
type RequireToken = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook, for `onRequest` or any later one, behind which a request has a good token. */
    requireToken: RequireToken
  }
  interface FastifyRequest {
    /** The claims of the request's token. Throws on a route that `requireToken` does not guard. */
    readonly token: AccessTokenClaims
  }
}

const guard: FastifyPluginAsync<VerifierOptions> = async (app, options) => {
  assertFunction('onStatusUnchecked', options.onStatusUnchecked)
  const { verify } = createVerifier({ ...options, onStatusUnchecked: warner(app.log, options) })
  const tokens = new WeakMap<FastifyRequest, AccessTokenClaims>()
  app.decorateRequest('token', {
    getter () {
      const claims = tokens.get(this)
      if (!claims) throw new Error('request.token was read on a route that requireToken does not guard.')
      return claims
    },
  })
  app.decorate('requireToken', async (request: FastifyRequest, reply: FastifyReply) => {
    const token = readBearer(request.headers.authorization)
    if (token === undefined) return send(request, reply, NO_TOKEN)
    try {
      tokens.set(request, await verify(token))
      return undefined
    } catch (error) {
      return refuse(error as TokenVerificationError, request, reply)
    }
  })
}

/** Milliseconds from one warning to the next, for in an outage thousands of tokens are accepted without their lists. */
const WARNING_MS = 60_000

/** Warns in the log, and tells whom the options say. */
function warner (log: FastifyBaseLogger, { now = Date.now, onStatusUnchecked }: VerifierOptions): NonNullable<VerifierOptions['onStatusUnchecked']> {
  let warnedAt = -Infinity
  return async (claims, cause) => {
    if (!isWithin(now(), warnedAt, WARNING_MS)) {
      warnedAt = now()
      log.warn({ status_list: claims.status?.status_list?.uri, err: cause }, 'token accepted without its status list')
    }
    await onStatusUnchecked?.(claims, cause)
  }
}

function refuse (error: TokenVerificationError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.retryAfter !== undefined) request.log.error({ request_id: request.id, err: error }, 'token not verified')
  else request.log.info({ request_id: request.id, code: error.code, detail: error.message }, 'token refused')
  return send(request, reply, refusalOf(error))
}

function send (request: FastifyRequest, reply: FastifyReply, { status, headers, problem }: Refusal): FastifyReply {
  return reply.code(status).headers(headers).send(JSON.stringify({ ...problem, request_id: request.id }))
}

// The mark by which Fastify lets a plugin decorate the instance that registers it, and not a child of it alone. It is the
// whole of what the package fastify-plugin would do here.
export default Object.assign(guard, { [Symbol.for('skip-override')]: true })
