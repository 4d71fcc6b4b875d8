// Use cases of tokens: opening, refreshing, listing and closing families; holds no HTTP, no driver, no password rule.
import { randomUUID } from 'node:crypto'
import type { AccessTokenClaims } from '../core/access-token.js'
import { PASSWORD_ALONE } from '../core/assurance.js'
import { closingAt, type ClosingTime } from '../core/closings.js'
import { MAX_KEPT, readDeviceToken, writeDeviceToken, type DeviceClaims } from '../core/device-token.js'
import type { Cause, EventDetails } from '../core/events.js'
import { versionOf, type Factors } from '../core/factors.js'
import { expiresAt, familyOf, isLive, liveAfter, liveFamilies, newFamily, type Family } from '../core/families.js'
import { readRefreshToken, type RefreshClaims } from '../core/refresh-token.js'
import { isUuid } from '../core/uuids.js'
import { AuthError } from '../errors.js'
import type { User } from '../store/store.js'
import { Evictions } from './evictions.js'
import { Issuing, type IssuingParts, type Subject } from './issuing.js'
import { Rotation, type Device, type RotationParts } from './rotation.js'

/** A pair of tokens and how long each is good, in seconds; and what the device shows at its next log-in. */
export interface IssuedTokens { accessToken: string, expiresIn: number, refreshToken: string, refreshTokenExpiresIn: number, deviceToken: string }

/** Who calls, proved by an access token and by a live family; and from where, as far as events tell of it. */
export interface Caller { user: User, familyId: string, device?: Device }

/** How a user was proved beside the password: by what (RFC 8176, section 2), and what that leaves of the factors. */
export interface SecondProof { amr: string[], factors: Factors }

export interface TokenParts extends RotationParts, IssuingParts {
  maxActive: number
  policy: 'evict' | 'refuse'
}

export class TokenService {
  readonly #parts: TokenParts
  readonly #rotation: Rotation
  readonly #issuing: Issuing
  readonly #evictions: Evictions

  constructor (parts: TokenParts) {
    this.#parts = parts
    this.#evictions = new Evictions(parts)
    this.#rotation = new Rotation(parts)
    this.#issuing = new Issuing(parts)
  }

  /**
   * Opens a family for a user whose password was just proved against `user.passwordHash`. `now` in milliseconds.
   * It takes the place of the family that the device holds a token of, whosever that is (ASVS 7.2.4); by that, or by the device tokens that it shows, it is known. What a second factor leaves is kept in the same write.
   * Undefined if the password, the roles or the factors were changed meanwhile, or the user disabled. Throws `too_many_active_tokens` where the policy is to refuse, and `rate_limited` where as many closings count as may.
   */
  async open (user: User, passwordHash: string, device: Device, now: number, held?: RefreshClaims, devices: DeviceClaims[] = [], proof?: SecondProof): Promise<IssuedTokens | undefined> {
    const { store, families, maxActive, policy, places, closingRetention, record } = this.#parts
    const family: Family = { ...newFamily(randomUUID(), device, now, await places?.take(now)), ...(proof && { amr: proof.amr }) }
    const closing = this.#closing(now)
    const isOwn = held?.userId === user.id
    const outcome = await store.openFamily({
      userId: user.id, verifiedHash: user.passwordHash, passwordHash, roles: user.roles, verifiedFactors: versionOf(user.factors), factors: proof?.factors, family, live: liveAfter(now, families), limit: maxActive, policy, replaces: isOwn ? held.familyId : undefined, closing,
    })
    if (outcome === 'full' || outcome === 'crowded') {
      record({ kind: 'login.failed', at: now, userId: user.id, ...device, details: { reason: outcome === 'full' ? 'too_many_devices' : 'too_many_closings' } })
      throw outcome === 'full' ? new AuthError('too_many_active_tokens') : new AuthError('rate_limited', { retryAfter: Math.ceil(closingRetention / 1000) })
    }
    if (outcome !== 'opened') return undefined
    record({ kind: 'login.succeeded', at: now, userId: user.id, familyId: family.id, ...device, details: { is_new_device: !isOwn && !devices.some(({ userId }) => userId === user.id), methods: (proof?.amr ?? PASSWORD_ALONE).join(' ') } })
    await this.#evictions.record({ before: user, replaced: isOwn ? held.familyId : undefined, by: family, limit: maxActive, device, now })
    // After it, so that whoever is refused, or gets no answer, still has what the cookie holds, and brings it again.
    if (held && !isOwn && await store.closeFamily({ userId: held.userId, familyId: held.familyId, closing })) record({ kind: 'family.closed', at: now, userId: held.userId, familyId: held.familyId, ...device, details: { cause: 'replaced' } })
    return await this.issue(user, family, now)
  }

