// What leads on by mail, on whichever page it stands: a link that is asked for, and what the page was opened by; holds no session.
import { find, reset, serveForm, setLead, tell } from './forms.js'
import { forgetHash } from './views.js'

/** @typedef {import('./recovery.js').Recovery} Recovery */
/** @typedef {import('./views.js').Views} Views */

/** Whether mails are sent at all, without which none of it is on the page. */
export const hasMail = document.querySelector('form#forgot-password') !== null

/** The views that a link opens, of a mail or of the operator's. */
const LINKED = ['reset-password', 'verify-email', 'change-email']

/** What the link is good for by which the page was opened, and which the address forgets at once. */
let token = ''

/** Whom the last mail went to, as it was typed. */
let mailed = ''

/** Shows the form of a link; returns whether the page was opened by one. @param {Views} views */
export function showLink (views) {
  const [, name = '', found] = /^#([\w-]+)=(.+)$/.exec(window.location.hash) ?? []
  if (found === undefined || !LINKED.includes(name)) return false
  forgetHash()
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector(`[data-view=${name}] form`))
  if (!form) return false
  token = found
  reset(form)
  views.show(name)
  return true
}

/** Whether the form of a link is shown. @param {Views} views */
export function isLinked ({ shown }) {
  return shown !== undefined && LINKED.includes(shown)
}

/** What came in the link. */
export function linkToken () {
  return token
}

/** Serves the forms by which a link is asked for. @param {Recovery} recovery */
export function serveLinks (recovery) {
  if (!hasMail) return
  serveForm(/** @type {HTMLFormElement} */ (find('form#forgot-password')), async ({ email = '' }) => {
    await recovery.forgotPassword(email)
    tell(find('[data-view=forgot-password] .notice'), `A link is on its way to ${email.trim()}, if there is an account with this address.`, 'done')
  })
  serveForm(/** @type {HTMLFormElement} */ (find('form#send-again')), async () => {
    await recovery.sendVerification(mailed)
    tell(find('[data-view=look-into-mail] .notice'), 'Another link is on its way, if the address is still to be confirmed.', 'done')
  })
}

/** Says that there is a mail to look for. @param {Views} views @param {string} email @param {string} [lead] */
export function showMailed (views, email, lead = 'Nothing there? Look among the junk mail, or have the link sent again.') {
  mailed = email.trim()
  find('[data-mailed]').textContent = mailed
  const notice = find('[data-view=look-into-mail] .notice')
  setLead(notice, lead)
  tell(notice)
  views.show('look-into-mail')
}

/** Forgets whom it was about. */
export function clearLinks () {
  token = mailed = ''
  if (!hasMail) return
  find('[data-mailed]').textContent = ''
  for (const id of ['forgot-password', 'send-again']) reset(/** @type {HTMLFormElement} */ (find(`form#${id}`)))
}
