// What the pages on which people log in offer, by what this authority does; holds no page.
import { isIP } from 'node:net'
import type { Values } from './templates.js'

export interface Offers {
  passwordMinLength: number
  registration: 'open' | 'closed' | 'verified'
  /** Whether mails are sent, without which nobody can be sent a link. */
  mail: object | undefined
  issuer: string
}

/** What the templates of those pages name: a text that is empty where there is nothing of it. */
export function offered ({ passwordMinLength, registration, mail, issuer }: Offers): Values {
  return {
    password_min_length: String(passwordMinLength),
    registration: registration === 'closed' ? '' : registration,
    mail: mail ? 'mail' : '',
    passkeys: passkeyHome(new URL(issuer).hostname),
  }
}

/** The host whose pages use passkeys; none where it is an address, which browsers make none for (Web Authentication, Level 3, section 5.1.3). */
function passkeyHome (host: string): string {
  return isIP(host.replace(/^\[|\]$/g, '')) ? '' : host
}
