// What leaves and enters as JSON: each schema is the static type, the validator, the serialiser and the OpenAPI schema; no behaviour but mapping.
import { named, Type, type Static } from '../../schema.js'
import { EMAIL_MAX_LENGTH, NAME_MAX_LENGTH, PASSWORD_MAX_LENGTH } from '../../core/credentials.js'
import { CAUSES, EVENT_KINDS, type Cause, type EventKind, type KeptEvent } from '../../core/events.js'
import type { Family } from '../../core/families.js'
import type { IssuedTokens } from '../../services/token-service.js'
import type { User } from '../../store/store.js'

const strict = { additionalProperties: false }
const Instant = (example: string) => Type.String({ format: 'date-time', examples: [example] })
const Id = (example: string) => Type.String({ format: 'uuid', examples: [example] })
const TextOrNull = (description: string, limits = {}) => Type.Unsafe<string | null>({ type: ['string', 'null'], description, ...limits })

/** What people type has its length looked at first: to bring letters into one form costs the square of it. In code points. */
export const Email = () => Type.String({ maxLength: EMAIL_MAX_LENGTH, description: 'an e-mail address; case and outer blanks do not count', examples: ['ada@example.com'] })
/** How many characters at least is a setting, so the document says it as a limit. */
export const NEW_PASSWORD = 'not a common one, nor one character over and over, nor the address'
export const Password = (description: string, example: string) => Type.String({ maxLength: PASSWORD_MAX_LENGTH, description, examples: [example] })
/** What is typed in is far shorter. */
const CODE_MAX_LENGTH = 100
export const Code = (description = 'where the account has a second factor, beside the password: a code of the authenticator app, or a recovery code', example = '287082') => Type.String({ maxLength: CODE_MAX_LENGTH, description, examples: [example] })
/** Of whoever the examples of the document are about. */
export const EXAMPLE_PASSWORDS = { old: 'correct horse battery', new: 'another horse, another battery' }

export const Name = () => TextOrNull('what the user is called', { maxLength: NAME_MAX_LENGTH, examples: ['Ada Lovelace'] })

export const UserDTO = Type.Object({
  id: Id('6f1d3c1e-9b1a-4c58-8c55-2f3a0d9b7e42'),
  email: Type.String({ format: 'email', examples: ['ada@example.com'] }),
  name: TextOrNull('what the user is called', { examples: ['Ada Lovelace'] }),
  roles: Type.Array(Type.String({ examples: ['admin'] }), { description: 'what the operator lets the user do, in the words of your services' }),
  email_verified: Type.Boolean({ description: 'whether it is confirmed that the address is the user\'s', examples: [true] }),
  created_at: Instant('2026-11-26T09:30:00.000Z'),
}, { $id: 'UserDTO', ...strict })
export type UserDTO = Static<typeof UserDTO>

export const AuthTokenDTO = Type.Object({
  access_token: Type.String({ pattern: '^[\\w-]+\\.[\\w-]+\\.[\\w-]+$', description: 'a JWT (RFC 9068), to be sent as a bearer token', examples: ['eyJ0eXAiOiJhdCtqd3QifQ.eyJzdWIiOiI2ZjFkM2MxZSJ9.c2lnbmF0dXJl'] }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ minimum: 1, description: 'seconds', examples: [600] }),
  refresh_token: Type.Optional(Type.String({ pattern: '^[\\w-]+$', description: 'works once; the answer to /refresh holds its successor. Left out where it is in the cookie', examples: ['AZlx8YOGTYy0'] })),
  device_token: Type.Optional(Type.String({ pattern: '^[\\w-]+$', description: 'to be sent with the next log-in, so that nobody else can use up its limit; it proves nothing and logs nobody in. Left out where it is in the cookie', examples: ['AoOmnrAnJyzX'] })),
  refresh_token_expires_in: Type.Integer({ minimum: 0, description: 'seconds, if it stays unused', examples: [1_209_600] }),
}, { $id: 'AuthTokenDTO', ...strict })
export type AuthTokenDTO = Static<typeof AuthTokenDTO>

/** A registration, ready for the account service. */
export const RegistrationDTO = Type.Object({
  email: Email(),
  password: Password(NEW_PASSWORD, EXAMPLE_PASSWORDS.old),
  name: Type.Optional(Name()),
}, { $id: 'RegistrationDTO', ...strict })
export type RegistrationDTO = Required<Static<typeof RegistrationDTO>>

/** An OAuth client, as a user who let it in is told of it. */
export const ApplicationDTO = Type.Object({
  id: Id('0c7e5f2a-6f0b-4a1d-8d53-1f6f6a3f2b90'),
  name: TextOrNull('null where it is not registered any more', { examples: ['Reading list'] }),
  scope: Type.String({ description: 'what it may do, with blanks between (RFC 6749, section 3.3)', examples: ['openid email'] }),
}, { $id: 'ApplicationDTO', ...strict })

