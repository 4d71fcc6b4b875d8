// Use case of a proof that whoever holds an access token is its user, before what a thief of one would change; holds no HTTP and no driver.
import type { RecordEvent } from '../core/events.js'
import { hasFactor, versionOf } from '../core/factors.js'
import { familyOf, liveAfter, type FamilyLimits } from '../core/families.js'
import { isCode } from '../core/totp.js'
import { AuthError } from '../errors.js'
import type { Store } from '../store/store.js'
import type { AccountService } from './account-service.js'
import type { CodeGuesses } from './code-guesses.js'
import type { FactorProof, FactorProofs } from './factor-proofs.js'
import type { Device } from './rotation.js'
import type { Caller } from './token-service.js'

/** A log-in that is not older than this is a proof, in milliseconds. */
const FRESH_MS = 600_000

/** What a caller brings: the password, as it was typed, and a code of the app, or a recovery code. */
export interface CallerProof { password?: string | undefined, code?: string | undefined }

export interface FreshProofParts {
  accounts: Pick<AccountService, 'proveCaller'>
  store: Pick<Store, 'findUser' | 'changeFactors'>
  proofs: FactorProofs
  guesses: CodeGuesses
  families: FamilyLimits
  record: RecordEvent
}

export class FreshProofs {
  readonly #parts: FreshProofParts

  constructor (parts: FreshProofParts) {
    this.#parts = parts
  }

  /**
   * Passes who has just logged in, or brings the password; where the account has a second factor, who has just logged in with one, or brings a code beside the password, which is used up by it. The caller as it stands afterwards.
   * `now` in milliseconds. Throws `fresh_log_in_needed`; of a password `wrong_password`, after the last guess that is left to the caller's family closing it; `wrong_code`, `rate_limited`, `busy`.
   */
  async assert (caller: Caller, { password, code }: CallerProof, device: Device, now: number): Promise<Caller> {
    const { user } = caller
    if (password !== undefined) await this.#parts.accounts.proveCaller(caller, password, device, now)
    else if (isFresh(caller, now)) return caller
    else throw new AuthError('fresh_log_in_needed')
    if (!hasFactor(user.factors)) return caller
    if (code === undefined) throw new AuthError('fresh_log_in_needed')
    return await this.#useUp(caller, code, device, now)
  }

  async #useUp (caller: Caller, code: string, device: Device, now: number): Promise<Caller> {
    const { user, familyId } = caller
    const { families, guesses, proofs, record, store } = this.#parts
    const proof: FactorProof<string> = isCode(code) ? proofs.code : proofs.recovery_code
    const verify = async () => await proof.prove(user, code, now)
    const factors = proof.isGuessable ? await guesses.check(user, [{ id: familyId, by: 'device' }], device, now, verify) : await verify()
    const isUsed = factors !== undefined && await store.changeFactors({ userId: user.id, from: versionOf(user.factors), factors, caller: { id: familyId, live: liveAfter(now, families) } })
    if (!isUsed) {
      record({ kind: 'second_factor.failed', at: now, userId: user.id, familyId, ...device, details: { method: proof.method } })
      throw new AuthError('wrong_code')
    }
    if (proof.method === 'recovery_code') record({ kind: 'recovery_codes.used', at: now, userId: user.id, familyId, ...device, details: { count: factors.recoveryCodes.length } })
    return { ...caller, user: { ...user, factors } }
  }
}

/** Whether the caller's log-in is young, and was with a second factor if there is one. */
function isFresh ({ user, familyId }: Caller, now: number): boolean {
  const { createdAt, amr = [] } = familyOf(user, familyId)!
  return now - createdAt < FRESH_MS && (!hasFactor(user.factors) || amr.includes('mfa'))
}
