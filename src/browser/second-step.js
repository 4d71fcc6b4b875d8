// The second step of a sign-in, on whichever page it stands: a code, a passkey or a recovery code, or setting one of them up; holds no session, and not where it leads.
import { clearOffer, serveOffer, showOffer } from './app-offer.js'
import { SignetError } from './client.js'
import { clearCodes, serveCodes, showCodes } from './codes.js'
import { nameDevice } from './devices.js'
import { serveButton } from './dialogs.js'
import { find, reset, serveForm, tell, tellError } from './forms.js'
import { knowsPasskeys } from './second-factors.js'
import { forgetHash } from './views.js'

/** @typedef {import('./second-factors.js').Added} Added */
/** @typedef {import('./second-factors.js').SecondFactors} SecondFactors */
/** @typedef {import('./views.js').Views} Views */

/** Where passkeys are of use: on this host, and on those below it; nowhere where it is empty. */
const home = String(find('meta[name=passkeys]').getAttribute('content'))
/** Whether this browser can use a passkey on this page. */
export const canUsePasskeys = home !== '' && knowsPasskeys() && `.${window.location.hostname}`.endsWith(`.${home}`)

const form = (/** @type {string} */ id) => /** @type {HTMLFormElement} */ (find(`form#${id}`))
const ways = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-way]')])
const switches = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-to]')])
const signInNotice = find('[data-view=sign-in] .notice')
const enrolNotice = find('[data-view=enrol] .notice')

/** What the log-in goes on with, and by what it may. @type {{ ticket: string, methods: string[] }} */
let waiting = { ticket: '', methods: [] }

/** Goes on with a log-in whose password is right. @param {Views} views @param {SignetError} refusal `second_factor_required` */
export function showSecondStep (views, { ticket = '', methods, enrol }) {
  clearSecondStep()
  waiting = { ticket, methods: methods.filter(method => method !== 'passkey' || canUsePasskeys) }
  // So that the link back is always another address.
  forgetHash()
  if (!enrol) showWay(waiting.methods[0] ?? 'recovery_code')
  views.show(enrol ? 'enrol' : 'second-step')
}

/** Offers one way, and the others beside it. @param {string | undefined} way */
function showWay (way) {
  for (const part of ways) part.hidden = part.dataset['way'] !== way
  for (const button of switches) button.hidden = button.dataset['to'] === way || !waiting.methods.includes(String(button.dataset['to']))
}

/** Forgets the log-in, and what was typed for it. */
export function clearSecondStep () {
  waiting = { ticket: '', methods: [] }
  for (const id of ['app-code', 'passkey-step', 'recovery-code']) reset(form(id))
  tell(enrolNotice)
  clearOffer()
  clearCodes()
}

/** Serves all of it; `arrive` is what comes after. @param {Views} views @param {SecondFactors} factors @param {() => Promise<void>} [arrive] */
export function serveSecondStep (views, factors, arrive = async () => {}) {
  /** Back to the password where this took too long, or the account is another by now. @param {() => Promise<unknown>} step */
  const take = async step => {
    try {
      await step()
    } catch (error) {
      if (!(error instanceof SignetError) || error.code !== 'invalid_ticket') throw error
      clearSecondStep()
      views.show('sign-in')
      tellError(signInNotice, error)
      return
    }
    await arrive()
  }
  /** @param {Added | undefined} added */
  const keep = async added => { if (added?.recovery_codes) await showCodes(added.recovery_codes) }

  serveForm(form('app-code'), async ({ code = '' }) => { await take(async () => { await factors.logIn(waiting.ticket, { code: code.replace(/\s/g, '') }) }) })
  serveForm(form('passkey-step'), async () => { await take(async () => { await factors.logInByPasskey(waiting.ticket) }) })
  serveForm(form('recovery-code'), async ({ code = '' }) => { await take(async () => { await factors.logIn(waiting.ticket, { recoveryCode: code }) }) })
  for (const button of switches) {
    button.addEventListener('click', () => {
      showWay(button.dataset['to'])
      find('[data-way]:not([hidden]) :is(input, button)').focus()
    })
  }

  const enrolByPasskey = find('#enrol-passkey')
  enrolByPasskey.hidden = find('#enrol-passkey-hint').hidden = !canUsePasskeys
  serveButton(enrolByPasskey, enrolNotice, async () => {
    await take(async () => { await keep(await factors.addPasskey({ name: nameDevice(navigator.userAgent).name, logIn: waiting.ticket })) })
  })
  serveButton(find('#enrol-app'), enrolNotice, async () => {
    const { ticket: logIn } = waiting
    /** @type {Added | undefined} */
    let added
    await take(async () => {
      added = await showOffer(await factors.offerApp({ logIn }), async confirmation => await factors.confirmApp({ ...confirmation, logIn }), 'no others')
      await keep(added)
      if (!added) throw new SignetError({ code: 'given_up' })
    })
  })
  serveOffer()
  serveCodes()

  const passkey = /** @type {HTMLFormElement | null} */ (document.querySelector('form#passkey-sign-in'))
  if (!passkey) return
  /** @type {HTMLElement} */ (passkey.parentElement).hidden = !canUsePasskeys
  serveForm(passkey, async () => { await take(async () => { await factors.logInByPasskey() }) })
}
