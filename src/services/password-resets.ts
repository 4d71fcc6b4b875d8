// Use case of a forgotten password: another is set by a token that was given for it, whoever brought it there; holds no HTTP, and not how it is given.
import { closingAt } from '../core/closings.js'
import { normalisePassword } from '../core/credentials.js'
import type { RecordEvent } from '../core/events.js'
import { liveFamilies, type FamilyLimits } from '../core/families.js'
import { isResetTokenOf, userOfResetToken } from '../core/reset-token.js'
import { AuthError } from '../errors.js'
import type { Hasher } from '../hashing/hasher.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'
import type { AccountService } from './account-service.js'
import type { Device } from './rotation.js'

export interface PasswordResetParts {
  store: Store
  hasher: Hasher
  keyRing: Pick<KeyRing, 'findSecret'>
  accounts: Pick<AccountService, 'weaknessOf'>
  families: FamilyLimits
  /** How long a closing counts, in milliseconds. */
  closingRetention: number
  record: RecordEvent
}

export class PasswordResets {
  readonly #parts: PasswordResetParts

  constructor (parts: PasswordResetParts) {
    this.#parts = parts
  }

  /** Sets another password, and closes every family in the same write. `now` in milliseconds. Throws `invalid_reset_token`, also where another came first; `weak_password`, which leaves the token good; `busy`. */
  async redeem (token: string, newPassword: string, device: Device, now: number): Promise<void> {
    const { store, hasher, accounts, families, closingRetention, record } = this.#parts
    const user = await this.#holderOf(token, now)
    const detail = accounts.weaknessOf(newPassword, user.email)
    if (detail) throw new AuthError('weak_password', { detail, errors: [{ field: 'new_password', detail }] })
    const passwordHash = await hasher.hash(normalisePassword(newPassword), { address: device.ip, isKnown: true })
    const isSet = await store.resetPassword({ userId: user.id, verifiedHash: user.passwordHash, passwordHash, closing: closingAt(now, closingRetention) })
    if (!isSet) throw new AuthError('invalid_reset_token')
    record({ kind: 'password.reset', at: now, userId: user.id, ...device })
    const count = liveFamilies(user.families, now, families).length
    if (count > 0) record({ kind: 'family.closed', at: now, userId: user.id, ...device, details: { cause: 'password_reset', count } })
  }

  async #holderOf (token: string, now: number): Promise<User> {
    const id = userOfResetToken(token)
    const user = id === undefined ? undefined : await this.#parts.store.findUser(id)
    if (!user || user.disabledAt !== undefined || !isResetTokenOf(user, token, now, this.#parts.keyRing.findSecret)) throw new AuthError('invalid_reset_token')
    return user
  }
}
