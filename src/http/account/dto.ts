// What leaves and enters as JSON: each schema is the static type, the validator, the serialiser and the OpenAPI schema; no behaviour but mapping.
import { Type, type Static } from '../../schema.js'
import { EMAIL_MAX_LENGTH, NAME_MAX_LENGTH, PASSWORD_MAX_LENGTH } from '../../core/credentials.js'
import type { Family } from '../../core/families.js'
import type { IssuedTokens } from '../../services/token-service.js'
import type { User } from '../../store/store.js'

const strict = { additionalProperties: false }
const Instant = () => Type.String({ format: 'date-time' })
const TextOrNull = (description: string, limits = {}) => Type.Unsafe<string | null>({ type: ['string', 'null'], description, ...limits })

/** What people type has its length looked at first: to bring letters into one form costs the square of it. In code points. */
export const Email = () => Type.String({ maxLength: EMAIL_MAX_LENGTH, description: 'an e-mail address; case and outer blanks do not count' })
/** How many characters at least is a setting, so the document says it as a limit. */
export const NEW_PASSWORD = 'not a common one, nor one character over and over, nor the address'
export const Password = (description: string) => Type.String({ maxLength: PASSWORD_MAX_LENGTH, description })

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
  name: Type.Optional(TextOrNull('what the user is called', { maxLength: NAME_MAX_LENGTH })),
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