export const DeviceDTO = Type.Object({
  id: Id('b3a1f6c2-41de-4c0b-9a6e-0d7c52a8e911'),
  current: Type.Boolean({ description: 'whether the request came with a token of this log-in', examples: [true] }),
  created_at: Instant('2026-11-26T09:31:00.000Z'),
  last_used_at: Instant('2026-11-26T10:05:00.000Z'),
  expires_at: Instant('2026-12-10T10:05:00.000Z'),
  user_agent: TextOrNull('the User-Agent of the log-in', { examples: ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'] }),
  ip: Type.String({ description: 'the address of the log-in', examples: ['192.0.2.7'] }),
  client: Type.Union([named(ApplicationDTO), Type.Null()], { description: 'the application that the user let in; null where it is a log-in of the user\'s own', examples: [null] }),
}, { $id: 'DeviceDTO', ...strict })

export const TokenListDTO = Type.Object({ tokens: Type.Array(named(DeviceDTO)) }, { $id: 'TokenListDTO', ...strict })
export type TokenListDTO = Static<typeof TokenListDTO>

const EVENT_ID = '01a3185c-5000-7001-8000-5f2d8c1e7a40'

export const EventClientDTO = Type.Object({
  id: Id('0c7e5f2a-6f0b-4a1d-8d53-1f6f6a3f2b90'),
  name: TextOrNull('null where it is not registered any more', { examples: ['Reading list'] }),
}, { $id: 'EventClientDTO', ...strict })

export const EventDTO = Type.Object({
  id: Id(EVENT_ID),
  at: Instant('2026-11-26T09:31:00.000Z'),
  kind: Type.Unsafe<EventKind>({ type: 'string', enum: EVENT_KINDS, description: 'what happened', examples: ['login.succeeded'] }),
  cause: Type.Unsafe<Cause | null>({ type: ['string', 'null'], enum: [...CAUSES, null], description: 'why a device was logged out, or an application lost its access', examples: [null] }),
  token_id: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'the device or the application, as /tokens lists it, or did', examples: ['b3a1f6c2-41de-4c0b-9a6e-0d7c52a8e911'] }),
  ip: TextOrNull('the address of the request', { examples: ['192.0.2.7'] }),
  user_agent: TextOrNull('its User-Agent', { examples: ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'] }),
  client: Type.Union([named(EventClientDTO), Type.Null()], { description: 'the application that it is about', examples: [null] }),
}, { $id: 'EventDTO', ...strict })

export const EventListDTO = Type.Object({
  events: Type.Array(named(EventDTO)),
  next: TextOrNull('what `before` is to be for those before these; null where there are none', { examples: [null] }),
}, { $id: 'EventListDTO', ...strict })
export type EventListDTO = Static<typeof EventListDTO>

export const EventQuery = Type.Object({ before: Type.Optional(Type.String({ format: 'uuid', examples: [EVENT_ID] })) }, strict)
export type EventQuery = Static<typeof EventQuery>

export const RevocationDTO = Type.Object({ revoked: Type.Integer({ minimum: 0, description: 'devices that were logged in', examples: [3] }) }, { $id: 'RevocationDTO', ...strict })
export type RevocationDTO = Static<typeof RevocationDTO>

export const LinkSentDTO = Type.Object({ expires_in: Type.Integer({ minimum: 1, description: 'seconds for which the link is good, if one is sent', examples: [900] }) }, { $id: 'LinkSentDTO', ...strict })
export type LinkSentDTO = Static<typeof LinkSentDTO>

export function toUserDTO (user: Pick<User, 'id' | 'email' | 'name' | 'roles' | 'createdAt' | 'emailVerified'>): UserDTO {
  return { id: user.id, email: user.email, name: user.name, roles: user.roles, email_verified: user.emailVerified ?? false, created_at: toInstant(user.createdAt) }
}

export function toAuthTokenDTO (issued: IssuedTokens): AuthTokenDTO {
  return {
    access_token: issued.accessToken,
    token_type: 'Bearer',
    expires_in: issued.expiresIn,
    refresh_token: issued.refreshToken,
    device_token: issued.deviceToken,
    refresh_token_expires_in: issued.refreshTokenExpiresIn,
  }
}

/** `clientName` is that of the client that has the family, if one has it and is registered still. */
export function toTokenListDTO (families: Array<Family & { expiresAt: number, clientName: string | null }>, currentId: string): TokenListDTO {
  return {
    tokens: families.map(family => ({
      id: family.id,
      current: family.id === currentId,
      created_at: toInstant(family.createdAt),
      last_used_at: toInstant(family.advancedAt),
      expires_at: toInstant(family.expiresAt),
      user_agent: family.userAgent,
      ip: family.ip,
      client: family.grant ? { id: family.grant.clientId, name: family.clientName, scope: family.grant.scope } : null,
    })),
  }
}

/** Each with the name of the client that it is about, if that one is registered still. What operators alone are told is left out. */
export function toEventListDTO (events: Array<KeptEvent & { clientName: string | null }>, next: string | null): EventListDTO {
  return {
    events: events.map(({ id, at, kind, familyId, ip, userAgent, clientId, clientName, details }) => ({
      id, at: toInstant(at), kind, cause: details?.cause ?? null, token_id: familyId ?? null, ip: ip ?? null, user_agent: userAgent ?? null,
      client: clientId === undefined ? null : { id: clientId, name: clientName },
    })),
    next,
  }
}

function toInstant (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
