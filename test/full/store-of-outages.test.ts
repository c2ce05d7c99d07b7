import { createOutageStore } from '../../src/stores/postgres/outages.ts'
import { onEverySqlBackend } from '../support/sql-backends.ts'

onEverySqlBackend(
  'outages: what is recorded stands, as often as nodes saw it',
  async (t, backend) => {
    const store = createOutageStore(backend)
    const outage = {
      startedAt: new Date('2026-11-20T12:00:00.123Z'),
      endedAt: new Date('2026-11-20T12:01:00.456Z'),
    }
    await store.record(outage)
    await store.record(outage)
    const rows = await backend.db.selectFrom('outages').select(['started_at', 'ended_at']).execute()
    const row = { started_at: outage.startedAt, ended_at: outage.endedAt }
    t.strictSame(rows, [row, row])
  },
)

onEverySqlBackend('outages: one without a length is refused', async (t, backend) => {
  const at = new Date('2026-11-20T12:00:00Z')
  const refused = createOutageStore(backend).record({ startedAt: at, endedAt: at })
  await t.rejects(refused, { code: '23514' })
})
