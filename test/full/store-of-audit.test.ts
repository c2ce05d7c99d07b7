import type { AuditEventType } from '../../src/audit/catalogue.ts'
import { catalogue } from '../../src/audit/catalogue.ts'
import { createAuditStore } from '../../src/stores/postgres/audit.ts'
import { onEverySqlBackend } from '../support/sql-backends.ts'

const sessionId = 'a2f3c1de-0001-4000-8000-00000000beef'
const familyId = 'a2f3c1de-0002-4000-8000-00000000beef'

onEverySqlBackend(
  'audit: an event is stored whole, with the time of the database',
  async (t, backend) => {
    backend.moveTime(3600)
    await createAuditStore(backend).append([
      {
        type: 'family.reused',
        outcome: 'failure',
        actor: 'app',
        subject: 'user-1',
        clientId: 'app',
        sessionId,
        familyId,
        details: { generation: 3, names: ['a', 'b'], flag: true, nothing: null },
        origin: { requestId: 'r1', address: '2001:db8::1', userAgent: 'Test/1' },
      },
    ])
    const [{ id, occurred_at: at, ...row } = { id: '', occurred_at: new Date(0) }] =
      await backend.db.selectFrom('audit_events').selectAll().execute()
    t.match(id, /^[0-9a-f-]{36}$/)
    const ahead = at.getTime() - Date.now()
    t.ok(ahead > 3_000_000 && ahead < 4_200_000)
    t.strictSame(row, {
      type: 'family.reused',
      severity: 'critical',
      outcome: 'failure',
      actor: 'app',
      subject: 'user-1',
      client_id: 'app',
      session_id: sessionId,
      family_id: familyId,
      request_id: 'r1',
      address: '2001:db8::1',
      user_agent: 'Test/1',
      details: { generation: 3, names: ['a', 'b'], flag: true, nothing: null },
    })
  },
)

onEverySqlBackend('audit: what an event does not name is null', async (t, backend) => {
  await createAuditStore(backend).append([{ type: 'key.created', outcome: 'success', origin: {} }])
  const [row] = await backend.db.selectFrom('audit_events').selectAll().execute()
  t.match(row, {
    actor: null,
    subject: null,
    client_id: null,
    session_id: null,
    family_id: null,
    request_id: null,
    address: null,
    user_agent: null,
    details: {},
  })
})

onEverySqlBackend(
  'audit: each type is stored with the severity of the catalogue',
  async (t, backend) => {
    const types = Object.keys(catalogue) as AuditEventType[]
    const store = createAuditStore(backend)
    await store.append(types.map((type) => ({ type, outcome: 'success', origin: {} })))
    await store.append([])
    const rows = await backend.db.selectFrom('audit_events').select(['type', 'severity']).execute()
    t.strictSame(
      rows.map(({ type, severity }) => [type, severity]).sort(),
      Object.entries(catalogue).sort(),
    )
  },
)
