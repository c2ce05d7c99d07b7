import { decodeProtectedHeader } from 'jose'
import { test } from 'tap'
import { isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

test('keys that have leaked as administrators deal with them', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()
  const kid = decodeProtectedHeader(admin.token).kid as string
  const leaked = { algorithm: 'RS256', revoke: kid }

  await t.test('it is said first whom it will hurt, and until when', async (t) => {
    for (const [path, body] of [
      ['promote-next', leaked],
      ['replace-all', {}],
    ] as const) {
      const { status, json } = await api.post(
        `/admin/keys/${path}`,
        { ...body, dry_run: true },
        admin.token,
      )
      t.equal(status, 200)
      t.match(json, { outcome: 'planned', consequences: [{ who: /^Access tokens/, until: /Z$/ }] })
      t.ok(json.revoked.includes(kid))
    }
    t.equal((await api.get('/admin/keys', admin.token)).status, 200, 'nothing was done')
  })

  await t.test('whether it is done has to be said', async (t) => {
    const answer = await api.post('/admin/keys/promote-next', leaked, admin.token)
    const fields = [{ field: 'dry_run', message: 'is required' }]
    isProblem(t, answer, 'validation', { fields })
  })

  await t.test('a revoked key ends the token that was used to revoke it', async (t) => {
    const body = { ...leaked, dry_run: false }
    const { json } = await api.post('/admin/keys/promote-next', body, admin.token)
    t.match(json, { outcome: 'done', revoked: [kid], promoted: String })
    isProblem(t, await api.get('/admin/keys', admin.token), 'invalid_token')
    const { token } = await api.signIn(admin)
    t.equal(decodeProtectedHeader(token).kid, json.promoted)
    t.match((await api.post('/admin/keys/promote-next', body, token)).json, {
      outcome: 'refused',
      reason: 'no published key has this id',
    })
    const event = api.db.selectFrom('audit_events').select(['actor', 'severity'])
    t.strictSame(await event.where('type', '=', 'key.revoked').execute(), [
      { actor: admin.id, severity: 'critical' },
    ])
  })

  await t.test('the keys of refresh tokens are listed and rotated', async (t) => {
    const { token } = await api.signIn(admin)
    t.match((await api.post('/admin/mac-keys/rotate', undefined, token)).json, {
      outcome: 'rotated',
      number: 2,
    })
    t.match((await api.post('/admin/mac-keys/rotate', undefined, token)).json, {
      outcome: 'refused',
      reason: 'the last new MAC key is not in use on every node yet',
    })
    t.match((await api.get('/admin/mac-keys', token)).json, {
      keys: [
        { number: 1, state: 'current', replaced_at: null },
        { number: 2, state: 'next', drop_after: null },
      ],
    })
  })

  await t.test('all keys are replaced, and everybody signs in again', async (t) => {
    const { token } = await api.signIn(admin)
    const { json } = await api.post('/admin/keys/replace-all', { dry_run: false }, token)
    t.match(json, { outcome: 'done', promoted: null })
    const again = await api.signIn(admin)
    const { keys } = (await api.get('/admin/keys', again.token)).json
    t.strictSame(
      keys.filter((key: { kid: string }) => json.revoked.includes(key.kid)),
      [],
    )
  })
})
