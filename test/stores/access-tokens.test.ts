import { createAccessTokenStore } from '../../src/stores/postgres/access-tokens.ts'
import { onEverySqlBackend } from '../support/sql-backends.ts'

const event = {
  type: 'token.revoked',
  outcome: 'success',
  actor: 'svc_a',
  clientId: 'svc_a',
  origin: {},
} as const

onEverySqlBackend('access tokens are revoked once, all or nothing', async (t, backend) => {
  const events = () => backend.db.selectFrom('audit_events').select('type').execute()
  const entries = () =>
    backend.db
      .selectFrom('revocations')
      .select(['kind', 'value', 'lifted', 'created_at', 'expires_at'])
      .execute()

  const failing = createAccessTokenStore(backend, () => Number.POSITIVE_INFINITY)
  await t.rejects(failing.revoke('jti-1', event))
  t.strictSame([await events(), await entries()], [[], []])

  const store = createAccessTokenStore(backend, () => 1000)
  await store.revoke('jti-1', event)
  await store.revoke('jti-1', event)
  const [entry, ...more] = await entries()
  t.match(entry, { kind: 'jti', value: 'jti-1', lifted: false })
  t.strictSame(more, [])
  t.ok(entry && entry.expires_at.getTime() - entry.created_at.getTime() >= 1_000_000)
})
