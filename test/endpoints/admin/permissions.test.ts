import { test } from 'tap'
import { permissionNames } from '../../../src/oauth/permission.ts'
import { isProblem, refusedTokens } from '../auth/api.ts'
import { adminRoutes, startAdminApi } from './admin-api.ts'

test('every route of the admin API', async (t) => {
  const api = await startAdminApi(t)
  const routes = adminRoutes(api)
  t.ok(routes.length > 2)
  const plain = await api.join()
  const refused = await refusedTokens(api)

  for (const { method, path, url, permission } of routes) {
    const send = (token?: string) =>
      api.request({
        method,
        url,
        ...(token && { headers: { authorization: `Bearer ${token}` } }),
      })

    await t.test(`${method} ${path} names a permission of the list`, async (t) => {
      t.ok(permissionNames.includes(permission))
    })
    await t.test(`${method} ${path} refuses every token that is not for it`, async (t) => {
      for (const [, token, code] of refused) isProblem(t, await send(token), code)
      isProblem(t, await send(plain.token), 'insufficient_scope')
      if (method === 'GET') t.equal((await api.app.inject({ method: 'HEAD', url })).statusCode, 401)
    })
    await t.test(`${method} ${path} refuses who has every permission but its own`, async (t) => {
      const others = permissionNames.filter((name) => name !== 'admin' && name !== permission)
      const { token } = await api.joinPermitted(...others)
      const detail = `This needs the permission ${permission}`
      isProblem(t, await send(token), 'permission_denied', { detail })
    })
    await t.test(`${method} ${path} lets pass who has its permission alone`, async (t) => {
      const { token } = await api.joinPermitted(permission)
      t.notOk([401, 403].includes((await send(token)).status))
    })
  }
})

test('an act that takes no body refuses one that says something', async (t) => {
  const api = await startAdminApi(t)
  const { token } = await api.joinAdmin()
  const { paths } = api.app.swagger() as unknown as {
    paths: Record<string, Record<string, { requestBody?: object }>>
  }
  const acts = adminRoutes(api).filter(
    ({ method, path }) =>
      method !== 'GET' && paths[path]?.[method.toLowerCase()]?.requestBody === undefined,
  )
  t.ok(acts.length > 10)
  for (const { method, path, url } of acts) {
    const send = (payload: string) =>
      api.request({
        ...{ method, url, payload },
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      })
    const field = { field: 'until', message: 'is not a member of this request' }
    isProblem(t, await send('{"until":1}'), 'validation', { fields: [field] })
    const body = { field: 'body', message: 'must be of type object' }
    for (const other of ['[]', 'null', '1']) {
      isProblem(t, await send(other), 'validation', { fields: [body] })
    }
    t.not((await send('{}')).status, 400, `${method} ${path}`)
  }
})

test('who has a permission no more is refused with the token that was issued before', async (t) => {
  const api = await startAdminApi(t)
  const { id, token, role } = await api.joinPermitted('roles.read')
  const by = { actor: 'cli', origin: {} }
  const detail = 'This needs the permission roles.read'

  await t.test('because the role was taken away', async (t) => {
    t.equal((await api.get('/admin/roles', token)).status, 200)
    await api.deps.userAdministration.revokeRole(id, role, by)
    isProblem(t, await api.get('/admin/roles', token), 'permission_denied', { detail })
    await api.deps.userAdministration.grantRole(id, role, by)
    t.equal((await api.get('/admin/roles', token)).status, 200)
  })

  await t.test('because the role permits it no more', async (t) => {
    const permissions = ['users.read']
    await api.deps.roleAdministration.setRole({ name: role, permissions }, by, ['admin'])
    isProblem(t, await api.get('/admin/roles', token), 'permission_denied', { detail })
  })
})
