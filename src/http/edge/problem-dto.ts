// What every failure is answered with, as JSON; holds no failure.
import { named, Type, type Static } from '../../schema.js'
import { METHODS } from '../../core/factors.js'
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
  ticket: Type.Optional(Type.String({ description: 'with `second_factor_required`: what the log-in goes on with' })),
  expires_in: Type.Optional(Type.Integer({ description: 'for how many seconds the ticket is good' })),
  methods: Type.Optional(Type.Array(Type.String({ enum: [...METHODS] }), { description: 'what may stand beside the password' })),
  enrol: Type.Optional(Type.Literal(true, { description: 'the user has no second factor yet, and must add one: the ticket stands in for the access token there' })),
}, { $id: 'ProblemDTO', ...strict })
export type ProblemDTO = Static<typeof ProblemDTO>
