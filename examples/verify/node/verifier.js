// Verifies access tokens of Signet with nothing but its public keys; holds no HTTP and no answer.
import { createRemoteJWKSet, jwtVerify } from 'jose'

/**
 * A function from a token to its claims, which throws where the token is not good. Make one and keep it: it holds the keys.
 * `cache` is optional: the options of jose's `createRemoteJWKSet`.
 */
export function createVerifier ({ jwksUrl, issuer, audience, cache }) {
  const keys = createRemoteJWKSet(new URL(jwksUrl), cache)
  // jose checks the type and the presence of a claim only where it is told to.
  const expected = { algorithms: ['RS256'], typ: 'at+jwt', issuer, audience, requiredClaims: ['exp', 'sub'] }
  return async token => (await jwtVerify(token, keys, expected)).payload
}
