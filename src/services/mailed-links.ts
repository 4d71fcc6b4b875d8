// What a mail with a link says, and to whom it goes: of a reset, a proof of an address, and its change; holds no queue, no text and no rule of who may have one.
import { sayInstant, type LetterKind } from '../core/letters.js'
import { writeLinkToken, type LinkPurpose } from '../core/link-token.js'
import type { KeyRing } from '../keyring/key-ring.js'
import type { User } from '../store/store.js'
import type { Addressed } from './mail-queue.js'

/** How long links are good, in milliseconds. */
export const LINK_LIFE = { reset: 900_000, proof: 86_400_000 }

export interface MailedLinksParts {
  keyRing: Pick<KeyRing, 'refreshSecret'>
  /** The address of the page that links lead to; what they are good for is in the fragment, which no server sees. */
  accountPage: string
}

export class MailedLinks {
  readonly #parts: MailedLinksParts

  constructor (parts: MailedLinksParts) {
    this.#parts = parts
  }

  /** A link by which whoever reads the mail sets another password. `now` in milliseconds. */
  reset (user: User, kind: 'reset-password' | 'already-registered', now: number): Addressed {
    return this.#link(user, user.email, { kind, purpose: 'reset-by-mail', name: 'reset-password', life: LINK_LIFE.reset }, now)
  }

  /** A link by which whoever reads the mail proves the address. `now` in milliseconds. */
  proof (user: User, now: number): Addressed {
    return this.#link(user, user.email, { kind: 'verify-email', purpose: 'verify-email', name: 'verify-email', life: LINK_LIFE.proof }, now)
  }

  /** A link by which whoever reads the mail, at the new address, makes that the user's. `now` in milliseconds. */
  change (user: User, newEmail: string, now: number): Addressed {
    return this.#link(user, newEmail, { kind: 'change-email', purpose: 'change-email', name: 'change-email', life: LINK_LIFE.proof }, now, newEmail)
  }

  #link (user: User, to: string, { kind, purpose, name, life }: { kind: LetterKind, purpose: LinkPurpose, name: string, life: number }, now: number, newEmail?: string): Addressed {
    const { keyRing, accountPage } = this.#parts
    const token = writeLinkToken(purpose, user, now + life, keyRing.refreshSecret, newEmail)
    return { kind, to, userId: user.id, values: { link: `${accountPage}#${name}=${token}`, until: sayInstant(now + life) }, goodFor: life }
  }
}
