// The account page at /account: sign up, sign in, who am I, devices, applications, what happened, name and password; holds no token, which is the client's.
import { showActivity } from './activity.js'
import { clearAddress, serveAddresses, showAddress } from './addresses.js'
import { ANSWER_MS, toSignetError, unexpected } from './answers.js'
import { createClient, SignetError } from './client.js'
import { fold, onDay, showDevices } from './devices.js'
import { doors, minimum, serveDoors, showDoor, signInNotice } from './doors.js'
import { clearFactors, hasFactor, serveFactors, showFactors } from './factors.js'
import { find, findInput, reset, serveForm, serveNotices, serveOpening, serveReveals, serveRules, setBusy, setLead, tell, tellError } from './forms.js'
import { clearLinks, isLinked, linkToken, serveLinks, showLink } from './links.js'
import { clearProof, serveProof } from './proof.js'
import { createRecovery } from './recovery.js'
import { createSecondFactors } from './second-factors.js'
import { clearSecondStep, serveSecondStep } from './second-step.js'
import { forgetHash, Views } from './views.js'

/** @typedef {import('./client.js').User} User */
/** @typedef {import('./devices.js').Device} Device */
/** @typedef {ReturnType<typeof placeOf>} Place */

/** How often the list of devices is looked at again while somebody looks at the page, in milliseconds. */
const LOOK_AGAIN_MS = 30_000

/** The length that a password has at least where it is not all that lets somebody in. */
const MINIMUM_BESIDE_FACTOR = 8

const base = new URL('..', import.meta.url).href
const client = createClient({ baseUrl: base })
/** What a person reads of a scope. @type {Map<string, string>} */
const scopeWords = new Map(Object.entries(JSON.parse(String(find('meta[name=scope-words]').getAttribute('content')))))
const form = (/** @type {string} */ id) => /** @type {HTMLFormElement} */ (find(`form#${id}`))
const forms = { ...doors, name: form('change-name'), password: form('change-password'), deletion: form('delete-account'), reset: form('reset-password') }
const nameNotice = find('#name')
const usernames = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll('[name=username]')])
const [devices, applications] = [placeOf('devices', name => `${name} is signed out.`), placeOf('applications', name => `${name} has no access any more.`)]
const places = [devices, applications]
const activity = { list: find('#activity'), more: find('#more-activity'), card: /** @type {HTMLElement} */ (find('#activity-title').closest('section')) }
const [closeName, closePassword, closeDeletion] = [serveOpening(find('#edit-name'), forms.name), serveOpening(find('#edit-password'), forms.password), serveOpening(find('#open-deletion'), forms.deletion)]
const confirmation = /** @type {HTMLDialogElement} */ (find('#confirm'))

const views = new Views({
  'sign-in': 'Sign in', 'sign-up': 'Create an account', 'second-step': 'One more step', enrol: 'Set up a second step', 'forgot-password': 'Forgot your password?', 'look-into-mail': 'Look into your mail',
  'reset-password': 'Set a new password', 'verify-email': 'Confirm your address', 'change-email': 'Use your new address', account: 'Your account', unreachable: 'Not reached', waiting: 'Your account',
})

/** The views on the way in, from which one goes to another. */
const BEFORE = ['sign-in', 'sign-up', 'forgot-password', 'look-into-mail', 'second-step', 'enrol']

/** How often this page was emptied: what was asked before is not for whoever looks at it since. */
let emptied = 0

