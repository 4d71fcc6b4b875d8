// Where the mails of tests arrive: what an application sends goes here, and is waited for; holds no assertion.
import type { AppParts, Mail } from '../../src/background.js'
import type { Letter } from '../../src/core/letters.js'
import { readTemplates } from '../../src/mail/templates.js'

export interface Received extends Letter { to: string }

/** A mailbox, and the part of an application that sends into it. */
export function openMailbox () {
  const letters: Received[] = []
  const waiting: Array<() => void> = []
  const mail: Mail = {
    templates: readTemplates('', 'en'),
    send: async (to, letter) => {
      letters.push({ to, ...letter })
      for (const look of waiting.splice(0)) look()
    },
  }
  /** All mails so far, once there are so many. */
  const arrived = async (count: number): Promise<Received[]> => {
    while (letters.length < count) await new Promise<void>(resolve => { waiting.push(resolve) })
    return [...letters]
  }
  /** The next mail of a subject that was not read yet. */
  const next = async (subject: RegExp): Promise<Received> => {
    for (;;) {
      const at = letters.findIndex(letter => subject.test(letter.subject))
      if (at >= 0) return letters.splice(at, 1)[0]!
      await new Promise<void>(resolve => { waiting.push(resolve) })
    }
  }
  return { letters, arrived, next, parts: { mail } satisfies Partial<AppParts> }
}

/** What a link in a mail carries: the view of the page, and the token. */
export function linkOf ({ text }: Letter): { view: string, token: string } {
  const [, view = '', token = ''] = /\/account#([\w-]+)=(\S+)/.exec(text) ?? []
  return { view, token }
}
