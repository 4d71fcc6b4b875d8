// Use cases of the token endpoint and its neighbours: codes and refresh tokens for tokens, what a token is worth, and its end; holds no HTTP, no driver and no proof of a client.
import { randomUUID } from 'node:crypto'
import { ownTokenClaims, type AccessTokenClaims, type Party } from '../core/access-token.js'
import { audienceFor } from '../core/authorization-request.js'
import type { Client, GrantType } from '../core/client.js'
import { closingAt } from '../core/closings.js'
import { expiresAt, isLive, liveAfter, newFamily, type Family, type Grant } from '../core/families.js'
import { idTokenClaims, userClaims } from '../core/id-token.js'
import { isVerifierOf } from '../core/pkce.js'
import { isRedirectUriOf } from '../core/redirect-uris.js'
import { decideRefresh } from '../core/refresh-rules.js'
import { readRefreshToken, type RefreshClaims } from '../core/refresh-token.js'
import { isWithinScope, OFFLINE_ACCESS, readScope, scopeForItself, scopeForUser } from '../core/scopes.js'
import { open } from '../core/seals.js'
import { AuthError, OAuthError } from '../errors.js'
import type { User } from '../store/store.js'
import { digestOf, type CodeClaims } from './authorizations.js'
import type { Clients } from './clients.js'
import { Issuing } from './issuing.js'
import { Rotation, type Device } from './rotation.js'
import type { TokenParts } from './token-service.js'

/** What a client is answered with (RFC 6749, section 5.1); `expiresIn` in seconds. */
export interface ClientAnswer { accessToken: string, expiresIn: number, scope: string, refreshToken?: string, refreshTokenExpiresIn?: number, idToken?: string }

/** What a client sends with a code. */
export interface Redemption { code: string, redirectUri: string | undefined, verifier: string | undefined, resources: string[] | undefined }

/** As much of a grant as a client asks for at once; all of it where it names none. */
export interface Wish { scope: string | undefined, resources: string[] | undefined }

/** A live access token, and whose it is: a user's, or the client's own. */
export interface LiveToken { claims: AccessTokenClaims, user: User | undefined }

export interface ClientTokenParts extends TokenParts { clients: Clients }

export class ClientTokens {
  readonly #parts: ClientTokenParts
  readonly #rotation: Rotation
  readonly #issuing: Issuing

  constructor (parts: ClientTokenParts) {
    this.#parts = parts
    this.#rotation = new Rotation(parts)
    this.#issuing = new Issuing(parts)
  }

