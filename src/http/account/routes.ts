// The route table: the one place that names a path, its guard, its limit, its schemas and its status; holds no logic.
import type { Enroller } from '../../services/second-factors.js'
import type { Caller } from '../../services/token-service.js'
import type { Described, Visit } from '../edge/route.js'
import type { AuthController } from './auth-controller.js'
import { AuthTokenDTO, EventListDTO, EventQuery, LinkSentDTO, RevocationDTO, TokenListDTO, UserDTO } from './dto.js'
import { AuthenticationRequest, ChangePasswordRequest, ChangeUserRequest, DeleteAccountRequest, RefreshRequest, RegistrationRequest, ResetPasswordRequest } from './requests.js'

export type Route = OpenRoute | TokenRoute | CallerRoute | EitherRoute | EnrollerRoute

export type OpenRoute = Described & { guard: 'open', cookie?: undefined, handle: (controller: AuthController, visit: Visit) => Promise<unknown> }

/** A route that answers a pair, whose refresh token goes into the cookie: where that is asked for, or also where it came from there. */
export type TokenRoute = Described & { guard: 'open', cookie: 'given' | 'exchanged', handle: (controller: AuthController, visit: Visit) => Promise<AuthTokenDTO> }

/**
 * A route for a caller; `endsLogin` tells whether a success of it is the end of the caller's own log-in, and so of its cookie, and `endsAccount` that it is the end of all. One that
 * answers a pair instead puts its refresh token into the cookie where that is asked for, or where the cookie was the caller's own.
 */
export type CallerRoute = Described & { guard: 'bearer', cookie?: 'renewed', handle: (controller: AuthController, visit: Visit, caller: Caller) => unknown, endsLogin?: (visit: Visit, caller: Caller) => boolean, endsAccount?: true }

/** A route that finds out who calls only for some of what is asked. */
export type EitherRoute = Described & { guard: 'either', cookie?: undefined, handle: (controller: AuthController, visit: Visit, identify: () => Promise<Caller>) => Promise<unknown> }

/** A route for a caller, or for somebody whose log-in waits for a second factor: its answer may have the pair of that. */
export type EnrollerRoute = Described & { guard: 'enrolling', cookie?: undefined, handle: (controller: AuthController, visit: Visit, enroller: Enroller) => Promise<object> }

