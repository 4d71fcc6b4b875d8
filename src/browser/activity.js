// What happened on the account, in words, on the account page; holds no request.
import { ago, element, factsOf, fold, nameDevice, timeOf } from './devices.js'

/** @typedef {{ id: string, at: string, kind: string, cause: string | null, ip: string | null, user_agent: string | null, client: { id: string, name: string | null } | null }} AccountEvent */
/** @typedef {{ event: AccountEvent, text: string, count: number }} Line */

/** What a person reads; an event that is not here, or that another one tells of, is not shown. NAME is an application's. @type {Record<string, string>} */
const WORDS = {
  'registration.succeeded': 'Account created',
  'login.succeeded': 'Signed in',
  'login.failed': 'A sign-in failed',
  'login.limited': 'Sign-ins were refused for a while, after too many wrong passwords',
  'password.changed': 'Password changed',
  'password.change_failed': 'A change of the password failed',
  'password.change_limited': 'Changes of the password were refused for a while, after too many wrong ones',
  'password.reset_asked': 'A link to set a new password was asked for',
  'password.reset_offered': 'A link to set a new password was made for you',
  'password.reset': 'Password set anew by a link',
  'registration.repeated': 'Somebody wanted to make an account with your address',
  'email.verified': 'E-mail address confirmed',
  'email.change_asked': 'A link was sent to another e-mail address, which is to be yours',
  'email.changed': 'E-mail address changed',
  'second_factor.added': 'A passkey or an authenticator app was added',
  'second_factor.removed': 'A passkey or an authenticator app was removed',
  'second_factor.failed': 'A code was wrong',
  'second_factor.limited': 'Codes were refused for a while, after too many wrong ones',
  'recovery_codes.made': 'New recovery codes made',
  'recovery_codes.used': 'A recovery code was used',
  'refresh.reused': 'Signed out a device: somebody may have had a copy of its session',
  'code.replayed': 'Took the access of NAME back: somebody may have had a copy of its key',
  'consent.given': 'Let NAME in',
  'grant.opened': 'Signed in to NAME',
  'user.added': 'Account created for you',
  'user.disabled': 'Account locked',
  'user.enabled': 'Account unlocked',
  'user.roles_changed': 'Your roles were changed',
  'user.exported': 'A copy of your data was made',
  'family.closed logout': 'Signed out',
  'family.closed client_logout': 'Signed out of NAME',
  'family.closed revoked': 'Signed a device out',
  'family.closed revoked NAME': 'Took the access of NAME back',
  'family.closed revoked_all': 'Signed out everywhere',
  'family.closed second_factor_changed': 'Signed out everywhere else, when the second step was changed',
  'family.closed evicted': 'A device was signed out, to make room for another',
  'family.closed guesses_spent': 'Signed out, after too many wrong passwords',
  'family.closed client_revoked': 'NAME gave its access back',
  'family.closed operator': 'Signed out by the people who run this service',
}

/** @param {AccountEvent} event */
function wordsOf ({ kind, cause, client }) {
  const key = cause ? `${kind} ${cause}` : kind
  const words = (client && WORDS[`${key} NAME`]) ?? WORDS[key]
  return words?.replace('NAME', () => client?.name ?? 'an application')
}

/** What is shown: of many that are alike, one after the other, the newest and how many they are. @param {AccountEvent[]} events */
function linesOf (events) {
  /** @type {Line[]} */
  const lines = []
  for (const event of events) {
    const [text, last] = [wordsOf(event), lines.at(-1)]
    if (text === undefined) continue
    if (last && last.text === text && last.event.ip === event.ip && last.event.user_agent === event.user_agent) last.count++
    else lines.push({ event, text, count: 1 })
  }
  return lines
}

/** Shows them, the newest first, in a card that is not there where there are none. @param {{ list: HTMLElement, more: HTMLElement, card: HTMLElement }} place @param {AccountEvent[]} events @param {number} now in milliseconds */
export function showActivity ({ list, more, card }, events, now) {
  list.replaceChildren(...linesOf(events).map(line => rowOf(line, now)))
  fold(list, more)
  card.hidden = list.children.length === 0
}

/** @param {Line} line @param {number} now */
function rowOf ({ event, text, count }, now) {
  const row = element('li', 'event')
  const title = element('p', 'event-name')
  title.append(element('bdi', '', text))
  if (count > 1) title.append(' ', element('span', 'badge', `${count} times`))
  const facts = [[timeOf(event.at, ago(event.at, now))], ...event.user_agent ? [[nameDevice(event.user_agent).name]] : [], ...event.ip ? [[event.ip]] : []]
  row.append(title, factsOf(facts))
  return row
}
