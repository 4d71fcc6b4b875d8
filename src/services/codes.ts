// What a code opens: one family, once, as long as what it rests on stands; holds no HTTP, no token and no proof of a client.
import type { Client } from '../core/client.js'
import { closingAt } from '../core/closings.js'
import { versionOf } from '../core/factors.js'
import { liveAfter, liveFamilies, newFamily, type Family, type FamilyLimits, type Grant } from '../core/families.js'
import { isVerifierOf } from '../core/pkce.js'
import { isRedirectUriOf } from '../core/redirect-uris.js'
import { isOffline, isWithinScope, readScope } from '../core/scopes.js'
import { open } from '../core/seals.js'
import { AuthError, OAuthError } from '../errors.js'
import type { User } from '../store/store.js'
import { digestOf, type CodeClaims } from './authorizations.js'
import { Evictions } from './evictions.js'
import type { TokenParts } from './token-service.js'

/** What a client sends with a code. */
export interface Redemption { code: string, redirectUri: string | undefined, verifier: string | undefined, resources: string[] | undefined }

export class Codes {
  readonly #parts: TokenParts
  readonly #evictions: Evictions

  constructor (parts: TokenParts) {
    this.#parts = parts
    this.#evictions = new Evictions(parts)
  }

  /** What a code says to the client that it was made for, at the address and by the verifier that it was made for (RFC 6749, section 4.1.3). Throws `invalid_grant` of any other. */
  async read (client: Client, { code, redirectUri, verifier }: Redemption): Promise<CodeClaims> {
    const claims = await open('code', code, this.#parts.keyRing.findSecret) as CodeClaims | undefined
    if (!claims || claims.clientId !== client.id) throw badCode()
    assertProved(claims, redirectUri, verifier)
    return claims
  }

  /**
   * The family that a code opens, and its user. It bears the code's id: so it opens one once, and whoever brings it again closes that one (RFC 9700, section 4.5). `now` in milliseconds.
   * Throws `invalid_grant`, also where the log-in has ended by which it was made, or the password or the client's record is another; and `rate_limited` where as many closings count as may.
   */
  async open (client: Client, claims: CodeClaims, now: number): Promise<{ user: User, family: Family }> {
    const user = await this.#parts.store.findUser(claims.userId)
    const family = user && isGood(claims, client, user, now) ? await this.#openFamily(user, claims, now) : undefined
    if (user && family) return { user, family }
    await this.#closeOpened(claims, now)
    throw badCode()
  }

  async #closeOpened ({ userId, familyId, clientId }: CodeClaims, now: number): Promise<void> {
    const { closingRetention, record, store } = this.#parts
    if (!await store.closeFamily({ userId, familyId, closing: closingAt(now, closingRetention) })) return
    record({ kind: 'code.replayed', at: now, userId, clientId, familyId })
    record({ kind: 'family.closed', at: now, userId, clientId, familyId, details: { cause: 'code_replayed' } })
  }

  async #openFamily (user: User, claims: CodeClaims, now: number): Promise<Family | undefined> {
    const { store, families, maxActive: limit, policy, places, closingRetention, record } = this.#parts
    const { clientId, device, scope, audience, authenticatedAt, amr } = claims
    const grant: Grant = { clientId, scope, audience, authenticatedAt, ...(amr && { amr }) }
    const family: Family = { ...newFamily(claims.familyId, device, now, await places?.take(now)), grant }
    const replaced = this.#replacedBy(grant, user, now)
    const outcome = await store.openFamily({
      userId: user.id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, roles: user.roles, verifiedFactors: versionOf(user.factors), family, session: claims.session, live: liveAfter(now, families), limit, policy,
      replaces: replaced, closing: closingAt(now, closingRetention),
    })
    if (outcome === 'full') throw new OAuthError('invalid_grant', 'The account is logged in on as many devices as are allowed.')
    if (outcome === 'crowded') throw new AuthError('rate_limited', { retryAfter: Math.ceil(closingRetention / 1000) })
    if (outcome !== 'opened') return undefined
    record({ kind: 'grant.opened', at: now, userId: user.id, clientId, familyId: family.id, ...device, details: { scope } })
    await this.#evictions.record({ before: user, by: family, replaced, limit, device, now })
    return family
  }

  // What cannot be refreshed is good for one access token, and afterwards for the memory alone that the user let the client in. A grant of no less takes its place; and where there is no room, any of the same client
  // takes the place of the oldest, so that log-ins of one client drive nobody else's out.
  #replacedBy (grant: Grant, { families }: User, now: number): string | undefined {
    const { accessToken: { ttl }, families: limits, maxActive } = this.#parts
    const passing = families.filter(one => one.grant?.clientId === grant.clientId && !isOffline(one.grant.scope)).sort((one, other) => one.createdAt - other.createdAt)
    const spent = passing.find(one => one.createdAt < now - ttl * 1000 && isWithinGrant(one.grant!, grant))
    return (spent ?? (isFull(families, maxActive, now, limits) ? passing[0] : undefined))?.id
  }
}

function isFull (families: Family[], maxActive: number, now: number, limits: FamilyLimits): boolean {
  return liveFamilies(families, now, limits).length >= maxActive
}

function isWithinGrant (one: Grant, other: Grant): boolean {
  return isWithinScope(readScope(one.scope), readScope(other.scope)) && isWithinScope(one.audience, other.audience)
}

/** Whether all that a code rests on stands still. */
function isGood ({ challenge, expiresAt, passwordDigest, redirectUri }: CodeClaims, client: Client, user: User, now: number): boolean {
  const isAsRecorded = isRedirectUriOf(client.redirectUris, redirectUri) && (challenge !== undefined || !client.requiresPkce)
  return expiresAt > now && digestOf(user.passwordHash) === passwordDigest && isAsRecorded
}

// RFC 9700, section 2.1.1: a verifier without a challenge is somebody who took the challenge away.
function assertProved ({ challenge, redirectUri }: CodeClaims, presented: string | undefined, verifier: string | undefined): void {
  const isProved = challenge === undefined ? verifier === undefined : verifier !== undefined && isVerifierOf(challenge, verifier)
  if (!isProved) throw new OAuthError('invalid_grant', 'The code_verifier is not that of the code_challenge.')
  // Without a challenge the address is what binds a code to its request (RFC 6749, section 4.1.3).
  if (presented === undefined ? challenge === undefined : presented !== redirectUri) throw new OAuthError('invalid_grant', 'The redirect_uri is not that of the authorization request.')
}

function badCode (): OAuthError {
  return new OAuthError('invalid_grant', 'The code is not good, or not any more, or not for this client.')
}
