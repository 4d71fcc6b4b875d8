// How a presented refresh token moves its family, whosever that is; holds no access token, no HTTP and no driver.
import { closingAt } from '../core/closings.js'
import { familyOf, liveAfter, type Family, type FamilyLimits } from '../core/families.js'
import { decideRefresh } from '../core/refresh-rules.js'
import { addressOf, countRepeats, isElsewhere, markOf, REPEATS_RUNNING } from '../core/refresh-signs.js'
import type { RefreshClaims } from '../core/refresh-token.js'
import type { Advanced, Store, User } from '../store/store.js'

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

export interface RotationParts {
  store: Store
  families: FamilyLimits
  /** How long a closing counts, in milliseconds. */
  closingRetention: number
  record: (event: SecurityEvent) => void
}

/** A refresh token as it was presented. `now` in milliseconds; `by` is who did, as `markOf` writes it; `clientId` as which client, or by Signet's own routes. */
interface Presentation { claims: RefreshClaims, by: string, clientId: string | undefined, now: number }

export class Rotation {
  readonly #parts: RotationParts

  constructor (parts: RotationParts) {
    this.#parts = parts
  }

  /**
   * The family of an authentic token as the next pair is of, or the one that stands, once more, and the roles of its user now; undefined where the token is good for nothing. A token of another client's changes nothing
   * (RFC 6749, section 10.4). `now` in milliseconds.
   */
  async advance (claims: RefreshClaims, clientId: string | undefined, device: Device, now: number): Promise<Advanced | undefined> {
    const presentation = { claims, by: markOf(device), clientId, now }
    // Nearly every refresh is of the token that stands: the write carries that condition, and only a miss asks why.
    return await this.#move(presentation, claims.generation, claims.generation + 1) ?? await this.#judge(presentation)
  }

  /**
   * The user and the log-in by Signet's own routes that an authentic token stands for now, without moving it; undefined where it is good for nothing. A used one closes its family, and one of a client's changes
   * nothing. `now` in milliseconds.
   */
  async look (claims: RefreshClaims, now: number): Promise<{ user: User, family: Family } | undefined> {
    const user = await this.#parts.store.findUser(claims.userId)
    const family = familyOf(user, claims.familyId)
    if (family?.grant) return undefined
    const { kind } = decideRefresh(family, claims.generation, now, this.#parts.families)
    if (kind === 'advance' || kind === 'repeat') return { user: user!, family: family! }
    if (kind === 'reused') await this.#closeReused(claims, now)
    return undefined
  }

  async #move ({ claims: { userId, familyId }, by, clientId, now }: Presentation, from: number, to: number): Promise<Advanced | undefined> {
    return await this.#parts.store.advanceFamily({ userId, familyId, from, to, clientId, now, by, live: liveAfter(now, this.#parts.families) })
  }

  async #judge (presentation: Presentation): Promise<Advanced | undefined> {
    const { claims, clientId, now } = presentation
    const { store, families, record } = this.#parts
    const user = await store.findUser(claims.userId)
    const family = familyOf(user, claims.familyId)
    if (family?.grant?.clientId !== clientId) return undefined
    const verdict = decideRefresh(family, claims.generation, now, families)
    if (verdict.kind === 'repeat') {
      await this.#watchRepeat(presentation, family!)
      return { family: family!, roles: user!.roles }
    }
    if (verdict.kind === 'advance') {
      const moved = await this.#move(presentation, verdict.from, verdict.to)
      // Missed again means that a racer moved first; then the rules see where the family stands now.
      if (!moved) return await this.#judge(presentation)
      if (claims.generation > verdict.from) record({ event: 'refresh_token_ahead', ...claims, storedGeneration: verdict.from })
      return moved
    }
    if (verdict.kind === 'reused') await this.#closeReused(claims, now)
    return undefined
  }

  async #closeReused (claims: RefreshClaims, now: number): Promise<void> {
    await this.#parts.store.closeFamily({ userId: claims.userId, familyId: claims.familyId, closing: closingAt(now, this.#parts.closingRetention) })
    this.#parts.record({ event: 'refresh_token_reused', ...claims })
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
}
