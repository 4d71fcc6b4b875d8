// A service that asks another one, with a token of its own and no user; holds no rule of the protocol.
import * as oidc from 'openid-client'
import { discover, setting } from '../discover.js'

const [clientId, secret, resource, api] = ['CLIENT_ID', 'CLIENT_SECRET', 'RESOURCE', 'API'].map(setting)
const config = await discover(clientId, oidc.ClientSecretBasic(secret))
let current = { token: '', until: 0 }

/** A token that is good for a minute more at least; there is no refresh token, for the secret gets the next one. */
async function accessToken () {
  if (Date.now() < current.until) return current.token
  const { access_token: token, expires_in: seconds } = await oidc.clientCredentialsGrant(config, { scope: 'orders', resource })
  current = { token, until: Date.now() + (seconds - 60) * 1000 }
  return token
}

const answer = await fetch(api, { headers: { authorization: `Bearer ${await accessToken()}` } })
console.log(answer.status, await answer.text())
