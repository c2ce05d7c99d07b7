import { test } from 'tap'
import { post } from '../faults/over-http.ts'
import { createTestDatabase } from '../support/database.ts'
import { startServer } from '../support/server-process.ts'
import { connect, testEnvironment } from '../support/service.ts'

test('what was observed just before a stop is in the audit log', async (t) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const server = await startServer(t, { ...testEnvironment, DATABASE_URL: databaseUrl })
  const stranger = { email: 'nobody@example.com', password: 'wrong horse' }
  t.equal((await post(server, '/auth/login', stranger)).status, 401)
  t.strictSame(await server.stop(), { code: 0, signal: null })

  const db = await connect(t, { databaseUrl })
  const events = await db
    .selectFrom('audit_events')
    .select(['outcome', 'address'])
    .where('type', '=', 'sign_in.failed')
    .execute()
  t.strictSame(events, [{ outcome: 'failure', address: '127.0.0.1' }])
})
