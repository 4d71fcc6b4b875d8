// A command-line tool: the browser logs in, and comes back to a port that was free just then (RFC 8252, section 7.3); holds no secret.
import { once } from 'node:events'
import { createServer } from 'node:http'
import * as oidc from 'openid-client'
import { discover, setting } from '../discover.js'

const config = await discover(setting('CLIENT_ID'), oidc.None())
const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const home = `http://127.0.0.1:${server.address().port}`

const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
const address = oidc.buildAuthorizationUrl(config, {
  redirect_uri: `${home}/callback`, scope: 'openid email offline_access', state: checks.expectedState, nonce: checks.expectedNonce,
  code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256'
})
console.log(`Open ${address}`)

try {
  const tokens = await oidc.authorizationCodeGrant(config, await callback(), checks)
  const { email } = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  // A real tool keeps tokens.refresh_token where only this user can read it, and calls oidc.refreshTokenGrant next time.
  console.log(`You are signed in as ${email}.`)
} catch (error) {
  console.error(`That did not work: ${error.error_description ?? error.message}`)
  process.exitCode = 1
} finally {
  server.close()
  server.closeAllConnections()
}

/** The address at which the browser comes back. */
async function callback () {
  for await (const [request, response] of requests()) {
    const url = new URL(request.url, home)
    const isAnswer = url.pathname === '/callback'
    response.writeHead(isAnswer ? 200 : 404, { 'content-type': 'text/plain', connection: 'close' })
    await new Promise(resolve => { response.end(isAnswer ? 'You can close this page, and go back to the terminal.' : '', resolve) })
    if (isAnswer) return url
  }
}

async function * requests () {
  while (true) yield await once(server, 'request')
}
