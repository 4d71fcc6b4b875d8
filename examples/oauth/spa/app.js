// A single-page application: no secret, and tokens for as long as the tab is open; holds no rule of the protocol.
const { UserManager } = window.oidc

const HOME = `${window.location.origin}/`
const manager = new UserManager({
  authority: 'http://127.0.0.1:3000',
  client_id: 'CLIENT_ID',
  redirect_uri: HOME,
  post_logout_redirect_uri: HOME,
  // With a refresh token the library renews the access token by itself, before it expires.
  scope: 'openid email offline_access'
})

const [who, signIn, signOut] = ['#who', '#in', '#out'].map(selector => document.querySelector(selector))
signIn.onclick = () => manager.signinRedirect()
signOut.onclick = () => manager.signoutRedirect()

async function currentUser () {
  const answer = new URLSearchParams(window.location.search)
  if (!answer.has('code') && !answer.has('error')) return await manager.getUser()
  // A code is good once: it must not stay in the address.
  window.history.replaceState({}, '', HOME)
  return await manager.signinCallback(`${HOME}?${answer}`)
}

try {
  const user = await currentUser()
  who.textContent = user ? `You are signed in as ${user.profile.email}.` : 'You are not signed in.'
  signIn.hidden = Boolean(user)
  signOut.hidden = !user
} catch (error) {
  who.textContent = `That did not work: ${error.message}`
  signIn.hidden = false
}
