// Use cases of tokens: opening, refreshing, listing and closing families; holds no HTTP, no driver, no password rule.
import { randomUUID } from 'node:crypto'
import { accessTokenClaims, type AccessTokenClaims, type AccessTokenSettings } from '../core/access-token.js'
import { expiresAt, isLive, liveAfter, newFamily, type Family, type FamilyLimits } from '../core/families.js'
import { decideRefresh } from '../core/refresh-rules.js'
import { readRefreshToken, writeRefreshToken, type RefreshClaims } from '../core/refresh-token.js'
import { AuthError } from '../errors.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'

/** A pair of tokens and how long each is good, in seconds. */
export interface IssuedTokens { accessToken: string, expiresIn: number, refreshToken: string, refreshTokenExpiresIn: number }

/** Who calls, proved by an access token and by a live family. */
export interface Caller { user: User, familyId: string }

/** Where a request came from. */
export interface Device { ip: string, userAgent: string | null }

/** What an operator must be able to see afterwards. */
export interface SecurityEvent { event: 'refresh_token_reused', userId: string, familyId: string, generation: number }

export interface TokenParts {
  store: Store
  keyRing: KeyRing
  accessToken: AccessTokenSettings
  families: FamilyLimits
  maxActive: number
  policy: 'evict' | 'refuse'
  record: (event: SecurityEvent) => void
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

export class TokenService {
  readonly #parts: TokenParts

  constructor (parts: TokenParts) {
    this.#parts = parts
  }

  /**
   * Opens a family for a user whose password was just proved against `user.passwordHash`. `now` in milliseconds.
   * It takes the place of the family that the device holds a token of, whosever that is (ASVS 7.2.4).
   * Undefined if the password was changed meanwhile. Throws `too_many_active_tokens` where the policy is to refuse.
   */
  async open (user: User, passwordHash: string, device: Device, now: number, held?: RefreshClaims): Promise<IssuedTokens | undefined> {
    const { store, families, maxActive, policy } = this.#parts
    const family = newFamily(randomUUID(), device, now)
    const isOwn = held?.userId === user.id
    const outcome = await store.openFamily({
      userId: user.id, verifiedHash: user.passwordHash, passwordHash, family, live: liveAfter(now, families), limit: maxActive, policy, replaces: isOwn ? held.familyId : undefined,
    })
    if (outcome === 'full') throw new AuthError('too_many_active_tokens')
    if (outcome === 'stale') return undefined
    // After it, so that whoever is refused, or gets no answer, still has what the cookie holds, and brings it again.
    if (held && !isOwn) await store.closeFamily(held.userId, held.familyId)
    return await this.issue(user.id, family, now)
  }

  /** What an authentic refresh token says, whether or not it is good for anything; undefined of any other. */
  read (refreshToken: string | undefined): RefreshClaims | undefined {
    return refreshToken === undefined ? undefined : readRefreshToken(refreshToken, this.#parts.keyRing.findSecret)
  }

  /** The next pair of a family, or once more the one that stands. `now` in milliseconds. Throws `invalid_grant`. */
  async refresh (refreshToken: string, _device: Device, now: number): Promise<IssuedTokens> {
    const claims = this.read(refreshToken)
    if (!claims) throw new AuthError('invalid_grant')
    // Nearly every refresh is of the token that stands: the write carries that condition, and only a miss asks why.
    const family = await this.#advance(claims, claims.generation, claims.generation + 1, now) ?? await this.#judge(claims, now)
    return await this.issue(claims.userId, family, now)
  }

  /** The caller that an access token stands for. `now` in milliseconds. Throws `invalid_token`. */
  async identify (accessToken: string, now: number): Promise<Caller> {
    const { store, families } = this.#parts
    const { sub, sid } = this.#verify(accessToken, now)
    const user = await store.findUser(sub)
    const family = user && familyOf(user, sid)
    if (!family || !isLive(family, now, families)) throw new AuthError('invalid_token')
    return { user, familyId: family.id }
  }

  /** The caller's live families, the last used first, each with the instant of its end. `now` in milliseconds. */
  list ({ user }: Caller, now: number): Array<Family & { expiresAt: number }> {
    const { families } = this.#parts
    return user.families
      .filter(family => isLive(family, now, families))
      .sort((one, other) => other.advancedAt - one.advancedAt)
      .map(family => ({ ...family, expiresAt: expiresAt(family, families) }))
  }

  /** Closes one of the caller's families. Throws `unknown_token` where the caller has none of this id. */
  async close ({ user }: Caller, familyId: string): Promise<void> {
    if (UUID.test(familyId) && await this.#parts.store.closeFamily(user.id, familyId)) return
    throw new AuthError('unknown_token')
  }

  /** Closes the family that the caller came with. */
  async logout ({ user, familyId }: Caller): Promise<void> {
    await this.#parts.store.closeFamily(user.id, familyId)
  }

  /** Closes all of the caller's families and returns how many were live. `now` in milliseconds. */
  async closeAll ({ user }: Caller, now: number): Promise<number> {
    return await this.#parts.store.closeAllFamilies(user.id, liveAfter(now, this.#parts.families))
  }

  #verify (accessToken: string, now: number): AccessTokenClaims {
    try {
      return this.#parts.keyRing.verify(accessToken, this.#parts.accessToken, now)
    } catch (cause) {
      throw new AuthError('invalid_token', { cause })
    }
  }

  async #advance ({ userId, familyId }: RefreshClaims, from: number, to: number, now: number): Promise<Family | undefined> {
    return await this.#parts.store.advanceFamily({ userId, familyId, from, to, now, live: liveAfter(now, this.#parts.families) })
  }

  async #judge (claims: RefreshClaims, now: number): Promise<Family> {
    const { store, families, record } = this.#parts
    const user = await store.findUser(claims.userId)
    const family = user && familyOf(user, claims.familyId)
    const verdict = decideRefresh(family, claims.generation, now, families)
    if (verdict.kind === 'repeat') return family!
    if (verdict.kind === 'advance') {
      // Missed again means that a racer moved first; then the rules see where the family stands now.
      return await this.#advance(claims, verdict.from, verdict.to, now) ?? await this.#judge(claims, now)
    }
    if (verdict.kind === 'reused') {
      await store.closeFamily(claims.userId, claims.familyId)
      record({ event: 'refresh_token_reused', ...claims })
    }
    throw new AuthError('invalid_grant')
  }

  /** The pair of a family as it stands. `now` in milliseconds. */
  async issue (userId: string, family: Family, now: number): Promise<IssuedTokens> {
    const { keyRing, accessToken, families } = this.#parts
    const claims = accessTokenClaims({ userId, familyId: family.id, authenticatedAt: family.createdAt }, randomUUID(), now, accessToken)
    return {
      accessToken: await keyRing.sign(claims),
      expiresIn: accessToken.ttl,
      refreshToken: writeRefreshToken({ userId, familyId: family.id, generation: family.generation }, keyRing.refreshSecret),
      refreshTokenExpiresIn: Math.floor((expiresAt(family, families) - now) / 1000),
    }
  }
}

function familyOf (user: User, familyId: string): Family | undefined {
  return user.families.find(family => family.id === familyId)
}
