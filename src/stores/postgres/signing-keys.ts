import { type Selectable, sql } from 'kysely'
import type { AuditEventType } from '../../audit/catalogue.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import type {
  Changeover,
  KeyActor,
  Rotation,
  SigningKeyStore,
  StoredSigningKey,
} from '../../keys/key-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import type { SigningKeyRow } from './schema.ts'

export const createSigningKeyStore = (connection: Connection): SigningKeyStore => ({
  list: () => list(connection),
  insertMissing: (...request) => insertMissing(connection, ...request),
  rotate: (...request) => rotate(connection, ...request),
  object: (...request) => object(connection, ...request),
  reseal: (...request) => reseal(connection, ...request),
})

type Verb<Name extends keyof SigningKeyStore> = (
  connection: Connection,
  ...request: Parameters<SigningKeyStore[Name]>
) => ReturnType<SigningKeyStore[Name]>

const list: Verb<'list'> = async ({ db, now }) => {
  const rows = await db
    .selectFrom(sql<{ now: Date }>`(SELECT ${now()} AS now)`.as('present'))
    .leftJoin('signing_keys as key', (join) =>
      join.on((eb) =>
        eb.or([eb('key.drop_after', 'is', null), eb('key.drop_after', '>', eb.ref('present.now'))]),
      ),
    )
    .selectAll()
    .orderBy('key.algorithm')
    .orderBy('key.published_at')
    .orderBy(sql`key.sign_from NULLS LAST`)
    .execute()
  const present = rows[0]?.now ?? new Date(0)
  return { now: present, keys: rows.flatMap((row) => (isKey(row) ? [toStoredKey(row)] : [])) }
}

/** Without a key there is one row, that of the time. */
const isKey = (row: { key_id: string | null }): row is Selectable<SigningKeyRow> =>
  row.key_id !== null

const toStoredKey = (row: Selectable<SigningKeyRow>): StoredSigningKey => ({
  keyId: row.key_id,
  algorithm: row.algorithm,
  sealedPrivateKey: Buffer.from(row.sealed_private_key),
  publishedAt: row.published_at,
  signFrom: row.sign_from,
  signUntil: row.sign_until,
  dropAfter: row.drop_after,
  objectedAt: row.objected_at,
})

// One change of the rings at a time, on all nodes.
export const lockRings = (trx: Tx): Promise<unknown> =>
  sql`SELECT pg_advisory_xact_lock(hashtextextended('tessera signing keys', 0))`.execute(trx)

const insertMissing: Verb<'insertMissing'> = ({ db, now }, candidates, by) =>
  inTransaction(db, async (trx) => {
    await lockRings(trx)
    const inserted = await trx
      .insertInto('signing_keys')
      .values(
        candidates.map(({ key, signAfterSeconds }) => ({
          ...toKeyColumns(key),
          published_at: now(),
          sign_from:
            signAfterSeconds === null ? null : signFromOf(key.algorithm, now, signAfterSeconds),
        })),
      )
      // The two places of each ring are unique: a key whose place is taken is left out.
      .onConflict((conflict) => conflict.doNothing())
      .returning(['key_id', 'algorithm'])
      .execute()
    const events = inserted.map((row) => keyEvent('key.created', row.key_id, row.algorithm, by))
    await insertAuditEvents(trx, now, events)
  })

// A ring that has lost its keys to emergencies has nothing else to sign with: it does not wait.
const signFromOf = (algorithm: string, now: Connection['now'], seconds: number) => sql<Date>`
  CASE WHEN EXISTS (SELECT FROM signing_keys WHERE algorithm = ${algorithm} AND drop_after <= ${now()})
    THEN ${now()} ELSE ${now()} + make_interval(secs => ${seconds}::float8) END`

