// The two doors to an account, on whichever page they stand: signing in and signing up; holds no session, and not where they lead.
import { find, findInput, serveForm, serveRules, tellError } from './forms.js'

/** @typedef {import('./client.js').Client} Client */
/** @typedef {import('./views.js').Views} Views */

/** The length that a new password has at least. */
export const minimum = Number(find('meta[name=password-min-length]').getAttribute('content'))
/** The forms; where the operator alone makes accounts, there is none for a newcomer. */
export const doors = { signIn: /** @type {HTMLFormElement} */ (find('form#sign-in')), signUp: /** @type {HTMLFormElement | null} */ (document.querySelector('form#sign-up')) }
export const signInNotice = find('[data-view=sign-in] .notice')

/** Shows the form that the address names, with the e-mail address that was typed into the other. @param {Views} views */
export function showDoor (views) {
  const [name, other] = doors.signUp && window.location.hash === '#sign-up' ? ['sign-up', 'sign-in'] : ['sign-in', 'sign-up']
  if (views.shown === other) findInput(`#${name}-email`).value = findInput(`#${other}-email`).value
  views.show(name)
}

/** Serves both forms by what registers and what logs in, which may lead elsewhere. @param {Views} views @param {Pick<Client, 'register' | 'login'>} by */
export function serveDoors (views, { register, login }) {
  serveForm(doors.signIn, async ({ email = '', password = '' }) => { await login({ email, password }) })
  if (!doors.signUp) return
  serveForm(doors.signUp, async ({ name = '', email = '', password = '' }) => {
    await register({ email, password, name: name.trim() === '' ? null : name })
    await login({ email, password }).catch(error => {
      if (error.code === 'other_user') throw error
      // There is an account now, so this form has nothing more to do.
      window.location.hash = '#sign-in'
      showDoor(views)
      tellError(signInNotice, error)
    })
  })
  serveRules(findInput('#sign-up-password'), find('#sign-up-rules'), minimum, () => findInput('#sign-up-email').value)
}
