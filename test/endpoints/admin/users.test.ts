import { test } from 'tap'
import { alive, byCli, dead, isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

test('GET /admin/users', async (t) => {
  const api = await startAdminApi(t)
  const { token } = await api.joinAdmin()
  const mark = crypto.randomUUID().slice(0, 8)
  const joinAs = async (start: string, name: string) =>
    (await api.join({ email: `${mark}-${start}@example.com`, name })).id
  const ada = await joinAs('0', 'Ada %')
  const adax = await joinAs('1', 'ada_x')
  const bea = await joinAs('2', 'Bea')
  const find = async (query: string) => {
    const { status, json } = await api.get(`/admin/users?${query}`, token)
    t.equal(status, 200, query)
    return {
      ids: json.users.map(({ id }: { id: string }) => id),
      next: json.next_cursor as string | null,
    }
  }

  await t.test('finds by how email, username or name begins, however cased', async (t) => {
    const username = `Zed_${mark}`
    const zed = await api.join({ username })
    t.strictSame((await find(`q=${mark.toUpperCase()}-`)).ids, [ada, adax, bea])
    t.strictSame((await find(`q=zed_${mark}`)).ids, [zed.id])
    t.strictSame((await find('q=ADA')).ids, [ada, adax])
    t.strictSame((await find('q=ada%20%25')).ids, [ada], 'what stands for any text is text')
    t.strictSame((await find('q=ada_')).ids, [adax])
    t.strictSame((await find('q=da')).ids, [], 'from the beginning only')
  })

  await t.test('filters by status and by role, together', async (t) => {
    await api.deps.userAdministration.disableUser(bea, byCli)
    await api.deps.userAdministration.grantRole(ada, 'admin', byCli)
    t.strictSame((await find(`q=${mark}&status=disabled`)).ids, [bea])
    t.strictSame((await find(`q=${mark}&role=admin`)).ids, [ada])
    t.strictSame((await find(`q=${mark}&role=admin&status=disabled`)).ids, [])
    t.strictSame((await find(`q=${mark}&role=nobody`)).ids, [])
    await api.deps.userAdministration.revokeRole(ada, 'admin', byCli)
  })

  await t.test('pages by an opaque cursor, and leaves nobody out', async (t) => {
    const first = await find(`q=${mark}&limit=2`)
    t.strictSame(first.ids, [ada, adax])
    const second = await find(`q=${mark}&limit=2&cursor=${first.next}`)
    t.strictSame(second, { ids: [bea], next: null })
  })

  await t.test('refuses what is no search', async (t) => {
    for (const [query, field, message] of [
      ['limit=0', 'limit', 'must be >= 1'],
      ['limit=201', 'limit', 'must be <= 200'],
      ['limit=many', 'limit', 'must be of type integer'],
      ['status=gone', 'status', 'must be one of active, disabled, deleted'],
      ['cursor=%21', 'cursor', 'is not a cursor of this service'],
      ['cursor=AA', 'cursor', 'is not a cursor of this service'],
      ['q=a%00', 'q', 'has characters that are not allowed'],
      ['role=a%00', 'role', 'has characters that are not allowed'],
      ['sort=name', 'sort', 'is not a member of this request'],
    ] as const) {
      const fields = [{ field, message }]
      isProblem(t, await api.get(`/admin/users?${query}`, token), 'validation', { fields })
    }
  })
})

test('POST /admin/users', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()

  await t.test('creates an account whose password is good for being changed only', async (t) => {
    const email = `${crypto.randomUUID()}@example.com`
    const { status, json } = await api.post(
      '/admin/users',
      { email, name: 'New', roles: ['user', 'admin'] },
      admin.token,
    )
    t.equal(status, 201)
    const { user, initial_password: password } = json
    t.strictSame(json, {
      user: {
        id: user.id,
        email,
        username: null,
        name: 'New',
        given_name: null,
        family_name: null,
        roles: ['admin', 'user'],
        permissions: ['admin'],
        status: 'active',
        must_change_password: true,
        created_at: user.created_at,
        updated_at: user.created_at,
        last_login_at: null,
        deleted_at: null,
      },
      initial_password: password,
    })
    t.match(await api.eventOf(user.id, 'user.created'), { actor: admin.id, address: '127.0.0.1' })

    const signedIn = await api.post('/auth/login', { email, password })
    t.match(signedIn.json, { scope: 'password', password_change_required: true })
    const { access_token: token, refresh_token } = signedIn.json
    isProblem(t, await api.get('/auth/me', token), 'insufficient_scope')
    isProblem(t, await api.get('/admin/users', token), 'insufficient_scope')
    const refreshed = await api.post('/auth/refresh', { refresh_token })
    t.equal(refreshed.json.scope, 'password', 'a refresh permits no more')
    const verified = await api.post('/auth/verify', { token: refreshed.json.access_token })
    t.match(verified.json, { active: true, roles: [], permissions: [], aud: [api.config.issuer] })

    const next = `another horse ${crypto.randomUUID()}`
    const body = { current_password: password, new_password: next }
    t.equal((await api.post('/auth/password', body, token)).status, 204)
    const widened = await api.post('/auth/refresh', {
      refresh_token: refreshed.json.refresh_token,
    })
    t.equal(widened.json.scope, 'account admin', 'the change permits everything again')
    t.equal((await api.get('/admin/users', widened.json.access_token)).status, 200)
    const again = await api.post('/auth/login', { email, password: next })
    t.equal(again.json.password_change_required, undefined)
  })

  await t.test('the initial password expires after a day', async (t) => {
    const api = await startAdminApi(t)
    const { token } = await api.joinAdmin()
    const email = `${crypto.randomUUID()}@example.com`
    const { json } = await api.post('/admin/users', { email }, token)
    api.moveTime(86_401)
    const late = await api.post('/auth/login', { email, password: json.initial_password })
    isProblem(t, late, 'invalid_credentials')
    const admin = await api.joinAdmin()
    const url = `/admin/users/${json.user.id}/initial-password`
    const renewed = await api.post(url, undefined, admin.token)
    t.strictSame(Object.keys(renewed.json).sort(), ['initial_password', 'user'])
    t.match(renewed, { status: 200, json: { user: { email, must_change_password: true } } })
    const password = renewed.json.initial_password
    t.not(password, json.initial_password)
    const signedIn = await api.post('/auth/login', { email, password })
    t.match(signedIn.json, { scope: 'password', password_change_required: true })
    t.match(await api.eventOf(json.user.id, 'user.password_set'), { actor: admin.id })
    api.moveTime(86_401)
    isProblem(t, await api.post('/auth/login', { email, password }), 'invalid_credentials')
  })

  await t.test('refuses what cannot be an account', async (t) => {
    const create = (body: object) => api.post('/admin/users', body, admin.token)
    const { email } = await api.join({ username: 'taken-name' })
    isProblem(t, await create({ email }), 'email_taken')
    isProblem(t, await create({ email: 'x@example.com', username: 'taken-name' }), 'username_taken')
    for (const [body, field, message] of [
      [{}, 'email', 'is required'],
      [{ email: 'x' }, 'email', 'must be an email address of at most 254 characters'],
      [{ email: 'a@b.c', roles: ['none'] }, 'roles', 'must be one of admin, user'],
      [{ email: 'a@b.c', password: 'x' }, 'password', 'is not a member of this request'],
    ] as const) {
      isProblem(t, await create(body), 'validation', { fields: [{ field, message }] })
    }
  })
})

