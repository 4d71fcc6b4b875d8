// The pages on which a person decides: whether a client is let in, whether to sign out; holds no rule of what may be decided.
import { ANSWER_MS, toSignetError, unexpected } from './answers.js'
import { SignetError } from './client.js'
import { find, serveForm, serveNotices } from './forms.js'
import { leave, serveLeaving } from './leaving.js'
import { Views } from './views.js'

/** What Signet's pages call what OAuth has no name for, by the status. @type {Record<number, string>} */
const CODES = { 429: 'rate_limited', 500: 'internal_error', 503: 'unavailable' }

const views = new Views({ decision: document.title.replace(/ · .*/, ''), stayed: 'Still signed in', gone: 'Go on' })
const form = /** @type {HTMLFormElement} */ (find('form#decision'))
const button = find('button[type=submit]', form)
const { action = '', again = '' } = form.dataset

/** Whether nothing can be decided on this page any more. */
let isOver = false

/** Where it leads. @param {string} decision @returns {Promise<string>} */
async function decide (decision) {
  const response = await fetch(action, { method: 'POST', body: new URLSearchParams({ decision }), signal: AbortSignal.timeout(ANSWER_MS) })
  const answer = await response.json()
  if (!response.ok) throw toError(response, answer)
  if (typeof answer?.location !== 'string') throw unexpected()
  return answer.location
}

/** @param {Response} response @param {{ error_description?: string, request_id?: string } | null} answer */
function toError ({ status, headers }, answer) {
  const { error_description: detail, request_id: id } = answer ?? {}
  if (detail === undefined) return unexpected()
  return new SignetError({ code: CODES[status] ?? 'refused', detail, ...(id !== undefined && { request_id: id }) }, status, Number(headers.get('retry-after') ?? 0))
}

serveForm(form, async ({ decision = '' }) => {
  if (isOver) await leave(views, again)
  const location = await decide(decision).catch(error => {
    const refusal = toSignetError(error)
    isOver = refusal.code === 'refused'
    if (isOver) button.textContent = 'Begin again'
    throw refusal
  })
  await leave(views, location)
})
serveNotices()
serveLeaving(views)
const stay = /** @type {HTMLButtonElement | null} */ (document.querySelector('#stay'))
if (stay) {
  stay.addEventListener('click', () => { views.show('stayed') })
  stay.disabled = false
}
views.show('decision')
