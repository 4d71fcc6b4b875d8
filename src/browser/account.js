// The account page at /account: sign up, sign in, who am I, devices, password; holds no token, which is the client's.
import { createClient, SignetError } from './client.js'
import { onDay, showDevices } from './devices.js'
import { find, findInput, reset, serveForm, serveReveals, serveRules, setBusy, tell, tellError } from './forms.js'

/** @typedef {import('./client.js').User} User */
/** @typedef {import('./devices.js').Device} Device */

/** How often the list of devices is looked at again while somebody looks at the page, in milliseconds. */
const LOOK_AGAIN_MS = 30_000

const client = createClient({ baseUrl: new URL('..', import.meta.url).href })
const minimum = Number(find('meta[name=password-min-length]').getAttribute('content'))
const form = (/** @type {string} */ id) => /** @type {HTMLFormElement} */ (find(`form#${id}`))
const forms = { signIn: form('sign-in'), signUp: form('sign-up'), password: form('change-password') }
const signInNotice = find('[data-view=sign-in] .notice')
const deviceNotice = find('.devices .notice')
const confirmation = /** @type {HTMLDialogElement} */ (find('#confirm'))

/** @type {Record<string, string>} */
const TITLES = { 'sign-in': 'Sign in', 'sign-up': 'Create an account', account: 'Your account', unreachable: 'Not reached', waiting: 'Your account' }

/** @param {string} name */
function show (name) {
  const before = document.querySelector('.view:not([hidden])')
  for (const view of document.querySelectorAll('[data-view]')) view.toggleAttribute('hidden', view.getAttribute('data-view') !== name)
  for (const part of document.querySelectorAll('[data-for]')) part.toggleAttribute('hidden', part.getAttribute('data-for') !== name)
  document.title = `${TITLES[name]} · Signet`
  if (before?.getAttribute('data-view') !== name && before?.getAttribute('data-view') !== 'waiting') find(`[data-view=${name}] h1`).focus()
}

/** The answer's body. Throws a SignetError where Signet refused or did not answer. @param {string} path @param {RequestInit} [init] */
async function ask (path, init) {
  const response = await client.fetch(path, init).catch(error => {
    throw error instanceof SignetError ? error : new SignetError({ code: 'unreachable', detail: 'Signet cannot be reached. Check the connection and try again.' })
  })
  if (!response.ok) throw await SignetError.from(response)
  return response.status === 204 ? undefined : await response.json()
}

/** @type {Promise<void> | undefined} */
let entry

/** Shows the account, or the form that leads to it. */
async function enter () {
  entry ??= open().finally(() => { entry = undefined })
  await entry
}

async function open () {
  try {
    const [user, { tokens }] = await Promise.all([ask('user-info'), ask('tokens')])
    showUser(user)
    showList(tokens)
    show('account')
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code === 'invalid_grant') {
      showDoor()
      return
    }
    find('#unreachable-reason').textContent = error.message
    show('unreachable')
  }
}

function showDoor () {
  show(window.location.hash === '#sign-up' ? 'sign-up' : 'sign-in')
}

/** @param {User} user */
function showUser ({ name, email, created_at: since }) {
  /** @type {Record<string, string>} */
  const slots = { name: name ?? 'Your account', email, since: onDay(since) }
  for (const slot of document.querySelectorAll('[data-slot]')) slot.textContent = slots[String(slot.getAttribute('data-slot'))] ?? ''
  find('time[data-slot=since]').setAttribute('datetime', since)
  findInput('[name=username]').defaultValue = email
}

/** @param {Device[]} devices */
function showList (devices) {
  showDevices(find('#devices'), devices, Date.now(), signOutDevice)
}

/** Looks at the list again, and so notices that this device was signed out. */
async function lookAgain () {
  if (client.status !== 'signed-in' || document.visibilityState === 'hidden') return
  try {
    showList((await ask('tokens')).tokens)
    if (deviceNotice.dataset['stale']) tell(deviceNotice)
    delete deviceNotice.dataset['stale']
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code === 'invalid_grant') return
    deviceNotice.dataset['stale'] = 'true'
    tell(deviceNotice, 'This list may be out of date: Signet cannot be reached right now.', 'error')
  }
}

