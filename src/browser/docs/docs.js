// The page of the routes: sends what is in a form, shows the answer, and goes on with the tokens that came; holds them in memory alone.

const base = new URL('..', import.meta.url)
const session = /** @type {HTMLElement} */ (document.getElementById('session'))

/** @type {string | undefined} */
let token

/** @param {HTMLFormElement} form */
function requestOf (form) {
  const { method = '', path = '' } = form.dataset
  const { body, ...parameters } = /** @type {Record<string, string>} */ (Object.fromEntries(/** @type {Iterable<[string, string]>} */ (new FormData(form))))
  const filled = path.replace(/\{(\w+)\}/g, (_match, name) => encodeURIComponent(String(parameters[name])))
  const query = Object.entries(parameters).filter(([name, value]) => !path.includes(`{${name}}`) && value !== '')
  const type = form.querySelector('textarea')?.dataset['type']
  const headers = { ...(type && { 'content-type': type }), ...(token && { authorization: `Bearer ${token}` }) }
  const url = new URL(filled.slice(1), base)
  url.search = String(new URLSearchParams(query))
  return new Request(url, { method, headers, body: body ?? null })
}

/** @param {string} body */
function pretty (body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

/** @param {HTMLElement} place @param {string} line @param {string} body */
function show (place, line, body) {
  const [said, text] = [document.createElement('p'), document.createElement('pre')]
  said.textContent = line
  text.textContent = body
  text.tabIndex = 0
  text.ariaLabel = 'The answer'
  place.replaceChildren(said, ...(body ? [text] : []))
}

/** What comes next is sent with the tokens of an answer. @param {string} body */
function goOnWith (body) {
  const { access_token: access, refresh_token: refresh } = JSON.parse(body)
  if (access) {
    token = access
    session.textContent = 'What you send carries the access token that came last.'
  }
  if (refresh) /** @type {HTMLTextAreaElement} */ (document.getElementById('refresh-body')).value = JSON.stringify({ refresh_token: refresh }, null, 2)
}

/** @param {HTMLFormElement} form */
async function send (form) {
  const place = /** @type {HTMLElement} */ (form.querySelector('.answer'))
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
  // What is pressed twice is sent once: a second answer would stand where the first one was to be read.
  if (button.ariaBusy === 'true') return
  button.ariaBusy = 'true'
  try {
    const [before, response] = [performance.now(), await fetch(requestOf(form))]
    const body = await response.text()
    show(place, `${response.status} ${response.statusText}, ${Math.round(performance.now() - before)} ms`, pretty(body))
    if (response.ok && response.headers.get('content-type')?.startsWith('application/json')) goOnWith(body)
  } catch {
    show(place, 'Signet cannot be reached. Check the connection and try again.', '')
  }
  button.ariaBusy = 'false'
}

for (const form of document.querySelectorAll('form')) {
  form.addEventListener('submit', event => {
    event.preventDefault()
    void send(form)
  })
}

function openNamed () {
  document.getElementById(window.location.hash.slice(1))?.setAttribute('open', '')
}

window.addEventListener('hashchange', openNamed)
openNamed()
