// Which scopes a client gets of those that it asks for (RFC 6749, section 3.3), and what a person is told of them; holds no client and no grant.
import type { Client } from './client.js'

/** OpenID Connect Core 1.0, sections 5.4 and 11: what every client may ask a user for. */
export const STANDARD_SCOPES = ['openid', 'profile', 'email', 'offline_access']

/** With it a client may have a refresh token (section 11). */
const OFFLINE = 'offline_access'

/** The scopes of a text with blanks between, each once. */
export function readScope (scope: string): string[] {
  return [...new Set(scope.split(' ').filter(Boolean))]
}

/**
 * What a client may ask a user for, of what it does ask for; where it asks for nothing, all that its record has. What it may not have is left out, and the answer says so by naming the rest
 * (RFC 6749, section 3.3; OpenID Connect Core 1.0, section 3.1.2.1).
 */
export function scopeForUser (requested: string | undefined, { grantTypes, scopes }: Pick<Client, 'grantTypes' | 'scopes'>): string[] {
  if (requested === undefined) return scopes
  // Without the grant there is nothing that it could do offline.
  const standard = STANDARD_SCOPES.filter(scope => scope !== OFFLINE || grantTypes.includes('refresh_token'))
  return readScope(requested).filter(scope => standard.includes(scope) || scopes.includes(scope))
}

/** What a client may have for itself, of what it asks for: no user is behind it. */
export function scopeForItself (requested: string | undefined, { scopes }: Pick<Client, 'scopes'>): string[] {
  return requested === undefined ? scopes : readScope(requested).filter(scope => scopes.includes(scope))
}

/** Whether a grant of this scope is for more than one access token. */
export function isOffline (scope: string): boolean {
  return readScope(scope).includes(OFFLINE)
}

/** Whether every one of these is among those. */
export function isWithinScope (these: string[], those: string[]): boolean {
  return these.every(one => those.includes(one))
}
