// The one error class and the closed table of what Signet refuses; holds no HTTP rendering.

/** Every code a client can meet: its HTTP status and the sentence that a person can act on. */
export const ERRORS = {
  invalid_request: [400, 'The request is not of the form that this route takes.'],
  weak_password: [400, 'This password cannot be used.'],
  invalid_reset_token: [400, 'This link to set a new password is not good, or not any more; ask for another.'],
  invalid_passkey: [400, 'This is no passkey that was just made for it on a page of Signet, or of CORS_ORIGINS; begin again.'],
  invalid_email_token: [400, 'This link is not good, or not any more; ask for another.'],
  invalid_credentials: [401, 'The e-mail address or the password is wrong.'],
  passkey_refused: [401, 'This passkey does not log in here, or it took too long; try again, or log in with the password.'],
  second_factor_required: [401, 'The password is right; to log in, a second factor is needed beside it.'],
  invalid_second_factor: [401, 'The code is wrong, or was used already.'],
  invalid_ticket: [401, 'This took too long, or was done already, or the account is another by now; begin anew.'],
  invalid_grant: [401, 'No refresh token came that is still good; log in again.'],
  invalid_token: [401, 'A valid access token is needed; refresh it or log in again.'],
  wrong_password: [403, 'The current password is wrong.'],
  wrong_code: [403, 'The code is wrong, or was used already.'],
  fresh_log_in_needed: [403, 'For this the password is needed, or a log-in of the last ten minutes; where the account has a second factor, the password and a code, or a log-in with it.'],
  email_not_verified: [403, 'The e-mail address is not confirmed yet: follow the link that was sent there, or ask for another.'],
  registration_closed: [403, 'Nobody can make an account here; its operator does.'],
  foreign_origin: [403, 'The cookie is taken only from the pages of Signet and of the origins in CORS_ORIGINS, on one site.'],
  unknown_factor: [404, 'The account has no such second factor.'],
  unknown_token: [404, 'None of the devices that you are logged in on has this id.'],
  not_found: [404, 'There is nothing at this address.'],
  method_not_allowed: [405, 'This address does not take that method; the Allow header names those it takes.'],
  request_timeout: [408, 'The request took too long to arrive.'],
  email_taken: [409, 'An account with this e-mail address exists already; log in instead.'],
  too_many_active_tokens: [409, 'This account is logged in on as many devices as are allowed; log out on one of them first.'],
  passkey_exists: [409, 'The account has this passkey already.'],
  too_many_passkeys: [409, 'An account has ten passkeys at most; remove one first.'],
  payload_too_large: [413, 'The body is larger than 16 KiB.'],
  unsupported_media_type: [415, 'The body must be JSON in UTF-8, sent as application/json and not compressed.'],
  rate_limited: [429, 'Too many requests; wait for as long as the Retry-After header says.'],
  headers_too_large: [431, 'The headers of the request are too large.'],
  internal_error: [500, 'Something went wrong in Signet; its log has the reason, under the request id.'],
  not_supported: [501, 'Signet does not do that.'],
  busy: [503, 'Too many log-ins are waiting; try again in a moment.'],
  unavailable: [503, 'Signet cannot reach what it needs; try again in a moment.'],
} as const satisfies Record<string, readonly [status: number, detail: string]>

export type ErrorCode = keyof typeof ERRORS

/** What is wrong with one member of the input. */
export interface FieldError { field: string, detail: string }

/** What a program needs to go on where a second factor is wanted. `expires_in` in seconds. */
export interface ProblemMembers { ticket: string, expires_in: number, methods: string[], enrol?: true }

export interface ErrorOptions {
  /** The private reason: logged, never sent. */
  cause?: unknown
  /** Replaces the table's sentence where the case has a clearer one. */
  detail?: string
  errors?: FieldError[]
  /** What the answer has beside (RFC 9457, section 3.2). */
  members?: ProblemMembers
  /** Sent as Retry-After, in seconds. */
  retryAfter?: number
  allow?: string[]
  /** The same was refused before in this window, so it is not logged again. */
  isRepeated?: boolean
}

/** The only error that Signet throws on purpose. Its message is public. */
export class AuthError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly errors: FieldError[] | undefined
  readonly members: ProblemMembers | undefined
  readonly retryAfter: number | undefined
  readonly allow: string[] | undefined
  readonly isRepeated: boolean

  constructor (code: ErrorCode, options: ErrorOptions = {}) {
    super(options.detail ?? ERRORS[code][1], { cause: options.cause })
    this.code = code
    this.status = ERRORS[code][0]
    this.errors = options.errors
    this.members = options.members
    this.retryAfter = options.retryAfter
    this.allow = options.allow
    this.isRepeated = options.isRepeated ?? false
  }
}

/** What OAuth 2.0 and OpenID Connect call a refusal, and the status that it has where it is an answer of its own. */
export const OAUTH_ERRORS = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_token_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  server_error: 500,
  temporarily_unavailable: 503,
} as const satisfies Record<string, number>

export type OAuthErrorCode = keyof typeof OAUTH_ERRORS

/** A refusal in OAuth's own form (RFC 6749, section 5.2). Its message is public, and has no other characters than that section lets one have. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly status: number

  constructor (code: OAuthErrorCode, description: string, options?: { cause: unknown }) {
    super(description, options)
    this.code = code
    this.status = OAUTH_ERRORS[code]
  }
}