export const ROUTES: Route[] = [
  {
    operationId: 'register', tag: 'accounts',
    description: 'Anybody may, unless the operator alone makes accounts. It logs nobody in. Where addresses must be confirmed first it answers 202 for every address, whether or not there is an account, and what there is to say is sent there.',
    method: 'POST', url: '/register', summary: 'Make an account', guard: 'open', limit: 'register',
    body: RegistrationRequest.schema, status: 201, response: UserDTO, elsewhere: { status: 202, response: LinkSentDTO }, errors: ['weak_password', 'registration_closed', 'email_taken', 'busy'],
    handle: async (controller, { body, device, now }) => await controller.register(new RegistrationRequest(body as RegistrationBody), device, now),
  },
  {
    operationId: 'logIn', tag: 'tokens',
    description: 'Opens a family of refresh tokens, which is one device, and answers with its first pair of tokens. Where the account has a second factor it opens none, and the refusal has a ticket, with which the log-in goes on.',
    method: 'POST', url: '/login', summary: 'Log in on this device', guard: 'open', limit: 'login', cookie: 'given',
    body: AuthenticationRequest.schema, status: 200, response: AuthTokenDTO, errors: ['invalid_credentials', 'second_factor_required', 'email_not_verified', 'foreign_origin', 'too_many_active_tokens', 'busy'],
    handle: async (controller, visit) => await controller.login(new AuthenticationRequest(visit.body as AuthenticationBody, visit), visit.now),
  },
  {
    operationId: 'refresh', tag: 'tokens',
    description: 'A refresh token works once. A used one that comes back within the grace gets the same answer; later it is taken for a stolen one and its family is closed.',
    method: 'POST', url: '/refresh', summary: 'Exchange a refresh token for the next pair', guard: 'open', limit: 'address', cookie: 'exchanged',
    body: RefreshRequest.schema, isBodyOptional: true, status: 200, response: AuthTokenDTO, errors: ['invalid_grant', 'foreign_origin'],
    handle: async (controller, { body, cookieToken, device, now }) => await controller.refresh(new RefreshRequest(body as RefreshBody, cookieToken), device, now),
  },
  {
    operationId: 'getUser', tag: 'accounts',
    description: 'The user whose access token this is, as long as its device is logged in.',
    method: 'GET', url: '/user-info', summary: 'Who am I', guard: 'bearer', limit: 'address',
    status: 200, response: UserDTO, errors: [],
    handle: (controller, _visit, caller) => controller.userInfo(caller),
  },
  {
    operationId: 'changeUser', tag: 'accounts',
    description: 'Null takes the name away. What a name must be is what it must be at a registration.',
    method: 'PATCH', url: '/user-info', summary: 'Change my name', guard: 'bearer', limit: 'address',
    body: ChangeUserRequest, status: 200, response: UserDTO, errors: [],
    handle: async (controller, { body, now }, caller) => await controller.changeUser(caller, body as ChangeUserRequest, now),
  },
  {
    operationId: 'listTokens', tag: 'devices',
    description: 'One entry a device, and one for each time that an application was let in, the last used first.',
    method: 'GET', url: '/tokens', summary: 'List the devices that are logged in, and the applications that were let in', guard: 'bearer', limit: 'address',
    status: 200, response: TokenListDTO, errors: [],
    handle: async (controller, { now }, caller) => await controller.listTokens(caller, now),
  },
  {
    operationId: 'listEvents', tag: 'accounts',
    description: 'The newest first, twenty at a time: log-ins and those that failed, closings with their cause, changes. They are kept for as long as whoever runs this Signet says; what has just happened may be a moment late.',
    method: 'GET', url: '/events', summary: 'See what happened on my account', guard: 'bearer', limit: 'address',
    query: EventQuery, status: 200, response: EventListDTO, errors: [],
    handle: async (controller, { query, now }, caller) => await controller.listEvents(caller, query as EventQuery, now),
  },
  {
    operationId: 'closeToken', tag: 'devices',
    description: 'Closes the family of refresh tokens of one of the user\'s devices, or of an application that the user let in. Its access tokens are refused here at once, and within seconds by services that look at the status list.',
    method: 'DELETE', url: '/tokens/:id', summary: 'Log one device out', guard: 'bearer', limit: 'address',
    status: 204, errors: ['foreign_origin', 'unknown_token'], endsLogin: ({ id }, { familyId }) => id === familyId,
    handle: async (controller, { id, now }, caller) => { await controller.closeToken(caller, id, now) },
  },
  {
    operationId: 'logOut', tag: 'devices',
    description: 'Closes the family of refresh tokens that the access token belongs to. A body means nothing.',
    method: 'POST', url: '/logout', summary: 'Log this device out', guard: 'bearer', limit: 'address',
    status: 204, errors: ['foreign_origin'], endsLogin: () => true,
    handle: async (controller, { now }, caller) => { await controller.logout(caller, now) },
  },
  {
    operationId: 'revokeAllTokens', tag: 'devices',
    description: 'Closes every family of refresh tokens of the user, this device\'s too.',
    method: 'POST', url: '/revoke-all-tokens', summary: 'Log every device out', guard: 'bearer', limit: 'address',
    status: 200, response: RevocationDTO, errors: ['foreign_origin'], endsLogin: () => true,
    handle: async (controller, { now }, caller) => await controller.revokeAllTokens(caller, now),
  },
  {
    operationId: 'changePassword', tag: 'accounts',
    description: 'It takes the current password beside the access token, closes every family and opens one, as a log-in does.',
    method: 'POST', url: '/change-password', summary: 'Change the password, log every device out, and this one in again', guard: 'bearer', limit: 'address', cookie: 'renewed',
    body: ChangePasswordRequest, status: 200, response: AuthTokenDTO, errors: ['weak_password', 'wrong_password', 'foreign_origin', 'busy'],
    handle: async (controller, { body, device, now }, caller) => await controller.changePassword(caller, body as ChangePasswordRequest, device, now),
  },
  {
    operationId: 'resetPassword', tag: 'accounts',
    description: 'The token comes in a link, from the operator or by mail, works once and for as long as that says, and closes every family. It logs nobody in.',
    method: 'POST', url: '/reset-password', summary: 'Set a new password by a link, and log every device out', guard: 'open', limit: 'login',
    body: ResetPasswordRequest, status: 204, errors: ['invalid_reset_token', 'weak_password', 'busy'],
    handle: async (controller, { body, device, now }) => { await controller.resetPassword(body as ResetPasswordRequest, device, now) },
  },
  {
    operationId: 'deleteAccount', tag: 'accounts',
    description: 'It takes the password beside the access token, and cannot be undone: nothing personal is left, and every device is logged out.',
    method: 'DELETE', url: '/account', summary: 'Delete my account', guard: 'bearer', limit: 'address',
    body: DeleteAccountRequest, status: 204, errors: ['wrong_password', 'foreign_origin', 'busy'], endsLogin: () => true, endsAccount: true,
    handle: async (controller, { body, device, now }, caller) => { await controller.deleteAccount(caller, body as DeleteAccountRequest, device, now) },
  },
]

type RegistrationBody = ConstructorParameters<typeof RegistrationRequest>[0]
type AuthenticationBody = ConstructorParameters<typeof AuthenticationRequest>[0]
type RefreshBody = ConstructorParameters<typeof RefreshRequest>[0]
