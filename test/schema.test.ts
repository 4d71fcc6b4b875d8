// Schemas as they are built, and what data is like by them.
import { Type as TypeBox } from '@sinclair/typebox'
import t from 'tap'
import { findFault, Type } from '../src/schema.js'

/** The same schema, by one builder or the other. */
function build (type: typeof Type) {
  return type.Object({
    text: type.String({ pattern: '^a' }),
    count: type.Optional(type.Integer({ minimum: 1 })),
    flag: type.Boolean(),
    kind: type.Union([type.Literal('one'), type.Literal(2), type.Null()]),
    list: type.Array(type.Object({}), { maxItems: 3 }),
    raw: type.Unsafe<'x'>({ enum: ['x'] }),
  }, { additionalProperties: false })
}

const GOOD = { text: 'ab', flag: true, kind: 'one', list: [{}], raw: 'x' }

t.test('a schema is what TypeBox would make of it', async t => {
  t.strictSame(JSON.parse(JSON.stringify(build(Type))), JSON.parse(JSON.stringify(build(TypeBox))))
  t.strictSame(JSON.parse(JSON.stringify(Type.Object({ may: Type.Optional(Type.Null()) }))), JSON.parse(JSON.stringify(TypeBox.Object({ may: TypeBox.Optional(TypeBox.Null()) }))))
})

t.test('a fault is told by where it is', async t => {
  const { text, ...without } = GOOD
  for (const [data, fault] of [
    [GOOD, undefined], [{ ...GOOD, count: 1 }, undefined], [without, '/text'], [{ ...GOOD, text: 'b' }, '/text'], [{ ...GOOD, count: 0 }, '/count'],
    [{ ...GOOD, list: [{}, 1] }, '/list/1'], [{ ...GOOD, kind: 3 }, '/kind'], [[], ''], [null, ''],
  ] as const) t.equal(findFault(build(Type), data), fault, JSON.stringify(data))
  t.ok(text)
})
