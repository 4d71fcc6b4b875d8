// The claims of an access token (RFC 9068, section 2.2); holds no key and no signature.

import { acrOf } from './assurance.js'
import type { StatusClaim } from './status-list.js'

/** Who issues tokens, for whom, and for how long. `ttl` in seconds. */
export interface AccessTokenSettings { issuer: string, audience: string, clientId: string, ttl: number }

/** `sub` is the user, or the client itself where no user is behind it; then there is no log-in: no `sid` and no `auth_time`. */
export interface AccessTokenClaims {
  iss: string, aud: string | string[], sub: string, client_id: string, jti: string
  iat: number, exp: number
  /** The family. */
  sid?: string
  auth_time?: number
  /** RFC 9068, section 2.2.3; none by Signet's own routes. */
  scope?: string
  /** RFC 9068, section 2.2.3.1; none where the user has none. */
  roles?: string[]
  status?: StatusClaim
  /** How the user proved who it is (RFC 8176, section 2), and the level of that (RFC 9470, section 6); none where it was the password alone. */
  amr?: string[]
  acr?: string
  /** Written by nobody yet, and heeded all the same (RFC 7519, section 4.1.5). */
  nbf?: number
}

export interface AccessTokenSubject {
  userId: string
  familyId: string
  /** When the password was given, in milliseconds. */
  authenticatedAt: number
  roles: string[]
  /** How the user proved who it is; absent: by the password alone. */
  amr?: string[] | undefined
  status?: StatusClaim | undefined
}

/** To which client tokens are issued, for whom, and for what. */
export interface Party { clientId: string, audience: string[], scope: string }

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
    ...(subject.roles.length > 0 && { roles: subject.roles }),
    ...(subject.amr && { amr: subject.amr, acr: acrOf(subject.amr) }),
    ...(subject.status && { status: subject.status }),
  }
}

/** The claims of a client's token of a family (RFC 9068, section 2.2). `now` in milliseconds; `id` becomes `jti`. */
export function clientTokenClaims (subject: AccessTokenSubject, { clientId, audience, scope }: Party, id: string, now: number, settings: AccessTokenSettings): AccessTokenClaims {
  const claims = accessTokenClaims(subject, id, now, { ...settings, clientId })
  return { ...claims, aud: audienceOf(audience), ...(scope && { scope }) }
}

/** The claims of a token that a client has for itself (RFC 6749, section 4.4), `sub` being the client (RFC 9068, section 2.2). `now` in milliseconds; `id` becomes `jti`. */
export function ownTokenClaims ({ clientId, audience, scope }: Party, id: string, now: number, { issuer, ttl }: AccessTokenSettings): AccessTokenClaims {
  const issuedAt = Math.floor(now / 1000)
  return { iss: issuer, aud: audienceOf(audience), sub: clientId, client_id: clientId, jti: id, iat: issuedAt, exp: issuedAt + ttl, ...(scope && { scope }) }
}

/** RFC 7519, section 4.1.3: of one, its name. */
function audienceOf (audience: string[]): string | string[] {
  return audience.length === 1 ? audience[0]! : audience
}

const TEXTS = ['iss', 'sub', 'client_id', 'jti'] as const satisfies Array<keyof AccessTokenClaims>
const TIMES = ['iat', 'exp'] as const satisfies Array<keyof AccessTokenClaims>

/** Whether a payload has every claim of an access token, each of its type. */
export function isAccessTokenClaims (payload: unknown): payload is AccessTokenClaims {
  const claims = Object(payload) as Record<string, unknown>
  const { acr = 'none', amr = [], aud, auth_time: authTime = 0, nbf = 0, roles = [], scope = 'none', sid = 'none' } = claims
  return [...TEXTS.map(name => claims[name]), ...audienceIn(aud), ...textsIn(roles), ...textsIn(amr), acr, scope, sid].every(text => typeof text === 'string' && text !== '') &&
    [...TIMES.map(name => claims[name]), authTime, nbf].every(Number.isFinite) &&
    // Those of a log-in come together.
    (claims['sid'] === undefined) === (claims['auth_time'] === undefined)
}

/** Each of whom a token is for; of nobody, what is no text. */
function audienceIn (aud: unknown): unknown[] {
  return Array.isArray(aud) && aud.length > 0 ? aud : [aud]
}

/** Each of a list; of what is no list, what is no text. */
function textsIn (list: unknown): unknown[] {
  return Array.isArray(list) ? list : [undefined]
}

// From where a run of letters begins, and one look ahead in each, so that a line costs no more than its length.
const JWT_SHAPE = /(?<![\w-])(?=[\w-]*eyJ[\w-])[\w-]+\.[\w-]+\.[\w-]*/g

/** The text with each JWT in it replaced, whatever stands directly before it. */
export function replaceJwts (text: string, by: string): string {
  return text.replace(JWT_SHAPE, found => `${found.slice(0, found.indexOf('eyJ'))}${by}`)
}
