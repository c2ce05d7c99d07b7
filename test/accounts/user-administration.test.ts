import { test } from 'tap'
import type { User } from '../../src/accounts/user.ts'
import { Problem } from '../../src/oauth/problem.ts'
import { alive, byCli, dead, isProblem, newPassword, startApi } from '../endpoints/auth/api.ts'

test('operators administer accounts', async (t) => {
  const api = await startApi(t)
  const { userAdministration: admin } = api.deps
  const problem = (code: 'not_found' | 'validation', options: object) => new Problem(code, options)
  const unknown = (name: string) => problem('not_found', { detail: `There is no user "${name}"` })

  await t.test('create: with roles and password, who can sign in at once', async (t) => {
    const password = newPassword()
    const user = await admin.createUser(
      { email: ' Ops@example.com ', username: 'ops', password, roles: ['admin'], name: 'Ops' },
      byCli,
    )
    t.strictSame(user, {
      id: user.id,
      email: 'Ops@example.com',
      username: 'ops',
      name: 'Ops',
      givenName: null,
      familyName: null,
      roles: ['admin'],
      permissions: ['admin'],
      status: 'active',
      mustChangePassword: false,
      createdAt: user.createdAt,
      updatedAt: user.createdAt,
      lastLoginAt: null,
      deletedAt: null,
    } satisfies User)
    const { json } = await api.post('/auth/login', { username: 'ops', password })
    t.equal(json.scope, 'account admin')
    const { actor, details } = await api.eventOf(user.id, 'user.created')
    t.strictSame(
      { actor, details },
      { actor: 'cli', details: { roles: ['admin'], password: true } },
    )
  })

  await t.test('create: without a password, who cannot sign in until there is one', async (t) => {
    const { id, email, roles } = await admin.createUser({ email: 'later@example.com' }, byCli)
    t.strictSame(roles, ['user'])
    const login = (password: string) => api.post('/auth/login', { email, password })
    isProblem(t, await login(newPassword()), 'invalid_credentials')
    const password = newPassword()
    await admin.setPassword(id, password, byCli)
    t.equal((await login(password)).status, 200)
  })

  await t.test('create: also where registration is closed, by the same rules', async (t) => {
    const closed = await startApi(t, { DATABASE_URL: api.databaseUrl, REGISTRATION: 'closed' })
    const create = (account: { email: string; password?: string; roles?: string[] }) =>
      closed.deps.userAdministration.createUser(account, byCli)
    t.equal((await create({ email: 'closed@example.com' })).email, 'closed@example.com')
    await t.rejects(create({ email: 'CLOSED@example.com' }), new Problem('email_taken'))
    await t.rejects(create({ email: 'nobody', password: 'short' }), {
      code: 'validation',
      options: {
        fields: [
          { field: 'email', message: 'must be an email address of at most 254 characters' },
          { field: 'password', message: 'must be 8 to 256 characters' },
        ],
      },
    })
    await t.rejects(create({ email: 'x@example.com', password: 'password123' }), {
      code: 'password_too_common',
    })
    await t.rejects(create({ email: 'x@example.com', roles: ['user', 'root'] }), {
      code: 'validation',
      options: { fields: [{ field: 'roles', message: 'must be one of admin, user' }] },
    })
    t.equal(await admin.findUser('x@example.com'), undefined)
  })

  await t.test('find: by id, email address or username', async (t) => {
    const { id, email, user } = await api.join({ username: 'findable' })
    for (const name of [id, id.toUpperCase(), email, email.toUpperCase(), 'findable', 'FINDABLE']) {
      t.equal((await admin.findUser(name))?.id, user.id)
    }
    for (const name of ['nobody', 'nobody@example.com', crypto.randomUUID(), '']) {
      t.equal(await admin.findUser(name), undefined)
    }
  })

  await t.test('find: an id names its account, and no username can stand in its way', async (t) => {
    const { id } = await api.join()
    t.equal((await admin.findUser(id))?.id, id)
    t.equal(await admin.findUser(crypto.randomUUID()), undefined)
    await t.rejects(api.join({ username: id }), /must not have the form of an id/)
  })

  await t.test('list: page by page, in the order of addresses', async (t) => {
    const all: string[] = []
    for (;;) {
      const after = all.at(-1)
      const page = await admin.listUsers({ limit: 3, ...(after && { after }) })
      if (page.length === 0) break
      all.push(...page.map(({ email }) => email))
    }
    t.strictSame(
      all,
      all.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
    )
    const { count } = await api.db
      .selectFrom('users')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    t.equal(new Set(all).size, count)
  })

  await t.test('disable: ends everything at once, enable: brings nothing back', async (t) => {
    const person = await api.join()
    t.equal((await admin.disableUser(person.email, byCli)).status, 'disabled')
    t.strictSame(await api.isAlive(person), dead)
    const { email, password } = person
    isProblem(t, await api.post('/auth/login', { email, password }), 'invalid_credentials')
    t.equal((await admin.enableUser(person.email, byCli)).status, 'active')
    t.strictSame(await api.isAlive(person), dead)
    t.strictSame(await api.isAlive(await api.signIn(person)), alive)
    await api.eventOf(person.id, 'user.disabled')
    await api.eventOf(person.id, 'user.enabled')
  })

  await t.test('set-password: ends everything at once', async (t) => {
    const person = await api.join()
    const password = newPassword()
    await admin.setPassword(person.id, password, byCli)
    t.strictSame(await api.isAlive(person), dead)
    const { email } = person
    isProblem(
      t,
      await api.post('/auth/login', { email, password: person.password }),
      'invalid_credentials',
    )
    t.strictSame(await api.isAlive(await api.signIn({ email, password })), alive)
    const { actor } = await api.eventOf(person.id, 'user.password_set')
    t.equal(actor, 'cli')
    await t.rejects(admin.setPassword(person.id, '1234567', byCli), {
      code: 'validation',
      options: { fields: [{ field: 'password', message: 'must be 8 to 256 characters' }] },
    })
    await t.rejects(admin.setPassword(person.id, email, byCli), { code: 'password_too_common' })
  })

  await t.test('grant-role, revoke-role: show in the next tokens', async (t) => {
    const person = await api.join()
    const granted = await admin.grantRole(person.email, 'admin', byCli)
    t.strictSame([granted.roles, granted.permissions], [['admin', 'user'], ['admin']])
    t.strictSame(await admin.grantRole(person.email, 'admin', byCli), granted)
    const { json } = await api.post('/auth/refresh', { refresh_token: person.refreshToken })
    const { json: claims } = await api.post('/auth/verify', { token: json.access_token })
    t.strictSame([claims.roles, claims.permissions], [['admin', 'user'], ['admin']])
    const revoked = await admin.revokeRole(person.email, 'admin', byCli)
    t.strictSame([revoked.roles, revoked.permissions], [['user'], []])
    t.strictSame(await admin.revokeRole(person.email, 'admin', byCli), revoked)
    await api.eventOf(person.id, 'user.role_granted')
    await api.eventOf(person.id, 'user.role_revoked')
  })

  await t.test('refuse roles that nobody knows, and names that nobody has', async (t) => {
    const { id } = await api.join()
    const fields = [{ field: 'role', message: 'must be one of admin, user' }]
    for (const change of [admin.grantRole, admin.revokeRole]) {
      await t.rejects(change(id, 'root', byCli), problem('validation', { fields }))
      await t.rejects(change('nobody', 'admin', byCli), unknown('nobody'))
    }
    const nobody = crypto.randomUUID()
    await t.rejects(admin.disableUser(nobody, byCli), unknown(nobody))
    await t.rejects(admin.enableUser(nobody, byCli), unknown(nobody))
    await t.rejects(admin.setPassword(nobody, newPassword(), byCli), unknown(nobody))
  })
})
