// How far a clock may be believed; holds no clock.

/** What two clocks said at one instant: the wall's, which somebody or something may set, and the time since the process began, which nobody can. Milliseconds. */
export interface Look { wall: number, uptime: number }

/** Clocks that are no further apart agree: those of several machines, and one that is slewed (43 s a day at the most). */
const MARGIN_MS = 300_000
/**
 * For so long must looks agree before anything is done that cannot be undone. A machine that starts without the time has it within minutes, and
 * where it has not, every token that it issues is refused, which somebody notices within hours. Most servers run for longer without a restart.
 */
export const SETTLING_MS = 3 * 3_600_000

/** The first of the looks that agree up to this one, given the first of those up to the one before. */
export function firstInAgreement (first: Look | undefined, look: Look): Look {
  const agrees = first !== undefined && Math.abs((look.wall - look.uptime) - (first.wall - first.uptime)) <= MARGIN_MS
  return agrees ? first : look
}

/** Whether the clock has been in agreement for long enough. */
export function isSettled (first: Look, look: Look): boolean {
  return look.uptime - first.uptime >= SETTLING_MS
}

/** Whether an instant lies in the future, and by more than clocks differ: then one clock is wrong, this one or the one that wrote it. Milliseconds. */
export function isAhead (instant: number, now: number): boolean {
  return instant - now > MARGIN_MS
}
