// Use case of a registration that tells nobody who has an account: whatever it depends on is done after the answer, and the address is told by mail; holds no HTTP and no text of a mail.
import { randomUUID } from 'node:crypto'
import { normaliseEmail } from '../core/credentials.js'
import type { RecordEvent } from '../core/events.js'
import type { Store, User } from '../store/store.js'
import type { AccountService, Registration } from './account-service.js'
import type { Addressed, MailQueue } from './mail-queue.js'
import type { MailedLinks } from './mailed-links.js'
import type { Device } from './rotation.js'

export interface RegistrationParts {
  store: Pick<Store, 'insertUser'>
  accounts: Pick<AccountService, 'find' | 'hashNew'>
  links: MailedLinks
  mails: Pick<MailQueue, 'add'>
  record: RecordEvent
}

export class Registrations {
  readonly #parts: RegistrationParts

  constructor (parts: RegistrationParts) {
    this.#parts = parts
  }

  /**
   * Makes an account that nobody can log in to until its address is proved, or tells the address that it has one: with a link to set a password, so that a stranger who registered it first keeps nobody out.
   * The password is hashed either way. `now` in milliseconds. Throws `weak_password`, `busy`.
   */
  async ask (registration: Registration, device: Device, now: number): Promise<void> {
    const { accounts, mails } = this.#parts
    const { email, name } = registration
    const passwordHash = await accounts.hashNew(registration, device)
    const user: User = { id: randomUUID(), email: normaliseEmail(email)!, name, passwordHash, createdAt: now, families: [], roles: [], emailVerified: false }
    mails.add('anybody', async now => await this.#settle(user, email, device, now))
  }

  // Asked again where the store was away, perhaps after it had taken the user.
  async #settle (user: User, typed: string, device: Device, now: number): Promise<Addressed | undefined> {
    const { accounts, links, record, store } = this.#parts
    const there = await accounts.find(typed)
    if (!there && await store.insertUser(user) === 'inserted') {
      record({ kind: 'registration.succeeded', at: now, userId: user.id, ...device })
      return links.proof(user, now)
    }
    const known = there ?? await accounts.find(typed)
    if (known?.id === user.id) return links.proof(user, now)
    if (!known || known.disabledAt !== undefined) return undefined
    record({ kind: 'registration.repeated', at: now, userId: known.id, ...device })
    return links.reset(known, 'already-registered', now)
  }
}
