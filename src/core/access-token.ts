// The claims of an access token (RFC 9068, section 2.2); holds no key and no signature.

import type { StatusClaim } from './status-list.js'

/** Who issues tokens, for whom, and for how long. `ttl` in seconds. */
export interface AccessTokenSettings { issuer: string, audience: string, clientId: string, ttl: number }

export interface AccessTokenClaims {
  iss: string, aud: string, sub: string, client_id: string, sid: string, jti: string
  iat: number, exp: number, auth_time: number
  status?: StatusClaim
  /** Written by nobody yet, and heeded all the same (RFC 7519, section 4.1.5). */
  nbf?: number
}

export interface AccessTokenSubject {
  userId: string
  familyId: string
  /** When the password was given, in milliseconds. */
  authenticatedAt: number
  status?: StatusClaim | undefined
}

/** `now` in milliseconds; the claims' times are seconds (RFC 7519, section 2). `id` becomes `jti`. */
export function accessTokenClaims (subject: AccessTokenSubject, id: string, now: number, settings: AccessTokenSettings): AccessTokenClaims {
  const issuedAt = Math.floor(now / 1000)
  return {
    iss: settings.issuer,
    aud: settings.audience,
    sub: subject.userId,
    client_id: settings.clientId,
    sid: subject.familyId,
    jti: id,
    iat: issuedAt,
    exp: issuedAt + settings.ttl,
    auth_time: Math.floor(subject.authenticatedAt / 1000),
    ...(subject.status && { status: subject.status }),
  }
}

const TEXTS = ['iss', 'aud', 'sub', 'client_id', 'sid', 'jti'] as const satisfies Array<keyof AccessTokenClaims>
const TIMES = ['iat', 'exp', 'auth_time'] as const satisfies Array<keyof AccessTokenClaims>

/** Whether a payload has every claim of an access token, each of its type. */
export function isAccessTokenClaims (payload: unknown): payload is AccessTokenClaims {
  const claims = Object(payload) as Record<string, unknown>
  return TEXTS.every(name => typeof claims[name] === 'string' && claims[name] !== '') &&
    TIMES.every(name => Number.isFinite(claims[name])) && Number.isFinite(claims['nbf'] ?? 0)
}

// From where a run of letters begins, and one look ahead in each, so that a line costs no more than its length.
const JWT_SHAPE = /(?<![\w-])(?=[\w-]*eyJ[\w-])[\w-]+\.[\w-]+\.[\w-]*/g

/** The text with each JWT in it replaced, whatever stands directly before it. */
export function replaceJwts (text: string, by: string): string {
  return text.replace(JWT_SHAPE, found => `${found.slice(0, found.indexOf('eyJ'))}${by}`)
}
