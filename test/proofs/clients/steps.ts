// What every client goes through, by name; holds no client.

/** A program says of each `passed NAME`, `failed NAME: why`, or `lacks NAME` where its library has nothing of the kind. */
export const STEPS = [
  'discovery', 'code', 'id-token', 'userinfo', 'refresh', 'repeat', 'reuse', 'resource', 'silent', 'max-age', 'public', 'loopback', 'secret-post', 'private-key',
  'client-credentials', 'introspection', 'revocation', 'logout',
  'access-denied', 'login-required', 'untrusted-redirect', 'no-challenge', 'unknown-scope', 'unknown-resource', 'code-twice', 'wrong-verifier', 'wrong-secret', 'wrong-grant', 'wrong-token',
]
