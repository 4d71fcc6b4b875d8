// How long verifiers go on with the keys that they have: stock settings of their libraries, as measured; holds no key and no rule. docs/keys.md has the table.

/** Seconds; Infinity where nothing but a restart of the verifier ends it. */
export interface VerifierCache {
  library: string
  /** How long a key must have been published before it signs, so that no good token is refused. */
  needs: number
  /** How long a key that is no longer published is accepted. */
  accepts: number
  /** The same, where another key signs that nobody had seen: its first good token makes many libraries look again. */
  acceptsUnseen: number
  /** How long good tokens of a key that nobody had seen are refused. */
  refusesUnseen: number
}

function row (library: string, needs: number, accepts: number, acceptsUnseen: number, refusesUnseen: number): VerifierCache {
  return { library, needs, accepts, acceptsUnseen, refusesUnseen }
}

const EVER = Infinity

export const VERIFIER_CACHES = [
  row('@signet/verifier (Node.js)', 11, 300, 10, 10),
  row('jose (Node.js)', 31, 600, 30, 30),
  row('express-oauth2-jwt-bearer (Node.js)', 31, 600, 30, 30),
  row('jwks-rsa (Node.js)', 0, 600, 600, 0),
  row('get-jwks (Node.js)', 0, EVER, EVER, 0),
  row('PyJWT (Python)', 31, 300, 30, 30),
  row('Authlib, its documented cache (Python)', EVER, EVER, EVER, EVER),
  row('nimbus-jose-jwt (Java)', 31, 290, 30, 30),
  row('Spring Security (Java)', 0, 300, 1, 0),
  row('keyfunc (Go)', 3601, 3600, 300, 240),
  row('jwx (Go)', 901, 900, 900, 900),
  row('jwt-authorizer (Rust)', 601, EVER, 600, 600),
]

/** For how many seconds each library may refuse good tokens of a key that signs `published` seconds after it was published. */
export function refusals (published: number): Array<{ library: string, seconds: number }> {
  return VERIFIER_CACHES.map(({ library, needs }) => ({ library, seconds: needs > published ? needs - published : 0 }))
}
