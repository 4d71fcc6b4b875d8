// The account page at /account: sign up, sign in, who am I, devices, name and password; holds no token, which is the client's.
import { createClient, SignetError } from './client.js'
import { fold, onDay, showDevices } from './devices.js'
import { find, findInput, reset, serveForm, serveNotices, serveOpening, serveReveals, serveRules, setBusy, setLead, tell, tellError } from './forms.js'

/** @typedef {import('./client.js').User} User */
/** @typedef {import('./devices.js').Device} Device */

/** How often the list of devices is looked at again while somebody looks at the page, in milliseconds. */
const LOOK_AGAIN_MS = 30_000
/** After so many milliseconds no answer is awaited any more. */
const ANSWER_MS = 15_000

const base = new URL('..', import.meta.url).href
const client = createClient({ baseUrl: base })
const minimum = Number(find('meta[name=password-min-length]').getAttribute('content'))
const form = (/** @type {string} */ id) => /** @type {HTMLFormElement} */ (find(`form#${id}`))
const forms = { signIn: form('sign-in'), signUp: form('sign-up'), name: form('change-name'), password: form('change-password') }
const signInNotice = find('[data-view=sign-in] .notice')
const nameNotice = find('#name')
const deviceNotice = find('.devices .notice')
const place = { list: find('#devices'), more: find('#more-devices'), leave: signOutDevice }
const [closeName, closePassword] = [serveOpening(find('#edit-name'), forms.name), serveOpening(find('#edit-password'), forms.password)]
const confirmation = /** @type {HTMLDialogElement} */ (find('#confirm'))

/** @type {Record<string, string>} */
const TITLES = { 'sign-in': 'Sign in', 'sign-up': 'Create an account', account: 'Your account', unreachable: 'Not reached', waiting: 'Your account' }

/** What was shown last, beside that one is waiting. @type {string | undefined} */
let shown

/** @param {string} name */
function show (name) {
  for (const view of document.querySelectorAll('[data-view]')) view.toggleAttribute('hidden', view.getAttribute('data-view') !== name)
  for (const part of document.querySelectorAll('[data-for]')) part.toggleAttribute('hidden', part.getAttribute('data-for') !== name)
  document.title = `${TITLES[name]} · Signet`
  if (name === 'waiting') return
  if (shown !== undefined && shown !== name) find(`[data-view=${name}] h1`).focus()
  shown = name
}

/** How often this page was emptied: what was asked before is not for whoever looks at it since. */
let emptied = 0

/** Hides the page, and takes out of it all that is a person's. */
function empty () {
  emptied++
  show('waiting')
  confirmation.close()
  for (const slot of document.querySelectorAll('[data-slot]')) slot.textContent = ''
  find('time[data-slot=since]').removeAttribute('datetime')
  for (const input of [findInput('[name=username]'), findInput('#new-name')]) input.defaultValue = ''
  place.list.replaceChildren()
  place.more.ariaExpanded = 'false'
  fold(place.list, place.more)
  closeName()
  closePassword()
  for (const each of Object.values(forms)) reset(each)
  for (const notice of [nameNotice, deviceNotice]) {
    tell(notice)
    setLead(notice, '')
  }
}

/**
 * What comes of some work, unless the page was emptied meanwhile: then it is nobody's here, and `other_user` is thrown, which no one is told.
 * @template T @param {Promise<T>} work @returns {Promise<T>}
 */
async function unlessEmptied (work) {
  const then = emptied
  const outcome = await Promise.allSettled([work])
  if (then !== emptied) throw new SignetError({ code: 'other_user' })
  if (outcome[0].status === 'rejected') throw outcome[0].reason
  return outcome[0].value
}

/** The answer's body. Throws a SignetError where Signet refused or did not answer. @param {string} path @param {RequestInit} [init] */
async function ask (path, init) {
  return await unlessEmptied(request(path, { signal: AbortSignal.timeout(ANSWER_MS), ...init }).catch(error => { throw toSignetError(error) }))
}

/** @param {string} path @param {RequestInit} init */
async function request (path, init) {
  const response = await client.fetch(path, init)
  if (!response.ok) throw await SignetError.from(response)
  return response.status === 204 ? undefined : await response.json()
}

