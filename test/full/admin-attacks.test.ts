import { test } from 'tap'
import { type AdminApi, adminRoutes, startAdminApi } from '../endpoints/admin/admin-api.ts'
import { byCli, isProblem } from '../endpoints/auth/api.ts'
import type { TestService } from '../support/service.ts'
import { startService } from '../support/service.ts'

/** A request to any node, with the answer's whole body. */
const send = async (
  { app }: Pick<TestService, 'app'>,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  url: string,
  token: string,
) => {
  const authorization = `Bearer ${token}`
  const answer = await app.inject({ method, url, headers: { authorization }, payload: {} })
  const json = answer.json<Record<string, unknown>>()
  return { status: answer.statusCode, headers: answer.headers, body: answer.body, json }
}

const startTwoNodes = async (t: Parameters<typeof startAdminApi>[0]) => {
  const unlimited = { RATE_LIMIT_ADMIN: 'off' }
  const first = await startAdminApi(t, unlimited)
  const second = await startService(t, { ...unlimited, DATABASE_URL: first.databaseUrl })
  return { first, second }
}

test('an old token can do nothing, on any node, from the answer on that', async (t) => {
  const { first, second } = await startTwoNodes(t)
  const admin = await first.joinAdmin()
  const act = (method: 'POST' | 'DELETE', path: string) =>
    send(first, method, `/admin/users/${path}`, admin.token)
  const endings = [
    [
      'takes the role away',
      (id: string) => act('DELETE', `${id}/roles/admin`),
      'permission_denied',
    ],
    ['disables the account', (id: string) => act('POST', `${id}/disable`), 'revoked_token'],
    ['deletes the account', (id: string) => act('DELETE', id), 'revoked_token'],
  ] as const
  for (const [title, end, code] of endings) {
    await t.test(title, async (t) => {
      const other = await first.joinAdmin()
      t.equal((await send(second, 'GET', '/admin/users', other.token)).status, 200)
      t.equal((await end(other.id)).status, 200)
      for (const node of [first, second]) {
        for (const { method, url, permission } of adminRoutes(first)) {
          const detail = `This needs the permission ${permission}`
          const reason = code === 'permission_denied' ? { detail } : {}
          isProblem(t, await send(node, method, url, other.token), code, reason)
        }
      }
    })
  }
})

/** What would lock an administrator out. */
const acts = ['disable', 'end-sessions', 'force-password-change', 'initial-password']

test('nobody gets past the permissions that they have', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()
  const denied = { detail: 'This needs the permissions admin' }

  await t.test('an account that may do more is not touched', async (t) => {
    const { token } = await api.joinPermitted('users.write', 'roles.write', 'sessions.write')
    const url = `/admin/users/${admin.id}`
    for (const act of [...acts, 'enable', 'unlock']) {
      isProblem(t, await api.post(`${url}/${act}`, undefined, token), 'permission_denied', denied)
    }
    isProblem(t, await api.delete(url, token), 'permission_denied', denied)
    isProblem(t, await api.delete(`${url}/roles/admin`, token), 'permission_denied', denied)
    isProblem(t, await api.put(`${url}/roles/user`, {}, token), 'permission_denied', denied)
    const session = `${url}/sessions/${crypto.randomUUID()}`
    isProblem(t, await api.delete(session, token), 'permission_denied', denied)
    t.equal((await api.get(url, admin.token)).json.status, 'active')
  })

  await t.test('what one has not, one gives to nobody, oneself included', async (t) => {
    const helper = await api.joinPermitted('users.write', 'roles.write')
    const someone = await api.join()
    for (const id of [helper.id, someone.id]) {
      const url = `/admin/users/${id}/roles/admin`
      isProblem(t, await api.put(url, {}, helper.token), 'permission_denied', denied)
    }
    const account = { email: `${crypto.randomUUID()}@example.com`, roles: ['admin'] }
    isProblem(t, await api.post('/admin/users', account, helper.token), 'permission_denied', denied)
    const keys = { detail: 'This needs the permissions keys.write' }
    for (const role of [helper.role, 'new-role']) {
      const wider = { permissions: ['users.write', 'keys.write'] }
      const answer = await api.put(`/admin/roles/${role}`, wider, helper.token)
      isProblem(t, answer, 'permission_denied', keys)
    }
    const stronger = await api.joinPermitted('keys.write')
    const url = `/admin/roles/${stronger.role}`
    const weaken = await api.put(url, { permissions: [] }, helper.token)
    isProblem(t, weaken, 'permission_denied', keys)
    isProblem(t, await api.delete(url, helper.token), 'permission_denied', keys)
  })

  await t.test('the built-in roles stay as they are', async (t) => {
    for (const role of ['admin', 'user']) {
      const detail = `The built-in role ${role} cannot be changed`
      const url = `/admin/roles/${role}`
      isProblem(t, await api.put(url, { permissions: [] }, admin.token), 'conflict', { detail })
      isProblem(t, await api.delete(url, admin.token), 'conflict', { detail })
    }
    const fake = await api.put('/admin/roles/fake', { permissions: ['admin'] }, admin.token)
    t.match(fake, { status: 400, json: { code: 'validation' } })
  })

  await t.test('administrators do not lock themselves out', async (t) => {
    await api.joinAdmin()
    const url = `/admin/users/${admin.id}`
    for (const act of acts) {
      isProblem(t, await api.post(`${url}/${act}`, undefined, admin.token), 'own_account')
    }
    isProblem(t, await api.delete(url, admin.token), 'own_account')
    isProblem(t, await api.delete(`${url}/roles/admin`, admin.token), 'own_account')
    t.equal((await api.get(url, admin.token)).status, 200)
  })
})

const takings = [
  ['take the role from', 'DELETE', (id: string) => `/admin/users/${id}/roles/admin`],
  ['disable', 'POST', (id: string) => `/admin/users/${id}/disable`],
  ['delete', 'DELETE', (id: string) => `/admin/users/${id}`],
] as const

for (const [title, method, path] of takings) {
  test(`two administrators who ${title} each other at once: one stays`, async (t) => {
    const { first, second } = await startTwoNodes(t)
    for (let round = 0; round < 5; round += 1) {
      await endAdmins(first)
      const one = await first.joinAdmin()
      const other = await first.joinAdmin()
      const answers = await Promise.all([
        send(first, method, path(other.id), one.token),
        send(second, method, path(one.id), other.token),
      ])
      const done = answers.filter(({ status }) => status === 200)
      const [refused] = answers.filter(({ status }) => status !== 200)
      t.equal(done.length, 1, JSON.stringify(answers.map(({ json }) => json.code)))
      t.ok(['last_admin', 'permission_denied', 'revoked_token'].includes(`${refused?.json.code}`))
      const { users } = await first.deps.userAdministration.searchUsers({
        ...{ role: 'admin', status: 'active', limit: 10 },
      })
      t.equal(users.length, 1)
    }
  })
}

const endAdmins = async ({ deps }: AdminApi): Promise<void> => {
  const { users } = await deps.userAdministration.searchUsers({ role: 'admin', limit: 100 })
  for (const { id } of users) await deps.userAdministration.revokeRole(id, 'admin', byCli)
}
