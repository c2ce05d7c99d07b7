import t from 'tap'
import type { AuditEventType } from '../../src/audit/catalogue.ts'
import { startAdminApi } from '../endpoints/admin/admin-api.ts'
import { newPassword } from '../endpoints/auth/api.ts'
import { createJar } from '../support/cookie-jar.ts'
import { waitUntil } from '../support/wait-until.ts'

const api = await startAdminApi(t)

/** The events of a kind, once there are that many, by the order of the alphabet. */
const events = (type: AuditEventType, count: number) =>
  waitUntil(`${count} of ${type}`, async () => {
    const { events } = await api.deps.auditLog.find({ type }, { limit: 100 })
    return events.length >= count && sorted(events)
  })

const sorted = <E extends { details: Readonly<Record<string, unknown>> }>(events: readonly E[]) =>
  events.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
const nameOf = ({ details }: { details: Readonly<Record<string, unknown>> }) =>
  `${details.route} ${details.reason}`

t.test('what an account may not do is audited, once a minute for each kind', async (t) => {
  const reader = await api.joinPermitted('users.read')
  const writer = await api.joinPermitted('users.write', 'roles.write')
  const plain = await api.join()
  for (let time = 0; time < 3; time += 1) {
    t.equal((await api.get('/admin/clients', reader.token)).status, 403)
    t.equal((await api.get('/admin/clients', plain.token)).status, 403)
    const admin = await api.request({
      ...{ method: 'PUT', url: `/admin/users/${plain.id}/roles/admin` },
      headers: { authorization: `Bearer ${writer.token}` },
    })
    t.equal(admin.status, 403, 'gives what it has not')
    const own = `/admin/users/${writer.id}/disable`
    t.equal((await api.post(own, undefined, writer.token)).status, 409, 'harms itself')
  }
  const expected = [
    [null, 'insufficient_scope', 'GET', '/admin/clients', 'clients.read'],
    [reader.id, 'permission_denied', 'GET', '/admin/clients', 'clients.read'],
    [writer.id, 'own_account', 'POST', '/admin/users/:id/disable', 'users.write'],
    [writer.id, 'permission_denied', 'PUT', '/admin/users/:id/roles/:role', 'roles.write'],
  ].map(([actor, reason, method, route, permission]) => ({
    ...{ severity: 'warning', outcome: 'failure', actor, address: '127.0.0.1' },
    details: { reason, method, route, permission },
  }))
  const found = await events('access.refused', expected.length)
  t.strictSame(
    found.map(({ severity, outcome, actor, address, details }) => ({
      ...{ severity, outcome, actor, address, details },
    })),
    expected,
  )
})

t.test('a proof of a key that is refused is audited, once a minute for each network', async (t) => {
  for (let time = 0; time < 3; time += 1) {
    const headers = { dpop: 'proof', 'content-type': 'application/x-www-form-urlencoded' }
    const payload = 'grant_type=client_credentials'
    const { statusCode } = await api.app.inject({ method: 'POST', url: '/token', headers, payload })
    t.equal(statusCode, 400)
  }
  const found = await events('proof.refused', 1)
  t.strictSame(
    found.map(({ severity, outcome, details }) => ({ severity, outcome, details })),
    [
      {
        ...{ severity: 'warning', outcome: 'failure' },
        details: { reason: 'invalid_dpop_proof', method: 'POST', route: '/token' },
      },
    ],
  )
})

t.test('a request that another site forged is audited, once a minute for each kind', async (t) => {
  const jar = createJar(api.app)
  const payload = { email: 'victim@example.com', password: newPassword(), cookies: true }
  const { json } = await jar.send({ url: '/auth/register', payload })
  const origin = 'https://evil.example'
  for (let time = 0; time < 3; time += 1) {
    t.equal((await jar.send({ url: '/auth/logout-all', headers: { origin } })).status, 403)
    t.equal((await jar.send({ url: '/auth/logout-all' })).status, 403)
  }
  const found = await events('request.forgery_refused', 2)
  t.strictSame(
    found.map(({ severity, outcome, details }) => ({ severity, outcome, details })),
    ['invalid_csrf_token', 'untrusted_origin'].map((reason) => ({
      ...{ severity: 'warning', outcome: 'failure' },
      details: { reason, method: 'POST', route: '/auth/logout-all' },
    })),
  )
  const headers = { 'x-csrf-token': json.csrf_token as string }
  t.equal((await jar.send({ url: '/auth/logout-all', headers })).status, 204, 'nothing was done')
})