/** @param {unknown} error */
function toSignetError (error) {
  if (error instanceof SignetError) return error
  if (error instanceof SyntaxError) return unexpected()
  return new SignetError({ code: 'unreachable', detail: 'Signet cannot be reached. Check the connection and try again.' })
}

function unexpected () {
  return new SignetError({ code: 'unexpected', detail: 'Something other than Signet answered. Check the connection and try again.' })
}

/**
 * Whether the browser brings a cookie, and so may have a session; without one Signet would refuse to go on with it, and the browser would log
 * that as an error, though nothing is wrong. Where it is not known, there may be one.
 */
async function mayHaveSession () {
  if (client.status === 'signed-in') return true
  const answer = await unlessEmptied(fetch(`${base}account/session`, { signal: AbortSignal.timeout(ANSWER_MS) }).then(async response => await response.json()).catch(() => ({})))
  return answer?.cookie !== false
}

/** The user, after a change that is asked for by `init`. @param {RequestInit} [init] @returns {Promise<User>} */
async function askUser (init) {
  const user = await ask('user-info', init)
  if (!user?.email) throw unexpected()
  return user
}

/** @returns {Promise<Device[]>} */
async function askDevices () {
  const list = await ask('tokens')
  if (!Array.isArray(list?.tokens)) throw unexpected()
  return list.tokens
}

/** Shows the account, or the form that leads to it. */
async function enter () {
  try {
    if (!await mayHaveSession()) {
      showDoor()
      return
    }
    await showAccount()
    forgetDoor()
    show('account')
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code === 'other_user') return
    if (error.code === 'invalid_grant') {
      showDoor()
      return
    }
    find('#unreachable-reason').textContent = error.message
    show('unreachable')
  }
}

/** @throws a SignetError, and then shows nothing new */
async function showAccount () {
  const [user, devices] = await Promise.all([askUser(), askDevices()])
  showUser(user)
  showList(devices)
}

/** Shows the form that the address names, with the e-mail address that was typed into the other. */
function showDoor () {
  const [name, other] = window.location.hash === '#sign-up' ? ['sign-up', 'sign-in'] : ['sign-in', 'sign-up']
  if (shown === other) findInput(`#${name}-email`).value = findInput(`#${other}-email`).value
  show(name)
}

/** Whoever is in has no more to do with the form that the address names. */
function forgetDoor () {
  window.history.replaceState(null, '', window.location.pathname + window.location.search)
}

/** @param {User} user */
function showUser ({ name, email, created_at: since }) {
  /** @type {Record<string, string>} */
  const slots = { title: name ?? 'Your account', email, since: onDay(since) }
  for (const slot of document.querySelectorAll('[data-slot]')) slot.textContent = slots[String(slot.getAttribute('data-slot'))] ?? ''
  find('time[data-slot=since]').setAttribute('datetime', since)
  findInput('[name=username]').defaultValue = email
  setLead(nameNotice, name ?? 'You have not given one.')
  // What is being typed is left alone.
  if (forms.name.hidden) findInput('#new-name').defaultValue = name ?? ''
}

/** @param {Device[]} devices */
function showList (devices) {
  const before = idsShown()
  showDevices(place, devices, Date.now())
  describeList()
  if (before !== idsShown() && deviceNotice.dataset['kind'] === 'done') tell(deviceNotice)
}

/** Who is on one device has one way to sign out, and it is not here. */
function describeList () {
  const isOnly = place.list.children.length < 2
  find('#sign-out-everywhere').hidden = isOnly
  setLead(deviceNotice, isOnly ? 'Your account is signed in here, and nowhere else.' : 'Where your account is signed in. Sign out whatever you do not know.')
}

function idsShown () {
  return Array.from(place.list.querySelectorAll('[data-device]'), button => button.getAttribute('data-device')).sort().join()
}

/** Looks at the list again, and so notices that this device was signed out. */
async function lookAgain () {
  if (client.status !== 'signed-in' || document.visibilityState === 'hidden') return
  try {
    await showAccount()
    if (deviceNotice.dataset['stale']) tell(deviceNotice)
    delete deviceNotice.dataset['stale']
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code === 'other_user') return
    deviceNotice.dataset['stale'] = 'true'
    tell(deviceNotice, 'This list may be out of date: Signet cannot be reached right now.', 'error')
  }
}

