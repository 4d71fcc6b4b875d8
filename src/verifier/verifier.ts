// `@signet/verifier`: whether an access token of Signet is good, by its public keys and its status lists; holds no key, no list and no HTTP.
import { compactVerify, decodeProtectedHeader, type CryptoKey } from 'jose'
import type { AccessTokenClaims } from './access-token-claims.js'
import { decodeObject } from './json-object.js'
import { DEFAULT_LIMITS, KeyCache, type KeyCacheLimits } from './key-cache.js'
import { assertFunction, assertOneOf, assertSeconds, assertText, assertUrl } from './options.js'
import { show } from './shown-text.js'
import { tokenStatus, type StatusOptions } from './token-status.js'
import { lacking, TokenVerificationError } from './token-verification-error.js'

export { TokenVerificationError, type RefusalCode } from './token-verification-error.js'
export type { AccessTokenClaims } from './access-token-claims.js'
export type { KeyCacheLimits } from './key-cache.js'

export interface VerifierOptions extends StatusOptions {
  /** The `iss` of good tokens: Signet's setting ISSUER. */
  issuer: string
  /** The `aud` of good tokens: Signet's setting AUDIENCE. */
  audience: string
  /** Where the public keys are; by default `/.well-known/jwks.json` under the issuer. Status lists are where the keys are, if they are under `/.well-known/jwks.json`. */
  jwksUri?: string
  /** How far the clocks may differ, in seconds; 0 by default, for a token's life leaves room enough. */
  clockTolerance?: number
  /** Bounds of the cache of keys, in seconds, where another than the default is wanted. */
  limits?: Partial<KeyCacheLimits>
  /** Fetches the keys and the status lists; the global one by default. */
  fetch?: typeof globalThis.fetch
  /** Milliseconds since the epoch; the system's clock by default. */
  now?: () => number
}

export interface Verifier {
  /** The claims of a good token. Throws a TokenVerificationError, and nothing else. */
  verify: (token: string) => Promise<AccessTokenClaims>
}

const ALGORITHM = 'RS256'
/** RFC 9068, section 4; a media type, so its case does not count. */
const TYPE = /^(application\/)?at\+jwt$/i
/** How far in the future a token may seem to have been issued before one of the clocks must be wrong: milliseconds, more than honest clocks differ. */
const FUTURE_MS = 300_000
/** Base64url as it is written, and no other spelling of the same bytes: no padding, no blanks, no bits to spare (RFC 7515, section 2). */
const BASE64URL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/
const TEXT_CLAIMS = ['iss', 'sub', 'client_id', 'sid', 'jti']
const TIME_CLAIMS = ['iat', 'exp', 'auth_time']
/** What a token lacks that a client has for itself, whose `sub` is the client (RFC 9068, section 2.2): there was no log-in. */
const LOG_IN_CLAIMS = ['sid', 'auth_time']

/**
 * What verifies the access tokens that one authority issues for one audience (RFC 8725, section 3; RFC 9068, section 4).
 * It fetches nothing before the first token. Throws a TypeError naming an option that cannot be used.
 */
export function createVerifier (options: VerifierOptions): Verifier {
  const { issuer, audience, clockTolerance = 0, fetch = globalThis.fetch, now = Date.now, status = 'check', onStatusUnavailable = 'accept', onStatusUnchecked } = options
  const jwksUri = options.jwksUri ?? `${String(issuer).replace(/\/$/, '')}/.well-known/jwks.json`
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  assertText({ issuer, audience })
  assertUrl(options.jwksUri === undefined ? 'issuer' : 'jwksUri', jwksUri)
  assertSeconds({ clockTolerance, ...limits })
  assertOneOf('status', status, ['check', 'ignore'])
  assertOneOf('onStatusUnavailable', onStatusUnavailable, ['accept', 'refuse'])
  assertFunction('onStatusUnchecked', onStatusUnchecked)
  const keys = new KeyCache({ uri: jwksUri, fetch, now, limits })
  const findKey = async (id: string) => await keys.find(id)
  const assertLive = tokenStatus({ issuer, jwksUri, fetch, now, findKey, timeout: limits.timeout, onUnavailable: onStatusUnavailable, onUnchecked: onStatusUnchecked })
  return {
    verify: async token => {
      // What a token says of itself comes first: one that is refused for it costs neither a fetch nor a look at its signature.
      assertSpelled(token)
      const keyId = readKeyId(token)
      const claims = readClaims(token)
      assertMeant(claims, issuer, audience)
      assertCurrent(claims, now(), clockTolerance * 1000)
      await assertSigned(token, await keys.find(keyId))
      if (status === 'check') await assertLive(claims)
      return claims
    },
  }
}

