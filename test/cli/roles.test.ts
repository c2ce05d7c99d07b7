import t from 'tap'
import { serve } from './served.ts'

const { db, run, json } = await serve(t)

const permissions = ['keys.read', 'users.read']
const support = { name: 'support', permissions, built_in: false }

t.test('a role is created, replaced and listed beside the built-in ones', async (t) => {
  t.strictSame(await json(['roles', 'set', 'support', 'users.read']), {
    ...support,
    permissions: ['users.read'],
  })
  t.strictSame(await json(['roles', 'set', 'support', 'users.read', 'keys.read']), support)
  t.strictSame(await json(['roles', 'list']), [
    { name: 'admin', permissions: ['admin'], built_in: true },
    support,
    { name: 'user', permissions: [], built_in: true },
  ])
  const { stdout } = await run(['roles', 'list'])
  t.match(stdout, /^support +keys\.read,? users\.read/m)
  const events = await db
    .selectFrom('audit_events')
    .select(['type', 'actor'])
    .where('type', 'in', ['role.created', 'role.updated'])
    .orderBy('type')
    .execute()
  t.strictSame(events, [
    { type: 'role.created', actor: 'cli' },
    { type: 'role.updated', actor: 'cli' },
  ])
})

t.test('a role that a user has is not deleted', async (t) => {
  await run(['users', 'create', '--email', 'helper@example.com', '--role', 'support'])
  const refused = await run(['roles', 'delete', 'support'])
  t.equal(refused.code, 1)
  t.match(refused.stderr, 'Accounts have the role')
  await run(['users', 'revoke-role', 'helper@example.com', 'support'])
  t.strictSame(await json(['roles', 'delete', 'support']), { deleted: 'support' })
})

for (const [title, words, message] of [
  ['an unknown permission', ['set', 'x', 'users.fly'], 'must be one of users.read'],
  ['the permission that is all of them', ['set', 'x', 'admin'], 'must be one of users.read'],
  ['a name that no address can hold', ['set', 'a b'], 'lower-case letters'],
  ['a built-in role', ['set', 'admin'], 'The built-in role admin cannot be changed'],
  ['the end of a built-in role', ['delete', 'user'], 'The built-in role user cannot be changed'],
  ['the end of an unknown role', ['delete', 'none'], 'There is no role "none"'],
] as const) {
  t.test(`refused is ${title}`, async (t) => {
    const { code, stderr, stdout } = await run(['roles', ...words])
    t.equal(code, 1)
    t.equal(stdout, '')
    t.match(stderr, message)
  })
}

t.test('the help says what can be permitted', async (t) => {
  const { stdout } = await run(['roles', 'set', '--help'])
  t.match(stdout, /^ {2}users\.read +see and search accounts$/m)
})
