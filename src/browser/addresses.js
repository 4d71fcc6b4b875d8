// The e-mail address on the account page: shown, confirmed by a link, changed by another; holds no session.
import { SignetError } from './client.js'
import { serveButton } from './dialogs.js'
import { signInNotice } from './doors.js'
import { find, reset, serveForm, serveOpening, setLead, tell } from './forms.js'
import { hasMail, linkToken } from './links.js'
import { withProof } from './proof.js'

/** @typedef {import('./client.js').User} User */
/** @typedef {import('./recovery.js').Recovery} Recovery */
/** @typedef {import('./views.js').Views} Views */

const form = (/** @type {string} */ id) => /** @type {HTMLFormElement} */ (find(`form#${id}`))
/** All of it, where mails are sent. */
const parts = hasMail ? { notice: find('#email'), again: find('#confirm-address'), ask: form('new-email-form'), verify: form('verify-email'), change: form('confirm-email') } : undefined
const close = parts ? serveOpening(find('#edit-email'), parts.ask) : undefined

let current = ''

/** @param {Pick<User, 'email' | 'email_verified'>} user */
export function showAddress ({ email, email_verified: isVerified }) {
  current = email
  if (!parts) return
  setLead(parts.notice, isVerified === false ? `${email}, which is not confirmed yet.` : email)
  parts.again.hidden = isVerified !== false
}

/** Takes it from the page. */
export function clearAddress () {
  current = ''
  if (!parts || !close) return
  close()
  for (const each of [parts.ask, parts.verify, parts.change]) reset(each)
  tell(parts.notice)
  setLead(parts.notice, '')
}

/** What a link does beside the password, which alone can be wrong there. @param {Promise<void>} work */
async function besidePassword (work) {
  await work.catch(error => { throw error.code === 'invalid_credentials' ? new SignetError({ code: 'not_the_password' }) : error })
}

/** Serves the forms; `enter` shows the account, or the sign-in. @param {Recovery} recovery @param {Views} views @param {() => Promise<void>} enter */
export function serveAddresses (recovery, views, enter) {
  if (!parts) return
  const { again, ask, change, notice, verify } = parts
  const arrive = async (/** @type {{ account: string, signIn: string }} */ said) => {
    await enter()
    if (views.shown === 'account') tell(notice, said.account, 'done')
    else tell(signInNotice, said.signIn, 'done')
  }
  serveForm(ask, async ({ email = '' }) => {
    await withProof(async proof => { await recovery.askToChangeEmail(email, proof) })
    close?.()
    tell(notice, `A link is on its way to ${email.trim()}. Your address changes when you follow it.`, 'done')
  })
  serveButton(again, notice, async () => {
    await recovery.sendVerification(current)
    tell(notice, `A link is on its way to ${current}.`, 'done')
  })
  serveForm(verify, async ({ current_password: password = '' }) => {
    await besidePassword(recovery.verifyEmail({ token: linkToken(), password }))
    reset(verify)
    await arrive({ account: 'Your address is confirmed.', signIn: 'Your address is confirmed. Sign in to go on.' })
  })
  serveForm(change, async ({ current_password: password = '' }) => {
    await besidePassword(recovery.changeEmail({ token: linkToken(), password }))
    reset(change)
    await arrive({ account: 'This is your address from now on.', signIn: 'Your new address is in use. Sign in with it.' })
  })
}
