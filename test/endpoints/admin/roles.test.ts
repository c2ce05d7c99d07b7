import { test } from 'tap'
import { isDone, isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

test('roles as administrators manage them', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()
  const put = (name: string, body: object) => api.put(`/admin/roles/${name}`, body, admin.token)
  const remove = (name: string) => api.delete(`/admin/roles/${name}`, admin.token)

  await t.test('one is created, replaced and listed, by name', async (t) => {
    const role = { name: 'support', permissions: ['sessions.read', 'users.read'], built_in: false }
    const permissions = ['users.read', 'sessions.read', 'users.read']
    for (const again of [false, true]) {
      const { status, json } = await put('support', { permissions })
      t.strictSame([status, json], [200, role], `${again}`)
    }
    const { status, json } = await api.get('/admin/roles', admin.token)
    t.equal(status, 200)
    t.strictSame(json, {
      roles: [
        { name: 'admin', permissions: ['admin'], built_in: true },
        role,
        { name: 'user', permissions: [], built_in: true },
      ],
    })
    const events = await api.db
      .selectFrom('audit_events')
      .select(['type', 'actor', 'address', 'details'])
      .where('type', '=', 'role.created')
      .execute()
    t.strictSame(events, [
      {
        type: 'role.created',
        actor: admin.id,
        address: '127.0.0.1',
        details: { role: 'support', permissions: role.permissions },
      },
    ])
  })

  await t.test('one that somebody has is not deleted, and one that nobody has is', async (t) => {
    const { id, role } = await api.joinPermitted('keys.read')
    isProblem(t, await remove(role), 'role_in_use')
    await api.delete(`/admin/users/${id}/roles/${role}`, admin.token)
    isDone(t, await remove(role))
    const detail = `There is no role "${role}"`
    isProblem(t, await remove(role), 'not_found', { detail })
  })

  await t.test('names and permissions that cannot be are refused, all at once', async (t) => {
    const name = {
      field: 'name',
      message:
        'must be 1 to 64 lower-case letters, digits, dots, colons, hyphens or underscores, with a letter or digit at both ends',
    }
    for (const bad of ['A', 'a%20b', '-a', 'a.', 'x'.repeat(65), '%C3%A4']) {
      isProblem(t, await put(bad, { permissions: [] }), 'validation', { fields: [name] })
    }
    const answer = await put('x-', { permissions: ['users.read', 'users.fly', 'admin'] })
    t.equal(answer.status, 400)
    t.strictSame(
      answer.json.errors.map(({ field }: { field: string }) => field),
      ['name', 'permissions.1', 'permissions.2'],
    )
    for (const [body, field, message] of [
      [{}, 'permissions', 'is required'],
      [{ permissions: 'users.read' }, 'permissions', 'must be of type array'],
      [{ permissions: [], built_in: true }, 'built_in', 'is not a member of this request'],
    ] as const) {
      isProblem(t, await put('x', body), 'validation', { fields: [{ field, message }] })
    }
    for (const nothing of ['none', 'a%20b', 'x'.repeat(90)]) {
      t.match(await remove(nothing), { status: 404, json: { code: 'not_found' } })
    }
  })
})
