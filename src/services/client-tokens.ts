// Use cases of the token endpoint and its neighbours: codes and refresh tokens for tokens, what a token is worth, and its end; holds no HTTP, no driver and no proof of a client.
import { randomUUID } from 'node:crypto'
import { ownTokenClaims, type AccessTokenClaims, type Party } from '../core/access-token.js'
import { audienceFor } from '../core/authorization-request.js'
import type { Client, GrantType } from '../core/client.js'
import { closingAt } from '../core/closings.js'
import { expiresAt, familyOf, isLive, type Family, type Grant } from '../core/families.js'
import { idTokenClaims, userClaims } from '../core/id-token.js'
import { decideRefresh } from '../core/refresh-rules.js'
import { readRefreshToken, type RefreshClaims } from '../core/refresh-token.js'
import { isOffline, isWithinScope, readScope, scopeForItself, scopeForUser } from '../core/scopes.js'
import { OAuthError } from '../errors.js'
import type { User } from '../store/store.js'
import type { Clients } from './clients.js'
import { Codes, type Redemption } from './codes.js'
import { Issuing } from './issuing.js'
import { Rotation, type Device } from './rotation.js'
import type { TokenParts } from './token-service.js'

/** What a client is answered with (RFC 6749, section 5.1); `expiresIn` in seconds. */
export interface ClientAnswer { accessToken: string, expiresIn: number, scope: string, refreshToken?: string, refreshTokenExpiresIn?: number, idToken?: string }

/** As much of a grant as a client asks for at once; all of it where it names none. */
export interface Wish { scope: string | undefined, resources: string[] | undefined }

/** A live access token, and whose it is: a user's, or the client's own. */
export interface LiveToken { claims: AccessTokenClaims, user: User | undefined }

/** A client's family, of whom it is, and what its code said; `user` where that was read already. */
interface Held { userId: string, roles: string[], user?: User, family: Family, nonce?: string | undefined }

export interface ClientTokenParts extends TokenParts { clients: Clients }

export class ClientTokens {
  readonly #parts: ClientTokenParts
  readonly #codes: Codes
  readonly #rotation: Rotation
  readonly #issuing: Issuing

  constructor (parts: ClientTokenParts) {
    this.#parts = parts
    this.#codes = new Codes(parts)
    this.#rotation = new Rotation(parts)
    this.#issuing = new Issuing(parts)
  }

  /**
   * The tokens for a code (RFC 6749, section 4.1.3), which works once; whoever brings it again closes what it opened. `now` in milliseconds. Throws `invalid_grant`, `invalid_scope`, `invalid_target`, `rate_limited`.
   * One of another client, address or verifier changes nothing.
   */
  async redeem (client: Client, redemption: Redemption, now: number): Promise<ClientAnswer> {
    assertMay(client, 'authorization_code')
    const claims = await this.#codes.read(client, redemption)
    // Before it is used: what is refused leaves it good.
    const party = this.#party(client, claims, { scope: undefined, resources: redemption.resources })
    const { user, family } = await this.#codes.open(client, claims, now)
    return await this.#answer(client, { userId: user.id, roles: user.roles, user, family, nonce: claims.nonce }, party, now)
  }

  /**
   * The next tokens of a client's family (RFC 6749, section 6), for as much of the scope and of the audience as it asks for. `now` in milliseconds. Throws `invalid_grant`, `invalid_scope`, `invalid_target`.
   */
  async refresh (client: Client, refreshToken: string, wish: Wish, device: Device, now: number): Promise<ClientAnswer> {
    assertMay(client, 'refresh_token')
    const claims = this.#read(refreshToken)
    // What is refused must leave the token good, so whoever wishes for something is looked at first.
    if (claims && (wish.scope !== undefined || wish.resources)) await this.#assertGranted(client, claims, wish)
    const advanced = await this.#rotation.advance(claims, client.id, device, now)
    if (!claims || !advanced) throw new OAuthError('invalid_grant', 'The refresh token is not good, or not this client\'s.')
    return await this.#answer(client, { userId: claims.userId, ...advanced }, this.#party(client, advanced.family.grant!, wish), now)
  }

