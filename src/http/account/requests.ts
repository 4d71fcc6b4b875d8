// What callers ask for, read and normalised; each class returns its resource and knows neither Fastify nor the store.
import { Type, type Static } from '../../schema.js'
import { isText, NAME_MAX_LENGTH, normaliseEmail, normaliseName, spellingsOf } from '../../core/credentials.js'
import { LINK_TOKEN_MAX_LENGTH } from '../../core/link-token.js'
import { AuthError, type FieldError } from '../../errors.js'
import type { AccountService } from '../../services/account-service.js'
import type { CallerProof } from '../../services/fresh-proofs.js'
import type { StepUps } from '../../services/step-ups.js'
import type { TokenService } from '../../services/token-service.js'
import type { Visit } from '../edge/route.js'
import { Code, Email, EXAMPLE_PASSWORDS, Name, NEW_PASSWORD, Password, RegistrationDTO, toAuthTokenDTO, type AuthTokenDTO } from './dto.js'

const strict = { additionalProperties: false }
export const RefreshTokenIn = () => Type.Optional(Type.Unsafe<'cookie'>({ type: 'string', enum: ['cookie'], description: 'puts the refresh token into the cookie __Host-signet and leaves it out of the answer' }))

export class RegistrationRequest {
  static readonly schema = RegistrationDTO
  readonly #body: Static<typeof RegistrationDTO>

  constructor (body: Static<typeof RegistrationDTO>) {
    this.#body = body
  }

  /**
   * The registration, well-formed. Throws `invalid_request` naming every member that is not, so that a person mends all at once, and with them
   * why the password would be refused, as `weaknessOf` tells for an address; a weak one alone is the service's to refuse.
   */
  toRegistration (weaknessOf: (password: string, email: string) => string | undefined): RegistrationDTO {
    const { email, password, name = null } = this.#body
    const normalised = name === null ? null : normaliseName(name)
    const malformed = [
      ...(normaliseEmail(email) === undefined ? [BAD_EMAIL] : []),
      ...(normalised === undefined ? [BAD_NAME] : []),
      ...(isText(password) ? [] : [notText('password')]),
    ]
    if (malformed.length === 0) return { email, password, name: normalised! }
    const weakness = isText(password) ? weaknessOf(password, email) : undefined
    throw new AuthError('invalid_request', { errors: [...malformed, ...(weakness === undefined ? [] : [{ field: 'password', detail: weakness }])] })
  }
}

export class AuthenticationRequest {
  static readonly schema = Type.Object({
    email: Email(),
    password: Password('the password of the account', EXAMPLE_PASSWORDS.old),
    refresh_token_in: RefreshTokenIn(),
    device_token: Type.Optional(Type.String({ description: 'of the last answer, unless the cookie brings it. One that is good no more is as none' })),
  }, { $id: 'AuthenticationRequest', ...strict })

  readonly #email: string
  readonly #password: string
  readonly #brought: Brought
  readonly #deviceTokens: string[]

  /** Throws `invalid_request` if the address cannot be one. */
  constructor (body: Static<typeof AuthenticationRequest.schema>, brought: Brought) {
    if (spellingsOf(body.email).length === 0) refuse(BAD_EMAIL)
    this.#email = body.email
    this.#password = readPassword('password', body.password)
    this.#brought = brought
    this.#deviceTokens = deviceTokensOf(body, brought.deviceTokens)
  }

