// What is issued for a family: its access tokens and its refresh token; holds no rule of when, no HTTP and no driver.
import { randomUUID } from 'node:crypto'
import { accessTokenClaims, clientTokenClaims, type AccessTokenSettings, type AccessTokenSubject, type Party } from '../core/access-token.js'
import { expiresAt, type Family, type FamilyLimits, type Grant } from '../core/families.js'
import { writeRefreshToken } from '../core/refresh-token.js'
import { AuthError } from '../errors.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'
import type { StatusPlaces } from './status-places.js'

export interface IssuingParts {
  store: Store
  keyRing: KeyRing
  accessToken: AccessTokenSettings
  families: FamilyLimits
  /** Undefined: access tokens name no status list. */
  places: StatusPlaces | undefined
}

/** Whose the tokens are, and what they say of that user beside. */
export type Subject = Pick<User, 'id' | 'roles'>

export class Issuing {
  readonly #parts: IssuingParts

  constructor (parts: IssuingParts) {
    this.#parts = parts
  }

  /** An access token of a log-in. `now` in milliseconds. Throws `invalid_grant` where the family was closed meanwhile. */
  async accessToken (subject: Subject, family: Family, now: number): Promise<string> {
    const { keyRing, accessToken } = this.#parts
    return await keyRing.sign(accessTokenClaims(await this.#subject(subject, family, { authenticatedAt: family.createdAt, amr: family.amr }, now), randomUUID(), now, accessToken))
  }

  /** An access token of what a user let a client do, or of a part of it. `now` in milliseconds. Throws `invalid_grant` where the family was closed meanwhile. */
  async clientToken (subject: Subject, family: Family, party: Party, now: number): Promise<string> {
    const { keyRing, accessToken } = this.#parts
    return await keyRing.sign(clientTokenClaims(await this.#subject(subject, family, family.grant!, now), party, randomUUID(), now, accessToken))
  }

  /** The refresh token of a family as it stands, and for how many seconds it is good if nobody uses it. `now` in milliseconds. */
  refreshToken (userId: string, family: Family, now: number): { refreshToken: string, refreshTokenExpiresIn: number } {
    return {
      refreshToken: writeRefreshToken({ userId, familyId: family.id, generation: family.generation }, this.#parts.keyRing.refreshSecret),
      refreshTokenExpiresIn: Math.floor((expiresAt(family, now, this.#parts.families) - now) / 1000),
    }
  }

  // A family of before there were status lists gets its number at its next refresh, in a write of its own, once.
  async #subject ({ id: userId, roles }: Subject, { id, serial }: Family, { authenticatedAt, amr }: Pick<Grant, 'authenticatedAt' | 'amr'>, now: number): Promise<AccessTokenSubject> {
    const { places, store } = this.#parts
    const subject = { userId, familyId: id, authenticatedAt, amr, roles }
    if (!places) return subject
    const number = serial ?? await store.numberFamily(userId, id, await places.take(now))
    if (number === undefined) throw new AuthError('invalid_grant')
    return { ...subject, status: await places.claimOf(number, now) }
  }
}
