// What a person signs in with beside the password, on the account page: passkeys, the authenticator app, the recovery codes; holds no session.
import { showOffer } from './app-offer.js'
import { showCodes } from './codes.js'
import { ago, element, factsOf, nameDevice, onDay, timeOf } from './devices.js'
import { serveButton, serveDialog, shut } from './dialogs.js'
import { find, findInput, setLead, tell } from './forms.js'
import { setProofs, withProof } from './proof.js'
import { canUsePasskeys } from './second-step.js'

/** @typedef {import('./second-factors.js').Added} Added */
/** @typedef {import('./second-factors.js').Factors} Factors */
/** @typedef {import('./second-factors.js').Passkey} Passkey */
/** @typedef {import('./second-factors.js').SecondFactors} SecondFactors */

/** So few recovery codes are worth a word. */
const FEW = 3

const card = find('#factors')
const rows = { passkeys: find('#passkeys-setting'), app: find('#app-setting'), codes: find('#codes-setting') }
const notices = { passkeys: find('.notice', rows.passkeys), app: find('.notice', rows.app), codes: find('.notice', rows.codes) }
const list = find('#passkeys')
const dialogs = { add: dialogOf('new-passkey'), rename: dialogOf('rename'), removal: dialogOf('removal') }

/** What the buttons of a passkey do. @type {Record<string, (passkey: Passkey) => void>} */
const actions = {}

/** @param {string} id */
function dialogOf (id) {
  const dialog = /** @type {HTMLDialogElement} */ (find(`dialog#${id}`))
  return { dialog, form: /** @type {HTMLFormElement} */ (find('form', dialog)), notice: find('.notice', dialog) }
}

/** @param {{ dialog: HTMLDialogElement, notice: HTMLElement }} which */
function open ({ dialog, notice }) {
  tell(notice)
  dialog.showModal()
}

/** Whether there is something beside the password. */
export function hasFactor () {
  return !rows.codes.hidden
}

/** Shows what there is; nothing where that is not known. @param {Factors | undefined} factors @param {number} now in milliseconds */
export function showFactors (factors, now) {
  card.hidden = rows.codes.hidden = !factors
  setProofs(factors)
  if (!factors) return
  const { totp, passkeys, recovery_codes: left } = factors
  showPasskeys(passkeys, now)
  find('#add-app').hidden = totp !== null
  find('#remove-app').hidden = totp === null
  setLead(notices.app, totp ? `Set up on ${onDay(totp.added_at)}.` : 'An app on your phone shows a code that you enter beside your password.')
  rows.codes.hidden = totp === null && passkeys.length === 0
  setLead(notices.codes, `${left === 0 ? 'None is' : left === 1 ? 'One is' : `${left} are`} left. ${left < FEW ? 'Make new ones before you need them.' : 'Each lets you in once, if you lose the rest.'}`)
}

/** @param {Passkey[]} passkeys @param {number} now in milliseconds */
function showPasskeys (passkeys, now) {
  rows.passkeys.hidden = !canUsePasskeys && passkeys.length === 0
  find('#add-passkey').hidden = !canUsePasskeys
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)
  list.replaceChildren(...passkeys.map(passkey => rowOf(passkey, now)))
  // The list is renewed under the hand of whoever walks through it by keyboard.
  if (list.contains(focused)) focused?.focus()
  setLead(notices.passkeys, passkeys.length > 0 ? 'You sign in with one instead of your password, or beside it.' : 'Sign in with your fingerprint, your face or the lock of your screen.')
}

/** @param {Passkey} passkey @param {number} now in milliseconds */
function rowOf (passkey, now) {
  const { name, added_at: added, last_used_at: used } = passkey
  const [row, text, title, buttons] = [element('li', 'passkey'), element('div'), element('p', 'device-name'), element('div', 'choices')]
  title.append(element('bdi', '', name))
  text.append(title, factsOf([used ? ['Last used ', timeOf(used, ago(used, now))] : ['Not used yet'], [`Added on ${onDay(added)}`]]))
  buttons.append(buttonOf('Rename', passkey), buttonOf('Remove', passkey))
  row.append(text, buttons)
  return row
}

/** The one that the list shows already, so that a dialog that was opened by it can give the focus back to it. @param {'Rename' | 'Remove'} text @param {Passkey} passkey */
function buttonOf (text, passkey) {
  const { id, name } = passkey
  const shown = /** @type {HTMLButtonElement | null} */ (list.querySelector(`[data-button="${window.CSS.escape(`${text} ${id}`)}"]`))
  const button = shown ?? /** @type {HTMLButtonElement} */ (element('button', text === 'Remove' ? 'danger quiet' : 'quiet', text))
  button.type = 'button'
  button.dataset['button'] = `${text} ${id}`
  button.ariaLabel = `${text} the passkey ${name}`
  button.onclick = () => { actions[text]?.(passkey) }
  return button
}

