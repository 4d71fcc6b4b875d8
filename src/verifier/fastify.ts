// `signet/fastify`: a plugin that guards routes with the verifier and answers as RFC 6750 asks; holds no rule about tokens.
import { STATUS_CODES } from 'node:http'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { TokenVerificationError } from './token-verification-error.js'
import { createVerifier, type AccessTokenClaims, type VerifierOptions } from './verifier.js'

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

/** RFC 6750, section 2.1. What stands behind the scheme is the verifier's to judge. */
const BEARER = /^bearer(?:$| +)(.*)$/i
const REALM = 'Bearer realm="signet"'
const NO_TOKEN = 'An access token is needed: send it as Authorization: Bearer.'

const guard: FastifyPluginAsync<VerifierOptions> = async (app, options) => {
  const { verify } = createVerifier(options)
  const tokens = new WeakMap<FastifyRequest, AccessTokenClaims>()
  app.decorateRequest('token', {
    getter () {
      const claims = tokens.get(this)
      if (!claims) throw new Error('request.token was read on a route that requireToken does not guard.')
      return claims
    },
  })
  app.decorate('requireToken', async (request: FastifyRequest, reply: FastifyReply) => {
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1]
    // RFC 6750, section 3.1: who sent nothing, or tried another scheme, is told no error.
    if (token === undefined) return sendUnauthorized(request, reply, REALM, NO_TOKEN)
    try {
      tokens.set(request, await verify(token))
      return undefined
    } catch (error) {
      return refuse(error as TokenVerificationError, request, reply)
    }
  })
}

function refuse (error: TokenVerificationError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.code === 'keys_unavailable') {
    request.log.error({ request_id: request.id, err: error }, 'token not verified')
    return sendProblem(503, 'unavailable', error.message, request, reply.header('retry-after', error.retryAfter))
  }
  request.log.info({ request_id: request.id, code: error.code }, 'token refused')
  return sendUnauthorized(request, reply, `${REALM}, error="invalid_token", error_description="${error.message}"`, error.message)
}

function sendUnauthorized (request: FastifyRequest, reply: FastifyReply, challenge: string, detail: string): FastifyReply {
  return sendProblem(401, 'invalid_token', detail, request, reply.header('www-authenticate', challenge))
}

/** RFC 9457, with the members of Signet's own problem documents. */
function sendProblem (status: number, code: string, detail: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail, code, request_id: request.id }
  return reply.code(status).header('cache-control', 'no-store').type('application/problem+json; charset=utf-8').send(JSON.stringify(problem))
}

// The mark by which Fastify lets a plugin decorate the instance that registers it, and not a child of it alone. It is the
// whole of what the package fastify-plugin would do here.
export default Object.assign(guard, { [Symbol.for('skip-override')]: true })
