// What is kept of a family that was closed, and for how long it counts; holds no storage and no clock.
import type { Family } from './families.js'

/** A family that was closed, its serial number in the status lists, if it had one, and when: milliseconds since the epoch. */
export interface Closing { id: string, serial?: number | undefined, at: number }

/** When families are closed, and the instant that earlier closings must lie after to count still. Milliseconds. */
export interface ClosingTime { at: number, countsAfter: number }

/** So many closings of one user may count at once; then no family is opened until the first of them counts no more. */
export const MAX_CLOSINGS = 1_000
/** Beyond so many of them no client opens one: the rest is for the user's own log-ins, so that no client that opens and closes without end locks the user out. */
export const MAX_CLOSINGS_FOR_GRANTS = 500
/** So many of a user's last closings stay on record however old they are: for a clock that is ahead, if only for a moment, makes what counts look old. */
export const LAST_CLOSINGS = 10

/**
 * `retention`, in milliseconds like `now`, is how long a closing counts: until every access token of its family has expired, and a margin for
 * clocks. One by a clock that was ahead counts for as much longer, which changes nothing for anybody: what is closed stays closed.
 */
export function closingAt (now: number, retention: number): ClosingTime {
  return { at: now, countsAfter: now - retention }
}

/** So many closings may count where a family is opened: a log-in, or what a user lets a client do. */
export function maxClosingsFor ({ grant }: Pick<Family, 'grant'>): number {
  return grant ? MAX_CLOSINGS_FOR_GRANTS : MAX_CLOSINGS
}

/** Whether as many of a user's closings count as may. */
export function isCrowded (closed: Closing[] | undefined, { countsAfter }: ClosingTime, max: number): boolean {
  return closed !== undefined && closed.filter(({ at }) => at > countsAfter).length >= max
}
