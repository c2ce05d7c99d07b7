import { Client } from 'pg'
import type { Test } from 'tap'
import { copyAsStandby } from './postgres-cluster.ts'
import {
  keptThroughKill,
  type PostgresServer,
  type PostgresSettings,
  startPostgresServer,
} from './postgres-server.ts'
import { type FaultyProxy, startProxy } from './proxy.ts'
import { waitUntil } from './wait-until.ts'

/** A primary, and a hot standby that streams from it. */
export type PostgresPair = {
  readonly primary: PostgresServer
  readonly standby: PostgresServer
  /** What the standby hears comes through it: cut, and the standby lags behind. */
  readonly replication: FaultyProxy
  /** Waits until the standby has everything that the primary has written. */
  caughtUp(): Promise<void>
  /** Makes the standby a server that takes writes. */
  promote(): Promise<void>
}

// The shortest retry that PostgreSQL knows, so that a test does not wait for the default of 5 s.
const common: PostgresSettings = { ...keptThroughKill, wal_retrieve_retry_interval: '100ms' }

/**
 * Starts a primary and its hot standby; both end with the test.
 *
 * @param synchronous whether the primary answers a commit only when the standby has it
 */
export async function startPostgresPair(
  t: Test,
  { synchronous }: { readonly synchronous: boolean },
): Promise<PostgresPair> {
  const primary = await startPostgresServer(t, {
    settings: { ...common, synchronous_standby_names: synchronous ? 'standby' : '' },
  })
  await primary.stop()
  const replication = await startProxy(t, primary.url)
  const standby = await startPostgresServer(t, {
    settings: common,
    make: copyAsStandby(primary.data, replication.port),
  })
  await primary.start()
  const isStreaming = async () => {
    const state = await ask(primary, 'SELECT sync_state AS value FROM pg_stat_replication')
    return state === (synchronous ? 'sync' : 'async')
  }
  await waitUntil('the standby to follow', isStreaming, { timeoutMs: 30_000 })
  return {
    primary,
    standby,
    replication,
    async caughtUp() {
      const written = await ask(primary, 'SELECT pg_current_wal_lsn()::text AS value')
      const isThere = `SELECT pg_last_wal_replay_lsn() >= '${written}'::pg_lsn AS value`
      await waitUntil('the standby', () => ask(standby, isThere))
    },
    async promote() {
      await ask(standby, 'SELECT pg_promote()')
    },
  }
}

async function ask(server: PostgresServer, statement: string): Promise<unknown> {
  const client = new Client({ connectionString: server.url })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ value: unknown }>(statement)
    return rows[0]?.value
  } finally {
    await client.end()
  }
}
