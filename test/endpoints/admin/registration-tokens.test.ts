import { sql } from 'kysely'
import { test } from 'tap'
import { isProblem } from '../auth/api.ts'
import { askRegistration, bearer, webApp } from '../oauth/registrations.ts'
import { startAdminApi } from './admin-api.ts'

test('registration tokens as administrators manage them', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()
  const path = '/admin/registration-tokens'
  const create = (body: object) => api.post(path, body, admin.token)
  const list = async () => (await api.get(path, admin.token)).json.registration_tokens
  const register = async (token: string) =>
    (await askRegistration(api.app, '', { headers: bearer(token), body: webApp })).status

  await t.test('one is shown once, lets in one client within a day, and is listed', async (t) => {
    const { status, json } = await create({ name: 'Partner' })
    t.equal(status, 201)
    const { token, ...shown } = json
    t.match(token, /^tri_[\w-]{43}$/)
    t.match(shown, { name: 'Partner', max_uses: 1, uses: 0, revoked_at: null })
    t.equal(Date.parse(shown.expires_at) - Date.parse(shown.created_at), 86_400_000)
    t.strictSame((await list())[0], shown)
    t.equal(await register(token), 201)
    t.equal(await register(token), 401)
    t.strictSame((await list())[0], { ...shown, uses: 1 })
    const rows = await api.db.selectFrom('registration_tokens').selectAll().execute()
    t.notMatch(JSON.stringify([rows, api.log]), token.slice(4))
  })

  await t.test('one may let in several, or any number', async (t) => {
    const twice = (await create({ name: 'Two', max_uses: 2, ttl_seconds: 60 })).json
    t.strictSame(
      [await register(twice.token), await register(twice.token), await register(twice.token)],
      [201, 201, 401],
    )
    const { json } = await create({ name: 'Any', max_uses: null })
    t.equal(json.max_uses, null)
    t.strictSame([await register(json.token), await register(json.token)], [201, 201])
  })

  await t.test(
    'a revoked one lets nobody in; revoking twice is as once; both are audited',
    async (t) => {
      const { json } = await create({ name: 'Lost' })
      const revoke = () => api.post(`${path}/${json.id}/revoke`, undefined, admin.token)
      const first = await revoke()
      t.equal(first.status, 200)
      t.ok(first.json.revoked_at)
      t.strictSame((await revoke()).json, first.json)
      t.equal(await register(json.token), 401)
      const events = await api.db
        .selectFrom('audit_events')
        .select(['type', 'actor', 'details'])
        .where('type', 'in', ['registration_token.created', 'registration_token.revoked'])
        .where(sql<boolean>`details->>'registration_token' = ${json.id}`)
        .orderBy('occurred_at')
        .execute()
      t.strictSame(events, [
        {
          type: 'registration_token.created',
          actor: admin.id,
          details: { registration_token: json.id, name: 'Lost', max_uses: 1 },
        },
        {
          type: 'registration_token.revoked',
          actor: admin.id,
          details: { registration_token: json.id },
        },
      ])
    },
  )

  await t.test('what cannot be is refused, with all faults at once', async (t) => {
    isProblem(t, await create({ name: ' ', max_uses: 0, ttl_seconds: 59 }), 'validation', {
      fields: [
        { field: 'name', message: 'must be 1 to 200 characters of text' },
        { field: 'max_uses', message: 'must be a whole number from 1 to 10000' },
        { field: 'ttl_seconds', message: 'must be a whole number from 60 to 31536000' },
      ],
    })
    const revoke = (id: string) => api.post(`${path}/${id}/revoke`, undefined, admin.token)
    const detail = 'There is no such registration token'
    isProblem(t, await revoke(crypto.randomUUID()), 'not_found', { detail })
    isProblem(t, await revoke('x'), 'not_found', { detail })
    isProblem(t, await revoke('%00'), 'not_found')
  })

  await t.test('clients show how they were registered', async (t) => {
    const { json } = await create({ name: 'Shown' })
    const headers = bearer(json.token)
    const app = await askRegistration(api.app, '', { headers, body: webApp })
    const shown = await api.get(`/admin/clients/${app.json.client_id}`, admin.token)
    t.match(shown.json, { registered_by: 'token', consent: 'always' })
    t.notMatch(JSON.stringify(shown.json), app.json.registration_access_token)
  })
})
