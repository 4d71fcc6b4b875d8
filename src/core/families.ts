// What a token family is and when it lives; holds no storage and no clock.

/** What a user let a client do: the tokens of its family are this client's, of this scope (RFC 6749, section 3.3), and for these audiences. Of the whole of it a token may have a part. */
export interface Grant {
  clientId: string
  scope: string
  audience: string[]
  /** When the user proved who it is, in milliseconds. */
  authenticatedAt: number
  /** How (RFC 8176, section 2); absent: by the password alone. */
  amr?: string[] | undefined
}

/** One log-in on one device, or a client that the user let in. Times are milliseconds since the epoch. */
export interface Family {
  id: string
  /** The generation of the only refresh token that moves this family forward. */
  generation: number
  createdAt: number
  /** When the current generation began, which is when the family was last used. */
  advancedAt: number
  userAgent: string | null
  ip: string
  /** Who rotated its token last, as `markOf` writes it; nobody where that was before Signet kept it. */
  rotatedBy?: string | undefined
  /** The last generation whose rotation was repeated, and how many were so without a gap, this one included. */
  repeats?: { at: number, running: number } | undefined
  /** Its number in the status lists; none where it was opened before there were any, or without them. */
  serial?: number | undefined
  /** None where it is a log-in by Signet's own routes. */
  grant?: Grant | undefined
  /** How the user proved who it is at the log-in (RFC 8176, section 2); absent: by the password alone. */
  amr?: string[] | undefined
}

/** A family that a log-in from a device opens at `now`, in milliseconds; `serial` where there are status lists. */
export function newFamily (id: string, { ip, userAgent }: Pick<Family, 'ip' | 'userAgent'>, now: number, serial?: number): Family {
  return { id, generation: 0, createdAt: now, advancedAt: now, userAgent, ip, ...(serial !== undefined && { serial }) }
}

/** The ages of a family and its tokens, in milliseconds. */
export interface FamilyLimits {
  /** A family unused for this long is dead. */
  idle: number
  /** A family this old is dead, however busy (ASVS 10.4.8). */
  absolute: number
  /** For this long after a rotation the predecessor is answered with its successor, and for as long before it, should the clock be set back. */
  grace: number
}

/**
 * The instants that a live family's times must lie after, for a store's condition. Milliseconds. A time that is yet to come was written
 * by a clock that was ahead; it counts as now, so nobody is logged out for it, and the next refresh brings it back.
 */
export interface LiveAfter { createdAfter: number, advancedAfter: number }

/** `now` in milliseconds. */
export function liveAfter (now: number, limits: FamilyLimits): LiveAfter {
  return { createdAfter: now - limits.absolute, advancedAfter: now - limits.idle }
}

export function isLive (family: Family, now: number, limits: FamilyLimits): boolean {
  return livesAfter(family, liveAfter(now, limits))
}

export function livesAfter (family: Family, after: LiveAfter): boolean {
  return family.createdAt > after.createdAfter && family.advancedAt > after.advancedAfter
}

/** The instant at which the family dies if nobody uses it again. `now` and the answer in milliseconds since the epoch. */
export function expiresAt ({ createdAt, advancedAt }: Family, now: number, { absolute, idle }: FamilyLimits): number {
  return Math.min(Math.min(createdAt, now) + absolute, Math.min(advancedAt, now) + idle)
}

/** Those that live. `now` in milliseconds. */
export function liveFamilies (families: readonly Family[], now: number, limits: FamilyLimits): Family[] {
  return families.filter(family => isLive(family, now, limits))
}

/** So many of the `limit` families that a user may have one client may hold: the rest is for the user's own log-ins and for other clients, whatever this one opens. */
export function shareOf (limit: number): number {
  return Math.ceil(limit / 2)
}

/** A user's family of this id; undefined where there is no such user, or no such family. */
export function familyOf (user: { families: Family[] } | undefined, familyId: string | undefined): Family | undefined {
  return user?.families.find(({ id }) => id === familyId)
}
