import { query } from '../setup/cluster.ts'

/** Bytes that were written to the log of the database while something ran. */
export type LogBytes = {
  readonly records: number
  /** Of pages written whole because they changed for the first time since a checkpoint. */
  readonly pageImages: number
}

/** Reads the log itself. @param run is measured alone: nothing else may write meanwhile */
export const measureLogBytes = async (
  databaseUrl: string,
  run: () => Promise<unknown>,
): Promise<LogBytes> => {
  await query(databaseUrl, 'CREATE EXTENSION IF NOT EXISTS pg_walinspect')
  const start = await position(databaseUrl)
  await run()
  const end = await position(databaseUrl)
  const [bytes] = await query<LogBytes>(
    databaseUrl,
    `SELECT sum(record_size)::float8 AS records, sum(fpi_size)::float8 AS "pageImages"
     FROM pg_get_wal_stats($1, $2)`,
    [start, end],
  )
  if (bytes === undefined) throw new Error('the log could not be read')
  return bytes
}

/** From here on, every page that changes is first written whole. */
export const checkpoint = (databaseUrl: string): Promise<unknown> =>
  query(databaseUrl, 'CHECKPOINT')

const position = async (databaseUrl: string): Promise<string> => {
  const [row] = await query<{ position: string }>(
    databaseUrl,
    'SELECT pg_current_wal_flush_lsn() AS position',
  )
  return row?.position ?? ''
}
