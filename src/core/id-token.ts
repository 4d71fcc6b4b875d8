// The claims of an ID token (OpenID Connect Core 1.0, section 2), and those of a user (section 5.1); holds no key and no signature.
import { createHash } from 'node:crypto'
import { acrOf, PASSWORD_ALONE } from './assurance.js'

/** What is said of a user. */
export interface Person { id: string, email: string, name: string | null, emailVerified?: boolean }

/** Of which log-in an ID token tells, and to whom. `authenticatedAt` in milliseconds; `amr` is how the user proved who it is (RFC 8176, section 2), absent: by the password alone. */
export interface IdTokenSubject { clientId: string, familyId: string, authenticatedAt: number, amr?: string[] | undefined, scope: string[], nonce?: string | undefined, accessToken: string }

export interface IdTokenClaims { iss: string, sub: string, aud: string, exp: number, iat: number, auth_time: number, sid: string, [claim: string]: unknown }

/** `now` in milliseconds, `ttl` in seconds; the claims' times are seconds. */
export function idTokenClaims (person: Person, subject: IdTokenSubject, now: number, { issuer, ttl }: { issuer: string, ttl: number }): IdTokenClaims {
  const issuedAt = Math.floor(now / 1000)
  return {
    iss: issuer,
    ...userClaims(person, subject.scope),
    aud: subject.clientId,
    exp: issuedAt + ttl,
    iat: issuedAt,
    auth_time: Math.floor(subject.authenticatedAt / 1000),
    amr: subject.amr ?? PASSWORD_ALONE,
    acr: acrOf(subject.amr),
    sid: subject.familyId,
    at_hash: halfHash(subject.accessToken),
    ...(subject.nonce !== undefined && { nonce: subject.nonce }),
  }
}

/** What a scope lets a client know of a user (section 5.4). Here no address is ever proved to be the user's; another system may have, before its users came here. */
export function userClaims ({ id, email, name, emailVerified = false }: Person, scope: string[]): { sub: string, name?: string, email?: string, email_verified?: boolean } {
  return {
    sub: id,
    ...(scope.includes('profile') && name !== null && { name }),
    ...(scope.includes('email') && { email, email_verified: emailVerified }),
  }
}

/** The left half of a SHA-256 (section 3.1.3.6). */
function halfHash (text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')
}