/** @param {Device} device @param {string} name @param {HTMLElement} row */
async function signOutDevice ({ id, current }, name, row) {
  const button = find('button', row)
  if (button.ariaDisabled === 'true') return
  setBusy(button, 'true')
  try {
    if (current) {
      await client.logout()
      return
    }
    await ask(`tokens/${id}`, { method: 'DELETE' })
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    // Somebody else was faster.
    if (error.code !== 'unknown_token') {
      setBusy(button, 'false')
      if (error.code !== 'invalid_grant') tellError(deviceNotice, error)
      return
    }
  }
  // The list may have been looked at again meanwhile.
  document.querySelector(`[data-device="${window.CSS.escape(id)}"]`)?.closest('li')?.remove()
  find('#devices-title').focus()
  tell(deviceNotice, `${name} is signed out.`, 'done')
}

async function signOutEverywhere () {
  const button = find('#sign-out-everywhere')
  if (button.ariaDisabled === 'true') return
  setBusy(button, 'true')
  try {
    await ask('revoke-all-tokens', { method: 'POST' })
    // The session is over on all devices; this tells this browser's other tabs.
    await client.logout()
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code !== 'invalid_grant') tellError(deviceNotice, error)
  }
  setBusy(button, 'false')
}

async function signOut () {
  const button = find('#sign-out')
  setBusy(button, 'true')
  try {
    await client.logout()
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    tellError(deviceNotice, error)
  }
  setBusy(button, 'false')
}

serveForm(forms.signIn, async ({ email = '', password = '' }) => { await client.login({ email, password }) })

serveForm(forms.signUp, async ({ name = '', email = '', password = '' }) => {
  await client.register({ email, password, name: name.trim() === '' ? null : name })
  await client.login({ email, password }).catch(error => {
    // There is an account now, so this form has nothing more to do.
    findInput('#sign-in-email').value = email
    window.location.hash = '#sign-in'
    tellError(signInNotice, error)
  })
})

serveForm(forms.password, async ({ current_password: current, new_password: next }) => {
  const body = JSON.stringify({ current_password: current, new_password: next })
  await ask('change-password', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  reset(forms.password)
  tell(find('.password .notice'), 'Your password is changed, and every other device is signed out.', 'done')
  await lookAgain()
})

serveReveals()
serveRules(findInput('#sign-up-password'), find('#sign-up-rules'), minimum, () => findInput('#sign-up-email').value)
serveRules(findInput('#new-password'), find('#new-rules'), minimum, () => findInput('[name=username]').value)
for (const notice of document.querySelectorAll('.notice[data-lead]')) tell(/** @type {HTMLElement} */ (notice))

find('#sign-out').addEventListener('click', signOut)
find('#sign-out-everywhere').addEventListener('click', () => {
  confirmation.returnValue = ''
  confirmation.showModal()
})
confirmation.addEventListener('close', () => { if (confirmation.returnValue === 'yes') void signOutEverywhere() })
find('#try-again').addEventListener('click', async () => {
  setBusy(find('#try-again'), 'true')
  await enter()
  setBusy(find('#try-again'), 'false')
})

client.onChange(({ status, reason }) => {
  if (status === 'signed-in') {
    for (const each of Object.values(forms)) reset(each)
    tell(deviceNotice)
    void enter()
    return
  }
  confirmation.close()
  for (const each of Object.values(forms)) reset(each)
  find('#devices').replaceChildren()
  if (reason === 'absent') return
  window.history.replaceState(null, '', '#sign-in')
  show('sign-in')
  const text = reason === 'ended' ? 'This session has ended. Sign in again to go on.' : 'You are signed out.'
  tell(signInNotice, text, reason === 'ended' ? 'error' : 'done')
})

window.addEventListener('hashchange', () => { if (client.status === 'signed-out') showDoor() })
document.addEventListener('visibilitychange', lookAgain)
window.addEventListener('focus', lookAgain)
setInterval(lookAgain, LOOK_AGAIN_MS)

await enter()
