// What callers ask for, read and normalised; each class returns its resource and knows neither Fastify nor the store.
import { Type, type Static } from '@sinclair/typebox'
import { normaliseEmail, normaliseName, normalisePassword } from '../core/credentials.js'
import { AuthError } from '../errors.js'
import type { AccountService } from '../services/account-service.js'
import type { Device, TokenService } from '../services/token-service.js'
import { toAuthTokenDTO, type AuthTokenDTO, RegistrationDTO } from './dto.js'

const strict = { additionalProperties: false }
/** A header may be kilobytes long; what is kept of it a device is not (promise 7). */
const USER_AGENT_MAX_LENGTH = 200

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
  static readonly schema = Type.Object({ email: Type.String(), password: Type.String() }, { $id: 'AuthenticationRequest', ...strict })
  readonly email: string
  readonly #password: string
  readonly #device: Device

  /** Throws `invalid_request` if the address cannot be one. */
  constructor (body: Static<typeof AuthenticationRequest.schema>, device: Device) {
    this.email = readEmail(body.email)
    this.#password = normalisePassword(body.password)
    this.#device = { ip: device.ip, userAgent: device.userAgent?.slice(0, USER_AGENT_MAX_LENGTH) ?? null }
  }

  /** The pair issued. `now` in milliseconds. Throws `invalid_credentials`, `too_many_active_tokens`, `busy`. */
  async authenticate (accounts: AccountService, tokens: TokenService, now: number): Promise<AuthTokenDTO> {
    const user = await accounts.authenticate(this.email, this.#password)
    const issued = await tokens.open(user, await accounts.currentHash(user, this.#password), this.#device, now)
    // A password change overtook this log-in, so the password is to be proved against the new one.
    return issued ? toAuthTokenDTO(issued) : await this.authenticate(accounts, tokens, now)
  }
}

export const RefreshRequest = Type.Object({ refresh_token: Type.String() }, { $id: 'RefreshRequest', ...strict })
export type RefreshRequest = Static<typeof RefreshRequest>

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
