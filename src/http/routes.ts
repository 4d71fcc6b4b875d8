// The route table: the one place that names a path, its guard, its limit, its schemas and its status; holds no logic.
import type { TSchema } from '@sinclair/typebox'
import type { ErrorCode } from '../errors.js'
import type { Caller, Device } from '../services/token-service.js'
import type { AuthController } from './auth-controller.js'
import { AuthTokenDTO, RevocationDTO, TokenListDTO, UserDTO } from './dto.js'
import type { Limit } from './rate-limits.js'
import { AuthenticationRequest, ChangePasswordRequest, RefreshRequest, RegistrationRequest } from './requests.js'

/** What a handler gets of a request. `now` in milliseconds; `cookieToken` is what the refresh token's cookie brought, where it may. */
export interface Visit<Body = unknown> { body: Body, id: string, device: Device, now: number, cookieToken?: string | undefined }

interface Described {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  summary: string
  limit: Limit
  body?: TSchema
  /** A request without a body is taken for one with an empty object. */
  isBodyOptional?: true
  status: 200 | 201 | 204
  response?: TSchema
  errors: ErrorCode[]
}

export type Route = OpenRoute | TokenRoute | CallerRoute

export type OpenRoute = Described & { guard: 'open', cookie?: undefined, handle: (controller: AuthController, visit: Visit) => Promise<unknown> }

/** A route that answers a pair, whose refresh token goes into the cookie: where that is asked for, or also where it came from there. */
export type TokenRoute = Described & { guard: 'open', cookie: 'given' | 'exchanged', handle: (controller: AuthController, visit: Visit) => Promise<AuthTokenDTO> }

/**
 * A route for a caller; `endsLogin` tells whether a success of it is the end of the caller's own log-in, and so of its cookie. One that
 * answers a pair instead puts its refresh token into the cookie where that is asked for, or where the cookie was the caller's own.
 */
export type CallerRoute = Described & { guard: 'bearer', cookie?: 'renewed', handle: (controller: AuthController, visit: Visit, caller: Caller) => unknown, endsLogin?: (visit: Visit, caller: Caller) => boolean }

export const ROUTES: Route[] = [
  {
    method: 'POST', url: '/register', summary: 'Make an account', guard: 'open', limit: 'register',
    body: RegistrationRequest.schema, status: 201, response: UserDTO, errors: ['weak_password', 'email_taken', 'busy'],
    handle: async (controller, { body, device, now }) => await controller.register(new RegistrationRequest(body as RegistrationBody), device, now),
  },
  {
    method: 'POST', url: '/login', summary: 'Log in on this device', guard: 'open', limit: 'login', cookie: 'given',
    body: AuthenticationRequest.schema, status: 200, response: AuthTokenDTO, errors: ['invalid_credentials', 'foreign_origin', 'too_many_active_tokens', 'busy'],
    handle: async (controller, visit) => await controller.login(new AuthenticationRequest(visit.body as AuthenticationBody, visit.device, visit.cookieToken), visit.now),
  },
  {
    method: 'POST', url: '/refresh', summary: 'Exchange a refresh token for the next pair', guard: 'open', limit: 'address', cookie: 'exchanged',
    body: RefreshRequest.schema, isBodyOptional: true, status: 200, response: AuthTokenDTO, errors: ['invalid_grant', 'foreign_origin'],
    handle: async (controller, { body, cookieToken, device, now }) => await controller.refresh(new RefreshRequest(body as RefreshBody, cookieToken), device, now),
  },
  {
    method: 'GET', url: '/user-info', summary: 'Who am I', guard: 'bearer', limit: 'address',
    status: 200, response: UserDTO, errors: [],
    handle: (controller, _visit, caller) => controller.userInfo(caller),
  },
  {
    method: 'GET', url: '/tokens', summary: 'List the devices that are logged in', guard: 'bearer', limit: 'address',
    status: 200, response: TokenListDTO, errors: [],
    handle: (controller, { now }, caller) => controller.listTokens(caller, now),
  },
  {
    method: 'DELETE', url: '/tokens/:id', summary: 'Log one device out', guard: 'bearer', limit: 'address',
    status: 204, errors: ['foreign_origin', 'unknown_token'], endsLogin: ({ id }, { familyId }) => id === familyId,
    handle: async (controller, { id }, caller) => { await controller.closeToken(caller, id) },
  },
  {
    method: 'POST', url: '/logout', summary: 'Log this device out', guard: 'bearer', limit: 'address',
    status: 204, errors: ['foreign_origin'], endsLogin: () => true,
    handle: async (controller, _visit, caller) => { await controller.logout(caller) },
  },
  {
    method: 'POST', url: '/revoke-all-tokens', summary: 'Log every device out', guard: 'bearer', limit: 'address',
    status: 200, response: RevocationDTO, errors: ['foreign_origin'], endsLogin: () => true,
    handle: async (controller, { now }, caller) => await controller.revokeAllTokens(caller, now),
  },
  {
    method: 'POST', url: '/change-password', summary: 'Change the password, log every device out, and this one in again', guard: 'bearer', limit: 'address', cookie: 'renewed',
    body: ChangePasswordRequest, status: 200, response: AuthTokenDTO, errors: ['weak_password', 'wrong_password', 'foreign_origin', 'busy'],
    handle: async (controller, { body, device, now }, caller) => await controller.changePassword(caller, body as ChangePasswordRequest, device, now),
  },
]

type RegistrationBody = ConstructorParameters<typeof RegistrationRequest>[0]
type AuthenticationBody = ConstructorParameters<typeof AuthenticationRequest>[0]
type RefreshBody = ConstructorParameters<typeof RefreshRequest>[0]
