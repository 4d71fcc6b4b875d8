// Verifies access tokens of Signet with nothing but its public keys and status lists; holds no HTTP of its own service and no answer.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { createStatusCheck } from './status-lists.js'

/**
 * A function from a token to its claims, which throws where the token is not good. Make one and keep it: it holds the keys and the lists.
 * `cache` is optional: the options of jose's `createRemoteJWKSet`.
 */
export function createVerifier ({ jwksUrl, issuer, audience, cache }) {
  const keys = createRemoteJWKSet(new URL(jwksUrl), cache)
  const checkStatus = createStatusCheck({ jwksUrl, issuer, keys })
  // jose checks the type and the presence of a claim only where it is told to.
  const expected = { algorithms: ['RS256'], typ: 'at+jwt', issuer, audience, requiredClaims: ['exp', 'sub'] }
  return async token => {
    const { payload } = await jwtVerify(token, keys, expected)
    await checkStatus(payload)
    return payload
  }
}
