// Buttons that do something by themselves, and dialogs with a form; holds no request and no dialog.
import { SignetError } from './client.js'
import { find, reset, serveForm, setBusy, tell, tellError, UNTOLD } from './forms.js'

/** A button that does something by itself, and tells in a notice what of it failed. @param {HTMLElement} button @param {HTMLElement} notice @param {() => Promise<void>} work */
export function serveButton (button, notice, work) {
  button.addEventListener('click', async () => {
    if (button.ariaDisabled === 'true') return
    setBusy(button, 'true')
    tell(notice)
    try {
      await work()
    } catch (error) {
      if (!(error instanceof SignetError)) throw error
      if (!UNTOLD.includes(error.code)) tellError(notice, error)
    }
    setBusy(button, 'false')
  })
}

/**
 * A dialog with a form, closed by Cancel and by Escape, and empty whenever it is closed.
 * @param {HTMLDialogElement} dialog @param {HTMLFormElement} form @param {(values: Record<string, string>) => Promise<void>} send
 */
export function serveDialog (dialog, form, send) {
  serveForm(form, send)
  find('[data-cancel]', form).addEventListener('click', () => { dialog.close() })
  dialog.addEventListener('close', () => { reset(form) })
}

/** Closes it and empties it at once, for its event comes later. @param {HTMLDialogElement} dialog */
export function shut (dialog) {
  dialog.close()
  for (const form of dialog.querySelectorAll('form')) reset(form)
}
