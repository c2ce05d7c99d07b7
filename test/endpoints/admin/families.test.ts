import { test } from 'tap'
import { waitUntil } from '../../support/wait-until.ts'
import { isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

type Told = { what: string; address: string | null; time: string }

test('GET /admin/families/:id', async (t) => {
  const api = await startAdminApi(t)
  const { token } = await api.joinPermitted('sessions.read')
  const show = (id: string) => api.get(`/admin/families/${id}`, token)
  const refresh = (refreshToken: string, address: string) =>
    api.request({
      method: 'POST',
      url: '/auth/refresh',
      remoteAddress: address,
      payload: { refresh_token: refreshToken },
    })
  const familyOf = async (userId: string) =>
    (
      await api.db
        .selectFrom('refresh_families')
        .select('id')
        .where('user_id', '=', userId)
        .executeTakeFirstOrThrow()
    ).id

  await t.test('tells a theft from its beginning to its end', async (t) => {
    const person = await api.join()
    const id = await familyOf(person.id)
    const { json: rotated } = await refresh(person.refreshToken, '192.0.2.1')
    await refresh(person.refreshToken, '198.51.100.7')
    await waitUntil('the retry in the log', async () =>
      (await show(id)).json.timeline.some(({ what }: Told) => what === 'retried_elsewhere'),
    )
    await refresh(rotated.refresh_token, '192.0.2.1')
    await refresh(person.refreshToken, '203.0.113.9')

    const { status, headers, json } = await show(id)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(
      json.timeline.map(({ what, address }: Told) => [what, address]),
      [
        ['issued', '127.0.0.1'],
        ['retried_elsewhere', '198.51.100.7'],
        ['rotated', null],
        ['reused', '203.0.113.9'],
        ['revoked', null],
      ],
    )
    const {
      created_at: createdAt,
      expires_at: expiresAt,
      idle_until: idleUntil,
      ...family
    } = json.family
    const [issued, , last, , end] = json.timeline
    t.strictSame(
      { ...json, timeline: [], family },
      {
        family_id: id,
        state: 'revoked',
        timeline: [],
        family: {
          user_id: person.id,
          client_id: 'first-party',
          session_id: family.session_id,
          scope: 'account',
          audience: family.audience,
          offline: false,
          generation: 3,
          rotated_at: last.time,
          last_used_at: last.time,
          revoked_at: end.time,
          revoked_reason: 'reused',
        },
      },
    )
    t.equal(createdAt, issued.time)
    t.ok(Date.parse(idleUntil) < Date.parse(expiresAt))
  })

  await t.test('tells from the log what has no row any more', async (t) => {
    const person = await api.join()
    const id = await familyOf(person.id)
    await api.db.deleteFrom('refresh_families').where('id', '=', id).execute()
    const { json } = await show(id)
    t.match(json, { state: 'gone', family: null, timeline: [{ what: 'issued' }] })
  })

  await t.test('holds nothing with which the family could be used', async (t) => {
    const person = await api.join()
    const { body } = await show(await familyOf(person.id))
    t.notMatch(body, /digest|salt|trt_|secret/)
  })

  await t.test('knows no others', async (t) => {
    isProblem(t, await show('00000000-0000-4000-8000-000000000000'), 'not_found')
    isProblem(t, await show('nonsense'), 'validation', {
      fields: [{ field: 'id', message: 'must be a valid uuid' }],
    })
  })
})