/** Takes it from the page. */
export function clearFactors () {
  showFactors(undefined, 0)
  list.replaceChildren()
  for (const id of ['new-passkey-name', 'passkey-name']) findInput(`#${id}`).defaultValue = ''
  for (const { dialog } of Object.values(dialogs)) shut(dialog)
  for (const notice of Object.values(notices)) {
    tell(notice)
    setLead(notice, '')
  }
  find('#removal-title').textContent = ''
}

/** Serves the buttons and dialogs; `look` shows anew what there is. @param {SecondFactors} factors @param {() => Promise<void>} look */
export function serveFactors (factors, look) {
  /** @param {HTMLElement} notice @param {string} news @param {HTMLElement} [next] */
  const finish = async (notice, news, next) => {
    await look()
    tell(notice, news, 'done')
    next?.focus()
  }
  const keep = async (/** @type {Added} */ { recovery_codes: codes }) => { if (codes) await showCodes(codes) }
  servePasskeys(factors, finish, keep)
  const askRemoval = serveRemoval()
  actions['Remove'] = ({ id, name }) => {
    askRemoval(`Remove “${name}”?`, 'It lets nobody in any more. Your device may go on offering it until you delete it there, too.', async closeOthers => {
      await withProof(async proof => { await factors.removePasskey(id, { closeOthers, ...proof }) })
      return async () => { await finish(notices.passkeys, `“${name}” is removed.`, find('#passkeys-title')) }
    })
  }
  find('#remove-app').addEventListener('click', () => {
    askRemoval('Remove the authenticator app?', 'Its codes are not asked for any more.', async closeOthers => {
      await withProof(async proof => { await factors.removeApp({ closeOthers, ...proof }) })
      return async () => { await finish(notices.app, 'The app is removed.', find('#add-app')) }
    })
  })
  serveButton(find('#add-app'), notices.app, async () => {
    const offer = await withProof(async proof => await factors.offerApp(proof))
    const added = await showOffer(offer, async confirmation => await factors.confirmApp(confirmation), 'others')
    if (!added) return
    await keep(added)
    await finish(notices.app, 'The app is set up. When you sign in, you enter a code of it.', find('#remove-app'))
  })
  serveButton(find('#make-codes'), notices.codes, async () => {
    await showCodes(await withProof(async proof => await factors.makeRecoveryCodes(proof)))
    await finish(notices.codes, 'You have ten new codes. Those of before are good for nothing any more.')
  })
}

/** @param {SecondFactors} factors @param {(notice: HTMLElement, news: string, next?: HTMLElement) => Promise<void>} finish @param {(added: Added) => Promise<void>} keep */
function servePasskeys (factors, finish, keep) {
  const { add, rename } = dialogs
  let renamed = ''
  find('#add-passkey').addEventListener('click', () => {
    findInput('#new-passkey-name').defaultValue = nameDevice(navigator.userAgent).name
    open(add)
    findInput('#new-passkey-name').select()
  })
  serveDialog(add.dialog, add.form, async ({ name = '', close_others: closing }) => {
    const added = await withProof(async proof => await factors.addPasskey({ name, closeOthers: closing !== undefined, ...proof }))
    add.dialog.close()
    await keep(added)
    await finish(notices.passkeys, `“${name.trim()}” is added.`)
  })
  actions['Rename'] = ({ id, name }) => {
    renamed = id
    findInput('#passkey-name').defaultValue = name
    open(rename)
    findInput('#passkey-name').select()
  }
  serveDialog(rename.dialog, rename.form, async ({ name = '' }) => {
    await factors.renamePasskey(renamed, name)
    rename.dialog.close()
    await finish(notices.passkeys, `It is called “${name.trim()}” now.`)
  })
}

/** Returns what asks whether something is to be removed; removing it answers what is done when the dialog is closed. */
function serveRemoval () {
  const { dialog, form } = dialogs.removal
  /** @type {(closeOthers: boolean) => Promise<() => Promise<void>>} */
  let remove
  serveDialog(dialog, form, async ({ close_others: closing }) => {
    const finish = await remove(closing !== undefined)
    dialog.close()
    await finish()
  })
  return (/** @type {string} */ title, /** @type {string} */ text, /** @type {typeof remove} */ work) => {
    remove = work
    find('#removal-title').textContent = title
    find('#removal-text').textContent = text
    open(dialogs.removal)
  }
}
