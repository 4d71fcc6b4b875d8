// The dialog by which an authenticator app is set up: its QR code, its secret as text, and a code that proves that the app has it; holds no request.
import { serveDialog, shut } from './dialogs.js'
import { find, tell } from './forms.js'

/** @typedef {import('./second-factors.js').AppOffer} AppOffer */
/** @typedef {import('./second-factors.js').Added} Added */
/** @typedef {{ ticket: string, code: string, closeOthers: boolean }} Confirmation */

const dialog = /** @type {HTMLDialogElement} */ (find('dialog#app-offer'))
const form = /** @type {HTMLFormElement} */ (find('form#confirm-app'))
const picture = find('#app-picture')
const link = /** @type {HTMLAnchorElement} */ (find('#app-link'))

/** @type {(confirmation: Omit<Confirmation, 'ticket'>) => Promise<Added>} */
let confirm
/** @type {Added | undefined} */
let added

/**
 * Shows what the app is set up by, until a code of it was taken by `send`, and answers what came of that; undefined where it was given up.
 * @param {AppOffer} offer @param {(confirmation: Confirmation) => Promise<Added>} send @param {'others' | 'no others'} closing whether other devices may be signed out by it @returns {Promise<Added | undefined>}
 */
export async function showOffer ({ secret, ticket, uri }, send, closing) {
  const { modulesOf } = await import('./qr-code.js')
  confirm = async confirmation => await send({ ticket, ...confirmation })
  added = undefined
  draw(modulesOf(uri))
  find('#app-secret').textContent = String(secret.match(/.{1,4}/g)?.join(' '))
  link.href = uri
  find('[data-closing]', form).hidden = closing === 'no others'
  tell(find('.notice', dialog))
  dialog.showModal()
  find('input', form).focus()
  await new Promise(resolve => { dialog.addEventListener('close', resolve, { once: true }) })
  return added
}

/** Takes it from the page. */
export function clearOffer () {
  shut(dialog)
  wipe()
}

function wipe () {
  find('path', picture).removeAttribute('d')
  find('#app-secret').textContent = ''
  link.removeAttribute('href')
}

/** Serves the dialog. */
export function serveOffer () {
  serveDialog(dialog, form, async ({ code = '', close_others: closing }) => {
    added = await confirm({ code: code.replace(/\s/g, ''), closeOthers: closing !== undefined })
    dialog.close()
  })
  dialog.addEventListener('close', wipe)
}

/** Dark on light and with a margin, whatever the page looks like: that is what cameras read (ISO/IEC 18004, section 6.3.8). @param {boolean[][] | undefined} modules */
function draw (modules) {
  picture.toggleAttribute('hidden', !modules)
  if (!modules) return
  const squares = modules.flatMap((row, y) => row.flatMap((isDark, x) => isDark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))
  find('path', picture).setAttribute('d', squares.join(''))
  picture.setAttribute('viewBox', `0 0 ${modules.length + 8} ${modules.length + 8}`)
}
