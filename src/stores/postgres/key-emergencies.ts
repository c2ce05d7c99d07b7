import { sql } from 'kysely'
import type { KeyActor, KeyEmergencyStore, Promotion, Replacement } from '../../keys/key-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { dropKeys, promoteFirstInLine } from './key-endings.ts'
import { insertMacKey, macKeyEvent } from './mac-keys.ts'
import { insertRevocations } from './revocation-rows.ts'
import { keyEvent, lockRings, toKeyColumns } from './signing-keys.ts'

type Now = Connection['now']

/** @param entryLifetimeSeconds how long a revocation entry must outlive the act. */
export const createKeyEmergencyStore = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): KeyEmergencyStore => {
  const revokeKeys = (trx: Tx, keyIds: readonly string[]): Promise<void> => {
    const entries = keyIds.map((value) => ({ kind: 'kid', value }) as const)
    return insertRevocations(trx, now, entryLifetimeSeconds(), entries)
  }
  return {
    promoteNext: (promotion, by) =>
      inTransaction(db, async (trx) => {
        const { algorithm, revoke, next } = promotion
        await lockRings(trx)
        const [dropped] = await dropKeys(trx, now, [revoke])
        if (dropped === undefined) return false
        const promoted = await promoteFirstInLine(trx, now, algorithm)
        const created = await insertNext(trx, now, next)
        const details: Record<string, string> = promoted === undefined ? {} : { promoted }
        await insertAuditEvents(trx, now, [
          keyEvent('key.revoked', revoke, algorithm, by, details),
          ...(created ? [keyEvent('key.created', next.keyId, algorithm, by)] : []),
        ])
        await revokeKeys(trx, [revoke])
        return true
      }),

    replaceAll: (replacement, by) =>
      inTransaction(db, async (trx) => {
        await lockRings(trx)
        if (!(await arePublished(trx, now, replacement.expected))) return false
        if (!(await replaceMacKeys(trx, now, replacement))) return false
        const dropped = (await dropKeys(trx, now)).map(({ keyId }) => keyId)
        await insertSet(trx, now, replacement)
        await insertAuditEvents(trx, now, describeReplacement(replacement, dropped, by))
        await revokeKeys(trx, dropped)
        return true
      }),
  }
}

/** @returns false when there is a next key. */
const insertNext = async (trx: Tx, now: Now, next: Promotion['next']): Promise<boolean> => {
  const inserted = await trx
    .insertInto('signing_keys')
    .values({ ...toKeyColumns(next), published_at: now() })
    .onConflict((conflict) => conflict.doNothing())
    .returning('key_id')
    .executeTakeFirst()
  return inserted !== undefined
}

const arePublished = async (trx: Tx, now: Now, keyIds: readonly string[]): Promise<boolean> => {
  if (keyIds.length === 0) return true
  const rows = await trx
    .selectFrom('signing_keys')
    .select('key_id')
    .where('key_id', 'in', [...keyIds])
    .where((eb) => eb.or([eb('drop_after', 'is', null), eb('drop_after', '>', now())]))
    .execute()
  return rows.length === keyIds.length
}

/** @returns false when the number of the new key is taken. */
const replaceMacKeys = async (
  trx: Tx,
  now: Now,
  { macKey, keepMacKeys }: Replacement,
): Promise<boolean> => {
  if ((await insertMacKey(trx, now, macKey)) === undefined) return false
  const kept = sql<Date>`greatest(
    ${now()} + make_interval(secs => ${macKey.retentionSeconds}::float8),
    (SELECT max(expires_at) FROM refresh_families))`
  await trx
    .updateTable('mac_keys')
    .set({
      // One that waits to be used never is.
      drop_after: keepMacKeys
        ? sql<Date>`CASE WHEN use_from > ${now()} THEN ${now()} ELSE coalesce(drop_after, ${kept}) END`
        : now(),
    })
    .where('number', '<>', macKey.number)
    .where((eb) => eb.or([eb('drop_after', 'is', null), eb('drop_after', '>', now())]))
    .execute()
  return true
}

const insertSet = async (trx: Tx, now: Now, { signers, nexts }: Replacement): Promise<void> => {
  await trx
    .insertInto('signing_keys')
    .values([
      ...signers.map((key) => ({ ...toKeyColumns(key), published_at: now(), sign_from: now() })),
      ...nexts.map((key) => ({ ...toKeyColumns(key), published_at: now(), sign_from: null })),
    ])
    .execute()
}

const describeReplacement = (
  { signers, nexts, macKey, keepMacKeys }: Replacement,
  dropped: readonly string[],
  by: KeyActor,
) => [
  {
    type: 'key.all_replaced',
    outcome: 'success',
    ...(by.actor === undefined ? {} : { actor: by.actor }),
    origin: by.origin,
    details: { revoked: dropped, refresh_tokens: keepMacKeys ? 'kept' : 'refused' },
  } as const,
  ...[...signers, ...nexts].map((key) => keyEvent('key.created', key.keyId, key.algorithm, by)),
  macKeyEvent('key.created', macKey.number, by),
]
