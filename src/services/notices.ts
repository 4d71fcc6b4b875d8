// Which events of an account its user is told of by mail; holds no text, no queue and no event of its own.
import type { SecurityEvent } from '../core/events.js'
import { sayInstant, type LetterKind, type Values } from '../core/letters.js'
import { nameDevice } from '../core/user-agents.js'
import type { Store } from '../store/store.js'
import type { MailQueue } from './mail-queue.js'

/** The mail of each kind of event that there is one for. That of a changed address goes to the one before, so it is not among them. */
const NOTICES: Readonly<Record<string, LetterKind>> = {
  'password.changed': 'password-changed',
  'password.reset': 'password-changed',
  'second_factor.added': 'factor-added',
  'second_factor.removed': 'factor-removed',
  'recovery_codes.made': 'recovery-codes-made',
  'recovery_codes.used': 'recovery-code-used',
  'refresh.reused': 'refresh-reused',
}

export interface NoticeParts { store: Pick<Store, 'findUser'>, mails: Pick<MailQueue, 'add'> }

export class Notices {
  readonly #parts: NoticeParts

  constructor (parts: NoticeParts) {
    this.#parts = parts
  }

  /** Has the user told of an event that is worth it. Never throws. */
  hear = (event: SecurityEvent): void => {
    const { mails, store } = this.#parts
    const { userId } = event
    const kind = kindOf(event)
    if (!kind || userId === undefined) return
    mails.add('known', async () => {
      const user = await store.findUser(userId)
      return user && { kind, to: user.email, userId, values: noticeValues(event) }
    })
  }
}

/** What a mail says of when something happened, in milliseconds, and of where from. */
export function noticeValues ({ at, ip, userAgent }: Pick<SecurityEvent, 'at' | 'ip' | 'userAgent'>): Values {
  return { at: sayInstant(at), ip: ip ?? UNKNOWN, device: nameDevice(userAgent) ?? UNKNOWN }
}

/** In every language. */
const UNKNOWN = '–'

function kindOf ({ kind, details }: SecurityEvent): LetterKind | undefined {
  if (kind === 'login.succeeded') return details?.is_new_device ? 'new-device' : undefined
  return NOTICES[kind]
}
