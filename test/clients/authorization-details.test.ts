import fc from 'fast-check'
import t from 'tap'
import { readAuthorizationDetails } from '../../src/clients/authorization-details.ts'
import { defaultClientSettings } from '../../src/clients/client-settings.ts'
import type { DetailsType } from '../../src/clients/details-type.ts'
import { narrowAuthorizationDetails } from '../../src/oauth/authorization-details.ts'

const payment: DetailsType = {
  type: 'payment',
  description: 'Make a payment',
  schema: {
    type: 'object',
    properties: {
      actions: { type: 'array', items: { enum: ['initiate', 'status'] } },
      amount: {
        type: 'object',
        properties: { value: { type: 'string', pattern: '^\\d+$' }, currency: { type: 'string' } },
        required: ['value'],
      },
    },
    required: ['amount'],
  },
}
const types = new Map([
  ['payment', payment],
  ['account', { ...payment, type: 'account' }],
])
const client = { settings: { ...defaultClientSettings, authorizationDetailsTypes: ['payment'] } }
const read = (text: string) =>
  readAuthorizationDetails(text, client, { find: (type) => types.get(type) })
const refusal = (reason: string) => ({
  code: 'invalid_authorization_details',
  status: 400,
  description: `authorization_details: ${reason}`,
})

t.test('details of an allowed type with valid members are read as they are', async (t) => {
  const details = [
    { type: 'payment', actions: ['initiate'], amount: { value: '1', currency: 'EUR' } },
    { type: 'payment', amount: { value: '2' } },
  ]
  t.strictSame(read(JSON.stringify(details)), details)
})

const good = { type: 'payment', amount: { value: '1' } }
const shape = 'It must be a JSON array of 1 to 20 objects'
const member = 'A member is missing, unknown or not valid'
const object = 'Each must be an object with a type'

const refused: Record<string, readonly [value: unknown, reason: string]> = {
  'an object instead of an array': [good, shape],
  'an empty array': [[], shape],
  'more than twenty': [Array.from({ length: 21 }, () => good), shape],
  'a text within the array': [['payment'], object],
  'null within the array': [[null], object],
  'an array within the array': [[[]], object],
  'an object without a type': [[{ amount: { value: '1' } }], object],
  'a type that is no text': [[{ ...good, type: 1 }], object],
  'an unknown type': [[{ ...good, type: 'x' }], 'The type is not known'],
  'a type that is a name of the language': [[{ type: 'constructor' }], 'The type is not known'],
  'a type that the client may not ask for': [
    [{ ...good, type: 'account' }],
    'The client may not ask for this type',
  ],
  'a member that is missing': [[{ type: 'payment' }], member],
  'an unknown member': [[{ ...good, locations: ['https://a.example'] }], member],
  'an unknown member further down': [[{ ...good, amount: { value: '1', x: 1 } }], member],
  'a value that is not allowed': [[{ ...good, actions: ['delete'] }], member],
  'a value of another type': [[{ ...good, amount: { value: 1 } }], member],
  'one bad among good ones': [[good, { type: 'payment' }], member],
  'a NUL in a value': [[{ ...good, amount: { value: '1', currency: '\0' } }], shape],
  'a value of many levels': [
    [{ ...good, x: JSON.parse('['.repeat(900) + ']'.repeat(900)) }],
    shape,
  ],
  'a lone surrogate in a name': [[{ ...good, '\ud800': 1 }], shape],
}

for (const [name, [value, reason]] of Object.entries(refused)) {
  t.test(`refused: ${name} (RFC 9396 §5)`, async (t) => {
    t.throws(() => read(JSON.stringify(value)), refusal(reason))
  })
}

for (const text of ['', '{', '[{]', 'payment', 'null', '[,]']) {
  t.test(`refused: what is no JSON array: ${JSON.stringify(text)}`, async (t) => {
    t.throws(() => read(text), refusal(shape))
  })
}

t.test('whatever text comes is read or refused by its own code', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), (text) => {
      try {
        read(text)
        return true
      } catch (error) {
        return (error as { code?: string }).code === 'invalid_authorization_details'
      }
    }),
  )
})

const granted = [
  { type: 'payment', actions: ['initiate', 'status'], amount: { value: '1', currency: 'EUR' } },
  { type: 'account', actions: ['read'] },
]

t.test('a request without details takes all that was granted', async (t) => {
  t.equal(narrowAuthorizationDetails(undefined, granted), granted)
  t.equal(narrowAuthorizationDetails(undefined, undefined), undefined)
})

t.test('a request may take some, and of a list a part, in any order of members', async (t) => {
  const amount = { currency: 'EUR', value: '1' }
  const narrower = [{ amount, actions: ['status'], type: 'payment' }]
  t.equal(narrowAuthorizationDetails(narrower, granted), narrower)
})

const wider: Record<string, { type: string; [member: string]: unknown }> = {
  'another type': { type: 'transfer', actions: ['read'] },
  'another action': { type: 'account', actions: ['read', 'write'] },
  'an empty list, which may mean everything': { type: 'account', actions: [] },
  'a member left out, which may mean everything': { type: 'account' },
  'a member more': { type: 'account', actions: ['read'], locations: ['https://a.example'] },
  'a list as a text': { type: 'account', actions: 'read' },
  'another amount': {
    ...{ type: 'payment', actions: ['status'], amount: { value: '10', currency: 'EUR' } },
  },
}

for (const [name, detail] of Object.entries(wider)) {
  t.test(`refused beyond what was granted: ${name} (RFC 9396 §6)`, async (t) => {
    const expected = refusal('It is beyond what was granted')
    t.throws(() => narrowAuthorizationDetails([detail], granted), expected)
    t.throws(() => narrowAuthorizationDetails([detail], undefined), expected)
  })
}
