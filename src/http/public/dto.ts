// What anybody may read as JSON: schema, static type and serialiser in one; no behaviour.
import { Type, type Static } from '../../schema.js'

const strict = { additionalProperties: false }
const Base64url = () => Type.String({ pattern: '^[\\w-]+$' })

export const HealthDTO = Type.Object({
  status: Type.Unsafe<'ok' | 'degraded' | 'unavailable'>({ type: 'string', enum: ['ok', 'degraded', 'unavailable'], description: 'degraded: it serves, but somebody has to see to the reason' }),
  reason: Type.Optional(Type.String()),
}, { $id: 'HealthDTO', ...strict })
export type HealthDTO = Static<typeof HealthDTO>

export const JwksDTO = Type.Object({
  keys: Type.Array(Type.Object({
    kty: Type.Literal('RSA'), n: Base64url(), e: Base64url(), kid: Base64url(), use: Type.Literal('sig'), alg: Type.Literal('RS256'),
  }, strict)),
}, { $id: 'JwksDTO', ...strict })
