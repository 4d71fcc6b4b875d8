// JSON Schemas with the static types of TypeBox, and what data is like by them; loads nothing of TypeBox, whose 250 modules would be a tenth of a start, to make an object literal each.
import type { Static, TSchema, Type as TypeBox } from '@sinclair/typebox'
import { Ajv } from 'ajv'

export type { Static, TSchema }

type Built = Record<string, unknown>

const optional = new WeakSet<object>()

function object (properties: Record<string, object>, options: Built): Built {
  const required = Object.keys(properties).filter(name => !optional.has(properties[name]!))
  return { type: 'object', properties, ...(required.length > 0 && { required }), ...options }
}

function asOptional (schema: Built): Built {
  const copy = { ...schema }
  optional.add(copy)
  return copy
}

const of = (type: string) => (options: Built) => ({ type, ...options })

/** Those builders of TypeBox that Signet uses. Each returns a schema as JSON Schema writes it. */
export const Type = {
  Array: (items: Built, options: Built) => ({ type: 'array', items, ...options }),
  Boolean: of('boolean'),
  Integer: of('integer'),
  Literal: (value: unknown, options: Built) => ({ type: typeof value, const: value, ...options }),
  Null: of('null'),
  Object: object,
  Optional: asOptional,
  String: of('string'),
  Union: (anyOf: Built[], options: Built) => ({ anyOf, ...options }),
  Unsafe: (schema: Built) => schema,
} as unknown as Pick<typeof TypeBox, 'Array' | 'Boolean' | 'Integer' | 'Literal' | 'Null' | 'Object' | 'Optional' | 'String' | 'Union' | 'Unsafe'>

/** What is kept under an $id of its own, so that whatever is generated from the document can name it. */
export function named<Schema extends TSchema> (schema: Schema) {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id!}#` })
}

// It keeps what it has compiled of each schema. The schemas are ours, so that none need be compiled that checks them.
const ajv = new Ajv({ meta: false, validateSchema: false })

/** Where data is not as a schema wants it: a JSON Pointer (RFC 6901), or undefined where it is. */
export function findFault (schema: TSchema, data: unknown): string | undefined {
  if (ajv.validate(schema, data)) return undefined
  const { instancePath, params } = ajv.errors![0]!
  return params['missingProperty'] === undefined ? instancePath : `${instancePath}/${params['missingProperty']}`
}
