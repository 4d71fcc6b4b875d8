// What anybody may read as JSON: schema, static type and serialiser in one; no behaviour.
import { named, Type, type Static } from '../../schema.js'

const strict = { additionalProperties: false }
const Base64url = (example: string) => Type.String({ pattern: '^[\\w-]+$', examples: [example] })

export const HealthDTO = Type.Object({
  status: Type.Unsafe<'ok' | 'degraded' | 'unavailable'>({ type: 'string', enum: ['ok', 'degraded', 'unavailable'], description: 'degraded: it serves, but somebody has to see to the reason', examples: ['ok'] }),
  reason: Type.Optional(Type.String({ description: 'a sentence for operators' })),
}, { $id: 'HealthDTO', ...strict })
export type HealthDTO = Static<typeof HealthDTO>

export const JwkDTO = Type.Object({
  kty: Type.Literal('RSA'), n: Base64url('u1SU1LfVLPHCozMxH2Mo'), e: Base64url('AQAB'), kid: Base64url('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'), use: Type.Literal('sig'), alg: Type.Literal('RS256'),
}, { $id: 'JwkDTO', ...strict })

export const JwksDTO = Type.Object({ keys: Type.Array(named(JwkDTO)) }, { $id: 'JwksDTO', ...strict })

export const StatusListsDTO = Type.Object({
  status_lists: Type.Array(Type.String({ description: 'the address of a status list', examples: ['https://signet.example/status-lists/0'] })),
}, { $id: 'StatusListsDTO', ...strict })
