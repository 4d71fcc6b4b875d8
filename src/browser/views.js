// A page of which one view is shown at a time; holds no view.
import { find } from './forms.js'

export class Views {
  #titles
  /** What was shown last, beside that one is waiting. @type {string | undefined} */
  shown

  /** @param {Record<string, string>} titles */
  constructor (titles) {
    this.#titles = titles
  }

  /** Shows a view, and leads there whoever was at another. @param {string} name */
  show (name) {
    for (const view of document.querySelectorAll('[data-view]')) view.toggleAttribute('hidden', view.getAttribute('data-view') !== name)
    for (const part of document.querySelectorAll('[data-for]')) part.toggleAttribute('hidden', !String(part.getAttribute('data-for')).split(' ').includes(name))
    document.title = `${this.#titles[name]} · Signet`
    if (name === 'waiting') return
    if (this.shown !== undefined && this.shown !== name) find(`[data-view=${name}] h1`).focus()
    this.shown = name
  }
}

/** The address names no view any more. */
export function forgetHash () {
  window.history.replaceState(null, '', window.location.pathname + window.location.search)
}