  /** A token for the client itself (RFC 6749, section 4.4). `now` in milliseconds. Throws `unauthorized_client`, `invalid_scope`, `invalid_target`. */
  async own (client: Client, wish: Wish, now: number): Promise<ClientAnswer> {
    const { keyRing, accessToken } = this.#parts
    assertMay(client, 'client_credentials')
    const scope = scopeForItself(wish.scope, client)
    if (wish.scope !== undefined && !isWithinScope(readScope(wish.scope), scope)) throw new OAuthError('invalid_scope', 'This client may not have that scope.')
    const audience = audienceFor(wish.resources, client, accessToken.issuer)
    if (!audience) throw badTarget()
    const claims = ownTokenClaims({ clientId: client.id, audience, scope: scope.join(' ') }, randomUUID(), now, accessToken)
    return { accessToken: await keyRing.sign(claims), expiresIn: accessToken.ttl, scope: scope.join(' ') }
  }

  /** What an access token of ours stands for, as long as its log-in lasts; undefined of any other. `now` in milliseconds. */
  async live (token: string, now: number): Promise<LiveToken | undefined> {
    const claims = this.#verify(token, now)
    if (!claims) return undefined
    if (claims.sid === undefined) return await this.#parts.clients.find(claims.client_id, now) && { claims, user: undefined }
    const user = await this.#parts.store.findUser(claims.sub)
    const family = familyOf(user, claims.sid)
    if (!family || !isLive(family, now, this.#parts.families)) return undefined
    // A client that was removed has nothing any more.
    return !family.grant || await this.#parts.clients.find(family.grant.clientId, now) ? { claims, user } : undefined
  }

  /** What a client may know of a user whose access token it holds (OpenID Connect Core 1.0, section 5.3). `now` in milliseconds. Throws `invalid_token`, `insufficient_scope`. */
  async userInfo (token: string, now: number): Promise<object> {
    const { claims, user } = await this.live(token, now) ?? {}
    if (!claims) throw new OAuthError('invalid_token', 'The access token is not good any more.')
    const scope = readScope(claims.scope ?? '')
    if (!user || !scope.includes('openid')) throw new OAuthError('insufficient_scope', 'The access token has not the scope openid.')
    return userClaims(user, scope)
  }

  /** What a token is worth to a client that it was issued to, or that it is for (RFC 7662, section 2.2). `now` in milliseconds. */
  async introspect (client: Client, token: string, now: number): Promise<object> {
    const live = await this.live(token, now)
    if (live) return isConcerned(client, live.claims) ? { active: true, token_type: 'Bearer', ...claimsNow(live) } : INACTIVE
    return await this.#introspectRefreshToken(client, token, now) ?? INACTIVE
  }

  /** Closes the family that a token is of (RFC 7009, section 2.1); of what is no token of ours there is nothing to close. `now` in milliseconds. Throws `invalid_grant` of another client's, and `unsupported_token_type` where there is no family. */
  async revoke (client: Client, token: string, now: number): Promise<void> {
    const claims = this.#verify(token, now)
    if (claims && claims.client_id !== client.id) throw foreign()
    if (claims && claims.sid === undefined) throw new OAuthError('unsupported_token_type', 'A token that a client has for itself ends when it expires.')
    const of = claims ? { userId: claims.sub, familyId: claims.sid! } : this.#read(token)
    const family = of && familyOf(await this.#parts.store.findUser(of.userId), of.familyId)
    if (!family) return
    if (family.grant?.clientId !== client.id) throw foreign()
    const { userId, familyId } = of
    const wasOpen = await this.#parts.store.closeFamily({ userId, familyId, closing: closingAt(now, this.#parts.closingRetention) })
    if (wasOpen) this.#parts.record({ kind: 'family.closed', at: now, userId, clientId: client.id, familyId, details: { cause: 'client_revoked' } })
  }

  async #introspectRefreshToken (client: Client, token: string, now: number): Promise<object | undefined> {
    const claims = this.#read(token)
    const user = claims && await this.#parts.store.findUser(claims.userId)
    const family = familyOf(user, claims?.familyId)
    const { kind } = decideRefresh(family, claims?.generation ?? 0, now, this.#parts.families)
    if (family?.grant?.clientId !== client.id || (kind !== 'advance' && kind !== 'repeat')) return undefined
    const { clientId, scope, audience } = family.grant
    return { active: true, client_id: clientId, scope, sub: user!.id, aud: audience, iss: this.#parts.accessToken.issuer, exp: Math.floor(expiresAt(family, now, this.#parts.families) / 1000) }
  }

  #read (refreshToken: string): RefreshClaims | undefined {
    return readRefreshToken(refreshToken, this.#parts.keyRing.findSecret)
  }

  #verify (token: string, now: number): AccessTokenClaims | undefined {
    try {
      // Whoever asks what a token is worth asks at each request that brings it.
      return this.#parts.keyRing.verifyAgain(token, { issuer: this.#parts.accessToken.issuer }, now)
    } catch {
      return undefined
    }
  }

  async #assertGranted (client: Client, { userId, familyId }: RefreshClaims, wish: Wish): Promise<void> {
    const family = familyOf(await this.#parts.store.findUser(userId), familyId)
    if (family?.grant?.clientId === client.id) this.#party(client, family.grant, wish)
  }

  /** As much of a grant as is wished for, and as the client's record has still. */
  #party (client: Client, grant: Pick<Grant, 'scope' | 'audience'>, { scope: wished, resources }: Wish): Party {
    const granted = scopeForUser(grant.scope, client)
    const scope = wished === undefined ? granted : readScope(wished)
    if (scope.length === 0 || !isWithinScope(scope, granted)) throw new OAuthError('invalid_scope', 'The user did not let the client have that scope, or it is not the client\'s any more.')
    const allowed = grant.audience.filter(one => one === this.#parts.accessToken.issuer || client.audiences.includes(one))
    const audience = resources ? [...new Set(resources)] : allowed
    if (audience.length === 0 || !isWithinScope(audience, allowed)) throw badTarget()
    return { clientId: client.id, audience, scope: scope.join(' ') }
  }

  async #answer (client: Client, held: Held, party: Party, now: number): Promise<ClientAnswer> {
    const { userId, roles, family } = held
    const { ttl: expiresIn } = this.#parts.accessToken
    const accessToken = await this.#issuing.clientToken({ id: userId, roles }, family, party, now)
    const isRefreshable = isOffline(family.grant!.scope) && client.grantTypes.includes('refresh_token')
    const idToken = await this.#idToken(held, party, accessToken, now)
    return { accessToken, expiresIn, scope: party.scope, ...(isRefreshable && this.#issuing.refreshToken(userId, family, now)), ...(idToken && { idToken }) }
  }

  async #idToken ({ userId, family: { id: familyId, grant }, nonce, ...held }: Held, { clientId, scope }: Party, accessToken: string, now: number): Promise<string | undefined> {
    const { keyRing, store, accessToken: settings } = this.#parts
    if (!readScope(scope).includes('openid')) return undefined
    const user = held.user ?? await store.findUser(userId)
    return user && await keyRing.signIdToken(idTokenClaims(user, { clientId, familyId, authenticatedAt: grant!.authenticatedAt, amr: grant!.amr, scope: readScope(scope), nonce, accessToken }, now, settings))
  }
}

const INACTIVE = { active: false }

function assertMay ({ grantTypes }: Client, grantType: GrantType): void {
  if (!grantTypes.includes(grantType)) throw new OAuthError('unauthorized_client', `This client may not use the grant type ${grantType}.`)
}

/** Whether a token was issued to a client, or is for it: nobody else is told (RFC 7662, section 4). */
function isConcerned ({ id, audiences }: Client, { client_id: clientId, aud }: AccessTokenClaims): boolean {
  return clientId === id || [aud].flat().some(one => audiences.includes(one))
}

/** What a token says, but for the roles, which are those of now: whoever asks for each token is told of a change at once. */
function claimsNow ({ claims: { roles: _, ...said }, user }: LiveToken): object {
  return { ...said, ...(user && user.roles.length > 0 && { roles: user.roles }) }
}

function foreign (): OAuthError {
  return new OAuthError('invalid_grant', 'The token is another client\'s.')
}

function badTarget (): OAuthError {
  return new OAuthError('invalid_target', 'This client may have no tokens for that resource.')
}
