// Spans of time by a clock that may be set back; holds no clock.

/** Whether `now` lies within so many milliseconds after `since`. A clock that was set back makes nothing last longer. */
export function isWithin (now: number, since: number, milliseconds: number): boolean {
  return now >= since && now < since + milliseconds
}
