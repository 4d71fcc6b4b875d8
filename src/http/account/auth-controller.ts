// One method a route: takes what was asked and by whom, returns the answer; knows no Fastify, no status, no header.
import type { Activity } from '../../services/activity.js'
import type { AccountService } from '../../services/account-service.js'
import type { Clients } from '../../services/clients.js'
import type { PasswordResets } from '../../services/password-resets.js'
import type { Device } from '../../services/rotation.js'
import type { StepUps } from '../../services/step-ups.js'
import type { Caller, TokenService } from '../../services/token-service.js'
import { toAuthTokenDTO, toEventListDTO, toTokenListDTO, toUserDTO, type AuthTokenDTO, type EventListDTO, type EventQuery, type RevocationDTO, type TokenListDTO, type UserDTO } from './dto.js'
import { readName, readPassword, type AuthenticationRequest, type ChangePasswordRequest, type ChangeUserRequest, type DeleteAccountRequest, type RefreshRequest, type RegistrationRequest, type ResetPasswordRequest } from './requests.js'

export interface AuthControllerParts { accounts: AccountService, tokens: TokenService, clients: Clients, activity: Activity, resets: PasswordResets, stepUps: StepUps }

/** `now` is in milliseconds everywhere; the errors are those of the services. */
export class AuthController {
  readonly #accounts: AccountService
  readonly #tokens: TokenService
  readonly #clients: Clients
  readonly #activity: Activity
  readonly #resets: PasswordResets
  readonly #stepUps: StepUps

  constructor ({ accounts, tokens, clients, activity, resets, stepUps }: AuthControllerParts) {
    this.#accounts = accounts
    this.#tokens = tokens
    this.#clients = clients
    this.#activity = activity
    this.#resets = resets
    this.#stepUps = stepUps
  }

  async register (request: RegistrationRequest, device: Device, now: number): Promise<UserDTO> {
    this.#accounts.assertOpen()
    return toUserDTO(await this.#accounts.register(request.toRegistration((password, email) => this.#accounts.weaknessOf(password, email)), device, now))
  }

  async login (request: AuthenticationRequest, now: number): Promise<AuthTokenDTO> {
    return await request.authenticate(this.#accounts, this.#tokens, this.#stepUps, now)
  }

  async refresh (request: RefreshRequest, device: Device, now: number): Promise<AuthTokenDTO> {
    return toAuthTokenDTO(await this.#tokens.refresh(request.refreshToken, device, now))
  }

  userInfo (caller: Caller): UserDTO {
    return toUserDTO(caller.user)
  }

  async changeUser (caller: Caller, request: ChangeUserRequest, now: number): Promise<UserDTO> {
    return toUserDTO(await this.#accounts.rename(caller, readName(request.name), now))
  }

  async listTokens (caller: Caller, now: number): Promise<TokenListDTO> {
    const families = this.#tokens.list(caller, now)
    const clients = await Promise.all(families.map(async ({ grant }) => grant && await this.#clients.find(grant.clientId, now)))
    return toTokenListDTO(families.map((family, at) => ({ ...family, clientName: clients[at]?.name ?? null })), caller.familyId)
  }

  async listEvents ({ user }: Caller, { before }: EventQuery, now: number): Promise<EventListDTO> {
    const { events, next } = await this.#activity.list(user.id, before)
    const clients = await Promise.all(events.map(async ({ clientId }) => clientId === undefined ? undefined : await this.#clients.find(clientId, now)))
    return toEventListDTO(events.map((event, at) => ({ ...event, clientName: clients[at]?.name ?? null })), next)
  }

  async closeToken (caller: Caller, id: string, now: number): Promise<void> {
    await this.#tokens.close(caller, id, now)
  }

  async logout (caller: Caller, now: number): Promise<void> {
    await this.#tokens.logout(caller, now)
  }

  async revokeAllTokens (caller: Caller, now: number): Promise<RevocationDTO> {
    return { revoked: await this.#tokens.closeAll(caller, now) }
  }

  async changePassword (caller: Caller, request: ChangePasswordRequest, device: Device, now: number): Promise<AuthTokenDTO> {
    const family = await this.#accounts.changePassword(caller, readPassword('current_password', request.current_password), readPassword('new_password', request.new_password), device, now)
    return toAuthTokenDTO(await this.#tokens.issue(caller.user, family, now))
  }

  async resetPassword (request: ResetPasswordRequest, device: Device, now: number): Promise<void> {
    await this.#resets.redeem(request.token, readPassword('new_password', request.new_password), device, now)
  }

  async deleteAccount (caller: Caller, request: DeleteAccountRequest, device: Device, now: number): Promise<void> {
    await this.#accounts.deleteAccount(caller, readPassword('password', request.password), device, now)
  }
}
