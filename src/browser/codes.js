// The dialog in which recovery codes are shown, once, to be kept; holds no request.
import { serveButton, shut } from './dialogs.js'
import { find, tell } from './forms.js'

const dialog = /** @type {HTMLDialogElement} */ (find('dialog#recovery-codes'))
const list = find('#codes')
const notice = find('.notice', dialog)
const save = /** @type {HTMLAnchorElement} */ (find('#save-codes'))
const text = () => Array.from(list.children, ({ textContent }) => textContent).join('\n')

/** Shows the codes, until somebody says that they are kept. @param {string[]} codes @returns {Promise<void>} */
export async function showCodes (codes) {
  list.replaceChildren(...codes.map(code => {
    const item = document.createElement('li')
    item.append(Object.assign(document.createElement('code'), { textContent: code }))
    return item
  }))
  tell(notice)
  save.href = URL.createObjectURL(new Blob([`Recovery codes for ${window.location.host}. Each of them works once.\n\n${text()}\n`], { type: 'text/plain' }))
  dialog.showModal()
  find('h2', dialog).focus()
  await new Promise(resolve => { dialog.addEventListener('close', resolve, { once: true }) })
}

/** Takes them from the page. */
export function clearCodes () {
  shut(dialog)
  wipe()
}

function wipe () {
  list.replaceChildren()
  URL.revokeObjectURL(save.href)
  save.removeAttribute('href')
}

/** Serves the buttons of the dialog. */
export function serveCodes () {
  serveButton(find('#copy-codes'), notice, async () => {
    try {
      await navigator.clipboard.writeText(text())
      tell(notice, 'They are copied.', 'done')
    } catch {
      tell(notice, 'This browser did not let them be copied: mark them, and copy them yourself.', 'error')
    }
  })
  find('#print-codes').addEventListener('click', () => { window.print() })
  // They cannot be shown again, so that no slip of the hand may close it.
  dialog.addEventListener('cancel', event => { event.preventDefault() })
  dialog.addEventListener('close', wipe)
}
