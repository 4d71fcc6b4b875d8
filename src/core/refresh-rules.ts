// What a presented refresh token means for its family (RFC 9700, section 4.14); holds no I/O and no clock.
import { isLive, type Family, type FamilyLimits } from './families.js'

export type RefreshVerdict =
  /** The store stands at `from`; move it to `to` and answer with `to`. */
  | { kind: 'advance', from: number, to: number }
  /** A lost answer or a second tab: answer with the generation that stands. */
  | { kind: 'repeat' }
  /** Somebody holds a token that was replaced: close the family. */
  | { kind: 'reused' }
  | { kind: 'dead' }

/**
 * Decides on an authentic token of generation `presented`; `family` as it stands, or undefined if closed or unknown.
 * A generation beyond the stored one proves that a lazy write was lost, for only the authority makes tokens.
 * `now` and the limits in milliseconds.
 */
export function decideRefresh (family: Family | undefined, presented: number, now: number, limits: FamilyLimits): RefreshVerdict {
  if (!family || !isLive(family, now, limits)) return { kind: 'dead' }
  if (presented >= family.generation) return { kind: 'advance', from: family.generation, to: presented + 1 }
  // A rotation that is yet to come was made by another server's clock, or before this one was set back. How long ago, nobody knows: a
  // little is borne like a little lateness, and more would have a thief answered until the clock comes by again.
  if (presented === family.generation - 1 && Math.abs(now - family.advancedAt) < limits.grace) return { kind: 'repeat' }
  return { kind: 'reused' }
}
