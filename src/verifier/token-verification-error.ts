// The one error class of the verifier and the closed table of its codes; holds no check.

/** Every reason for which a token is not accepted, and its sentence, which names nothing secret and may be sent to the caller. */
export const REFUSALS = {
  malformed_token: 'The token is not a signed JWT.',
  unsupported_algorithm: 'The token is not signed with RS256.',
  wrong_type: 'The token is not of the type at+jwt.',
  unsupported_critical_header: 'The token has critical header parameters, of which none is supported.',
  missing_claim: 'The token lacks a claim of an access token, or has it in another form.',
  wrong_issuer: 'The token was issued by somebody else.',
  wrong_audience: 'The token was issued for another audience.',
  token_expired: 'The token has expired.',
  token_not_active: 'The token is not active yet.',
  unknown_key: 'The token names no key that its issuer publishes.',
  bad_signature: 'The signature of the token does not match.',
  token_revoked: 'The token was revoked: its log-in has ended.',
  keys_unavailable: 'The keys that verify tokens cannot be fetched; try again in a moment.',
  status_unavailable: 'Whether the token was revoked cannot be found out; try again in a moment.',
} as const satisfies Record<string, string>

export type RefusalCode = keyof typeof REFUSALS

export interface RefusalOptions {
  /** The private reason: for the log, not for the caller. */
  cause?: unknown
  /** Replaces the table's sentence where the case has a clearer one. */
  detail?: string
  /** Seconds until it is worth another try. */
  retryAfter?: number
}

/** The only error with which a verification ends. `keys_unavailable` and `status_unavailable` say nothing about the token; any other code is final. */
export class TokenVerificationError extends Error {
  override readonly name = 'TokenVerificationError'
  readonly code: RefusalCode
  /** Whole seconds; undefined unless the code is `keys_unavailable` or `status_unavailable`. */
  readonly retryAfter: number | undefined

  constructor (code: RefusalCode, options: RefusalOptions = {}) {
    super(options.detail ?? REFUSALS[code], { cause: options.cause })
    this.code = code
    this.retryAfter = options.retryAfter
  }
}

/** The refusal of a token for want of claims. */
export function lacking (names: string[]): TokenVerificationError {
  return new TokenVerificationError('missing_claim', { detail: `The token lacks claims, or has them in another form: ${names.join(', ')}.` })
}