  /**
   * The tokens for a code (RFC 6749, section 4.1.3). It works once: the family that it opens bears its id, and whoever brings it again closes that family (RFC 9700, section 4.5). `now` in milliseconds.
   * Throws `invalid_grant`, also where it was made for another client, address or verifier; then it changes nothing.
   */
  async redeem (client: Client, { code, redirectUri, verifier, resources }: Redemption, now: number): Promise<ClientAnswer> {
    assertMay(client, 'authorization_code')
    const claims = await open('code', code, this.#parts.keyRing.findSecret) as CodeClaims | undefined
    if (!claims || claims.clientId !== client.id) throw badCode()
    assertProved(claims, redirectUri, verifier)
    const user = await this.#parts.store.findUser(claims.userId)
    const party = this.#party(client, claims, { scope: undefined, resources })
    const isGood = claims.expiresAt > now && user && digestOf(user.passwordHash) === claims.passwordDigest && isRedirectUriOf(client.redirectUris, claims.redirectUri)
    const family = isGood ? await this.#open(user, claims, now) : undefined
    if (!family) {
      await this.#close(claims, now)
      throw badCode()
    }
    return await this.#answer(client, claims.userId, family, party, now, claims.nonce)
  }

  /**
   * The next tokens of a client's family (RFC 6749, section 6), for as much of the scope and of the audience as it asks for. `now` in milliseconds. Throws `invalid_grant`, `invalid_scope`, `invalid_target`.
   */
  async refresh (client: Client, refreshToken: string, wish: Wish, device: Device, now: number): Promise<ClientAnswer> {
    assertMay(client, 'refresh_token')
    const claims = this.#read(refreshToken)
    // What is refused must leave the token good, so whoever wishes for something is looked at first.
    if (claims && (wish.scope !== undefined || wish.resources)) await this.#assertGranted(client, claims, wish)
    const family = claims && await this.#rotation.advance(claims, client.id, device, now)
    if (!family) throw new OAuthError('invalid_grant', 'The refresh token is not good, or not this client\'s.')
    return await this.#answer(client, claims.userId, family, this.#party(client, family.grant!, wish), now)
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
    const family = user?.families.find(({ id }) => id === claims.sid)
    return family && isLive(family, now, this.#parts.families) ? { claims, user } : undefined
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
    const { claims } = await this.live(token, now) ?? {}
    if (claims) return isConcerned(client, claims) ? { active: true, token_type: 'Bearer', ...claims } : INACTIVE
    return await this.#introspectRefreshToken(client, token, now) ?? INACTIVE
  }

  /** Closes the family that a token is of (RFC 7009, section 2.1); of what is no token of ours there is nothing to close. `now` in milliseconds. Throws `invalid_grant` of another client's, and `unsupported_token_type` where there is no family. */
  async revoke (client: Client, token: string, now: number): Promise<void> {
    const claims = this.#verify(token, now)
    if (claims && claims.sid === undefined && claims.client_id === client.id) throw new OAuthError('unsupported_token_type', 'A token that a client has for itself ends when it expires.')
    const of = claims ? { userId: claims.sub, familyId: claims.sid! } : this.#read(token)
    const family = of && (await this.#parts.store.findUser(of.userId))?.families.find(({ id }) => id === of.familyId)
    if (!family) return
    if (family.grant?.clientId !== client.id) throw new OAuthError('invalid_grant', 'The token is another client\'s.')
    await this.#close(of, now)
  }

  async #introspectRefreshToken (client: Client, token: string, now: number): Promise<object | undefined> {
    const claims = this.#read(token)
    const user = claims && await this.#parts.store.findUser(claims.userId)
    const family = user?.families.find(({ id }) => id === claims!.familyId)
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
      return this.#parts.keyRing.verify(token, { issuer: this.#parts.accessToken.issuer }, now)
    } catch {
      return undefined
    }
  }

  async #open (user: User, claims: CodeClaims, now: number): Promise<Family | undefined> {
    const { store, families, maxActive: limit, policy, places, closingRetention } = this.#parts
    const { clientId, scope, audience, authenticatedAt } = claims
    const family: Family = { ...newFamily(claims.familyId, claims.device, now, await places?.take(now)), grant: { clientId, scope, audience, authenticatedAt } }
    const outcome = await store.openFamily({
      userId: user.id, verifiedHash: user.passwordHash, passwordHash: user.passwordHash, family, session: claims.session, live: liveAfter(now, families), limit, policy,
      replaces: this.#spent(user, clientId, now), closing: closingAt(now, closingRetention),
    })
    if (outcome === 'full') throw new OAuthError('invalid_grant', 'The account is logged in on as many devices as are allowed.')
    if (outcome === 'crowded') throw new AuthError('rate_limited', { retryAfter: Math.ceil(closingRetention / 1000) })
    return outcome === 'opened' ? family : undefined
  }