/** Hides the page, and takes out of it all that is a person's. */
function empty () {
  emptied++
  views.show('waiting')
  confirmation.close()
  for (const slot of document.querySelectorAll('[data-slot]')) slot.textContent = ''
  find('time[data-slot=since]').removeAttribute('datetime')
  for (const input of [...usernames, findInput('#new-name')]) input.defaultValue = ''
  for (const { list, more } of [...places, activity]) {
    list.replaceChildren()
    more.ariaExpanded = 'false'
    fold(list, more)
  }
  for (const close of [closeName, closePassword, closeDeletion]) close()
  for (const each of Object.values(forms)) if (each) reset(each)
  for (const notice of [nameNotice, ...places.map(place => place.notice)]) {
    tell(notice)
    setLead(notice, '')
  }
  clearAddress()
  clearProof()
  clearFactors()
  clearSecondStep()
  clearLinks()
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

/** The same functions, of which each is for who asks it alone. @template {Record<string, (...given: any[]) => Promise<any>>} T @param {T} functions @returns {T} */
function owned (functions) {
  return /** @type {T} */ (Object.fromEntries(Object.entries(functions).map(([name, ask]) => [name, async (/** @type {any[]} */ ...given) => await unlessEmptied(ask(...given))])))
}

const [recovery, factors] = [owned(createRecovery(client)), owned(createSecondFactors(client))]

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

/** What happened on the account. */
async function askEvents () {
  const list = await ask('events')
  if (!Array.isArray(list?.events)) throw unexpected()
  return list.events
}

async function askFactors () {
  const list = await factors.list()
  if (!Array.isArray(list?.passkeys)) throw unexpected()
  return list
}

/** What came of some work; undefined where that is not told, for it is no reason to show nothing. @template T @param {Promise<T>} work */
async function orNothing (work) {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof SignetError) || error.code === 'other_user') throw error
    return undefined
  }
}

/** Shows the account, or the form that leads to it. */
async function enter () {
  try {
    if (!await mayHaveSession()) {
      showDoor(views)
      return
    }
    await showAccount()
    forgetHash()
    views.show('account')
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code === 'other_user') return
    if (error.code === 'invalid_grant') {
      showDoor(views)
      return
    }
    find('#unreachable-reason').textContent = error.message
    views.show('unreachable')
  }
}

/** @throws a SignetError, and then shows nothing new */
async function showAccount () {
  const [user, all, events, proofs] = await Promise.all([askUser(), askDevices(), orNothing(askEvents()), orNothing(askFactors())])
  showUser(user)
  showList(all)
  showFactors(proofs, Date.now())
  if (events) showActivity(activity, events, Date.now())
}

/** @param {User} user */
function showUser (user) {
  const { name, email, created_at: since } = user
  /** @type {Record<string, string>} */
  const slots = { title: name ?? 'Your account', email, since: onDay(since) }
  for (const slot of document.querySelectorAll('[data-slot]')) slot.textContent = slots[String(slot.getAttribute('data-slot'))] ?? ''
  find('time[data-slot=since]').setAttribute('datetime', since)
  for (const input of usernames) input.defaultValue = email
  setLead(nameNotice, name ?? 'You have not given one.')
  showAddress(user)
  // What is being typed is left alone.
  if (forms.name.hidden) findInput('#new-name').defaultValue = name ?? ''
}

/** @param {Device[]} all */
function showList (all) {
  for (const place of places) {
    const before = idsShown(place)
    showDevices(place, all.filter(({ client }) => Boolean(client) === (place === applications)), Date.now())
    if (before !== idsShown(place) && place.notice.dataset['kind'] === 'done') tell(place.notice)
  }
  describeLists()
}

/** Who is on one device has one way to sign out, and it is not here. */
function describeLists () {
  const [isOnly, hasApplications] = [devices.list.children.length < 2, applications.list.children.length > 0]
  find('#sign-out-everywhere').hidden = isOnly && !hasApplications
  setLead(devices.notice, isOnly ? 'Your account is signed in here, and on no other device.' : 'Where your account is signed in. Sign out whatever you do not know.')
  setLead(applications.notice, hasApplications ? 'What you have let in. Take back whatever you do not use any more.' : 'You have let no application in.')
  // Where the last one went is said there.
  applications.card.hidden = !hasApplications && applications.notice.dataset['kind'] !== 'done'
}

/** A list of what can be signed out, with its news. @param {string} id @param {(name: string) => string} newsOf */
function placeOf (id, newsOf) {
  const title = find(`#${id}-title`)
  const card = /** @type {HTMLElement} */ (title.closest('section'))
  const place = {
    list: find(`#${id}`), more: find(`#more-${id}`), notice: find('.notice', card), title, card, newsOf, scopeWords,
    leave: (/** @type {Device} */ device, /** @type {string} */ name, /** @type {HTMLElement} */ row) => { void signOutDevice(place, device, name, row) },
  }
  return place
}

