import { sql } from 'kysely'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { runInProcess } from '../cli/run-cli.ts'
import { startPooler } from '../support/pgbouncer.ts'
import { connect, startService, testEnvironment } from '../support/service.ts'

t.test('doctor: behind a pooler the role must have the limits', async (t) => {
  const service = await startService(t)
  const db = await connect(t, service)
  const pooler = await startPooler(t, service.databaseUrl)
  const look = async (DATABASE_DIRECT_URL = service.databaseUrl) => {
    const environment = { ...testEnvironment, DATABASE_URL: pooler.url, DATABASE_DIRECT_URL }
    const { stdout } = await runInProcess(['doctor'], () => loadConfig(environment, () => ''))
    return stdout
  }
  t.match(
    await look(),
    /FAILED {2}pooler: .*\n.*SET statement_timeout = '5s'; .*lock_timeout = '1s'; .*idle_in_transaction_session_timeout = '5s'/,
  )
  t.match(await look(pooler.url), /FAILED {2}direct connection: .*through a pooler/)

  const { rows } = await sql<{ role: string; name: string }>`
    SELECT current_user AS role, current_database() AS name`.execute(db)
  const { role = '', name = '' } = rows[0] ?? {}
  const limits = {
    statement_timeout: '5s',
    lock_timeout: '1s',
    idle_in_transaction_session_timeout: '5s',
  }
  for (const [setting, value] of Object.entries(limits)) {
    await sql`ALTER ROLE ${sql.id(role)} IN DATABASE ${sql.id(name)}
      SET ${sql.raw(setting)} = ${sql.lit(value)}`.execute(db)
  }
  await pooler.kill()
  await pooler.start()
  const after = await look()
  t.match(after, /ok {6}pooler/)
  t.notMatch(after, 'FAILED')
})
