// What a token family is and when it lives; holds no storage and no clock.

/** One log-in on one device. Times are milliseconds since the epoch. */
export interface Family {
  id: string
  /** The generation of the only refresh token that moves this family forward. */
  generation: number
  createdAt: number
  /** When the current generation began, which is when the family was last used. */
  advancedAt: number
  userAgent: string | null
  ip: string
}

/** A family that a log-in from a device opens at `now`, in milliseconds. */
export function newFamily (id: string, { ip, userAgent }: Pick<Family, 'ip' | 'userAgent'>, now: number): Family {
  return { id, generation: 0, createdAt: now, advancedAt: now, userAgent, ip }
}

/** The ages of a family and its tokens, in milliseconds. */
export interface FamilyLimits {
  /** A family unused for this long is dead. */
  idle: number
  /** A family this old is dead, however busy (ASVS 10.4.8). */
  absolute: number
  /** For this long after a rotation the predecessor is answered with its successor. */
  grace: number
}

/** The instants that a live family's times must lie after, for a store's condition. Milliseconds. */
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

/** The instant at which the family dies if nobody uses it again. Milliseconds since the epoch. */
export function expiresAt (family: Family, limits: FamilyLimits): number {
  return Math.min(family.createdAt + limits.absolute, family.advancedAt + limits.idle)
}
