// A web application with a server: its tokens stay on the server, and the browser has a cookie of the application's own.
import { createServer } from 'node:http'
import { randomUUID } from 'node:crypto'
import * as oidc from 'openid-client'
import { discover, setting } from '../discover.js'

const { PORT = '4000' } = process.env
const HOME = `http://127.0.0.1:${PORT}/`
const config = await discover(setting('CLIENT_ID'), oidc.ClientSecretBasic(setting('CLIENT_SECRET')))

/** By the cookie of the browser: what a log-in under way must be answered with, or who is logged in. In memory, so a restart ends them. */
const sessions = new Map()

/** Each answers with a page, or says where the browser goes. */
const routes = {
  'GET /' ({ claims }) {
    if (!claims) return { page: '<p>You are not signed in.</p><a href="/login">Sign in</a>' }
    return { page: `<p>You are signed in as ${escape(claims.email)}.</p><form method="post" action="/logout"><button>Sign out</button></form>` }
  },

  async 'GET /login' () {
    const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
    const location = oidc.buildAuthorizationUrl(config, {
      redirect_uri: `${HOME}callback`, scope: 'openid email offline_access', state: checks.expectedState, nonce: checks.expectedNonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256'
    })
    return { location, session: { checks } }
  },

  async 'GET /callback' ({ checks }, url) {
    // Throws where the answer is a refusal, or belongs to another browser.
    const tokens = await oidc.authorizationCodeGrant(config, url, checks)
    return { location: HOME, session: { claims: tokens.claims(), idToken: tokens.id_token, refreshToken: tokens.refresh_token } }
  },

  'POST /logout' ({ idToken }) {
    return { location: oidc.buildEndSessionUrl(config, { id_token_hint: idToken, post_logout_redirect_uri: HOME }), session: {} }
  }
}

createServer(async (request, response) => {
  const url = new URL(request.url, HOME)
  const route = routes[`${request.method} ${url.pathname}`]
  const id = /(?:^|; )session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
  try {
    if (!route) return response.writeHead(404).end()
    const { page, location, session } = await route(sessions.get(id) ?? {}, url)
    if (session) {
      // Another cookie at each step, so that nobody can slip one in before. Behind HTTPS add Secure.
      sessions.delete(id)
      const next = randomUUID()
      sessions.set(next, session)
      response.setHeader('set-cookie', `session=${next}; HttpOnly; SameSite=Lax; Path=/`)
    }
    if (location) response.writeHead(303, { location: String(location) }).end()
    else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><title>Web</title>${page}`)
  } catch (error) {
    console.error(error)
    response.writeHead(400, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><title>Web</title><p>That did not work: ${escape(error.error ?? error.code)}.</p><a href="/">Go back</a>`)
  }
}).listen(Number(PORT), '127.0.0.1', () => { console.log(`Open ${HOME}`) })

function escape (text) {
  return String(text).replace(/[&<>"]/g, letter => `&#${letter.charCodeAt(0)};`)
}
