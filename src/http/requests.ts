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
  readonly #cookieToken: string | undefined

  /** Throws `invalid_request` if the address cannot be one. */
  constructor (body: Static<typeof AuthenticationRequest.schema>, device: Device, cookieToken?: string) {
    this.email = readEmail(body.email)
    this.#password = normalisePassword(body.password)
    this.#device = device
    this.#cookieToken = cookieToken
  }

  /** The pair issued, in the stead of the one whose cookie came. `now` in milliseconds. Throws `invalid_credentials`, `too_many_active_tokens`, `rate_limited`, `busy`. */
  async authenticate (accounts: AccountService, tokens: TokenService, now: number): Promise<AuthTokenDTO> {
    const held = tokens.read(this.#cookieToken)
    const user = await accounts.authenticate(this.email, this.#password, this.#device, now, held)
    const issued = await tokens.open(user, await accounts.currentHash(user, this.#password, this.#device), this.#device, now, held)
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

  /** Throws `invalid_request` where the token came twice or not at all, `invalid_grant` where a cookie is asked for and none is left. */
  constructor (body: Static<typeof RefreshRequest.schema>, cookieToken: string | undefined) {
    if (body.refresh_token !== undefined && cookieToken !== undefined) refuse('refresh_token', 'It came in the body and in the cookie; send one of them.')
    this.refreshToken = body.refresh_token ?? cookieToken ?? refuseMissing(body)
  }
}

function refuseMissing ({ refresh_token_in: place }: Static<typeof RefreshRequest.schema>): never {
  if (place === 'cookie') throw new AuthError('invalid_grant')
  return refuse('refresh_token', 'It is missing.')
}

export const ChangePasswordRequest = Type.Object({ current_password: Type.String(), new_password: Type.String(), refresh_token_in: RefreshTokenIn() }, { $id: 'ChangePasswordRequest', ...strict })
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
