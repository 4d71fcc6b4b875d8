// The forms of the account page: what a person reads at a field and above a form; holds no request and no rule of its own.
import { SignetError } from './client.js'

/** As Signet counts a password, by characters of any script. */
const PASSWORD_MAX_LENGTH = 256

/** Fields that a code is about, where the refusal names none. @type {Record<string, string>} */
const FIELD_OF = { email_taken: 'email', wrong_password: 'current_password' }

/** The element that the page is known to have. @param {string} selector @param {ParentNode} [root] @returns {HTMLElement} */
export function find (selector, root = document) {
  return /** @type {HTMLElement} */ (root.querySelector(selector))
}

/** @param {string} selector @param {ParentNode} [root] @returns {HTMLInputElement} */
export function findInput (selector, root = document) {
  return /** @type {HTMLInputElement} */ (root.querySelector(selector))
}

/** Says something above a form, or its lead again. @param {HTMLElement} notice @param {string} [text] @param {'error' | 'done' | 'lead'} [kind] */
export function tell (notice, text = notice.dataset['lead'], kind = 'lead') {
  stopCountdown(notice)
  notice.dataset['kind'] = kind
  if (kind === 'lead') notice.removeAttribute('role')
  else notice.setAttribute('role', kind === 'error' ? 'alert' : 'status')
  notice.textContent = text ?? ''
}

/** Sends a form by `send`, and shows where a person looks what came of it. @param {HTMLFormElement} form @param {(values: Record<string, string>) => Promise<void>} send */
export function serveForm (form, send) {
  const button = find('button[type=submit]', form)
  const notice = noticeOf(form)
  form.addEventListener('submit', async event => {
    event.preventDefault()
    if (button.ariaDisabled === 'true') return
    clear(form)
    if (missesSomething(form)) return
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
  form.addEventListener('input', ({ target }) => { tellField(/** @type {HTMLInputElement} */ (target)) })
}

/** Empties a form and what was said at it. @param {HTMLFormElement} form */
export function reset (form) {
  form.reset()
  clear(form)
  for (const secret of form.querySelectorAll('.reveal')) reveal(/** @type {HTMLElement} */ (secret), 'false')
  for (const rule of form.querySelectorAll('.rules li')) rule.removeAttribute('data-met')
}

/** @param {HTMLFormElement} form */
function noticeOf (form) {
  return find('.notice', /** @type {HTMLElement} */ (form.parentElement))
}

/** @param {HTMLFormElement} form */
function clear (form) {
  tell(noticeOf(form))
  for (const input of form.elements) tellField(/** @type {HTMLInputElement} */ (input))
}

/** Says something at a field, or nothing more. @param {HTMLInputElement} input @param {string} [text] */
function tellField (input, text = '') {
  const note = input.id && document.getElementById(`${input.id}-note`)
  if (!note) return
  note.textContent = text
  if (text) input.setAttribute('aria-invalid', 'true')
  else input.removeAttribute('aria-invalid')
}

/** @param {HTMLFormElement} form */
function missesSomething (form) {
  const missing = Array.from(/** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll('input[required]'))).filter(input => input.value === '')
  for (const input of missing) tellField(input, input.dataset['missing'])
  missing[0]?.focus()
  return missing.length > 0
}

/** Every error of the server where a person looks for it: at the field, or above the form. @param {HTMLFormElement} form @param {unknown} error */
function showError (form, error) {
  if (!(error instanceof SignetError)) throw error
  // The page has gone on to somebody else.
  if (error.code === 'other_user') return
  const inputs = toFieldErrors(error).flatMap(({ field, detail }) => {
    const input = findInput(`input[name="${window.CSS.escape(field)}"]`, form)
    if (input) tellField(input, detail)
    return input ?? []
  })
  if (inputs[0]) inputs[0].focus()
  else tellError(noticeOf(form), error, () => { setBusy(find('button[type=submit]', form), 'false') })
}

/** @param {SignetError} error */
function toFieldErrors ({ code, errors, message }) {
  const field = FIELD_OF[code]
  return field ? [{ field, detail: message }] : errors
}

/** Shows an error above a form or a list; where it says how long to wait, counts down, and then calls `done`. @param {HTMLElement} notice @param {SignetError} error @param {() => void} [done] */
export function tellError (notice, error, done = () => {}) {
  const { code, message, requestId, retryAfter = 0 } = error
  tell(notice, code === 'internal_error' ? `${message} The id is ${requestId}.` : message, 'error')
  if (code === 'rate_limited') countDown(notice, retryAfter, done)
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
  told.textContent = `Too many attempts. You can try again in ${seconds} seconds.`
  seen.ariaHidden = 'true'
  const show = () => {
    const left = Math.ceil((end - Date.now()) / 1000)
    seen.textContent = `Too many attempts. Try again in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}.`
    if (left > 0) return
    tell(notice)
    done()
  }
  notice.replaceChildren(told, seen)
  countdowns.set(notice, setInterval(show, 250))
  show()
}

/** A button that works keeps its focus and its size. @param {HTMLElement} button @param {'true' | 'false'} isBusy */
export function setBusy (button, isBusy) {
  button.ariaDisabled = isBusy
  button.ariaBusy = isBusy
}

/** Lets a password be seen. @param {HTMLElement} button @param {'true' | 'false'} isShown */
function reveal (button, isShown) {
  const input = findInput(`#${button.getAttribute('aria-controls')}`)
  input.type = isShown === 'true' ? 'text' : 'password'
  button.ariaPressed = isShown
  button.textContent = isShown === 'true' ? 'Hide' : 'Show'
}

export function serveReveals () {
  for (const button of document.querySelectorAll('.reveal')) {
    const element = /** @type {HTMLElement} */ (button)
    element.addEventListener('click', () => { reveal(element, element.ariaPressed === 'true' ? 'false' : 'true') })
  }
}

/**
 * Signet's rules for a password, as it is typed; the list of common ones only the server has.
 * @param {HTMLInputElement} input @param {HTMLElement} list @param {number} minimum @param {() => string} email
 */
export function serveRules (input, list, minimum, email) {
  /** @type {Array<[text: string, isMet: ((password: string) => boolean) | undefined]>} */
  const rules = [
    [`At least ${minimum} characters`, password => Math.min(...lengths(password)) >= minimum],
    [`At most ${PASSWORD_MAX_LENGTH} characters`, password => Math.max(...lengths(password)) <= PASSWORD_MAX_LENGTH],
    ['Not your e-mail address', password => password.normalize('NFKC').toLowerCase() !== email().trim().toLowerCase()],
    ['Not a common one; Signet looks it up when you send it', undefined],
  ]
  const items = rules.map(([text]) => {
    const [item, state] = [document.createElement('li'), document.createElement('span')]
    state.className = 'visually-hidden'
    item.append(text, state)
    return item
  })
  list.replaceChildren(...items)
  const judge = () => {
    const password = input.value
    rules.forEach(([, isMet], at) => {
      if (isMet) mark(/** @type {HTMLElement} */ (items[at]), password === '' ? undefined : isMet(password))
    })
  }
  input.form?.addEventListener('input', judge)
}

// Before and after the normalisation, which makes eighteen letters of some and one of others.
/** @param {string} password */
function lengths (password) {
  return [password, password.normalize('NFKC')].map(text => [...text].length)
}

/** @param {HTMLElement} item @param {boolean | undefined} isMet */
function mark (item, isMet) {
  if (isMet === undefined) item.removeAttribute('data-met')
  else item.dataset['met'] = String(isMet)
  find('span', item).textContent = isMet === undefined ? '' : isMet ? ': yes' : ': not yet'
}
