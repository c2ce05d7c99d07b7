import { waitUntil } from '../../test/support/wait-until.ts'
import { query } from '../setup/cluster.ts'

/** Updates of the table of families so far. */
export type Updates = { readonly all: number; readonly heapOnly: number }

/** Waits until the service's connections have ended: only then are their updates all counted. */
export const readUpdates = async (databaseUrl: string): Promise<Updates> => {
  await waitUntil('the connections of the service to end', async () => {
    const [row] = await query<{ count: number }>(
      databaseUrl,
      `SELECT count(*)::int FROM pg_stat_activity
       WHERE application_name = 'tessera' AND datname = current_database()`,
    )
    return row?.count === 0
  })
  const [row] = await query<Updates>(
    databaseUrl,
    `SELECT n_tup_upd::float8 AS all, n_tup_hot_upd::float8 AS "heapOnly"
     FROM pg_stat_user_tables WHERE relname = 'refresh_families'`,
  )
  if (row === undefined) throw new Error('there is no table of families')
  return row
}
