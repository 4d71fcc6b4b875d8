// The page on which a person signs in, or up, to go on to a client; holds no token, which is the client's of Signet.
import { createClient } from './client.js'
import { serveDoors, showDoor } from './doors.js'
import { serveNotices, serveReveals } from './forms.js'
import { leave, serveLeaving } from './leaving.js'
import { serveLinks } from './links.js'
import { createRecovery } from './recovery.js'
import { createSecondFactors } from './second-factors.js'
import { serveSecondStep } from './second-step.js'
import { Views } from './views.js'

const views = new Views({ 'sign-in': 'Sign in', 'sign-up': 'Create an account', 'forgot-password': 'Forgot your password?', 'look-into-mail': 'Look into your mail', 'second-step': 'One more step', enrol: 'Set up a second step', gone: 'Go on' })
const client = createClient({ baseUrl: new URL('..', import.meta.url).href })
/** To the client. */
const arrive = leave.bind(undefined, views, String(document.body.dataset['address']))

serveDoors(views, {
  register: client.register,
  login: async credentials => {
    await client.login(credentials)
    await arrive()
  },
})
serveSecondStep(views, createSecondFactors(client), arrive)
serveLinks(createRecovery(client))
serveReveals()
serveNotices()
serveLeaving(views)
window.addEventListener('hashchange', () => { showDoor(views) })
showDoor(views)
