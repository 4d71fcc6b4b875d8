// What a refresh shows that a thief may be behind, though an honest client can do it too; holds no I/O and no clock.
import { hash } from 'node:crypto'
import type { Family } from './families.js'

/** How many rotations running must be repeated to be a sign: lost answers come one by one, and two clients in step again and again. */
export const REPEATS_RUNNING = 3

/** Who refreshes, to be compared and kept with a family: the address, and a short digest of the user agent, which may be long. */
export function markOf ({ ip, userAgent }: { ip: string, userAgent: string | null }): string {
  return `${ip} ${hash('sha256', userAgent ?? '', 'base64url').slice(0, 8)}`
}

/** The address in a mark. */
export function addressOf (mark: string): string {
  return mark.slice(0, mark.lastIndexOf(' '))
}

/** Whether somebody else repeats a rotation than made it. Of a rotation of which that was not kept, nothing is said. */
export function isElsewhere ({ rotatedBy }: Family, mark: string): boolean {
  return rotatedBy !== undefined && rotatedBy !== mark
}

/** How many rotations running have been repeated now that the last one is; undefined where it was so before. */
export function countRepeats ({ generation, repeats }: Family): number | undefined {
  if (repeats?.at === generation) return undefined
  return repeats?.at === generation - 1 ? repeats.running + 1 : 1
}