const rotate: Verb<'rotate'> = ({ db, now }, rotation, by) =>
  inTransaction(db, async (trx) => {
    await lockRings(trx)
    const changeover = await retire(trx, now, rotation)
    if (changeover === undefined) return undefined
    const { algorithm, promote, next } = rotation
    await trx
      .updateTable('signing_keys')
      .set({ sign_from: changeover.signFrom })
      .where('key_id', '=', promote)
      .execute()
    await trx
      .insertInto('signing_keys')
      .values({ ...toKeyColumns(next), published_at: now() })
      .execute()
    await insertAuditEvents(trx, now, [
      keyEvent('key.rotated', promote, algorithm, by, { retired: rotation.retire }),
      keyEvent('key.created', next.keyId, algorithm, by),
    ])
    return changeover
  })

/** The one statement that decides: the ring is as expected, and the next key known long enough. */
const retire = async (
  trx: Tx,
  now: Connection['now'],
  rotation: Rotation,
): Promise<Changeover | undefined> => {
  const { algorithm, retire, promote, leadSeconds, retentionSeconds } = rotation
  const { publicationSeconds, objectionSeconds } = rotation
  const seconds = (count: number) => sql<Date>`make_interval(secs => ${count}::float8)`
  // In milliseconds, as this process reads times: the two keys change over at one moment.
  const signFrom = sql<Date>`date_trunc('milliseconds', ${now()} + ${seconds(leadSeconds)})`
  const retired = await trx
    .updateTable('signing_keys')
    .set({
      sign_until: signFrom,
      drop_after: sql<Date>`${signFrom} + ${seconds(retentionSeconds)}`,
    })
    .where('key_id', '=', retire)
    .where('algorithm', '=', algorithm)
    .where('sign_until', 'is', null)
    .where('sign_from', '<=', now())
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('signing_keys as next')
          .select('next.key_id')
          .where('next.key_id', '=', promote)
          .where('next.algorithm', '=', algorithm)
          .where('next.sign_from', 'is', null)
          .where('next.published_at', '<=', sql<Date>`${now()} - ${seconds(publicationSeconds)}`)
          .where(({ eb, or }) =>
            or([
              eb('next.objected_at', 'is', null),
              eb('next.objected_at', '<=', sql<Date>`${now()} - ${seconds(objectionSeconds)}`),
            ]),
          ),
      ),
    )
    .returning(['sign_until', 'drop_after'])
    .executeTakeFirst()
  if (!retired?.sign_until || !retired.drop_after) return undefined
  return { signFrom: retired.sign_until, dropAfter: retired.drop_after }
}

const object: Verb<'object'> = async ({ db, now }, keyIds) => {
  if (keyIds.length === 0) return
  await db
    .updateTable('signing_keys')
    .set({ objected_at: now() })
    .where('key_id', 'in', [...keyIds])
    .where('sign_from', 'is', null)
    .execute()
}

const reseal: Verb<'reseal'> = ({ db, now }, keyId, from, to, by) =>
  inTransaction(db, async (trx) => {
    const resealed = await trx
      .updateTable('signing_keys')
      .set({ sealed_private_key: to })
      .where('key_id', '=', keyId)
      .where('sealed_private_key', '=', from)
      .returning('algorithm')
      .executeTakeFirst()
    if (resealed === undefined) return false
    await insertAuditEvents(trx, now, [keyEvent('key.resealed', keyId, resealed.algorithm, by)])
    return true
  })

export const toKeyColumns = (key: Parameters<SigningKeyStore['rotate']>[0]['next']) => ({
  key_id: key.keyId,
  algorithm: key.algorithm,
  public_jwk: JSON.stringify(key.publicJwk),
  sealed_private_key: key.sealedPrivateKey,
})

export const keyEvent = (
  type: Extract<AuditEventType, `key.${string}`>,
  keyId: string,
  algorithm: string,
  { actor, origin }: KeyActor,
  details: Record<string, string> = {},
): RecordedEvent => ({
  type,
  outcome: 'success',
  ...(actor === undefined ? {} : { actor }),
  origin,
  details: { key_id: keyId, algorithm, ...details },
})
