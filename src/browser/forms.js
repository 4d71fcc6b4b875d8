// The forms of the pages: what a person reads at a field and above a form; holds no request and no rule of its own.
import { SignetError } from './client.js'

/** Whoever has a look at an address sees at once that it is none: Signet is stricter. The stops are those that DNS takes for one (UTS #46). */
const EMAIL = /^[^\s@]+@[^\s@]+[.\u3002\uff0e\uff61][^\s@]+$/

/** Fields that a code is about, where the refusal names none. @type {Record<string, string>} */
const FIELD_OF = { email_taken: 'email', wrong_password: 'current_password', not_the_password: 'current_password', wrong_code: 'code', invalid_second_factor: 'code', fresh_log_in_needed: 'code' }

/** What a person reads where Signet's own sentence is for programs. @type {Record<string, string>} */
const SENTENCES = {
  email_taken: 'This address already has an account.',
  wrong_password: 'That is not your current password.',
  busy: 'Many people are signing in right now. Try again in a moment.',
  unavailable: 'Signet cannot do this right now. Try again in a moment.',
  not_the_password: 'That is not the password of this account.',
  wrong_code: 'This code is wrong, or was used already.',
  invalid_second_factor: 'This code is wrong, or was used already.',
  fresh_log_in_needed: 'Enter a code as well.',
  invalid_ticket: 'This took too long. Sign in once more.',
  invalid_email_token: 'This link does not work any more. Ask for another one.',
  unknown_factor: 'It is gone already.',
  invalid_passkey: 'This passkey could not be added. Try once more.',
  passkey_refused: 'This passkey does not open an account here. Use another one, or your password.',
  passkey_exists: 'This device has a passkey for your account already.',
  too_many_passkeys: 'You have ten passkeys, and there may be no more. Remove one first.',
  too_many_active_tokens: 'Your account is signed in on as many devices as it may be. Sign out on one of them first.',
}

/** What no person is told: the page has gone on to somebody else, or it is what they wanted. */
export const UNTOLD = ['other_user', 'given_up']

/** Where a refusal leads on. @type {Record<string, [href: string, text: string]>} */
const WAYS_ON = { email_taken: ['#sign-in', 'Sign in'] }

/** The element that the page is known to have. @param {string} selector @param {ParentNode} [root] @returns {HTMLElement} */
export function find (selector, root = document) {
  return /** @type {HTMLElement} */ (root.querySelector(selector))
}

/** @param {string} selector @param {ParentNode} [root] @returns {HTMLInputElement} */
export function findInput (selector, root = document) {
  return /** @type {HTMLInputElement} */ (root.querySelector(selector))
}

/** Says something above a form or a list, or its lead again. @param {HTMLElement} notice @param {string} [text] @param {'error' | 'done' | 'lead'} [kind] */
export function tell (notice, text = notice.dataset['lead'], kind = 'lead') {
  stopCountdown(notice)
  notice.dataset['kind'] = kind
  if (kind === 'lead') notice.removeAttribute('role')
  else notice.setAttribute('role', kind === 'error' ? 'alert' : 'status')
  notice.textContent = text ?? ''
  if (kind === 'done') notice.scrollIntoView({ block: 'nearest' })
}

/** What a notice says while there is no news. @param {HTMLElement} notice @param {string} lead */
export function setLead (notice, lead) {
  notice.dataset['lead'] = lead
  if (!notice.dataset['kind'] || notice.dataset['kind'] === 'lead') tell(notice)
}

/** What was done is news until somebody does the next thing. */
export function serveNotices () {
  const forget = () => {
    for (const notice of document.querySelectorAll('.notice[data-kind=done]')) tell(/** @type {HTMLElement} */ (notice))
  }
  for (const event of ['click', 'input']) document.addEventListener(event, forget, { capture: true })
  for (const notice of document.querySelectorAll('.notice')) tell(/** @type {HTMLElement} */ (notice))
}

/** Sends a form by `send`, and shows where a person looks what came of it. @param {HTMLFormElement} form @param {(values: Record<string, string>) => Promise<void>} send */
export function serveForm (form, send) {
  const button = /** @type {HTMLButtonElement} */ (find('button[type=submit]', form))
  const notice = noticeOf(form)
  // Until then a press would be lost.
  button.disabled = false
  form.addEventListener('submit', async event => {
    event.preventDefault()
    if (button.ariaDisabled === 'true') return
    clear(form)
    if (showFaults(inputsOf(form).filter(hasFault))) return
    setBusy(button, 'true')
    try {
      await send(Object.fromEntries(/** @type {Iterable<[string, string]>} */ (new FormData(form))))
    } catch (error) {
      showError(form, error)
    }
    setBusy(button, 'false')
    // Until then there is no sense in asking again.
    if (waits(notice)) button.ariaDisabled = 'true'
  })
  form.addEventListener('input', ({ target }) => { if (/** @type {HTMLInputElement} */ (target).id) mark(/** @type {HTMLInputElement} */ (target)) })
}