  /** The pair issued, in the stead of the one whose cookie came. `now` in milliseconds. Throws `invalid_credentials`, `email_not_verified`, `second_factor_required`, `too_many_active_tokens`, `rate_limited`, `busy`. */
  async authenticate (accounts: AccountService, tokens: TokenService, stepUps: StepUps, now: number): Promise<AuthTokenDTO> {
    const { device, cookieToken, overLimit } = this.#brought
    const [held, devices] = [tokens.read(cookieToken), tokens.readDevices(this.#deviceTokens, now)]
    const user = await accounts.authenticate(this.#email, this.#password, device, now, { family: held, devices, overLimit })
    const passwordHash = await accounts.currentHash(user, this.#password, device)
    await stepUps.assertEnough(user, passwordHash, devices, now)
    const issued = await tokens.open(user, passwordHash, device, now, held, devices)
    // A change of the password or of the factors overtook this log-in, so it is to be proved against the new one.
    return issued ? toAuthTokenDTO(issued) : await this.authenticate(accounts, tokens, stepUps, now)
  }
}

/** Where a log-in comes from, and what came with it. */
type Brought = Pick<Visit, 'device' | 'cookieToken' | 'deviceTokens' | 'overLimit'>

export class RefreshRequest {
  static readonly schema = Type.Object({
    refresh_token: Type.Optional(Type.String({ description: 'unless the cookie brings it', examples: ['AZlx8YOGTYy0'] })),
    refresh_token_in: RefreshTokenIn(),
  }, { $id: 'RefreshRequest', ...strict })

  readonly refreshToken: string

  /** Throws `invalid_request` where the token came twice, and `invalid_grant` where none came: a cookie that has ended comes no more. */
  constructor (body: Static<typeof RefreshRequest.schema>, cookieToken: string | undefined) {
    if (body.refresh_token !== undefined && cookieToken !== undefined) refuse({ field: 'refresh_token', detail: 'It came in the body and in the cookie; send one of them.' })
    const token = body.refresh_token ?? cookieToken
    if (token === undefined) throw new AuthError('invalid_grant')
    this.refreshToken = token
  }
}

export const ChangePasswordRequest = Type.Object({ current_password: Password('the password of the account', EXAMPLE_PASSWORDS.old), new_password: Password(NEW_PASSWORD, EXAMPLE_PASSWORDS.new), refresh_token_in: RefreshTokenIn() }, { $id: 'ChangePasswordRequest', ...strict })
export type ChangePasswordRequest = Static<typeof ChangePasswordRequest>

export const ResetPasswordRequest = Type.Object({ token: Type.String({ maxLength: LINK_TOKEN_MAX_LENGTH, description: 'what came in the link after `#reset-password=`', examples: ['6f1d3c1e-9b1a-4c58-8c55-2f3a0d9b7e42.1795685400000.0b1c2d3e4f506172.c2lnbmF0dXJl'] }), new_password: Password(NEW_PASSWORD, EXAMPLE_PASSWORDS.new) }, { $id: 'ResetPasswordRequest', ...strict })
export type ResetPasswordRequest = Static<typeof ResetPasswordRequest>

const LinkToken = (name: string) => Type.Optional(Type.String({ maxLength: LINK_TOKEN_MAX_LENGTH, description: `what came in the link after \`#${name}=\``, examples: ['6f1d3c1e-9b1a-4c58-8c55-2f3a0d9b7e42.1795685400000.0b1c2d3e4f506172.c2lnbmF0dXJl'] }))

export const ForgotPasswordRequest = Type.Object({ email: Email() }, { $id: 'ForgotPasswordRequest', ...strict })
export type ForgotPasswordRequest = Static<typeof ForgotPasswordRequest>

export const VerifyEmailRequest = Type.Object({ email: Type.Optional(Email()), token: LinkToken('verify-email'), password: Type.Optional(Password('with a token: the password of the account', EXAMPLE_PASSWORDS.old)) }, { $id: 'VerifyEmailRequest', ...strict })
export type VerifyEmailRequest = Static<typeof VerifyEmailRequest>

export const ChangeEmailRequest = Type.Object({ email: Type.Optional(Email()), current_password: Type.Optional(Password('with an address, unless the log-in is fresh: the password of the account', EXAMPLE_PASSWORDS.old)), code: Type.Optional(Code()), token: LinkToken('change-email'), password: Type.Optional(Password('with a token: the password of the account', EXAMPLE_PASSWORDS.old)) }, { $id: 'ChangeEmailRequest', ...strict })
export type ChangeEmailRequest = Static<typeof ChangeEmailRequest>

export const DeleteAccountRequest = Type.Object({ password: Password('the password of the account', EXAMPLE_PASSWORDS.old) }, { $id: 'DeleteAccountRequest', ...strict })
export type DeleteAccountRequest = Static<typeof DeleteAccountRequest>

export const ChangeUserRequest = Type.Object({ name: Name() }, { $id: 'ChangeUserRequest', ...strict })
export type ChangeUserRequest = Static<typeof ChangeUserRequest>

/** The password and the code of a proof, as they were typed. Throws `invalid_request` if the password is no text. */
export function readProof ({ current_password: password, code }: { current_password?: string | undefined, code?: string | undefined }): CallerProof {
  return { password: password === undefined ? undefined : readPassword('current_password', password), code }
}

/** Every device token that came with a log-in: in the body, and in the cookie. */
export function deviceTokensOf ({ device_token: inBody }: { device_token?: string }, inCookie: string[] = []): string[] {
  return inBody === undefined ? inCookie : [inBody, ...inCookie]
}

const BAD_EMAIL = { field: 'email', detail: 'It must be an e-mail address of at most 254 characters.' }
const BAD_NAME = { field: 'name', detail: `It must have a visible character, at most ${NAME_MAX_LENGTH} in all, and none that breaks the line or changes the direction of the text.` }

function notText (field: string): FieldError {
  return { field, detail: 'It must be text, without halves of characters.' }
}

/** An address that may be somebody's, as it was typed. Throws `invalid_request` if it cannot be one. */
export function readAddress (email: string): string {
  return spellingsOf(email).length > 0 ? email : refuse(BAD_EMAIL)
}

/** An address that may be anybody's from now on, as it was typed. Throws `invalid_request` if it cannot be one. */
export function readNewAddress (email: string): string {
  return normaliseEmail(email) === undefined ? refuse(BAD_EMAIL) : email
}

/** Whether a body that asks for a link, by an address, or brings one, by its token, does the one. Throws `invalid_request` where it does both or neither. */
export function asksForLink<Body extends { email?: string, token?: string }> (body: Body): body is Body & { email: string } {
  if ((body.email === undefined) === (body.token === undefined)) refuse({ field: 'token', detail: 'Either an address comes, to which a link is sent, or the token of such a link.' })
  return body.email !== undefined
}

/** The password as it was typed. Throws `invalid_request` if it is no text, or missing. */
export function readPassword (field: string, password: string | undefined): string {
  if (password === undefined) refuse({ field, detail: 'It is missing.' })
  return isText(password) ? password : refuse(notText(field))
}

/** The name in one spelling, or that there is none. Throws `invalid_request` if it cannot be one. */
export function readName (name: string | null): string | null {
  if (name === null) return null
  return normaliseName(name) ?? refuse(BAD_NAME)
}

function refuse (fault: FieldError): never {
  throw new AuthError('invalid_request', { errors: [fault] })
}
