// What a good access token says; holds no check of it.

/** The claims of an access token (RFC 9068, section 2.2). Times are seconds since the epoch. */
export interface AccessTokenClaims {
  iss: string
  aud: string | string[]
  /** The user; or the client itself, where no user is behind the token (client_credentials): then it is the `client_id` too. */
  sub: string
  client_id: string
  /** The log-in: one device, or one client that a user let in. Absent where no user is behind the token. */
  sid?: string
  jti: string
  iat: number
  exp: number
  /** When the password was given. Absent where no user is behind the token. */
  auth_time?: number
  /** What the token is for, with blanks between (RFC 9068, section 2.2.3); absent from a token of Signet's own routes. */
  scope?: string
  /** What the authority's operator lets the user do (RFC 9068, section 2.2.3.1); absent where the user has no role. */
  roles?: string[]
  /** How the user proved who it is (RFC 8176, section 2): `mfa` is among them where a second factor was; absent where it was the password alone. */
  amr?: string[]
  /** The level of that (RFC 9470, section 6). */
  acr?: string
  /** Where it is published whether the log-in has ended (draft-ietf-oauth-status-list-21); absent where the authority publishes no such lists. */
  status?: { status_list?: StatusReference }
}

/** The place of a log-in in a status list: its index, and the address of the list, which is the `sub` of the list too. */
export interface StatusReference { idx: number, uri: string }
