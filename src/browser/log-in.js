// The page on which a person signs in, or up, to go on to a client; holds no token, which is the client's of Signet.
import { createClient } from './client.js'
import { serveDoors, showDoor } from './doors.js'
import { serveNotices, serveReveals } from './forms.js'
import { leave, serveLeaving } from './leaving.js'
import { Views } from './views.js'

const views = new Views({ 'sign-in': 'Sign in', 'sign-up': 'Create an account', gone: 'Go on' })
const client = createClient({ baseUrl: new URL('..', import.meta.url).href })

serveDoors(views, {
  register: client.register,
  login: async credentials => {
    await client.login(credentials)
    await leave(views, String(document.body.dataset['address']))
  },
})
serveReveals()
serveNotices()
serveLeaving(views)
window.addEventListener('hashchange', () => { showDoor(views) })
showDoor(views)