test('acts on an account', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()
  const act = (id: string, name: string) =>
    api.post(`/admin/users/${id}/${name}`, undefined, admin.token)

  await t.test('disable and enable, twice each', async (t) => {
    const person = await api.join()
    for (const again of [false, true]) {
      const disabled = await act(person.id, 'disable')
      t.strictSame([disabled.status, disabled.json.status], [200, 'disabled'], `${again}`)
    }
    t.strictSame(await api.isAlive(person), dead)
    for (const again of [false, true]) {
      const enabled = await act(person.id, 'enable')
      t.strictSame([enabled.status, enabled.json.status], [200, 'active'], `${again}`)
    }
    t.strictSame(await api.isAlive(person), dead, 'what was ended stays so')
    t.strictSame(await api.isAlive(await api.signIn(person)), alive)
    for (const type of ['user.disabled', 'user.enabled'] as const) {
      const { actor, address, request_id } = await api.eventOf(person.id, type)
      t.strictSame([actor, address], [admin.id, '127.0.0.1'])
      t.ok(request_id)
    }
  })

  await t.test('end-sessions leaves the account as it is', async (t) => {
    const person = await api.join()
    const ended = await act(person.id, 'end-sessions')
    t.match(ended, { status: 200, json: { status: 'active', must_change_password: false } })
    t.strictSame(await api.isAlive(person), dead)
    t.strictSame(await api.isAlive(await api.signIn(person)), alive)
    t.match(await api.eventOf(person.id, 'user.sessions_ended'), {
      actor: admin.id,
      details: { sessions: 1, families: 1 },
    })
  })

  await t.test('force-password-change ends sessions, and permits nothing before', async (t) => {
    const person = await api.join()
    const forced = await act(person.id, 'force-password-change')
    t.match(forced, { status: 200, json: { must_change_password: true } })
    t.strictSame(await api.isAlive(person), dead)
    const { json } = await api.post('/auth/login', {
      email: person.email,
      password: person.password,
    })
    t.match(json, { scope: 'password', password_change_required: true })
    isProblem(t, await api.get('/auth/sessions', json.access_token), 'insufficient_scope')
  })

  await t.test(
    'delete ends everything but keeps the names; restore makes it disabled',
    async (t) => {
      const person = await api.join()
      const deleted = await api.delete(`/admin/users/${person.id}`, admin.token)
      t.match(deleted, { status: 200, json: { status: 'deleted' } })
      t.ok(deleted.json.deleted_at)
      t.strictSame(await api.isAlive(person), dead)
      const { email, password } = person
      isProblem(t, await api.post('/auth/login', { email, password }), 'invalid_credentials')
      isProblem(t, await api.post('/auth/register', { email, password }), 'email_taken')
      t.match(await act(person.id, 'enable'), { status: 200, json: { status: 'deleted' } })
      const restored = await act(person.id, 'restore')
      t.match(restored, { status: 200, json: { status: 'disabled', deleted_at: null } })
      t.match(await act(person.id, 'enable'), { status: 200, json: { status: 'active' } })
      t.strictSame(await api.isAlive(await api.signIn(person)), alive)
      t.strictSame(await api.isAlive(person), dead)
    },
  )

  await t.test('roles are given and taken', async (t) => {
    const person = await api.join()
    const url = `/admin/users/${person.id}/roles/admin`
    const given = await api.put(url, {}, admin.token)
    t.match(given, { status: 200, json: { roles: ['admin', 'user'], permissions: ['admin'] } })
    const taken = await api.delete(url, admin.token)
    t.match(taken, { status: 200, json: { roles: ['user'], permissions: [] } })
    const unknown = await api.put(`/admin/users/${person.id}/roles/none`, {}, admin.token)
    const fields = [{ field: 'role', message: 'must be one of admin, user' }]
    isProblem(t, unknown, 'validation', { fields })
  })

  await t.test('an id that no account has is not found, whatever it looks like', async (t) => {
    for (const id of [crypto.randomUUID(), 'nonsense', admin.email, '%00', 'x'.repeat(90)]) {
      for (const name of ['disable', 'enable', 'unlock', 'end-sessions', 'restore']) {
        isProblem(t, await act(id, name), 'not_found')
      }
      isProblem(t, await api.get(`/admin/users/${id}`, admin.token), 'not_found')
      isProblem(t, await api.delete(`/admin/users/${id}`, admin.token), 'not_found')
      const role = `/admin/users/${id}/roles/admin`
      isProblem(t, await api.put(role, {}, admin.token), 'not_found')
      isProblem(t, await api.delete(role, admin.token), 'not_found')
    }
  })
})
