// What callers ask for, read and normalised; each class returns its resource and knows neither Fastify nor the store.
import { Type, type Static } from '@sinclair/typebox'
import { normaliseEmail, normaliseName, normalisePassword } from '../core/credentials.js'
import { AuthError } from '../errors.js'
import type { AccountService } from '../services/account-service.js'
import type { Device, TokenService } from '../services/token-service.js'
import { toAuthTokenDTO, type AuthTokenDTO, RegistrationDTO } from './dto.js'

const strict = { additionalProperties: false }
const RefreshTokenIn = () => Type.Optional(Type.Unsafe<'cookie'>({ type: 'string', enum: ['cookie'], description: 'puts the refresh token into the cookie __Host-signet and leaves it out of the answer' }))

export class RegistrationRequest {
  static readonly schema = RegistrationDTO
  readonly #body: Static<typeof RegistrationDTO>

  constructor (body: Static<typeof RegistrationDTO>) {
    this.#body = body
  }

  /** The registration normalised. Throws `invalid_request` naming the member that cannot be used. */
  toRegistration (): RegistrationDTO {
    const { email, password, name = null } = this.#body
    return { email: readEmail(email), password: normalisePassword(password), name: name === null ? null : readName(name) }
  }
}

export class AuthenticationRequest {
  static readonly schema = Type.Object({ email: Type.String(), password: Type.String(), refresh_token_in: RefreshTokenIn() }, { $id: 'AuthenticationRequest', ...strict })
  readonly email: string
  readonly #password: string
  readonly #device: Device

  /** Throws `invalid_request` if the address cannot be one. */
  constructor (body: Static<typeof AuthenticationRequest.schema>, device: Device) {
    this.email = readEmail(body.email)
    this.#password = normalisePassword(body.password)
    this.#device = device
  }

  /** The pair issued. `now` in milliseconds. Throws `invalid_credentials`, `too_many_active_tokens`, `busy`. */
  async authenticate (accounts: AccountService, tokens: TokenService, now: number): Promise<AuthTokenDTO> {
    const user = await accounts.authenticate(this.email, this.#password, this.#device)
    const issued = await tokens.open(user, await accounts.currentHash(user, this.#password, this.#device), this.#device, now)
    // A password change overtook this log-in, so the password is to be proved against the new one.
    return issued ? toAuthTokenDTO(issued) : await this.authenticate(accounts, tokens, now)
  }
}

export class RefreshRequest {
  static readonly schema = Type.Object({
    refresh_token: Type.Optional(Type.String({ description: 'unless the cookie brings it' })),
    refresh_token_in: RefreshTokenIn(),
  }, { $id: 'RefreshRequest', ...strict })

  readonly refreshToken: string

  /** Throws `invalid_request` where the token came twice, and `invalid_grant` where none came: a cookie that has ended comes no more. */
  constructor (body: Static<typeof RefreshRequest.schema>, cookieToken: string | undefined) {
    if (body.refresh_token !== undefined && cookieToken !== undefined) refuse('refresh_token', 'It came in the body and in the cookie; send one of them.')
    const token = body.refresh_token ?? cookieToken
    if (token === undefined) throw new AuthError('invalid_grant')
    this.refreshToken = token
  }
}

export const ChangePasswordRequest = Type.Object({ current_password: Type.String(), new_password: Type.String() }, { $id: 'ChangePasswordRequest', ...strict })
export type ChangePasswordRequest = Static<typeof ChangePasswordRequest>

function readEmail (email: string): string {
  return normaliseEmail(email) ?? refuse('email', 'It must be an e-mail address of at most 254 characters.')
}

function readName (name: string): string {
  return normaliseName(name) ?? refuse('name', 'It must be text of 1 to 100 characters.')
}

function refuse (field: string, detail: string): never {
  throw new AuthError('invalid_request', { errors: [{ field, detail }] })
}
