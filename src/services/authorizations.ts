// Use cases of the authorization endpoint: who asks for what, whether the user must log in or consent, and the code; holds no HTTP, no page and no driver.
import { createHash, randomUUID } from 'node:crypto'
import { readAuthorizationRequest, type AuthorizationRequest, type Refusal } from '../core/authorization-request.js'
import { isAssured } from '../core/assurance.js'
import type { Client } from '../core/client.js'
import { hasFactor } from '../core/factors.js'
import { isLive, type Family, type FamilyLimits } from '../core/families.js'
import type { Parameters } from '../core/parameters.js'
import { isRedirectUriOf } from '../core/redirect-uris.js'
import { readRefreshToken } from '../core/refresh-token.js'
import { isWithinScope, readScope } from '../core/scopes.js'
import { open, readStamp, seal, stamp } from '../core/seals.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'
import type { Clients } from './clients.js'
import { Rotation, type Device, type RotationParts } from './rotation.js'

/** A log-in in the browser, by Signet's own routes. */
export interface Session { user: User, family: Family }

/** A client and where its answer goes; or why nobody can be answered but the person in front of it. */
export type Target = { client: Client, redirectUri: string } | { untrusted: 'client' | 'redirect_uri' }

/** What comes next: the person has to log in, or to let the client in; or the client gets its answer. */
export type Step = { kind: 'log-in' } | { kind: 'consent', decision: string } | { kind: 'code', code: string } | { kind: 'refusal', refusal: Refusal }

/** What a code says (it is sealed, not stored). Times in milliseconds. */
export interface CodeClaims {
  userId: string
  /** The family that it will open, and the log-in by which. */
  familyId: string
  session: string
  clientId: string
  redirectUri: string
  challenge?: string
  scope: string
  audience: string[]
  nonce?: string
  authenticatedAt: number
  /** How the user proved who it is; absent: by the password alone. */
  amr?: string[]
  /** Of the password hash that the log-in was checked against. */
  passwordDigest: string
  /** What the user sat at. */
  device: Device
  expiresAt: number
}

/** What of a request a code is made of, and its answer. */
type Grantable = Pick<AuthorizationRequest, 'client' | 'redirectUri' | 'state' | 'scope' | 'audience' | 'challenge' | 'nonce'>

/** What the person is asked to decide, sealed with the log-in that is asked. */
interface Decision { session: string, request: Omit<Grantable, 'client'> & { clientId: string }, expiresAt: number }

export interface AuthorizationParts extends RotationParts {
  store: Store
  keyRing: KeyRing
  clients: Clients
  families: FamilyLimits
  /** For whom the tokens of a client are whose record names nobody. */
  issuer: string
}

/** RFC 6749, section 4.1.2, allows ten times as much. */
const CODE_LIFE_MS = 60_000
/** For so long a page may stand open before the person decides, and an address may be gone back to. */
const DECISION_LIFE_MS = 600_000
const ASKED_LIFE_MS = 3_600_000
/** What the clocks of two nodes may differ by, so that nobody has to log in twice. */
const CLOCKS_MS = 10_000

export class Authorizations {
  readonly #parts: AuthorizationParts
  readonly #rotation: Rotation

  constructor (parts: AuthorizationParts) {
    this.#parts = parts
    this.#rotation = new Rotation(parts)
  }

  /** Who asks, and where the answer would go (RFC 6749, section 3.1.2.4). `now` in milliseconds. */
  async target ({ values, repeated }: Parameters, now: number): Promise<Target> {
    const [id, redirectUri] = [values.get('client_id'), values.get('redirect_uri')]
    const client = id === undefined || repeated.includes('client_id') ? undefined : await this.#parts.clients.find(id, now)
    if (!client) return { untrusted: 'client' }
    if (redirectUri === undefined || repeated.includes('redirect_uri') || !isRedirectUriOf(client.redirectUris, redirectUri)) return { untrusted: 'redirect_uri' }
    return { client, redirectUri }
  }