  /** What an authentic refresh token says, whether or not it is good for anything; undefined of any other. */
  read (refreshToken: string | undefined): RefreshClaims | undefined {
    return refreshToken === undefined ? undefined : readRefreshToken(refreshToken, this.#parts.keyRing.findSecret)
  }

  /** What those of these device tokens say that are authentic, at most as many as one browser has and one beside them. `now` in milliseconds. */
  readDevices (deviceTokens: string[], now: number): DeviceClaims[] {
    return deviceTokens.slice(0, MAX_KEPT + 1).flatMap(token => readDeviceToken(token, now, this.#parts.keyRing.findSecret) ?? [])
  }

  /** The next pair of a family, or once more the one that stands. `now` in milliseconds. Throws `invalid_grant`. */
  async refresh (refreshToken: string, device: Device, now: number): Promise<IssuedTokens> {
    const claims = this.read(refreshToken)
    const advanced = await this.#rotation.advance(claims, undefined, device, now)
    if (!claims || !advanced) throw new AuthError('invalid_grant')
    return await this.issue({ id: claims.userId, roles: advanced.roles }, advanced.family, now)
  }

  /** The caller that an access token stands for. `now` in milliseconds. Throws `invalid_token`. */
  async identify (accessToken: string, now: number): Promise<Caller> {
    const { store, families } = this.#parts
    const { sub, sid } = this.#verify(accessToken, now)
    const user = await store.findUser(sub)
    const family = familyOf(user, sid)
    // What a client was let do is for other doors than the owner's own.
    if (!user || !family || family.grant || !isLive(family, now, families)) throw new AuthError('invalid_token')
    return { user, familyId: family.id }
  }

  /** The caller's live families, the last used first, each with the instant of its end. `now` in milliseconds. */
  list ({ user }: Caller, now: number): Array<Family & { expiresAt: number }> {
    const { families } = this.#parts
    return liveFamilies(user.families, now, families)
      .sort((one, other) => other.advancedAt - one.advancedAt)
      .map(family => ({ ...family, expiresAt: expiresAt(family, now, families) }))
  }

  /** Closes one of the caller's families. `now` in milliseconds. Throws `unknown_token` where the caller has none of this id. */
  async close (caller: Caller, familyId: string, now: number): Promise<void> {
    if (!isUuid(familyId) || !await this.#closeOne(caller.user.id, familyId, now)) throw new AuthError('unknown_token')
    this.#recordClosing(caller, 'revoked', now, { familyId })
  }

  /** Closes the family that the caller came with. `now` in milliseconds. */
  async logout (caller: Caller, now: number): Promise<void> {
    const { user, familyId } = caller
    if (await this.#closeOne(user.id, familyId, now)) this.#recordClosing(caller, 'logout', now, { familyId })
  }

  /** Closes all of the caller's families and returns how many were live. `now` in milliseconds. */
  async closeAll (caller: Caller, now: number): Promise<number> {
    const count = await this.#parts.store.closeAllFamilies({ userId: caller.user.id, live: liveAfter(now, this.#parts.families), closing: this.#closing(now) })
    this.#recordClosing(caller, 'revoked_all', now, { details: { count } })
    return count
  }

  async #closeOne (userId: string, familyId: string, now: number): Promise<boolean> {
    return await this.#parts.store.closeFamily({ userId, familyId, closing: this.#closing(now) })
  }

  #recordClosing ({ user, device }: Caller, cause: Cause, now: number, { familyId, details }: { familyId?: string, details?: EventDetails }): void {
    this.#parts.record({ kind: 'family.closed', at: now, userId: user.id, familyId, ...device, details: { cause, ...details } })
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

  /** The pair of a family as it stands. `now` in milliseconds. */
  async issue (subject: Subject, family: Family, now: number): Promise<IssuedTokens> {
    return { accessToken: await this.#issuing.accessToken(subject, family, now), expiresIn: this.#parts.accessToken.ttl, ...this.#issuing.refreshToken(subject.id, family, now), deviceToken: writeDeviceToken({ userId: subject.id, deviceId: family.id }, now, this.#parts.keyRing.refreshSecret) }
  }
}
