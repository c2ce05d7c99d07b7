import t from 'tap'
import type { LoginName } from '../../src/accounts/user.ts'
import { serve } from './served.ts'

const { db, deps, run, json } = await serve(t)

type WireUser = { id: string; created_at: string; updated_at: string; password?: string }

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const password = 'purple walrus forklift'

const canSignIn = async (name: LoginName, with_: string): Promise<boolean> =>
  (await deps.accounts.signIn(name, with_, {})) !== undefined

/** A user to be worked on, made past the command line. @returns what the command line shows. */
const make = async (email: string, username?: string): Promise<WireUser> => {
  await deps.userAdministration.createUser(
    { email, password, ...(username && { username }) },
    { actor: 'test', origin: {} },
  )
  return (await json(['users', 'show', email])) as WireUser
}

t.test('create makes an account that can sign in with the password that was piped', async (t) => {
  const created = await json(
    [
      ...['users', 'create', '--email', 'Ada@example.com', '--password-stdin'],
      ...['--username', 'ada', '--name', 'Ada Lovelace', '--given-name', 'Ada'],
      ...['--family-name', 'Lovelace', '--role', 'user', '--role', 'admin'],
    ],
    `${password}\n`,
  )
  const { id, created_at, updated_at, ...rest } = created as WireUser
  t.match(id, uuid)
  t.match(created_at, timestamp)
  t.equal(updated_at, created_at)
  t.strictSame(rest, {
    email: 'Ada@example.com',
    username: 'ada',
    name: 'Ada Lovelace',
    given_name: 'Ada',
    family_name: 'Lovelace',
    roles: ['admin', 'user'],
    permissions: ['admin'],
    status: 'active',
    last_login_at: null,
  })
  t.ok(await canSignIn({ username: 'ada' }, password))
})

t.test('without a terminal and a pipe to read a password is made and printed once', async (t) => {
  const created = (await json(['users', 'create', '--email', 'made@example.com'])) as WireUser
  t.match(created.password, /^[A-Za-z0-9_-]{24}$/)
  t.ok(await canSignIn({ email: 'made@example.com' }, created.password ?? ''))
  const shown = (await json(['users', 'show', 'made@example.com'])) as WireUser
  t.notOk('password' in shown)

  const { stdout } = await run(['users', 'create', '--email', 'people@example.com'])
  t.match(stdout, /\n\nKeep the password: it will not be shown again\.\n$/)
  const made = /^password +(\S{24})$/m.exec(stdout)?.[1] ?? ''
  t.ok(await canSignIn({ email: 'people@example.com' }, made))
})

t.test('a user is named by id, email address or username, however they are cased', async (t) => {
  const created = await make('bob@example.com', 'bob')
  for (const name of [created.id, 'bob@example.com', 'BOB@Example.com', 'bob', 'Bob']) {
    t.strictSame(await json(['users', 'show', name]), created, name)
  }
})

t.test('list pages through users in the order of their email addresses', async (t) => {
  for (const name of ['list-c', 'list-a', 'list-b']) await make(`${name}@example.com`)
  const emails = async (...words: string[]) =>
    ((await json(['users', 'list', ...words])) as { email: string }[]).map(({ email }) => email)
  const all = await emails()
  t.strictSame(all, all.toSorted(), 'all of them by default')
  const first = all.indexOf('list-a@example.com')
  t.strictSame(await emails('--limit', '2', '--after', all[first - 1] ?? ''), [
    'list-a@example.com',
    'list-b@example.com',
  ])
  const { stdout, stderr } = await run(['users', 'list', '--limit', '1'])
  t.match(
    stdout,
    /^EMAIL +USERNAME +ROLES +STATUS +LAST SIGN-IN +ID\nAda@example\.com +ada +admin user +active +(?:-|\d{4}-\S+Z) +[0-9a-f-]{36}\n$/,
  )
  t.equal(stderr, 'There may be more: --after Ada@example.com\n')
})

t.test('disable and enable change only that, and may be repeated', async (t) => {
  const { updated_at, ...created } = await make('off@example.com')
  for (const [act, status] of [
    ['disable', 'disabled'],
    ['disable', 'disabled'],
    ['enable', 'active'],
    ['enable', 'active'],
  ] as const) {
    const { updated_at: later, ...rest } = (await json(['users', act, created.id])) as WireUser
    t.match(later, timestamp)
    t.strictSame(rest, { ...created, status })
    t.equal(await canSignIn({ email: 'off@example.com' }, password), status === 'active')
    await db
      .updateTable('users')
      .set({ last_login_at: null })
      .where('id', '=', created.id)
      .execute()
  }
})

t.test('unlock lets a user sign in again who was locked out', async (t) => {
  const before = await make('locked@example.com', 'locked')
  for (let attempt = 0; attempt < 5; attempt += 1) {
    t.notOk(await canSignIn({ email: 'locked@example.com' }, 'guess'))
  }
  await t.rejects(canSignIn({ email: 'locked@example.com' }, password), {
    code: 'too_many_attempts',
  })
  t.strictSame(await json(['users', 'unlock', 'locked']), before)
  t.ok(await canSignIn({ email: 'locked@example.com' }, password))
})

