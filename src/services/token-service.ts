// Use cases of tokens: opening, refreshing, listing and closing families; holds no HTTP, no driver, no password rule.
import { randomUUID } from 'node:crypto'
import { accessTokenClaims, type AccessTokenClaims, type AccessTokenSettings } from '../core/access-token.js'
import { closingAt, type ClosingTime } from '../core/closings.js'
import { expiresAt, isLive, liveAfter, newFamily, type Family, type FamilyLimits } from '../core/families.js'
import { decideRefresh } from '../core/refresh-rules.js'
import { addressOf, countRepeats, isElsewhere, markOf, REPEATS_RUNNING } from '../core/refresh-signs.js'
import { readRefreshToken, writeRefreshToken, type RefreshClaims } from '../core/refresh-token.js'
import type { StatusClaim } from '../core/status-list.js'
import { AuthError } from '../errors.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'
import type { StatusPlaces } from './status-places.js'

/** A pair of tokens and how long each is good, in seconds. */
export interface IssuedTokens { accessToken: string, expiresIn: number, refreshToken: string, refreshTokenExpiresIn: number }

/** Who calls, proved by an access token and by a live family. */
export interface Caller { user: User, familyId: string }

/** Where a request came from. */
export interface Device { ip: string, userAgent: string | null }

/** What an operator must be able to see afterwards. `generation` is that of the token in question. */
export type SecurityEvent = { userId: string, familyId: string, generation: number } & (
  /** It was replaced long ago: somebody has a copy. Its family is closed. */
  | { event: 'refresh_token_reused' }
  /** It was repeated within the grace, but from another address, or by another user agent, than the one that got its successor. */
  | { event: 'refresh_token_repeated_elsewhere', address: string, rotatedFrom: string }
  /** So many rotations running were repeated, which is told when it becomes so. */
  | { event: 'refresh_token_repeated_in_a_row', rotations: number, address: string }
  /** The store knows an older one only: it lost a lazy write, or is a restored backup. */
  | { event: 'refresh_token_ahead', storedGeneration: number }
)

/** A refresh token as it was presented. `now` in milliseconds; `by` is who did, as `markOf` writes it. */
interface Presentation { claims: RefreshClaims, by: string, now: number }

export interface TokenParts {
  store: Store
  keyRing: KeyRing
  accessToken: AccessTokenSettings
  families: FamilyLimits
  maxActive: number
  policy: 'evict' | 'refuse'
  /** How long a closing counts, in milliseconds. */
  closingRetention: number
  /** Undefined: access tokens name no status list. */
  places: StatusPlaces | undefined
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
   * Undefined if the password was changed meanwhile. Throws `too_many_active_tokens` where the policy is to refuse, and `rate_limited` where as many closings count as may.
   */
  async open (user: User, passwordHash: string, device: Device, now: number, held?: RefreshClaims): Promise<IssuedTokens | undefined> {
    const { store, families, maxActive, policy, places, closingRetention } = this.#parts
    const family = newFamily(randomUUID(), device, now, await places?.take(now))
    const closing = this.#closing(now)
    const isOwn = held?.userId === user.id
    const outcome = await store.openFamily({
      userId: user.id, verifiedHash: user.passwordHash, passwordHash, family, live: liveAfter(now, families), limit: maxActive, policy, replaces: isOwn ? held.familyId : undefined, closing,
    })
    if (outcome === 'full') throw new AuthError('too_many_active_tokens')
    if (outcome === 'crowded') throw new AuthError('rate_limited', { retryAfter: Math.ceil(closingRetention / 1000) })
    if (outcome === 'stale') return undefined
    // After it, so that whoever is refused, or gets no answer, still has what the cookie holds, and brings it again.
    if (held && !isOwn) await store.closeFamily({ userId: held.userId, familyId: held.familyId, closing })
    return await this.issue(user.id, family, now)
  }