/** A form that is opened by a button beside what it changes, and closed by Cancel, by Escape or `close`. @param {HTMLElement} button @param {HTMLFormElement} form */
export function serveOpening (button, form) {
  const toggle = (/** @type {'true' | 'false'} */ isOpen) => {
    button.ariaExpanded = isOpen
    button.hidden = form.hidden = true
    const shown = isOpen === 'true' ? form : button
    shown.hidden = false
  }
  const close = () => {
    if (form.hidden) return
    const held = form.contains(document.activeElement)
    reset(form)
    toggle('false')
    if (held) button.focus()
  }
  button.addEventListener('click', () => {
    toggle('true')
    findInput('input:not([hidden])', form).select()
  })
  find('[data-cancel]', form).addEventListener('click', close)
  form.addEventListener('keydown', ({ key }) => { if (key === 'Escape') close() })
  return close
}

/** Empties a form and what was said at it. @param {HTMLFormElement} form */
export function reset (form) {
  form.reset()
  clear(form)
  for (const secret of form.querySelectorAll('.reveal')) reveal(/** @type {HTMLElement} */ (secret), 'Show')
  for (const rule of form.querySelectorAll('.rules li')) setState(/** @type {HTMLElement} */ (rule), '')
}

/** @param {HTMLFormElement} form */
function noticeOf (form) {
  return find('.notice', /** @type {HTMLElement} */ (form.parentElement))
}

/** @param {HTMLFormElement} form */
function inputsOf (form) {
  return /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll('input[id]:enabled')])
}

/** @param {HTMLFormElement} form */
function clear (form) {
  tell(noticeOf(form))
  for (const input of inputsOf(form)) mark(input)
}

/** Says at a field what is wrong with it, and what leads on; with neither, that nothing is known to be. @param {HTMLInputElement} input @param {string} [text] @param {[href: string, text: string]} [wayOn] */
function mark (input, text, wayOn) {
  const note = find(`#${input.id}-note`)
  note.textContent = text ?? ''
  if (wayOn) note.append(' ', Object.assign(document.createElement('a'), { href: wayOn[0], textContent: wayOn[1] }))
  if (text === undefined) input.removeAttribute('aria-invalid')
  else input.setAttribute('aria-invalid', 'true')
}

/** Whether a field cannot be sent, which it says. @param {HTMLInputElement} input */
function hasFault (input) {
  // The rule that failed says it.
  if (ruled.get(input)?.fails()) mark(input, '')
  else if (input.required && input.value === '') mark(input, input.dataset['missing'])
  else if (input.dataset['exactly'] !== undefined && input.value.trim().toLowerCase() !== input.dataset['exactly']) mark(input, input.dataset['wrong'])
  else if (input.type === 'email' && !EMAIL.test(input.value.trim())) mark(input, input.dataset['wrong'])
  return input.ariaInvalid === 'true'
}

/** Leads to the first of the fields at which something is said; returns whether there is one. @param {HTMLInputElement[]} inputs */
function showFaults ([first]) {
  first?.focus()
  return first !== undefined
}

/** Every error of the server where a person looks for it: at the field, or above the form. @param {HTMLFormElement} form @param {unknown} error */
function showError (form, error) {
  if (!(error instanceof SignetError)) throw error
  if (UNTOLD.includes(error.code)) return
  const named = FIELD_OF[error.code] ? [{ field: FIELD_OF[error.code] }] : error.errors
  const inputs = inputsOf(form).filter(input => named.some(({ field }) => field === input.name))
  for (const input of inputs) refuse(input, error)
  if (!showFaults(inputs)) tellError(noticeOf(form), error, () => { setBusy(find('button[type=submit]', form), 'false') })
}

/** @param {HTMLInputElement} input @param {SignetError} error */
function refuse (input, { code }) {
  if (SENTENCES[code]) mark(input, SENTENCES[code], WAYS_ON[code])
  else mark(input, ruled.get(input)?.refuse() ? '' : input.dataset['wrong'])
}

/** Shows an error above a form or a list; where it says how long to wait, counts down, and then calls `done`. @param {HTMLElement} notice @param {SignetError} error @param {() => void} [done] */
export function tellError (notice, error, done = () => {}) {
  const { code, message, requestId, retryAfter = 0 } = error
  tell(notice, code === 'internal_error' ? `Something went wrong in Signet. Try again, and if it stays so, name this id: ${requestId}` : SENTENCES[code] ?? message, 'error')
  if (code === 'rate_limited') countDown(notice, retryAfter, done)
  notice.scrollIntoView({ block: 'nearest' })
}

/** @type {WeakMap<HTMLElement, ReturnType<typeof setInterval>>} */
const countdowns = new WeakMap()

/** @param {HTMLElement} notice */
function waits (notice) {
  return countdowns.has(notice)
}

