import fc from 'fast-check'
import t from 'tap'
import { scopeFor } from '../../src/tokens/audience-scope.ts'

const known = new Map([
  ['a', ['read', 'write']],
  ['b', ['read', 'pay']],
  ['none', []],
])
const narrow = (scope: readonly string[], ...audience: string[]) =>
  scopeFor(scope, audience, (name) => known.get(name))

t.test('an audience gets the scopes that it knows', async (t) => {
  t.strictSame(narrow(['write', 'pay', 'read'], 'a'), ['write', 'read'])
  t.strictSame(narrow(['write', 'read'], 'none'), [])
})

t.test('one that does not say gets them all', async (t) => {
  t.strictSame(narrow(['write', 'x'], 'c'), ['write', 'x'])
})

t.test('several get what each of them knows: nothing is ambiguous (RFC 9068 §5)', async (t) => {
  t.strictSame(narrow(['write', 'pay', 'read'], 'a', 'b'), ['read'])
  t.strictSame(narrow(['write', 'pay', 'read'], 'b', 'c'), ['pay', 'read'])
})

t.test('scopes of our own mean the same to all', async (t) => {
  const own = ['openid', 'offline_access', 'profile', 'email', 'account', 'admin']
  t.strictSame(narrow(own, 'a', 'none'), own)
})

t.test('there is never more than was given, nor more for more audiences', async () => {
  const scopes = fc.subarray(['read', 'write', 'pay', 'openid', 'x'])
  const audiences = fc.subarray(['a', 'b', 'c', 'none'])
  fc.assert(
    fc.property(scopes, audiences, audiences, (scope, some, others) => {
      const one = narrow(scope, ...some)
      const more = narrow(scope, ...some, ...others)
      return (
        one.every((token) => scope.includes(token)) && more.every((token) => one.includes(token))
      )
    }),
  )
})
