// Use cases of the e-mail address of an account: proving that it is the user's, and changing it; holds no HTTP and no text of a mail.
import { normaliseEmail } from '../core/credentials.js'
import type { RecordEvent } from '../core/events.js'
import { isLinkTokenOf, readLinkToken, type LinkPurpose } from '../core/link-token.js'
import { RecentCounts } from '../core/recent-counts.js'
import { AuthError } from '../errors.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { Store, User } from '../store/store.js'
import type { AccountService } from './account-service.js'
import type { CallerProof, FreshProofs } from './fresh-proofs.js'
import { MAILS_AN_HOUR, type MailQueue } from './mail-queue.js'
import type { MailedLinks } from './mailed-links.js'
import { noticeValues } from './notices.js'
import type { Device } from './rotation.js'
import type { Caller } from './token-service.js'

export interface AddressProofParts {
  store: Pick<Store, 'findUser' | 'verifyEmail' | 'changeEmail'>
  keyRing: Pick<KeyRing, 'findSecret'>
  accounts: Pick<AccountService, 'find' | 'provePassword'>
  proofs: Pick<FreshProofs, 'assert'>
  links: MailedLinks
  mails: Pick<MailQueue, 'add'>
  record: RecordEvent
}

const HOUR = 3_600_000
/** Of so many accounts it is known how often they asked for another address. */
const REMEMBERED = 10_000

export class AddressProofs {
  readonly #parts: AddressProofParts
  readonly #asked = new RecentCounts(HOUR, REMEMBERED)

  constructor (parts: AddressProofParts) {
    this.#parts = parts
  }

  /** Has a link sent to the address, as it was typed, if it is one that its user has not proved. What depends on that is done later. */
  askToVerify (email: string): void {
    const { accounts, links, mails } = this.#parts
    mails.add('anybody', async now => {
      const user = await accounts.find(email)
      return user && user.disabledAt === undefined && user.emailVerified !== true ? links.proof(user, now) : undefined
    })
  }

  /**
   * Keeps that the address is its user's, who has the link that was sent there, and the password: an account that a stranger made with somebody's address does not become trusted because that
   * one follows the link. `now` in milliseconds. Throws `invalid_email_token`, `invalid_credentials`, `rate_limited`, `busy`.
   */
  async verify (token: string, password: string, device: Device, now: number): Promise<void> {
    const { accounts, record, store } = this.#parts
    const { user } = await this.#holderOf('verify-email', token, now)
    await accounts.provePassword(user.email, password, device, now)
    if (!await store.verifyEmail({ userId: user.id, email: user.email })) throw new AuthError('invalid_email_token')
    record({ kind: 'email.verified', at: now, userId: user.id, ...device })
  }

  /**
   * Has a link sent to the address that is to be the caller's, one that `normaliseEmail` takes; whose it is now is not told. `now` in milliseconds.
   * Throws `fresh_log_in_needed`, `wrong_password`, `wrong_code`, `rate_limited`, `busy`.
   */
  async askToChange (caller: Caller, typed: string, proof: CallerProof, device: Device, now: number): Promise<void> {
    const { accounts, links, mails, proofs, record } = this.#parts
    const { user } = caller
    await proofs.assert(caller, proof, device, now)
    const { since } = this.#asked.get(user.id, now)
    if (this.#asked.add(user.id, now) > MAILS_AN_HOUR) throw new AuthError('rate_limited', { retryAfter: Math.ceil((since + HOUR - now) / 1000) })
    record({ kind: 'email.change_asked', at: now, userId: user.id, familyId: caller.familyId, ...device })
    mails.add('known', async now => {
      const other = await accounts.find(typed)
      return other && other.id !== user.id ? links.reset(other, 'already-registered', now) : links.change(user, normaliseEmail(typed)!, now)
    })
  }

  /**
   * Makes the new address that of its user, who has the link that was sent there, and the password, as to `verify` it; tells the old one. `now` in milliseconds.
   * Throws `invalid_email_token`, `invalid_credentials`, `email_taken`, `rate_limited`, `busy`.
   */
  async change (token: string, password: string, device: Device, now: number): Promise<void> {
    const { accounts, record, store } = this.#parts
    const { user, newEmail } = await this.#holderOf('change-email', token, now)
    await accounts.provePassword(user.email, password, device, now)
    const other = await accounts.find(newEmail!)
    if (other && other.id !== user.id) throw new AuthError('email_taken')
    const outcome = await store.changeEmail({ userId: user.id, from: user.email, to: newEmail!, verifiedHash: user.passwordHash })
    if (outcome !== 'changed') throw new AuthError(outcome === 'stale' ? 'invalid_email_token' : 'email_taken')
    record({ kind: 'email.changed', at: now, userId: user.id, ...device })
    this.#tellOld(user, device, now)
  }

  // What events tell of an account goes to the address that it has by then.
  #tellOld ({ id: userId, email: to }: User, device: Device, at: number): void {
    this.#parts.mails.add('known', async () => ({ kind: 'email-changed', to, userId, values: noticeValues({ at, ...device }) }))
  }

  async #holderOf (purpose: LinkPurpose, token: string, now: number): Promise<{ user: User, newEmail: string | undefined }> {
    const { keyRing, store } = this.#parts
    const { id, newEmail } = readLinkToken(token) ?? {}
    const user = id === undefined ? undefined : await store.findUser(id)
    if (!user || user.disabledAt !== undefined || !isLinkTokenOf(purpose, user, token, now, keyRing.findSecret)) throw new AuthError('invalid_email_token')
    return { user, newEmail }
  }
}