/** One token has one spelling, so that whoever remembers tokens, to revoke one for example, finds it. */
function assertSpelled (token: unknown): void {
  const parts = typeof token === 'string' ? token.split('.', 4) : []
  if (parts.length !== 3 || !parts.every(part => BASE64URL.test(part))) throw new TokenVerificationError('malformed_token')
}

/** The id of the key; the header's own keys and addresses of keys (jwk, jku, x5c, x5u) are not looked at (RFC 8725, section 3.10). */
function readKeyId (token: string): string {
  const { alg, typ, crit, kid } = orMalformed(() => decodeProtectedHeader(token))
  if (alg !== ALGORITHM) throw new TokenVerificationError('unsupported_algorithm')
  if (typeof typ !== 'string' || !TYPE.test(typ)) throw new TokenVerificationError('wrong_type')
  if (crit !== undefined) throw new TokenVerificationError('unsupported_critical_header')
  if (typeof kid !== 'string') throw new TokenVerificationError('unknown_key')
  return kid
}

function readClaims (token: string): AccessTokenClaims {
  const claims = orMalformed(() => decodeObject(token.split('.')[1]!))
  const isAbsent = (name: string) => claims[name] === undefined && claims['sub'] === claims['client_id'] && LOG_IN_CLAIMS.includes(name)
  const missing = [...TEXT_CLAIMS.filter(name => !isText(claims[name]) && !isAbsent(name)), ...TIME_CLAIMS.filter(name => !isTime(claims[name]) && !isAbsent(name))]
  if (![claims['aud']].flat().every(isText)) missing.push('aud')
  for (const name of ['scope', 'acr']) if (claims[name] !== undefined && !isText(claims[name])) missing.push(name)
  for (const name of ['roles', 'amr']) if (claims[name] !== undefined && !(Array.isArray(claims[name]) && claims[name].every(isText))) missing.push(name)
  if (claims['nbf'] !== undefined && !isTime(claims['nbf'])) missing.push('nbf')
  if (missing.length > 0) throw lacking(missing)
  return claims as unknown as AccessTokenClaims
}

function assertMeant ({ iss, aud }: AccessTokenClaims, issuer: string, audience: string): void {
  if (iss !== issuer) throw new TokenVerificationError('wrong_issuer', { detail: `The token was issued by ${show([iss])}, not by ${show([issuer])}.` })
  const audiences = [aud].flat()
  if (audiences.includes(audience)) return
  throw new TokenVerificationError('wrong_audience', { detail: `The token was issued for ${show(audiences) || 'nobody'}, not for ${show([audience])}.` })
}

/**
 * RFC 7519, sections 4.1.4 and 4.1.5. What was issued in the future, by a clock that was ahead, would be good for longer than any token may be.
 * Both arguments in milliseconds.
 */
function assertCurrent ({ exp, iat, nbf = 0 }: AccessTokenClaims & { nbf?: number }, now: number, tolerance: number): void {
  if (now >= exp * 1000 + tolerance) throw new TokenVerificationError('token_expired')
  if (now + tolerance < Math.max(nbf * 1000, iat * 1000 - FUTURE_MS)) throw new TokenVerificationError('token_not_active')
}

async function assertSigned (token: string, key: CryptoKey): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: [ALGORITHM] })
  } catch (cause) {
    throw new TokenVerificationError('bad_signature', { cause })
  }
}

function orMalformed<Part> (read: () => Part): Part {
  try {
    return read()
  } catch (cause) {
    throw new TokenVerificationError('malformed_token', { cause })
  }
}

function isText (value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isTime (value: unknown): boolean {
  return Number.isFinite(value)
}