  /** What an authentic refresh token says, whether or not it is good for anything; undefined of any other. */
  read (refreshToken: string | undefined): RefreshClaims | undefined {
    return refreshToken === undefined ? undefined : readRefreshToken(refreshToken, this.#parts.keyRing.findSecret)
  }

  /** The next pair of a family, or once more the one that stands. `now` in milliseconds. Throws `invalid_grant`. */
  async refresh (refreshToken: string, device: Device, now: number): Promise<IssuedTokens> {
    const claims = this.read(refreshToken)
    if (!claims) throw new AuthError('invalid_grant')
    // Nearly every refresh is of the token that stands: the write carries that condition, and only a miss asks why.
    const presentation = { claims, by: markOf(device), now }
    const family = await this.#advance(presentation, claims.generation, claims.generation + 1) ?? await this.#judge(presentation)
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
      .map(family => ({ ...family, expiresAt: expiresAt(family, now, families) }))
  }

  /** Closes one of the caller's families. `now` in milliseconds. Throws `unknown_token` where the caller has none of this id. */
  async close ({ user }: Caller, familyId: string, now: number): Promise<void> {
    if (UUID.test(familyId) && await this.#parts.store.closeFamily({ userId: user.id, familyId, closing: this.#closing(now) })) return
    throw new AuthError('unknown_token')
  }

  /** Closes the family that the caller came with. `now` in milliseconds. */
  async logout ({ user, familyId }: Caller, now: number): Promise<void> {
    await this.#parts.store.closeFamily({ userId: user.id, familyId, closing: this.#closing(now) })
  }

  /** Closes all of the caller's families and returns how many were live. `now` in milliseconds. */
  async closeAll ({ user }: Caller, now: number): Promise<number> {
    return await this.#parts.store.closeAllFamilies({ userId: user.id, live: liveAfter(now, this.#parts.families), closing: this.#closing(now) })
  }

  #closing (now: number): ClosingTime {
    return closingAt(now, this.#parts.closingRetention)
  }

  #verify (accessToken: string, now: number): AccessTokenClaims {
    try {
      return this.#parts.keyRing.verify(accessToken, this.#parts.accessToken, now)
    } catch (cause) {
      throw new AuthError('invalid_token', { cause })
    }
  }

  async #advance ({ claims: { userId, familyId }, by, now }: Presentation, from: number, to: number): Promise<Family | undefined> {
    return await this.#parts.store.advanceFamily({ userId, familyId, from, to, now, by, live: liveAfter(now, this.#parts.families) })
  }

  async #judge (presentation: Presentation): Promise<Family> {
    const { claims, now } = presentation
    const { store, families, record } = this.#parts
    const user = await store.findUser(claims.userId)
    const family = user && familyOf(user, claims.familyId)
    const verdict = decideRefresh(family, claims.generation, now, families)
    if (verdict.kind === 'repeat') {
      await this.#watchRepeat(presentation, family!)
      return family!
    }
    if (verdict.kind === 'advance') {
      const moved = await this.#advance(presentation, verdict.from, verdict.to)
      // Missed again means that a racer moved first; then the rules see where the family stands now.
      if (!moved) return await this.#judge(presentation)
      if (claims.generation > verdict.from) record({ event: 'refresh_token_ahead', ...claims, storedGeneration: verdict.from })
      return moved
    }
    if (verdict.kind === 'reused') {
      await store.closeFamily({ userId: claims.userId, familyId: claims.familyId, closing: this.#closing(now) })
      record({ event: 'refresh_token_reused', ...claims })
    }
    throw new AuthError('invalid_grant')
  }

  async #watchRepeat ({ claims, by }: Presentation, family: Family): Promise<void> {
    const { store, record } = this.#parts
    const address = addressOf(by)
    if (isElsewhere(family, by)) record({ event: 'refresh_token_repeated_elsewhere', ...claims, address, rotatedFrom: addressOf(family.rotatedBy!) })
    const running = countRepeats(family)
    if (running === undefined) return
    const { userId, familyId } = claims
    const isFirst = await store.noteRepeat({ userId, familyId, generation: family.generation, running })
    if (isFirst && running === REPEATS_RUNNING) record({ event: 'refresh_token_repeated_in_a_row', ...claims, rotations: running, address })
  }

  /** The pair of a family as it stands. `now` in milliseconds. */
  async issue (userId: string, family: Family, now: number): Promise<IssuedTokens> {
    const { keyRing, accessToken, families } = this.#parts
    const status = await this.#statusOf(userId, family, now)
    const claims = accessTokenClaims({ userId, familyId: family.id, authenticatedAt: family.createdAt, status }, randomUUID(), now, accessToken)
    return {
      accessToken: await keyRing.sign(claims),
      expiresIn: accessToken.ttl,
      refreshToken: writeRefreshToken({ userId, familyId: family.id, generation: family.generation }, keyRing.refreshSecret),
      refreshTokenExpiresIn: Math.floor((expiresAt(family, now, families) - now) / 1000),
    }
  }

  // A family of before there were status lists gets its number at its next refresh, in a write of its own, once.
  async #statusOf (userId: string, { id, serial }: Family, now: number): Promise<StatusClaim | undefined> {
    const { places, store } = this.#parts
    if (!places) return undefined
    if (serial !== undefined) return await places.claimOf(serial, now)
    const given = await store.numberFamily(userId, id, await places.take(now))
    if (given === undefined) throw new AuthError('invalid_grant')
    return await places.claimOf(given, now)
  }
}

function familyOf (user: User, familyId: string): Family | undefined {
  return user.families.find(family => family.id === familyId)
}
