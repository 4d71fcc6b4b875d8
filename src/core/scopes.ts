// Which scopes a client gets of those that it asks for (RFC 6749, section 3.3); holds no client and no grant.
import type { Client } from './client.js'

/** With it a client may have a refresh token (OpenID Connect Core 1.0, section 11). */
const OFFLINE = 'offline_access'
/** What every client may ask a user for (section 5.4). */
export const STANDARD_SCOPES = ['openid', 'profile', 'email', OFFLINE]

/** The scopes of a text with blanks between, each once. */
export function readScope (scope: string): string[] {
  return [...new Set(scope.split(' ').filter(Boolean))]
}

/** Everything that a client may ask for: offline access only where it can do something with it. */
export function scopesOf ({ grantTypes, scopes }: Pick<Client, 'grantTypes' | 'scopes'>): string[] {
  const standard = grantTypes.includes('authorization_code') ? STANDARD_SCOPES : []
  return [...standard.filter(scope => scope !== OFFLINE || grantTypes.includes('refresh_token')), ...scopes]
}

/**
 * What a client may ask a user for, of what it does ask for; where it asks for nothing, all that its record has. What it may not have is left out, and the answer says so by naming the rest
 * (RFC 6749, section 3.3; OpenID Connect Core 1.0, section 3.1.2.1).
 */
export function scopeForUser (requested: string | undefined, client: Pick<Client, 'grantTypes' | 'scopes'>): string[] {
  if (requested === undefined) return client.scopes
  const allowed = scopesOf(client)
  return readScope(requested).filter(scope => allowed.includes(scope))
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
