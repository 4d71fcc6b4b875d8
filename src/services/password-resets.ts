// Use case of a forgotten password: a link is sent to the address, and another password is set by that, or by one that an operator gave; holds no HTTP and no text of a mail.
import { closingAt } from '../core/closings.js'
import { normalisePassword } from '../core/credentials.js'
import type { RecordEvent } from '../core/events.js'
import { liveFamilies, type FamilyLimits } from '../core/families.js'
import { isLinkTokenOf, readLinkToken } from '../core/link-token.js'
import { AuthError } from '../errors.js'
import type { Hasher } from '../hashing/hasher.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'
import type { AccountService } from './account-service.js'
import type { MailQueue } from './mail-queue.js'
import type { MailedLinks } from './mailed-links.js'
import type { Device } from './rotation.js'

export interface PasswordResetParts {
  store: Store
  hasher: Hasher
  keyRing: Pick<KeyRing, 'findSecret'>
  accounts: Pick<AccountService, 'find' | 'weaknessOf'>
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

  /** Has a link sent to the address, as it was typed, if it is an account's. What depends on that is done later. */
  ask (email: string, { links, mails }: { links: MailedLinks, mails: Pick<MailQueue, 'add'> }, device: Device): void {
    const { accounts, record } = this.#parts
    mails.add('anybody', async now => {
      const user = await accounts.find(email)
      if (!user || user.disabledAt !== undefined) return undefined
      record({ kind: 'password.reset_asked', at: now, userId: user.id, ...device })
      return links.reset(user, 'reset-password', now)
    })
  }

  /** Sets another password, and closes every family in the same write; whoever has the link from a mail has the address. `now` in milliseconds. Throws `invalid_reset_token`, also where another came first; `weak_password`, which leaves the token good; `busy`. */
  async redeem (token: string, newPassword: string, device: Device, now: number): Promise<void> {
    const { store, hasher, accounts, families, closingRetention, record } = this.#parts
    const { user, isMailed } = await this.#holderOf(token, now)
    const detail = accounts.weaknessOf(newPassword, user.email, user.factors)
    if (detail) throw new AuthError('weak_password', { detail, errors: [{ field: 'new_password', detail }] })
    const passwordHash = await hasher.hash(normalisePassword(newPassword), { address: device.ip, isKnown: true })
    const isSet = await store.resetPassword({ userId: user.id, email: user.email, verifiedHash: user.passwordHash, passwordHash, closing: closingAt(now, closingRetention), proves: isMailed ? 'email' : undefined })
    if (!isSet) throw new AuthError('invalid_reset_token')
    record({ kind: 'password.reset', at: now, userId: user.id, ...device })
    const count = liveFamilies(user.families, now, families).length
    if (count > 0) record({ kind: 'family.closed', at: now, userId: user.id, ...device, details: { cause: 'password_reset', count } })
  }

  async #holderOf (token: string, now: number): Promise<{ user: User, isMailed: boolean }> {
    const { keyRing, store } = this.#parts
    const { id } = readLinkToken(token) ?? {}
    const user = id === undefined ? undefined : await store.findUser(id)
    if (!user || user.disabledAt !== undefined) throw new AuthError('invalid_reset_token')
    const isMailed = isLinkTokenOf('reset-by-mail', user, token, now, keyRing.findSecret)
    if (!isMailed && !isLinkTokenOf('reset-password', user, token, now, keyRing.findSecret)) throw new AuthError('invalid_reset_token')
    return { user, isMailed }
  }
}
