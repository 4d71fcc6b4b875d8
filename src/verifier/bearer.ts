// What a request with a bearer token says, and what one without a good token is told (RFC 6750, RFC 9457); knows no framework and no rule about tokens.
import { STATUS_CODES } from 'node:http'
import type { TokenVerificationError } from './token-verification-error.js'

/** An answer of the members of Signet's own problem documents, but for the id of the request. */
export interface Refusal {
  status: number
  headers: Record<string, string>
  problem: { type: string, title: string, status: number, detail: string, code: string }
}

/** RFC 6750, section 2.1. What stands behind the scheme is the verifier's to judge. */
const BEARER = /^bearer(?:$| +)(.*)$/i
const REALM = 'Bearer realm="signet"'

/** RFC 6750, section 3.1: who sent nothing, or tried another scheme, is told no error. */
export const NO_TOKEN = unauthorized(REALM, 'An access token is needed: send it as Authorization: Bearer.')

/** The token of a header `Authorization`, good or not; undefined where there is none, or another scheme. */
export function readBearer (authorization = ''): string | undefined {
  return BEARER.exec(authorization)?.[1]
}

/** The answer to whoever brought a token that was not verified. */
export function refusalOf ({ message, retryAfter }: TokenVerificationError): Refusal {
  if (retryAfter !== undefined) return refusal(503, 'unavailable', message, { 'retry-after': String(retryAfter) })
  return unauthorized(`${REALM}, error="invalid_token", error_description="${message}"`, message)
}

function unauthorized (challenge: string, detail: string): Refusal {
  return refusal(401, 'invalid_token', detail, { 'www-authenticate': challenge })
}

function refusal (status: number, code: string, detail: string, headers: Record<string, string>): Refusal {
  return {
    status,
    headers: { ...headers, 'cache-control': 'no-store', 'content-type': 'application/problem+json; charset=utf-8' },
    problem: { type: 'about:blank', title: STATUS_CODES[status]!, status, detail, code },
  }
}
