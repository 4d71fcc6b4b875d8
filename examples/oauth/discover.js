// How each example finds out what it has to know, of its settings and of Signet; holds no flow.
import * as oidc from 'openid-client'

const { ISSUER = 'http://127.0.0.1:3000' } = process.env

/** A setting of the environment, without which an example ends. */
export function setting (name) {
  const value = process.env[name]
  if (value) return value
  console.error(`${name} is missing in the environment: README.md says how to get it.`)
  process.exit(1)
}

/** What the library has to know of Signet and of a client. Plain HTTP is for Signet on this machine alone. */
export async function discover (clientId, authentication) {
  const execute = new URL(ISSUER).hostname === '127.0.0.1' ? [oidc.allowInsecureRequests] : []
  return await oidc.discovery(new URL(ISSUER), clientId, undefined, authentication, { execute })
}
