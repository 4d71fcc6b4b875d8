// What the pages of OAuth do: log in for a client, and send what a person decided; holds no token.
import { createClient } from './client.js'

const notice = /** @type {HTMLElement} */ (document.querySelector('#notice'))

document.querySelector('form')?.addEventListener('submit', async event => {
  event.preventDefault()
  const form = /** @type {HTMLFormElement} */ (event.target)
  const data = new FormData(form)
  try {
    const { action, address } = form.dataset
    if (address) {
      await createClient({ baseUrl: new URL('..', import.meta.url).href }).login({ email: String(data.get('email')), password: String(data.get('password')) })
      window.location.replace(address)
      return
    }
    const response = await fetch(/** @type {string} */ (action), { method: 'POST', body: new URLSearchParams({ decision: String(data.get('decision')) }) })
    const answer = await response.json()
    if (!response.ok) throw new Error(answer.error_description)
    window.location.replace(answer.location)
  } catch (error) {
    notice.textContent = /** @type {Error} */ (error).message
  }
})
