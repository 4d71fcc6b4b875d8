// What leaves and enters as JSON: each schema is the static type, the validator, the serialiser and the OpenAPI schema; no behaviour but mapping.
import { Type, type Static } from '@sinclair/typebox'
import { EMAIL_MAX_LENGTH, NAME_MAX_LENGTH, PASSWORD_MAX_LENGTH } from '../core/credentials.js'
import type { Family } from '../core/families.js'
import { ERRORS, type ErrorCode } from '../errors.js'
import type { IssuedTokens } from '../services/token-service.js'
import type { User } from '../store/store.js'

const strict = { additionalProperties: false }
const Base64url = () => Type.String({ pattern: '^[\\w-]+$' })
const Instant = () => Type.String({ format: 'date-time' })
const TextOrNull = (description: string, limits = {}) => Type.Unsafe<string | null>({ type: ['string', 'null'], description, ...limits })

/** What people type has its length looked at first: to bring letters into one form costs the square of it. In code points. */
export const Email = () => Type.String({ maxLength: EMAIL_MAX_LENGTH, description: 'an e-mail address; case and outer blanks do not count' })
/** How many characters at least is a setting, so the document says it as a limit. */
export const NEW_PASSWORD = 'not a common one, nor one character over and over, nor the address'
export const Password = (description: string) => Type.String({ maxLength: PASSWORD_MAX_LENGTH, description })

export const Name = () => TextOrNull('what the user is called', { maxLength: NAME_MAX_LENGTH })

export const UserDTO = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String({ format: 'email' }),
  name: TextOrNull('what the user is called'),
  created_at: Instant(),
}, { $id: 'UserDTO', ...strict })
export type UserDTO = Static<typeof UserDTO>

export const AuthTokenDTO = Type.Object({
  access_token: Type.String({ pattern: '^[\\w-]+\\.[\\w-]+\\.[\\w-]+$', description: 'a JWT (RFC 9068), to be sent as a bearer token' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ minimum: 1, description: 'seconds' }),
  refresh_token: Type.Optional(Type.String({ pattern: '^[\\w-]+$', description: 'works once; the answer to /refresh holds its successor. Left out where it is in the cookie' })),
  refresh_token_expires_in: Type.Integer({ minimum: 0, description: 'seconds, if it stays unused' }),
}, { $id: 'AuthTokenDTO', ...strict })
export type AuthTokenDTO = Static<typeof AuthTokenDTO>

/** A registration, ready for the account service. */
export const RegistrationDTO = Type.Object({
  email: Email(),
  password: Password(NEW_PASSWORD),
  name: Type.Optional(Name()),
}, { $id: 'RegistrationDTO', ...strict })
export type RegistrationDTO = Required<Static<typeof RegistrationDTO>>

export const TokenListDTO = Type.Object({
  tokens: Type.Array(Type.Object({
    id: Type.String({ format: 'uuid' }),
    current: Type.Boolean({ description: 'whether the request came with a token of this log-in' }),
    created_at: Instant(),
    last_used_at: Instant(),
    expires_at: Instant(),
    user_agent: TextOrNull('the User-Agent of the log-in'),
    ip: Type.String({ description: 'the address of the log-in' }),
  }, strict)),
}, { $id: 'TokenListDTO', ...strict })
export type TokenListDTO = Static<typeof TokenListDTO>

export const RevocationDTO = Type.Object({ revoked: Type.Integer({ minimum: 0, description: 'devices that were logged in' }) }, { $id: 'RevocationDTO', ...strict })
export type RevocationDTO = Static<typeof RevocationDTO>

export const HealthDTO = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('unavailable')], { description: 'degraded: it serves, but somebody has to see to the reason' }),
  reason: Type.Optional(Type.String()),
}, { $id: 'HealthDTO', ...strict })
export type HealthDTO = Static<typeof HealthDTO>

export const JwksDTO = Type.Object({
  keys: Type.Array(Type.Object({
    kty: Type.Literal('RSA'), n: Base64url(), e: Base64url(), kid: Base64url(), use: Type.Literal('sig'), alg: Type.Literal('RS256'),
  }, strict)),
}, { $id: 'JwksDTO', ...strict })

/** A problem document (RFC 9457). */
export const ProblemDTO = Type.Object({
  type: Type.Literal('about:blank', { description: 'always about:blank; `code` tells the cases apart' }),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String({ description: 'a sentence for people' }),
  code: Type.Unsafe<ErrorCode>({ type: 'string', enum: Object.keys(ERRORS), description: 'stable, for programs' }),
  request_id: Type.String({ format: 'uuid' }),
  errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), detail: Type.String() }, strict))),
}, { $id: 'ProblemDTO', ...strict })
export type ProblemDTO = Static<typeof ProblemDTO>

export function toUserDTO (user: Pick<User, 'id' | 'email' | 'name' | 'createdAt'>): UserDTO {
  return { id: user.id, email: user.email, name: user.name, created_at: toInstant(user.createdAt) }
}

export function toAuthTokenDTO (issued: IssuedTokens): AuthTokenDTO {
  return {
    access_token: issued.accessToken,
    token_type: 'Bearer',
    expires_in: issued.expiresIn,
    refresh_token: issued.refreshToken,
    refresh_token_expires_in: issued.refreshTokenExpiresIn,
  }
}

export function toTokenListDTO (families: Array<Family & { expiresAt: number }>, currentId: string): TokenListDTO {
  return {
    tokens: families.map(family => ({
      id: family.id,
      current: family.id === currentId,
      created_at: toInstant(family.createdAt),
      last_used_at: toInstant(family.advancedAt),
      expires_at: toInstant(family.expiresAt),
      user_agent: family.userAgent,
      ip: family.ip,
    })),
  }
}

function toInstant (milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
