// How a presented refresh token moves its family, whosever that is; holds no access token, no HTTP and no driver.
import { closingAt } from '../core/closings.js'
import type { EventDetails, EventKind, RecordEvent } from '../core/events.js'
import { familyOf, liveAfter, type Family, type FamilyLimits } from '../core/families.js'
import { SILENT, type Meter } from '../core/metrics.js'
import { decideRefresh } from '../core/refresh-rules.js'
import { addressOf, countRepeats, isElsewhere, markOf, REPEATS_RUNNING } from '../core/refresh-signs.js'
import type { RefreshClaims } from '../core/refresh-token.js'
import type { Advanced, Store, User } from '../store/store.js'

/** Where a request came from. */
export interface Device { ip: string, userAgent: string | null }

export interface RotationParts {
  store: Store
  families: FamilyLimits
  /** How long a closing counts, in milliseconds. */
  closingRetention: number
  record: RecordEvent
  meter?: Meter | undefined
}

/** A refresh token as it was presented. `now` in milliseconds; `by` is who did, as `markOf` writes it; `clientId` as which client, or by Signet's own routes. */
interface Presentation { claims: RefreshClaims, device: Device, by: string, clientId: string | undefined, now: number }

/** As much of one as an event tells of. */
type Presented = Pick<Presentation, 'claims' | 'now'> & Partial<Presentation>

export class Rotation {
  readonly #parts: RotationParts

  constructor (parts: RotationParts) {
    this.#parts = parts
  }

  /**
   * The family of an authentic token, or undefined of any other, as the next pair is of, or the one that stands, once more, and the roles of its user now; undefined where the token is good for nothing. A token of another client's changes nothing
   * (RFC 6749, section 10.4). `now` in milliseconds.
   */
  async advance (claims: RefreshClaims | undefined, clientId: string | undefined, device: Device, now: number): Promise<Advanced | undefined> {
    if (!claims) return this.#count('refused', undefined)
    const presentation = { claims, device, by: markOf(device), clientId, now }
    // Nearly every refresh is of the token that stands: the write carries that condition, and only a miss asks why.
    const moved = await this.#move(presentation, claims.generation, claims.generation + 1)
    return moved ? this.#count('advanced', moved) : await this.#judge(presentation)
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
    if (kind === 'reused') await this.#closeReused({ claims, now })
    return undefined
  }

  async #move ({ claims: { userId, familyId }, by, clientId, now }: Presentation, from: number, to: number): Promise<Advanced | undefined> {
    return await this.#parts.store.advanceFamily({ userId, familyId, from, to, clientId, now, by, live: liveAfter(now, this.#parts.families) })
  }

  async #judge (presentation: Presentation): Promise<Advanced | undefined> {
    const { claims, clientId, now } = presentation
    const { store, families } = this.#parts
    const user = await store.findUser(claims.userId)
    const family = familyOf(user, claims.familyId)
    if (family?.grant?.clientId !== clientId) return this.#count('refused', undefined)
    const verdict = decideRefresh(family, claims.generation, now, families)
    if (verdict.kind === 'repeat') {
      await this.#watchRepeat(presentation, family!)
      return this.#count('repeated', { family: family!, roles: user!.roles })
    }
    if (verdict.kind === 'advance') {
      const moved = await this.#move(presentation, verdict.from, verdict.to)
      // Missed again means that a racer moved first; then the rules see where the family stands now.
      if (!moved) return await this.#judge(presentation)
      if (claims.generation > verdict.from) this.#record('refresh.ahead', presentation, { stored_generation: verdict.from })
      return this.#count('advanced', moved)
    }
    if (verdict.kind === 'reused') await this.#closeReused(presentation)
    return this.#count(verdict.kind === 'reused' ? 'reused' : 'refused', undefined)
  }

  async #closeReused (presented: Presented): Promise<void> {
    const { claims: { userId, familyId }, clientId, device, now } = presented
    const { closingRetention, record, store } = this.#parts
    const wasOpen = await store.closeFamily({ userId, familyId, closing: closingAt(now, closingRetention) })
    this.#record('refresh.reused', presented)
    if (wasOpen) record({ kind: 'family.closed', at: now, userId, clientId, familyId, ...device, details: { cause: 'reused' } })
  }

  async #watchRepeat (presentation: Presentation, family: Family): Promise<void> {
    const { claims: { userId, familyId }, by } = presentation
    if (isElsewhere(family, by)) this.#record('refresh.repeated_elsewhere', presentation, { rotated_from: addressOf(family.rotatedBy!) })
    const running = countRepeats(family)
    if (running === undefined) return
    const isFirst = await this.#parts.store.noteRepeat({ userId, familyId, generation: family.generation, running })
    if (isFirst && running === REPEATS_RUNNING) this.#record('refresh.repeated_in_a_row', presentation, { rotations: running })
  }

  #count<Found> (outcome: string, found: Found): Found {
    const { meter = SILENT } = this.#parts
    meter.count('signet_refreshes_total', [outcome])
    return found
  }

  #record (kind: EventKind, { claims: { userId, familyId, generation }, clientId, device, now }: Presented, details: EventDetails = {}): void {
    this.#parts.record({ kind, at: now, userId, clientId, familyId, ...device, details: { generation, ...details } })
  }
}
