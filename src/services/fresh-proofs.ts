// Use case of a proof that whoever holds an access token is its user, before what a thief of one would change; holds no HTTP and no driver.
import { familyOf } from '../core/families.js'
import { AuthError } from '../errors.js'
import type { AccountService } from './account-service.js'
import type { Device } from './rotation.js'
import type { Caller } from './token-service.js'

/** A log-in that is not older than this is a proof, in milliseconds. */
const FRESH_MS = 600_000

export interface FreshProofParts { accounts: Pick<AccountService, 'proveCaller'> }

export class FreshProofs {
  readonly #parts: FreshProofParts

  constructor (parts: FreshProofParts) {
    this.#parts = parts
  }

  /**
   * Passes who has just logged in, or brings the password. `now` in milliseconds. Throws `fresh_log_in_needed`; of a password `wrong_password`, after the last guess
   * that is left to the caller's family closing it, `rate_limited`, `busy`.
   */
  async assert (caller: Caller, password: string | undefined, device: Device, now: number): Promise<void> {
    if (password !== undefined) return await this.#parts.accounts.proveCaller(caller, password, device, now)
    const { createdAt } = familyOf(caller.user, caller.familyId)!
    if (now - createdAt >= FRESH_MS) throw new AuthError('fresh_log_in_needed')
  }
}
