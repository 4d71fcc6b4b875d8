// The two doors to an account, on whichever page they stand: signing in and signing up; holds no session, and not where they lead.
import { find, findInput, serveForm, serveRules, tellError } from './forms.js'
import { hasMail, showMailed } from './links.js'
import { showSecondStep } from './second-step.js'

/** @typedef {import('./client.js').Client} Client */
/** @typedef {import('./client.js').Credentials} Credentials */
/** @typedef {import('./views.js').Views} Views */

/** The length that a new password has at least. */
export const minimum = () => Number(find('meta[name=password-min-length]').getAttribute('content'))
/** The forms; where the operator alone makes accounts, there is none for a newcomer. */
export const doors = { signIn: /** @type {HTMLFormElement} */ (find('form#sign-in')), signUp: /** @type {HTMLFormElement | null} */ (document.querySelector('form#sign-up')) }
export const signInNotice = find('[data-view=sign-in] .notice')

/** Shows the form that the address names, with the e-mail address that was typed into another. @param {Views} views */
export function showDoor (views) {
  const name = doorAt(window.location.hash.slice(1))
  const typed = DOORS.filter(other => other !== name && views.shown === other).map(other => emailOf(other)?.value).find(Boolean)
  const email = emailOf(name)
  if (email && typed) email.value = typed
  views.show(name)
}

const DOORS = ['sign-in', 'sign-up', 'forgot-password']

/** @param {string} name */
function doorAt (name) {
  return DOORS.includes(name) && document.querySelector(`form#${name}`) ? name : 'sign-in'
}

/** @param {string} name @returns {HTMLInputElement | null} */
function emailOf (name) {
  return document.querySelector(`form#${name} [name=email]`)
}

/** Serves both forms by what registers and what logs in, which may lead elsewhere, to a second step, or to a mail. @param {Views} views @param {Pick<Client, 'register' | 'login'>} by */
export function serveDoors (views, { register, login }) {
  const enter = async (/** @type {Credentials} */ credentials) => {
    await login(credentials).catch(error => {
      if (error.code === 'second_factor_required') showSecondStep(views, error)
      else if (error.code === 'email_not_verified' && hasMail) showMailed(views, credentials.email, 'Your password is right, but the address is not confirmed yet. The link may be among the junk mail, or have it sent again.')
      else throw error
    })
  }
  serveForm(doors.signIn, async ({ email = '', password = '' }) => { await enter({ email, password }) })
  if (!doors.signUp) return
  serveForm(doors.signUp, async ({ name = '', email = '', password = '' }) => {
    const user = await register({ email, password, name: name.trim() === '' ? null : name })
    if (!user) {
      showMailed(views, email)
      return
    }
    await enter({ email, password }).catch(error => {
      if (error.code === 'other_user') throw error
      // There is an account now, so this form has nothing more to do.
      window.location.hash = '#sign-in'
      showDoor(views)
      tellError(signInNotice, error)
    })
  })
  serveRules(findInput('#sign-up-password'), find('#sign-up-rules'), minimum, () => findInput('#sign-up-email').value)
}
