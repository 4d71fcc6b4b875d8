// The dialog in which a person proves once more who they are, before what a thief of the session would change; holds no change.
import { SignetError } from './client.js'
import { serveButton, serveDialog, shut } from './dialogs.js'
import { find, findInput, tell } from './forms.js'
import { canUsePasskeys } from './second-step.js'

/** @typedef {import('./requests.js').Proof} Proof */
/** @typedef {import('./second-factors.js').Factors} Factors */
/** @typedef {import('./second-factors.js').SecondFactors} SecondFactors */

/** What can be mended in the dialog; all else is for where it was asked. */
const MENDED_HERE = ['wrong_password', 'wrong_code', 'fresh_log_in_needed', 'rate_limited', 'busy', 'unavailable', 'unreachable']

const dialog = /** @type {HTMLDialogElement} */ (find('dialog#proof'))
const form = /** @type {HTMLFormElement} */ (find('form#prove'))
const code = findInput('#proof-code')
const byPasskey = find('#prove-by-passkey')

/** What waits for a proof. @type {(proof: Proof) => Promise<void>} */
let attempt

/** @param {SecondFactors} factors */
export function serveProof (factors) {
  serveDialog(dialog, form, async ({ current_password: currentPassword, code }) => {
    await attempt({ currentPassword, code }).catch(error => {
      // There is a second step by now.
      if (error.code === 'fresh_log_in_needed') wantCode()
      throw error
    })
  })
  serveButton(byPasskey, find('.notice', dialog), async () => {
    await factors.logInByPasskey()
    await attempt({})
  })
}

/** By which factors somebody may prove it. What is being typed is left alone. @param {Factors | undefined} factors */
export function setProofs (factors) {
  if (dialog.open) return
  const passkeys = factors?.passkeys.length ?? 0
  find('#prove-by-passkey-choice').hidden = passkeys === 0 || !canUsePasskeys
  code.disabled = find('#proof-code-field').hidden = !factors?.totp && passkeys === 0
}

function wantCode () {
  code.disabled = find('#proof-code-field').hidden = false
}

/** Leaves what waits undone. */
export function clearProof () {
  shut(dialog)
}

/**
 * Does something, and if Signet says that it takes a proof, asks for one and does it with that. Throws `given_up` where none was given.
 * @template T @param {(proof: Proof) => Promise<T>} act @returns {Promise<T>}
 */
export async function withProof (act) {
  try {
    return await act({})
  } catch (error) {
    if (!(error instanceof SignetError) || error.code !== 'fresh_log_in_needed') throw error
  }
  return await new Promise((resolve, reject) => {
    attempt = async proof => {
      try {
        resolve(await act(proof))
      } catch (error) {
        if (error instanceof SignetError && MENDED_HERE.includes(error.code)) throw error
        reject(error)
      }
      dialog.close()
    }
    dialog.addEventListener('close', () => { reject(new SignetError({ code: 'given_up' })) }, { once: true })
    tell(find('.notice', dialog))
    dialog.showModal()
  })
}