/** @param {HTMLElement} notice */
function stopCountdown (notice) {
  clearInterval(countdowns.get(notice))
  countdowns.delete(notice)
}

// A screen reader is told once for how long; whoever sees it sees the seconds go.
/** @param {HTMLElement} notice @param {number} seconds @param {() => void} done */
function countDown (notice, seconds, done) {
  const end = Date.now() + seconds * 1000
  const [told, seen] = [document.createElement('span'), document.createElement('span')]
  told.className = 'visually-hidden'
  told.textContent = `Too many attempts. You can try again in ${seconds < 600 ? `${seconds} seconds` : roughly(seconds)}.`
  seen.ariaHidden = 'true'
  const show = () => {
    const left = Math.ceil((end - Date.now()) / 1000)
    seen.textContent = `Too many attempts. Try again in ${left < 600 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : roughly(left)}.`
    if (left > 0) return
    tell(notice)
    done()
  }
  notice.replaceChildren(told, seen)
  countdowns.set(notice, setInterval(show, 250))
  show()
}

/** What nobody waits for in front of the page. @param {number} seconds */
function roughly (seconds) {
  return seconds < 5_400 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3_600)} hours`
}

/** A button that works keeps its focus and its size. @param {HTMLElement} button @param {'true' | 'false'} isBusy */
export function setBusy (button, isBusy) {
  button.ariaDisabled = isBusy
  button.ariaBusy = isBusy
}

/** Offers to show a password, or to hide it again, which tells whether it is seen. @param {HTMLElement} button @param {'Show' | 'Hide'} offer */
function reveal (button, offer) {
  findInput(`#${button.getAttribute('aria-controls')}`).type = offer === 'Hide' ? 'text' : 'password'
  button.ariaLabel = String(button.ariaLabel).replace(/^\w+/, offer)
  button.textContent = offer
}

export function serveReveals () {
  for (const button of document.querySelectorAll('.reveal')) {
    const element = /** @type {HTMLElement} */ (button)
    element.addEventListener('click', () => { reveal(element, element.textContent === 'Show' ? 'Hide' : 'Show') })
  }
}

/** Fields that have a list of rules: whether one fails, and what Signet's refusal means for them. @type {WeakMap<HTMLInputElement, { fails: () => boolean, refuse: () => boolean }>} */
const ruled = new WeakMap()

/**
 * Signet's rules for a password, as it is typed; the list of common ones only the server has.
 * @param {HTMLInputElement} input @param {HTMLElement} list @param {() => number} minimum @param {() => string} email
 */
export function serveRules (input, list, minimum, email) {
  /** @type {Array<[text: string, isMet: ((password: string) => boolean) | undefined]>} */
  const rules = [
    ['', password => Math.min(...lengths(password)) >= minimum()],
    ['Not your e-mail address', password => password === '' || password.normalize('NFKC').toLowerCase() !== email().trim().toLowerCase()],
    ['Not easy to guess, as “password1” is', undefined],
  ]
  const items = rules.map(([text]) => {
    const [item, state] = [document.createElement('li'), document.createElement('span')]
    state.className = 'visually-hidden'
    item.append(text, state)
    return item
  })
  list.replaceChildren(...items)
  // It is another once there is a second factor.
  const sayMinimum = () => { items[0]?.firstChild?.replaceWith(`At least ${minimum()} characters`) }
  sayMinimum()
  input.addEventListener('focus', sayMinimum)
  const ruleOf = (/** @type {HTMLElement} */ item) => rules[items.indexOf(/** @type {HTMLLIElement} */ (item))]?.[1]
  const isBroken = (/** @type {HTMLElement} */ item) => ruleOf(item)?.(input.value) === false
  const fail = (/** @type {HTMLElement[]} */ broken) => {
    for (const item of broken) setState(item, 'failed')
    return broken.length > 0
  }
  ruled.set(input, {
    fails: () => fail(items.filter(isBroken)),
    // What no other rule refuses is easy to guess; but what is too long is no matter of these.
    refuse: () => Math.max(...lengths(input.value)) <= MAX_LENGTH && fail([...items.filter(isBroken), ...items.slice(-1)].slice(0, 1)),
  })
  input.form?.addEventListener('input', () => {
    for (const item of items) {
      if (input.value === '' || !ruleOf(item)) setState(item, '')
      // What failed looks so until it is mended.
      else if (!isBroken(item)) setState(item, 'met')
      else if (item.dataset['state'] === 'met') setState(item, '')
    }
  })
}

/** Of a password, by characters of any script. */
const MAX_LENGTH = 256

// Before and after the normalisation, which makes eighteen letters of some and one of others.
/** @param {string} password */
function lengths (password) {
  return [password, password.normalize('NFKC')].map(text => [...text].length)
}

/** @param {HTMLElement} rule @param {'' | 'met' | 'failed'} state */
function setState (rule, state) {
  rule.dataset['state'] = state
  find('span', rule).textContent = { '': '', met: ': yes', failed: ': no' }[state]
}
