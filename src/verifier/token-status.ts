// Whether a token's log-in has ended, by the list that the token names, and what is done where nobody can say; holds no list.
import type { AccessTokenClaims, StatusReference } from './access-token-claims.js'
import { isObject } from './json-object.js'
import type { UnavailablePolicy } from './kept-status-list.js'
import { settle } from './listener.js'
import { StatusLists, type StatusListsParts } from './status-lists.js'
import { lacking, TokenVerificationError } from './token-verification-error.js'

export interface StatusOptions {
  /** `ignore`: no list is fetched, and a log-in counts as living until its token expires. `check` by default. */
  status?: 'check' | 'ignore'
  /** What is done with a token while its list cannot be had: `accept` it, and tell `onStatusUnchecked` (the default), or `refuse` it with `status_unavailable`. */
  onStatusUnavailable?: UnavailablePolicy
  /** Told of each token that was accepted without its list, and why there was none: for a log. What it throws is a warning of the process, and changes no answer. */
  onStatusUnchecked?: (claims: AccessTokenClaims, cause: unknown) => void | Promise<void>
}

export interface TokenStatusParts extends Omit<StatusListsParts, 'locate'> {
  /** Where the keys are. */
  jwksUri: string
  onUnchecked: StatusOptions['onStatusUnchecked']
}

const KEYS = '/.well-known/jwks.json'

/** Throws `missing_claim`, `token_revoked` or `status_unavailable`, and nothing else. */
export function tokenStatus ({ jwksUri, onUnchecked, ...parts }: TokenStatusParts): (claims: AccessTokenClaims) => Promise<void> {
  const place = parts.issuer.replace(/\/$/, '')
  const prefix = `${place}/status-lists/`
  const lists = new StatusLists({ ...parts, locate: subject => `${jwksUri.endsWith(KEYS) ? jwksUri.slice(0, -KEYS.length) : place}${subject.slice(place.length)}` })
  return async claims => {
    const reference = readReference(claims.status, prefix)
    if (!reference) return
    const verdict = await lists.look(reference)
    if (verdict.standing === 'closed') throw new TokenVerificationError('token_revoked')
    if (verdict.standing === 'beyond') throw lacking(['status'])
    if (verdict.standing !== 'unknown') return
    if (parts.onUnavailable === 'refuse') throw new TokenVerificationError('status_unavailable', verdict)
    void settle('onStatusUnchecked', () => onUnchecked?.(claims, verdict.cause))
  }
}

/** The place in a list; undefined where the token has a status of another kind alone. */
function readReference (status: unknown, prefix: string): StatusReference | undefined {
  if (status === undefined) return undefined
  if (!isObject(status)) throw lacking(['status'])
  const { status_list: reference } = status
  if (reference === undefined) return undefined
  if (!isObject(reference) || !isIndex(reference['idx']) || !isAddress(reference['uri'], prefix)) throw lacking(['status'])
  return reference as unknown as StatusReference
}

function isIndex (value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0
}

// One of the authority's own, whose number alone decides what is fetched.
function isAddress (value: unknown, prefix: string): boolean {
  return typeof value === 'string' && value.startsWith(prefix) && /^\d+$/.test(value.slice(prefix.length))
}