  // What cannot be refreshed is good for one access token, and afterwards for the memory alone that the user let the client in: the next takes its place, so that log-ins of one client drive nobody else's out.
  #spent (user: User, clientId: string, now: number): string | undefined {
    const until = now - this.#parts.accessToken.ttl * 1000
    return user.families.find(({ grant, createdAt }) => grant?.clientId === clientId && !readScope(grant.scope).includes(OFFLINE_ACCESS) && createdAt < until)?.id
  }

  async #close ({ userId, familyId }: { userId: string, familyId: string }, now: number): Promise<void> {
    await this.#parts.store.closeFamily({ userId, familyId, closing: closingAt(now, this.#parts.closingRetention) })
  }

  async #assertGranted (client: Client, { userId, familyId }: RefreshClaims, wish: Wish): Promise<void> {
    const family = (await this.#parts.store.findUser(userId))?.families.find(({ id }) => id === familyId)
    if (family?.grant?.clientId === client.id) this.#party(client, family.grant, wish)
  }

  /** As much of a grant as is wished for, and as the client's record has still. */
  #party (client: Client, grant: Pick<Grant, 'scope' | 'audience'>, { scope: wished, resources }: Wish): Party {
    const granted = scopeForUser(grant.scope, client)
    const scope = wished === undefined ? granted : readScope(wished)
    if (!isWithinScope(scope, granted)) throw new OAuthError('invalid_scope', 'The user did not let the client have that scope.')
    const allowed = grant.audience.filter(one => one === this.#parts.accessToken.issuer || client.audiences.includes(one))
    const audience = resources ? [...new Set(resources)] : allowed
    if (audience.length === 0 || !isWithinScope(audience, allowed)) throw badTarget()
    return { clientId: client.id, audience, scope: scope.join(' ') }
  }

  async #answer (client: Client, userId: string, family: Family, party: Party, now: number, nonce?: string): Promise<ClientAnswer> {
    const { ttl: expiresIn } = this.#parts.accessToken
    const accessToken = await this.#issuing.clientToken(userId, family, party, now)
    const isOffline = readScope(family.grant!.scope).includes(OFFLINE_ACCESS) && client.grantTypes.includes('refresh_token')
    const idToken = await this.#idToken(userId, family, party, accessToken, now, nonce)
    return { accessToken, expiresIn, scope: party.scope, ...(isOffline && this.#issuing.refreshToken(userId, family, now)), ...(idToken && { idToken }) }
  }

  async #idToken (userId: string, { id: familyId, grant }: Family, { clientId, scope }: Party, accessToken: string, now: number, nonce: string | undefined): Promise<string | undefined> {
    const { keyRing, store, accessToken: settings } = this.#parts
    if (!readScope(scope).includes('openid')) return undefined
    const user = await store.findUser(userId)
    return user && await keyRing.signIdToken(idTokenClaims(user, { clientId, familyId, authenticatedAt: grant!.authenticatedAt, scope: readScope(scope), nonce, accessToken }, now, settings))
  }
}

const INACTIVE = { active: false }

function assertMay ({ grantTypes }: Client, grantType: GrantType): void {
  if (!grantTypes.includes(grantType)) throw new OAuthError('unauthorized_client', `This client may not use the grant type ${grantType}.`)
}

// RFC 9700, section 2.1.1: a verifier without a challenge is somebody who took the challenge away.
function assertProved ({ challenge, redirectUri }: CodeClaims, presented: string | undefined, verifier: string | undefined): void {
  const isProved = challenge === undefined ? verifier === undefined : verifier !== undefined && isVerifierOf(challenge, verifier)
  if (!isProved) throw new OAuthError('invalid_grant', 'The code_verifier is not that of the code_challenge.')
  // Without a challenge the address is what binds a code to its request (RFC 6749, section 4.1.3).
  if (presented === undefined ? challenge === undefined : presented !== redirectUri) throw new OAuthError('invalid_grant', 'The redirect_uri is not that of the authorization request.')
}

/** Whether a token was issued to a client, or is for it: nobody else is told (RFC 7662, section 4). */
function isConcerned ({ id, audiences }: Client, { client_id: clientId, aud }: AccessTokenClaims): boolean {
  return clientId === id || [aud].flat().some(one => audiences.includes(one))
}

function badCode (): OAuthError {
  return new OAuthError('invalid_grant', 'The code is not good, or not any more, or not for this client.')
}

function badTarget (): OAuthError {
  return new OAuthError('invalid_target', 'This client may have no tokens for that resource.')
}
