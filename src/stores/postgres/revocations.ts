import { type SqlBool, sql } from 'kysely'
import type { RevocationEntry } from '../../revocation/entry.ts'
import type { RevocationReading, RevocationStore } from '../../revocation/revocations.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { endForgotten } from './forgotten-endings.ts'
import type { RevocationRow } from './schema.ts'

type ReadingRow = Partial<RevocationRow> & {
  created_at?: Date
  changed_at?: Date
  lifted?: boolean
  at: Date
  server: string
  writable: boolean
}

// A statement has at most 65 535 parameters, and a node may hold more entries than that.
const rowsAtOnce = 1000

/** The table of revocations, the truth that every node polls. */
export const createRevocationStore = ({ db, now }: Connection): RevocationStore => {
  // Joined to one row of facts about the server, so that an empty table still tells the time. A
  // restored table has another oid, even on a server that went on.
  const read = async (condition: ReturnType<typeof sql<SqlBool>>): Promise<RevocationReading> => {
    const { rows } = await sql<ReadingRow>`
      SELECT r.kind, r.value, r.created_at, r.changed_at, r.expires_at, r.lifted, facts.at,
        facts.server, facts.writable
      FROM (SELECT ${now()} AS at,
              concat(pg_postmaster_start_time(), ' ', inet_server_addr(), ' ', inet_server_port(),
                ' ', to_regclass('revocations')::oid) AS server,
              current_setting('transaction_read_only') = 'off' AS writable) AS facts
      LEFT JOIN revocations r ON ${condition}`.execute(db)
    const [facts] = rows
    if (facts === undefined) throw new Error('the database told nothing about itself')
    const { at, server, writable } = facts
    return { entries: rows.flatMap(toEntry), now: at, server, writable }
  }
  return {
    readLive: () => read(sql<SqlBool>`r.expires_at > facts.at`),
    readChangedSince: (since) => read(sql<SqlBool>`r.changed_at > ${since}`),
    async insertMissing(entries) {
      for (let start = 0; start < entries.length; start += rowsAtOnce) {
        const some = entries.slice(start, start + rowsAtOnce)
        await inTransaction(db, async (trx) => {
          await endForgotten(trx, now, some)
          await putBack(trx, now, some)
        })
      }
    },
  }
}

const putBack = async (
  trx: Tx,
  now: Connection['now'],
  entries: readonly RevocationEntry[],
): Promise<void> => {
  const rows = entries.map((entry) => ({
    kind: entry.kind,
    value: entry.value,
    created_at: entry.createdAt,
    changed_at: now(),
    expires_at: entry.expiresAt,
  }))
  await trx
    .insertInto('revocations')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['kind', 'value']).doNothing())
    .execute()
}

const toEntry = (row: ReadingRow): RevocationEntry[] =>
  row.kind && row.value && row.created_at && row.changed_at && row.expires_at
    ? [
        {
          kind: row.kind,
          value: row.value,
          createdAt: row.created_at,
          changedAt: row.changed_at,
          expiresAt: row.expires_at,
          lifted: row.lifted === true,
        },
      ]
    : []
