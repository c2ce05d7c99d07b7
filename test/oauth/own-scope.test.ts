import { test } from 'tap'
import { isOwnScope, ownScopes, permittedScope } from '../../src/oauth/own-scope.ts'

test('a person has `admin` as long as the permission lasts, and everything else', async (t) => {
  t.strictSame(permittedScope(ownScopes, []), ['account'])
  t.strictSame(permittedScope(ownScopes, ['user', 'admin']), ['account', 'admin'])
  t.strictSame(permittedScope(['read', 'admin'], ['administrator']), ['read'])
  t.strictSame(permittedScope(ownScopes, ['users.read']), ['account', 'admin'])
  t.strictSame(permittedScope([], ['admin']), [])
})

test('the scopes of the own API are told from all others', async (t) => {
  t.strictSame(['account', 'admin', 'password', 'accounts', 'Admin', ''].filter(isOwnScope), [
    'account',
    'admin',
    'password',
  ])
})
