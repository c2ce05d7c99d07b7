import t from 'tap'
import { isDetailSchema, matchesSchema } from '../../src/oauth/detail-schema.ts'

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })

const good: Record<string, unknown> = {
  'no members': object({}),
  'every keyword': object(
    {
      a: { type: 'string', minLength: 1, maxLength: 9, pattern: '^a', title: 'A', description: '' },
      b: { type: 'array', items: { enum: [1, 'x'] }, minItems: 1, maxItems: 2, uniqueItems: true },
      c: object({ d: { type: 'integer', minimum: 0, maximum: 5 }, e: { const: null } }),
    },
    { required: ['a'], additionalProperties: false },
  ),
}
const bad: Record<string, unknown> = {
  nothing: null,
  'a text': 'object',
  'an array': [],
  'no type': { properties: {} },
  'another type': { type: 'array', items: {} },
  'no members named': { type: 'object' },
  'members that are a list': object([]),
  'a misspelt keyword': object({ a: { typ: 'string' } }),
  'a keyword that is not checked': object({ a: { $ref: '#' } }),
  'a keyword that is a name of the language': object({ a: JSON.parse('{"constructor":{}}') }),
  'an unknown type further down': object({ a: { type: 'text' } }),
  'a pattern that is none': object({ a: { pattern: '(' } }),
  'an empty enum': object({ a: { enum: [] } }),
  'a length that is no number': object({ a: { maxLength: '3' } }),
  'a negative length': object({ a: { minItems: -1 } }),
  'other members let in': object({}, { additionalProperties: true }),
  'a NUL, which the database cannot hold': object({ a: { title: '\0' } }),
}

for (const [name, schema] of Object.entries(good)) {
  t.test(`a schema: ${name}`, async (t) => t.equal(isDetailSchema(schema), true))
}
for (const [name, schema] of Object.entries(bad)) {
  t.test(`not a schema: ${name}`, async (t) => t.equal(isDetailSchema(schema), false))
}

t.test('objects have no members but those that are named, however deep', async (t) => {
  const inner = object({ x: { type: 'string' } })
  const schema = object({ one: inner, many: { type: 'array', items: inner } })
  t.equal(matchesSchema(schema, { one: { x: 'a' }, many: [{ x: 'b' }] }), true)
  for (const value of [{ two: 1 }, { one: { y: 'a' } }, { many: [{ x: 'b' }, { y: 1 }] }]) {
    t.equal(matchesSchema(schema, value), false, JSON.stringify(value))
  }
})
