// A front end of another origin: logs in through CORS and shows who is logged in; holds no token.
import { createClient } from './client.js'

const SIGNET = new URL('http://127.0.0.1:3000')
const client = createClient({ baseUrl: SIGNET.href })
const [door, inside, message, user] = ['door', 'inside', 'message', 'user'].map(id => document.getElementById(id))

// To a browser `localhost` and `127.0.0.1` are two sites: it brings no cookie from one to the other, and Signet would take none.
function explain (error) {
  const { hostname, port } = window.location
  const isRefused = ['unreachable', 'foreign_origin'].includes(error.code)
  if (isRefused && hostname !== SIGNET.hostname) return `Use one host name for both: Signet is at ${SIGNET.hostname}, so open http://${SIGNET.hostname}:${port}/ instead.`
  return error.message
}

async function show () {
  try {
    const response = await client.fetch('/user-info')
    user.textContent = JSON.stringify(await response.json(), null, 2)
    message.textContent = 'You are logged in, in all tabs.'
  } catch (error) {
    message.textContent = error.code === 'invalid_grant' ? 'You are not logged in.' : explain(error)
  }
  door.hidden = client.status === 'signed-in'
  inside.hidden = client.status !== 'signed-in'
}

door.addEventListener('submit', async event => {
  event.preventDefault()
  const { email, password } = Object.fromEntries(new FormData(door))
  try {
    if (event.submitter?.value === 'yes') await client.register({ email, password })
    await client.login({ email, password })
    door.reset()
  } catch (error) {
    message.textContent = explain(error)
  }
})

document.getElementById('out').addEventListener('click', async () => {
  await client.logout().catch(error => { message.textContent = explain(error) })
})

client.onChange(({ status, reason }) => {
  if (status === 'signed-in' || reason !== 'absent') void show()
})

await show()
