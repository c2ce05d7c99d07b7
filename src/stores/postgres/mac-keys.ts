import { type Selectable, sql } from 'kysely'
import type { RecordedEvent } from '../../audit/event.ts'
import type { KeyActor, MacKeyStore, NewMacKey, StoredMacKey } from '../../keys/key-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import type { MacKeyRow } from './schema.ts'

export const createMacKeyStore = (connection: Connection): MacKeyStore => ({
  list: () => list(connection),
  insert: (...request) => insert(connection, ...request),
  putOff: (...request) => putOff(connection, ...request),
  reseal: (...request) => reseal(connection, ...request),
})

type Verb<Name extends keyof MacKeyStore> = (
  connection: Connection,
  ...request: Parameters<MacKeyStore[Name]>
) => ReturnType<MacKeyStore[Name]>

const list: Verb<'list'> = async ({ db, now }) => {
  const rows = await db
    .selectFrom(sql<{ now: Date }>`(SELECT ${now()} AS now)`.as('present'))
    .leftJoin('mac_keys as key', (join) =>
      join.on((eb) =>
        eb.or([eb('key.drop_after', 'is', null), eb('key.drop_after', '>', eb.ref('present.now'))]),
      ),
    )
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
  publishedAt: row.published_at,
  useFrom: row.use_from,
  dropAfter: row.drop_after,
})

const insert: Verb<'insert'> = ({ db, now }, key, by) =>
  inTransaction(db, async (trx) => {
    const useFrom = await insertMacKey(trx, now, key)
    if (useFrom === undefined) return undefined
    await endEarlierKeys(trx, key.number, useFrom, key.retentionSeconds)
    await insertAuditEvents(trx, now, [macKeyEvent('key.created', key.number, by)])
    return useFrom
  })

/** @returns when it will be used; undefined when the number is taken. */
export const insertMacKey = async (
  trx: Tx,
  now: Connection['now'],
  key: Pick<NewMacKey, 'number' | 'sealedKey' | 'useAfterSeconds'>,
): Promise<Date | undefined> => {
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
  return inserted?.use_from
}

/** A key is kept for the longest life of a family that may hold a token of it. */
const endEarlierKeys = async (
  trx: Tx,
  number: number,
  useFrom: Date,
  retentionSeconds: number,
): Promise<void> => {
  const seconds = sql`make_interval(secs => ${retentionSeconds}::float8)`
  await trx
    .updateTable('mac_keys')
    .set({
      // Families that began under a longer lifetime than the present one are still there to see.
      drop_after: sql<Date>`greatest(${useFrom}::timestamptz + ${seconds},
        (SELECT max(expires_at) FROM refresh_families))`,
    })
    .where('number', '<>', number)
    .where('drop_after', 'is', null)
    .execute()
}

const putOff: Verb<'putOff'> = async ({ db, now }, numbers, seconds) => {
  if (numbers.length === 0) return
  await inTransaction(db, async (trx) => {
    const waiting = await trx
      .selectFrom('mac_keys')
      .select(['number', 'use_from'])
      .where('number', 'in', [...numbers])
      .where('use_from', '>', now())
      .forUpdate()
      .executeTakeFirst()
    if (waiting === undefined) return
    const later = sql<Date>`greatest(${waiting.use_from}::timestamptz,
      ${now()} + make_interval(secs => ${seconds}::float8))`
    await trx
      .updateTable('mac_keys')
      .set({ use_from: later })
      .where('number', '=', waiting.number)
      .execute()
    // The key before it makes tokens for so much longer.
    await trx
      .updateTable('mac_keys')
      .set({ drop_after: sql<Date>`drop_after + (${later} - ${waiting.use_from}::timestamptz)` })
      .where('drop_after', '>', now())
      .execute()
  })
}

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

export const macKeyEvent = (
  type: 'key.created' | 'key.resealed' | 'key.removed',
  number: number,
  { actor, origin }: KeyActor,
): RecordedEvent => ({
  type,
  outcome: 'success',
  ...(actor === undefined ? {} : { actor }),
  origin,
  details: { mac_key: number },
})
