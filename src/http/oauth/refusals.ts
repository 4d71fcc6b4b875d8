// How the doors of OAuth refuse: in the form of RFC 6749, section 5.2; holds no rule of when.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { OAuthError, type ErrorCode, type OAuthErrorCode } from '../../errors.js'
import { logRefusal, toAuthError } from '../edge/problems.js'

/** What Signet's own refusals are called here. */
const NAMES: Partial<Record<ErrorCode, OAuthErrorCode>> = { invalid_grant: 'invalid_grant', unavailable: 'temporarily_unavailable', rate_limited: 'temporarily_unavailable', busy: 'temporarily_unavailable', internal_error: 'server_error' }

const BEARER = 'Bearer realm="signet"'

/** Answers any error as OAuth wants it, and logs it as any other. */
export function sendOAuthError (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, status, description, retryAfter } = toRefusal(error, request)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  const challenge = challengeOf(code, description, request)
  if (challenge !== undefined) reply.header('www-authenticate', challenge)
  return reply.code(status).header('cache-control', 'no-store').send({ error: code, error_description: description })
}

/** What an error is called in OAuth's words; it is logged. */
export function toRefusal (error: Error, request: FastifyRequest): { code: OAuthErrorCode, status: number, description: string, retryAfter?: number | undefined } {
  if (error instanceof OAuthError) {
    logRefusal({ code: error.code, status: error.status }, request)
    return { code: error.code, status: error.status, description: error.message }
  }
  const known = toAuthError(error)
  logRefusal(known, request)
  const code = NAMES[known.code] ?? 'invalid_request'
  return { code, status: code === 'invalid_grant' ? 400 : known.status, description: known.message, retryAfter: known.retryAfter }
}

function challengeOf (code: OAuthErrorCode, description: string, { headers: { authorization } }: FastifyRequest): string | undefined {
  switch (code) {
    // A browser asks the person for a password where Basic is named, so only who used it is told of it (RFC 6749, section 5.2). Who proved itself in the form is told by the body alone: libraries that find a challenge look no further.
    case 'invalid_client': return authorization === undefined ? undefined : 'Basic realm="signet", charset="UTF-8"'
    // RFC 6750, section 3.1: who sent nothing is told no error.
    case 'invalid_token': return authorization === undefined ? BEARER : `${BEARER}, error="invalid_token", error_description="${description}"`
    case 'insufficient_scope': return `${BEARER}, error="insufficient_scope", error_description="${description}", scope="openid"`
    default: return undefined
  }
}