  /** What is asked for. */
  read (parameters: Parameters, { client, redirectUri }: { client: Client, redirectUri: string }): AuthorizationRequest | Refusal {
    return readAuthorizationRequest(parameters, client, redirectUri, this.#parts.issuer)
  }

  /** The log-in that the cookie's token stands for, which is not rotated. `now` in milliseconds. */
  async session (refreshToken: string | undefined, now: number): Promise<Session | undefined> {
    const claims = refreshToken === undefined ? undefined : readRefreshToken(refreshToken, this.#parts.keyRing.findSecret)
    return claims && await this.#rotation.look(claims, now)
  }

  /** Says of a query when it was asked first: `stamp` is what an earlier answer wrote of it. `now` in milliseconds. */
  askedAt (query: string, stamp: string | undefined, now: number): number | undefined {
    const at = stamp === undefined ? undefined : readStamp('asked', query, stamp, this.#parts.keyRing.findSecret)
    return at !== undefined && now - at < ASKED_LIFE_MS ? at : undefined
  }

  /** What `askedAt` reads again. `now` in milliseconds. */
  stamp (query: string, now: number): string {
    return stamp('asked', query, now, this.#parts.keyRing.refreshSecret)
  }

  /** What comes next. `askedAt` is when this was asked first, if that was before; `now` in milliseconds. */
  async next (request: AuthorizationRequest, session: Session | undefined, askedAt: number | undefined, device: Device, now: number): Promise<Step> {
    const isSilent = request.prompts.includes('none')
    const wanted = request.idTokenHint === undefined ? undefined : this.#subjectOf(request.idTokenHint)
    const isOther = session !== undefined && request.idTokenHint !== undefined && wanted !== session.user.id
    const isAsked = session !== undefined && isSince(session, askedAt)
    // Whoever has logged in for this and is somebody else would be asked again without end. A hint that cannot be read, as one by a key that is no more, says of nobody that it is somebody else.
    if (isOther && isAsked && wanted !== undefined) return refusal('login_required', 'Somebody else has logged in than the user of the id_token_hint.')
    const isEnough = isAssured(request.acrValues, session?.family.amr)
    // Who has just logged in and has no second factor would be asked again without end (RFC 9470, section 5).
    if (isAsked && !isEnough && !hasFactor(session.user.factors)) return refusal('unmet_authentication_requirements', 'The user cannot prove who it is as the client wants it.')
    if (!session || !isEnough || (isOther && !isAsked) || !isRecent(request, session, askedAt, now)) {
      return isSilent ? refusal('login_required', 'The user has to log in.') : { kind: 'log-in' }
    }
    if (this.#needsConsent(request, session, now)) {
      return isSilent ? refusal('consent_required', 'The user has to let the client in.') : { kind: 'consent', decision: await this.#ask(request, session, now) }
    }
    return { kind: 'code', code: await this.#code(request, session, device, now) }
  }

  /** What a user let in by a decision of this log-in's; undefined where the page stood open for too long, asked somebody else, or of a client that is another by now. `now` in milliseconds. */
  async allow (decision: string, session: Session, device: Device, now: number): Promise<{ request: Grantable, code: string } | undefined> {
    const decided = await open('decision', decision, this.#parts.keyRing.findSecret) as Decision | undefined
    if (!decided || decided.session !== session.family.id || decided.expiresAt <= now) return undefined
    const { clientId, ...asked } = decided.request
    const client = await this.#parts.clients.find(clientId, now)
    if (!client || !isRedirectUriOf(client.redirectUris, asked.redirectUri)) return undefined
    const request = { ...asked, client }
    this.#parts.record({ kind: 'consent.given', at: now, userId: session.user.id, clientId, familyId: session.family.id, ...device, details: { scope: asked.scope.join(' ') } })
    return { request, code: await this.#code(request, session, device, now) }
  }

  #subjectOf (idToken: string): unknown {
    try {
      return (this.#parts.keyRing.readIdToken(idToken) as { sub?: unknown }).sub
    } catch {
      return undefined
    }
  }

  #needsConsent (request: AuthorizationRequest, { user }: Session, now: number): boolean {
    if (request.client.isOurs) return false
    return request.prompts.includes('consent') || !isKnownPlace(request) || !user.families.some(family => isLive(family, now, this.#parts.families) && covers(family, request))
  }

  async #ask ({ client, redirectUri, state, scope, audience, challenge, nonce }: AuthorizationRequest, { family }: Session, now: number): Promise<string> {
    const decision: Decision = { session: family.id, request: { clientId: client.id, redirectUri, state, scope, audience, challenge, nonce }, expiresAt: now + DECISION_LIFE_MS }
    return await seal('decision', decision, this.#parts.keyRing.refreshSecret)
  }

  async #code (request: Grantable, { user, family }: Session, device: Device, now: number): Promise<string> {
    const { client, redirectUri, challenge, scope, audience, nonce } = request
    const claims: CodeClaims = {
      userId: user.id, familyId: randomUUID(), session: family.id, clientId: client.id, redirectUri, scope: scope.join(' '), audience, authenticatedAt: family.createdAt,
      passwordDigest: digestOf(user.passwordHash), device, expiresAt: now + CODE_LIFE_MS,
      ...(family.amr && { amr: family.amr }), ...(challenge !== undefined && { challenge }), ...(nonce !== undefined && { nonce }),
    }
    return await seal('code', claims, this.#parts.keyRing.refreshSecret)
  }
}

/** Whether a log-in came after the asking. */
function isSince ({ family: { createdAt } }: Session, askedAt: number | undefined): boolean {
  return askedAt !== undefined && createdAt >= askedAt - CLOCKS_MS
}

// What asks for a log-in asks for one after the asking (OpenID Connect Core 1.0, section 3.1.2.1).
function isRecent ({ prompts, maxAge }: AuthorizationRequest, session: Session, askedAt: number | undefined, now: number): boolean {
  if (isSince(session, askedAt)) return true
  const isYoung = maxAge === undefined || now - session.family.createdAt <= maxAge * 1000
  return isYoung && !prompts.includes('login') && !prompts.includes('select_account')
}

/** Of a password hash, to tell whether it is another by now. */
export function digestOf (passwordHash: string): string {
  return createHash('sha256').update(passwordHash).digest('base64url')
}

// A client without a secret is whoever listens at its address, and on a computer of its own anybody may (RFC 8252, section 8.6).
function isKnownPlace ({ client, redirectUri }: AuthorizationRequest): boolean {
  return client.authMethod !== 'none' || redirectUri.startsWith('https:')
}

/** Whether the user let the client do all this before. */
function covers ({ grant }: Family, { client, scope, audience }: AuthorizationRequest): boolean {
  return grant !== undefined && grant.clientId === client.id && isWithinScope(scope, readScope(grant.scope)) && isWithinScope(audience, grant.audience)
}

function refusal (error: string, description: string): Step {
  return { kind: 'refusal', refusal: { error, description } }
}