/** @param {Device} device @param {string} name @param {HTMLElement} row */
async function signOutDevice ({ id }, name, row) {
  const button = find('button', row)
  if (button.ariaDisabled === 'true') return
  setBusy(button, 'true')
  tell(deviceNotice)
  try {
    await ask(`tokens/${id}`, { method: 'DELETE' })
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code === 'other_user') return
    // Somebody else was faster.
    if (error.code !== 'unknown_token') {
      setBusy(button, 'false')
      tellError(deviceNotice, error)
      return
    }
  }
  // The list may have been looked at again meanwhile.
  document.querySelector(`[data-device="${window.CSS.escape(id)}"]`)?.closest('li')?.remove()
  fold(place.list, place.more)
  describeList()
  find('#devices-title').focus({ preventScroll: true })
  tell(deviceNotice, `${name} is signed out.`, 'done')
}

async function signOutEverywhere () {
  const button = find('#sign-out-everywhere')
  if (button.ariaDisabled === 'true') return
  setBusy(button, 'true')
  tell(deviceNotice)
  try {
    await ask('revoke-all-tokens', { method: 'POST' })
    // The session is over on all devices; this tells this browser's other tabs.
    await unlessEmptied(client.logout())
  } catch (error) {
    tellUnlessPast(error)
  }
  setBusy(button, 'false')
}

async function signOut () {
  const button = find('#sign-out')
  if (button.ariaDisabled === 'true') return
  setBusy(button, 'true')
  tell(deviceNotice)
  try {
    await unlessEmptied(client.logout())
  } catch (error) {
    tellUnlessPast(error)
  }
  setBusy(button, 'false')
}

/** @param {unknown} error */
function tellUnlessPast (error) {
  if (!(error instanceof SignetError)) throw error
  if (error.code !== 'other_user') tellError(deviceNotice, error)
}

serveForm(forms.signIn, async ({ email = '', password = '' }) => { await unlessEmptied(client.login({ email, password })) })

serveForm(forms.signUp, async ({ name = '', email = '', password = '' }) => {
  await unlessEmptied(client.register({ email, password, name: name.trim() === '' ? null : name }))
  await unlessEmptied(client.login({ email, password })).catch(error => {
    if (error.code === 'other_user') throw error
    // There is an account now, so this form has nothing more to do.
    window.location.hash = '#sign-in'
    showDoor()
    tellError(signInNotice, error)
  })
})

serveForm(forms.name, async ({ name = '' }) => {
  const user = await askUser({ method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: name.trim() === '' ? null : name }) })
  closeName()
  showUser(user)
  tell(nameNotice, user.name ? 'Your name is saved.' : 'Your name is removed.', 'done')
})

serveForm(forms.password, async ({ current_password: currentPassword = '', new_password: newPassword = '' }) => {
  await unlessEmptied(client.changePassword({ currentPassword, newPassword }))
  closePassword()
  tell(find('.notice', /** @type {HTMLElement} */ (forms.password.parentElement)), 'Your password is changed, and every other device is signed out.', 'done')
  await lookAgain()
})

serveReveals()
serveRules(findInput('#sign-up-password'), find('#sign-up-rules'), minimum, () => findInput('#sign-up-email').value)
serveRules(findInput('#new-password'), find('#new-rules'), minimum, () => findInput('[name=username]').value)
serveNotices()

find('#sign-out').addEventListener('click', signOut)
place.more.addEventListener('click', () => {
  place.more.ariaExpanded = String(place.more.ariaExpanded !== 'true')
  fold(place.list, place.more)
})
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
  if (reason === 'absent') return
  empty()
  if (status === 'signed-in') {
    void enter()
    return
  }
  forgetDoor()
  show('sign-in')
  const text = reason === 'ended' ? 'This session has ended. Sign in again to go on.' : 'You are signed out.'
  tell(signInNotice, text, reason === 'ended' ? 'error' : 'done')
})

// What the browser keeps of a page that was left is nobody's, for somebody else may go back to it. The client learns whose session it is by then.
window.addEventListener('pagehide', ({ persisted }) => { if (persisted) empty() })
window.addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return
  empty()
  void enter()
})
window.addEventListener('hashchange', () => {
  if (client.status === 'signed-in') forgetDoor()
  else if (shown === 'sign-in' || shown === 'sign-up') showDoor()
})
document.addEventListener('visibilitychange', lookAgain)
window.addEventListener('focus', lookAgain)
setInterval(lookAgain, LOOK_AGAIN_MS)

await enter()
