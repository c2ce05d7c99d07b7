import pg from 'pg'
import type { Config } from '../../config.ts'
import { type Finding, failed, fine, reasonOf, warning } from './finding.ts'

type Settings = Pick<
  Config,
  'databaseConnectTimeoutMs' | 'databaseStatementTimeoutMs' | 'databasePoolSize' | 'workers'
>

/** What a server says of itself, in one answer. */
export type Facts = {
  readonly version: number
  readonly version_text: string
  readonly now: Date
  readonly read_only: boolean
  readonly max_connections: number
  readonly isolation: string
  readonly statement_timeout: string
  readonly lock_timeout: string
  readonly idle_timeout: string
  readonly backend: number
}

const facts = `SELECT current_setting('server_version_num')::integer AS version,
  current_setting('server_version') AS version_text, clock_timestamp() AS now,
  pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
  current_setting('max_connections')::integer AS max_connections,
  current_setting('default_transaction_isolation') AS isolation,
  current_setting('statement_timeout') AS statement_timeout,
  current_setting('lock_timeout') AS lock_timeout,
  current_setting('idle_in_transaction_session_timeout') AS idle_timeout,
  pg_backend_pid() AS backend`

const oldestVersion = 150_000

/**
 * Looks at a PostgreSQL server, on a connection without any settings of its own.
 * @returns undefined for `usable` when it cannot be asked any more.
 */
export const examineServer = async (
  url: string,
  settings: Settings,
): Promise<{ readonly usable: boolean; readonly findings: Finding[] }> => {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: settings.databaseConnectTimeoutMs,
    query_timeout: settings.databaseStatementTimeoutMs,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const before = Date.now()
    const { rows } = await client.query<Facts>(facts)
    const middle = (before + Date.now()) / 2
    const [row] = rows as [Facts]
    const { processID } = client as pg.Client & { processID?: number | null }
    return {
      usable: true,
      findings: [
        ...examineVersion(row),
        ...examineClock(row.now.getTime() - middle),
        ...examineConnections(row, settings),
        ...(processID === row.backend ? [] : examinePooler(row)),
      ],
    }
  } catch (error) {
    return { usable: false, findings: [unreachable(error)] }
  } finally {
    await client.end().catch(() => {})
  }
}

const unreachable = (error: unknown): Finding =>
  failed(
    'database',
    `PostgreSQL cannot be used: ${reasonOf(error)}`,
    'Check host, port, user, password and database name in DATABASE_URL, and that the server runs and lets this machine in',
  )

/** Whether it is new enough, and takes writes. */
export const examineVersion = (
  row: Pick<Facts, 'version' | 'version_text' | 'read_only'>,
): Finding[] => [
  row.version < oldestVersion
    ? failed(
        'database',
        `PostgreSQL ${row.version_text} is too old`,
        'Upgrade the server to PostgreSQL 15 or newer',
      )
    : fine('database', `PostgreSQL ${row.version_text} answers`),
  ...(row.read_only
    ? [
        failed(
          'database writes',
          'The database takes no writes: it is a standby, or set to read only',
          'Let DATABASE_URL name the primary',
        ),
      ]
    : []),
]

/** @param aheadMs by how much the database's clock is ahead of this machine's. */
export const examineClock = (aheadMs: number): Finding[] => {
  const seconds = Math.round(Math.abs(aheadMs) / 100) / 10
  const direction = aheadMs > 0 ? 'behind' : 'ahead of'
  const message = `The clock of this machine is ${seconds} s ${direction} that of the database`
  const advice =
    'Synchronise both clocks (NTP): the service keeps the time of the database, but verifiers and logs do not'
  if (seconds >= 30) return [failed('clock', message, advice)]
  if (seconds >= 2) return [warning('clock', message, advice)]
  return [fine('clock', `The clocks of this machine and the database differ by ${seconds} s`)]
}

const examineConnections = (row: Facts, { databasePoolSize, workers }: Settings): Finding[] => {
  const wanted = databasePoolSize * workers
  if (wanted <= row.max_connections) return []
  return [
    warning(
      'database connections',
      `This node alone may open ${wanted} connections, and the server allows ${row.max_connections}`,
      'Lower DATABASE_POOL_SIZE or WORKERS, or raise max_connections',
    ),
  ]
}

const limits = {
  statement_timeout: ['statement_timeout', '5s'],
  lock_timeout: ['lock_timeout', '1s'],
  idle_timeout: ['idle_in_transaction_session_timeout', '5s'],
} as const

// A transaction-mode pooler takes no settings from its clients: the role must have them.
const examinePooler = (row: Facts): Finding[] => {
  const missing = Object.entries(limits).flatMap(([column, [name, value]]) =>
    row[column as keyof typeof limits] === '0' ? [`${name} = '${value}'`] : [],
  )
  const wrong =
    row.isolation === 'read committed' ? [] : [`default_transaction_isolation = 'read committed'`]
  const settings = [...missing, ...wrong]
  if (settings.length === 0) {
    return [fine('pooler', 'The connection goes through a pooler, and the role has its limits')]
  }
  const statements = settings.map((setting) => `ALTER ROLE … IN DATABASE … SET ${setting}`)
  return [
    failed(
      'pooler',
      'The connection goes through a pooler, and the role lacks limits that the service cannot set there',
      `Run as an administrator of the database: ${statements.join('; ')}; then reconnect the pooler`,
    ),
  ]
}
