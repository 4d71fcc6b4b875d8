// How a page of OAuth ends: it leads to one address, and to no other after that; holds no address.
import { find } from './forms.js'

/** @typedef {import('./views.js').Views} Views */

let isLeaving = false

/**
 * Goes to an address in place of this page: the first one counts. It never ends, so that whoever waits for it lets nothing be pressed meanwhile.
 * @param {Views} views @param {string} address @returns {Promise<never>}
 */
export async function leave (views, address) {
  if (!isLeaving) {
    isLeaving = true
    window.location.replace(address)
    // An application opens such an address beside this page.
    if (!/^https?:$/.test(new URL(address, window.location.href).protocol)) showGone(views, address)
  }
  return await new Promise(() => {})
}

/** @param {Views} views @param {string} address */
function showGone (views, address) {
  /** @type {HTMLAnchorElement} */ (find('#open')).href = address
  views.show('gone')
}

/** Serves the link that declines, where there is one, and a page that is gone back to. @param {Views} views */
export function serveLeaving (views) {
  const decline = /** @type {HTMLAnchorElement | null} */ (document.querySelector('#decline'))
  decline?.addEventListener('click', event => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    void leave(views, decline.href)
  })
  // What it asked was decided, or somebody else is signed in by now.
  window.addEventListener('pageshow', ({ persisted }) => { if (persisted) window.location.reload() })
}
