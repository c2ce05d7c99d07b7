import fc from 'fast-check'
import t from 'tap'
import { readClaims } from '../../src/authorize/claims-parameter.ts'
import { fromRequestObject, onlyValue, toParameters } from '../../src/authorize/parameters.ts'
import { OAuthError } from '../../src/oauth/error.ts'
import { matchesRedirectUri } from '../../src/oauth/redirect-uri.ts'

t.test('members of a request object become the texts of an address', async (t) => {
  const members = {
    max_age: 60,
    claims: { id_token: { acr: null } },
    resource: ['https://a.example', 'https://b.example'],
    authorization_details: [{ type: 'payment' }],
    scope: 'read',
    empty: '',
    nothing: null,
  }
  t.same(fromRequestObject(members), {
    max_age: ['60'],
    claims: ['{"id_token":{"acr":null}}'],
    resource: ['https://a.example', 'https://b.example'],
    authorization_details: ['[{"type":"payment"}]'],
    scope: ['read'],
  })
})

t.test('names of the language are names like any other', async (t) => {
  const raw = fromRequestObject(JSON.parse('{"__proto__":"x","constructor":"y"}'))
  t.equal(onlyValue(raw, 'constructor'), 'y')
  t.equal(onlyValue(fromRequestObject({}), 'constructor'), undefined)
  t.equal(toParameters(raw).single.toString, undefined)
})

t.test('whatever claims holds, it is read or refused, and can be stored', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.jsonValue().map(toClaims))
  fc.assert(
    fc.property(text, (claims) => {
      try {
        return !/\\u(?:0000|d[89a-f])/i.test(JSON.stringify(readClaims(claims)))
      } catch (error) {
        return error instanceof OAuthError && error.code === 'invalid_request'
      }
    }),
    { numRuns: 2000 },
  )
})

const toClaims = (value: unknown): string => JSON.stringify({ id_token: { acr: value } })

t.test('a redirect URI that matches leads to the same place', async () => {
  const registered = fc.constantFrom(
    'https://app.example/callback',
    'http://127.0.0.1/callback',
    'http://[::1]:8080/callback',
    'http://localhost/callback',
    'com.example.app:/callback',
  )
  const edit = fc.record({
    at: fc.nat({ max: 40 }),
    text: fc.string({ maxLength: 4 }),
    cut: fc.nat({ max: 3 }),
  })
  fc.assert(
    fc.property(registered, edit, (uri, { at, text, cut }) => {
      const requested = uri.slice(0, at) + text + uri.slice(at + cut)
      if (!matchesRedirectUri(uri, requested) || uri === requested) return true
      const [a, b] = [new URL(uri), new URL(requested)]
      const isLoopback = ['127.0.0.1', '[::1]'].includes(a.hostname)
      return (
        isLoopback && a.hostname === b.hostname && a.pathname === b.pathname && b.username === ''
      )
    }),
    { numRuns: 5000 },
  )
})