t.test('set-password replaces the password', async (t) => {
  const { id } = await make('new-password@example.com')
  const name = { email: 'new-password@example.com' }
  const changed = await json(['users', 'set-password', id, '--password-stdin'], 'another good one')
  t.strictSame(changed, await json(['users', 'show', id]))
  t.strictSame(
    [await canSignIn(name, password), await canSignIn(name, 'another good one')],
    [false, true],
  )
  const made = (await json(['users', 'set-password', id])) as WireUser
  t.match(made.password, /^[A-Za-z0-9_-]{24}$/)
  t.ok(await canSignIn(name, made.password ?? ''))
})

t.test('grant-role and revoke-role change the roles and what they allow', async (t) => {
  const { id } = await make('roles@example.com')
  const roles = async (...words: string[]) => {
    const { roles, permissions } = (await json(['users', ...words])) as Record<string, unknown>
    return { roles, permissions }
  }
  const admin = { roles: ['admin', 'user'], permissions: ['admin'] }
  t.strictSame(await roles('grant-role', id, 'admin'), admin)
  t.strictSame(await roles('grant-role', 'roles@example.com', 'admin'), admin, 'again')
  const plain = { roles: ['user'], permissions: [] }
  t.strictSame(await roles('revoke-role', id, 'admin'), plain)
  t.strictSame(await roles('revoke-role', id, 'admin'), plain, 'again')
  const events = await db
    .selectFrom('audit_events')
    .select(['type', 'actor'])
    .where('subject', '=', id)
    .orderBy('occurred_at')
    .execute()
  t.strictSame(
    events.map(({ type, actor }) => `${type} by ${actor}`),
    ['user.created by test', 'user.role_granted by cli', 'user.role_revoked by cli'],
  )
})

const email = 'refused@example.com'
const refused: readonly (readonly [
  what: string,
  words: string[],
  input: string,
  sentence: string | RegExp,
])[] = [
  [
    'an email address that is none',
    ['create', '--email', 'x'],
    '',
    '--email must be an email address of at most 254 characters',
  ],
  [
    'an email address that is taken',
    ['create', '--email', 'ADA@example.com'],
    '',
    'The email address is already registered',
  ],
  [
    'a username that is taken',
    ['create', '--email', email, '--username', 'ADA'],
    '',
    'The username is already taken',
  ],
  [
    'a role that does not exist',
    ['create', '--email', email, '--role', 'king'],
    '',
    '--role must be one of admin, user',
  ],
  [
    'a password that is too short',
    ['create', '--email', email, '--password-stdin'],
    'short\n',
    'The password must be 8 to 256 characters',
  ],
  [
    'no password where one is to be piped',
    ['create', '--email', email, '--password-stdin'],
    '',
    'There is no password on standard input',
  ],
  [
    'a common password',
    ['create', '--email', email, '--password-stdin'],
    'password123\n',
    /^This password is among the first that others would try: .+\n$/,
  ],
  ['an unknown user', ['show', 'nobody'], '', 'There is no user "nobody"'],
  [
    'an unknown user to be changed',
    ['disable', 'nobody@example.com'],
    '',
    'There is no user "nobody@example.com"',
  ],
  [
    'an unknown role to be granted',
    ['grant-role', 'ada', 'king'],
    '',
    'The role must be one of admin, user',
  ],
]
for (const [what, words, input, sentence] of refused) {
  t.test(`refused in one sentence, with exit code 1: ${what}`, async (t) => {
    const { stderr, ...rest } = await run(['users', ...words], input)
    t.strictSame(rest, { code: 1, stdout: '' })
    t.match(stderr, sentence instanceof RegExp ? sentence : `${sentence}\n`)
  })
}

t.test('what was refused was not made', async (t) => {
  t.equal((await run(['users', 'show', email])).code, 1)
})

t.test('a password can not be given as a word of the command', async (t) => {
  const { code, stderr } = await run(['users', 'create', '--email', email, '--password', password])
  t.equal(code, 2)
  t.match(stderr, /^error: unknown option '--password'\n/)
})

t.test('a user is deleted, restored and let in again', async (t) => {
  const { id } = await make('deleted@example.com')
  const status = async (act: string) =>
    ((await json(['users', act, 'deleted@example.com'])) as { status: string }).status
  t.equal(await status('delete'), 'deleted')
  t.equal(await status('delete'), 'deleted', 'again')
  t.notOk(await canSignIn({ email: 'deleted@example.com' }, password))
  t.equal(await status('restore'), 'disabled')
  t.equal(await status('enable'), 'active')
  t.ok(await canSignIn({ email: 'deleted@example.com' }, password))
  t.equal(await status('end-sessions'), 'active')
  t.equal(await status('force-password-change'), 'active')
  const signedIn = await deps.accounts.signIn({ email: 'deleted@example.com' }, password, {})
  t.strictSame(signedIn?.tokens.scope, ['password'])
  const acts = await db
    .selectFrom('audit_events')
    .select(['type', 'actor'])
    .where('subject', '=', id)
    .where('actor', '=', 'cli')
    .orderBy('occurred_at')
    .execute()
  t.strictSame(
    acts.map(({ type }) => type),
    [
      'user.deleted',
      'user.restored',
      'user.enabled',
      'user.sessions_ended',
      'user.password_change_forced',
    ],
  )
})
