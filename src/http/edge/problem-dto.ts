// What every failure is answered with, as JSON; holds no failure.
import { named, Type, type Static } from '../../schema.js'
import { ERRORS, type ErrorCode } from '../../errors.js'

const strict = { additionalProperties: false }

export const FieldErrorDTO = Type.Object({ field: Type.String({ description: 'the member that it is about' }), detail: Type.String({ description: 'a sentence for people' }) }, { $id: 'FieldErrorDTO', ...strict })

/** A problem document (RFC 9457). */
export const ProblemDTO = Type.Object({
  type: Type.Literal('about:blank', { description: 'always about:blank; `code` tells the cases apart' }),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String({ description: 'a sentence for people' }),
  code: Type.Unsafe<ErrorCode>({ type: 'string', enum: Object.keys(ERRORS), description: 'stable, for programs' }),
  request_id: Type.String({ format: 'uuid' }),
  errors: Type.Optional(Type.Array(named(FieldErrorDTO))),
}, { $id: 'ProblemDTO', ...strict })
export type ProblemDTO = Static<typeof ProblemDTO>
