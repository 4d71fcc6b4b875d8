// What is kept of wrong passwords and wrong codes of an account, and whose count is whose; holds no limit and no clock.

/** What is guessed at; each has its own counts. */
export type Guessed = 'password' | 'code'

/** Who guesses: a device that was logged in before, somebody from a network that the account is used from, or anybody else. */
export type Guesser = 'device' | 'known' | 'stranger'

/** Wrong ones since an instant, in milliseconds, by who guessed: of each device by its id, which is a UUID; of all others together. */
export interface Failures { since: number, known: number, stranger: number, devices?: Record<string, number> }

/** Whose count a guess is of: that of the device with this id, or that of all others of a kind. */
export type GuessCount = { by: 'device', device: string } | { by: 'known' | 'stranger' }

/** How many are counted; undefined of a device of which none is. */
export function countedOf (failed: Failures, count: GuessCount): number | undefined {
  return count.by === 'device' ? failed.devices?.[count.device] : failed[count.by]
}