/** @param {Place} place */
function idsShown ({ list }) {
  return Array.from(list.querySelectorAll('[data-device]'), button => button.getAttribute('data-device')).sort().join()
}

/** Looks at the list again, and so notices that this device was signed out. */
async function lookAgain () {
  if (client.status !== 'signed-in' || document.visibilityState === 'hidden') return
  try {
    await showAccount()
    if (devices.notice.dataset['stale']) tell(devices.notice)
    delete devices.notice.dataset['stale']
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code === 'other_user') return
    devices.notice.dataset['stale'] = 'true'
    tell(devices.notice, 'This list may be out of date: Signet cannot be reached right now.', 'error')
  }
}

/** @param {Place} place @param {Device} device @param {string} name @param {HTMLElement} row */
async function signOutDevice ({ list, more, notice, title, newsOf }, { id }, name, row) {
  const button = find('button', row)
  if (button.ariaDisabled === 'true') return
  setBusy(button, 'true')
  tell(notice)
  try {
    await ask(`tokens/${id}`, { method: 'DELETE' })
  } catch (error) {
    if (!(error instanceof SignetError)) throw error
    if (error.code === 'other_user') return
    // Somebody else was faster.
    if (error.code !== 'unknown_token') {
      setBusy(button, 'false')
      tellError(notice, error)
      return
    }
  }
  // The list may have been looked at again meanwhile.
  document.querySelector(`[data-device="${window.CSS.escape(id)}"]`)?.closest('li')?.remove()
  fold(list, more)
  tell(notice, newsOf(name), 'done')
  describeLists()
  title.focus({ preventScroll: true })
}

async function signOutEverywhere () {
  const button = find('#sign-out-everywhere')
  if (button.ariaDisabled === 'true') return
  setBusy(button, 'true')
  tell(devices.notice)
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
  tell(devices.notice)
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
  if (error.code !== 'other_user') tellError(devices.notice, error)
}

serveDoors(views, {
  register: async registration => await unlessEmptied(client.register(registration)),
  login: async credentials => { await unlessEmptied(client.login(credentials)) },
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

serveForm(forms.deletion, async ({ current_password: password = '' }) => {
  await client.deleteAccount({ password })
  tell(signInNotice, 'Your account is deleted.', 'done')
})

serveForm(forms.reset, async ({ new_password: newPassword = '' }) => {
  await recovery.resetPassword({ token: linkToken(), newPassword })
  reset(forms.reset)
  await enter()
  tell(signInNotice, 'Your new password is set. Sign in with it.', 'done')
})

serveAddresses(recovery, views, enter)
serveProof(factors)
serveFactors(factors, lookAgain)
serveSecondStep(views, createSecondFactors(client))
serveLinks(recovery)

serveReveals()
serveRules(findInput('#reset-new-password'), find('#reset-rules'), minimum, () => '')
serveRules(findInput('#new-password'), find('#new-rules'), () => hasFactor() ? MINIMUM_BESIDE_FACTOR : minimum(), () => String(usernames[0]?.value))
serveNotices()

find('#sign-out').addEventListener('click', signOut)
for (const { list, more } of [...places, activity]) {
  more.addEventListener('click', () => {
    more.ariaExpanded = String(more.ariaExpanded !== 'true')
    fold(list, more)
  })
}
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
  // Who follows a link may be nobody who is signed in.
  if (reason === 'absent' || isLinked(views)) return
  empty()
  if (status === 'signed-in') {
    void enter()
    return
  }
  forgetHash()
  views.show('sign-in')
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
  if (showLink(views)) return
  if (isLinked(views)) void enter()
  else if (client.status === 'signed-in') forgetHash()
  else if (BEFORE.includes(String(views.shown))) showDoor(views)
})
document.addEventListener('visibilitychange', lookAgain)
window.addEventListener('focus', lookAgain)
setInterval(lookAgain, LOOK_AGAIN_MS)

if (!showLink(views)) await enter()
