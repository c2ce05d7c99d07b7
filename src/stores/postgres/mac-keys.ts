import { type Selectable, sql } from 'kysely'
import type { RecordedEvent } from '../../audit/event.ts'
import type { KeyActor, MacKeyStore, StoredMacKey } from '../../keys/key-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'
import type { MacKeyRow } from './schema.ts'

export const createMacKeyStore = (connection: Connection): MacKeyStore => ({
  list: () => list(connection),
  insert: (...request) => insert(connection, ...request),
  reseal: (...request) => reseal(connection, ...request),
})

type Verb<Name extends keyof MacKeyStore> = (
  connection: Connection,
  ...request: Parameters<MacKeyStore[Name]>
) => ReturnType<MacKeyStore[Name]>

const list: Verb<'list'> = async ({ db, now }) => {
  const rows = await db
    .selectFrom(sql<{ now: Date }>`(SELECT ${now()} AS now)`.as('present'))
    .leftJoin('mac_keys as key', (join) => join.onTrue())
    .selectAll()
    .orderBy('key.number')
    .execute()
  const present = rows[0]?.now ?? new Date(0)
  return { now: present, keys: rows.flatMap((row) => (isKey(row) ? [toStoredKey(row)] : [])) }
}

/** Without a key there is one row, that of the time. */
const isKey = (row: { number: number | null }): row is Selectable<MacKeyRow> => row.number !== null

const toStoredKey = (row: Selectable<MacKeyRow>): StoredMacKey => ({
  number: row.number,
  sealedKey: Buffer.from(row.sealed_key),
  useFrom: row.use_from,
})

const insert: Verb<'insert'> = ({ db, now }, key, by) =>
  inTransaction(db, async (trx) => {
    const inserted = await trx
      .insertInto('mac_keys')
      .values({
        number: key.number,
        sealed_key: key.sealedKey,
        published_at: now(),
        use_from: sql<Date>`${now()} + make_interval(secs => ${key.useAfterSeconds}::float8)`,
      })
      .onConflict((conflict) => conflict.column('number').doNothing())
      .returning('use_from')
      .executeTakeFirst()
    if (inserted === undefined) return undefined
    await insertAuditEvents(trx, now, [macKeyEvent('key.created', key.number, by)])
    return inserted.use_from
  })

const reseal: Verb<'reseal'> = ({ db, now }, number, from, to, by) =>
  inTransaction(db, async (trx) => {
    const resealed = await trx
      .updateTable('mac_keys')
      .set({ sealed_key: to })
      .where('number', '=', number)
      .where('sealed_key', '=', from)
      .returning('number')
      .executeTakeFirst()
    if (resealed === undefined) return false
    await insertAuditEvents(trx, now, [macKeyEvent('key.resealed', number, by)])
    return true
  })

const macKeyEvent = (
  type: 'key.created' | 'key.resealed',
  number: number,
  { actor, origin }: KeyActor,
): RecordedEvent => ({
  type,
  outcome: 'success',
  ...(actor === undefined ? {} : { actor }),
  origin,
  details: { mac_key: number },
})
