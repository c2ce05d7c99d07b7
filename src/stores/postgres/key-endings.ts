import { sql } from 'kysely'
import type { RecordedEvent } from '../../audit/event.ts'
import type { SigningAlgorithm } from '../../oauth/algorithm.ts'
import type { Connection, Tx } from './database.ts'
import { keyEvent, lockRings } from './signing-keys.ts'

type Now = Connection['now']

/**
 * Ends again keys that were revoked, in a database that has forgotten it: the next in line sign at
 * once, as they did before. What a ring lacks then the schedule makes.
 * @returns what is to be recorded
 */
export const endForgottenKeys = async (
  trx: Tx,
  now: Now,
  keyIds: readonly string[],
  reason: string,
): Promise<RecordedEvent[]> => {
  if (keyIds.length === 0) return []
  await lockRings(trx)
  const dropped = await dropKeys(trx, now, keyIds)
  const promoted = new Map<string, string>()
  for (const algorithm of new Set(dropped.map((key) => key.algorithm))) {
    const keyId = await promoteFirstInLine(trx, now, algorithm)
    if (keyId !== undefined) promoted.set(algorithm, keyId)
  }
  return dropped.map(({ keyId, algorithm }) => {
    const next = promoted.get(algorithm)
    const details = { reason, ...(next === undefined ? {} : { promoted: next }) }
    return keyEvent('key.revoked', keyId, algorithm, { origin: {} }, details)
  })
}

type Dropped = { readonly keyId: string; readonly algorithm: SigningAlgorithm }

/** Ends keys at this moment, whatever their state. @param keyIds all when absent. */
export const dropKeys = async (
  trx: Tx,
  now: Now,
  keyIds?: readonly string[],
): Promise<Dropped[]> => {
  const rows = await trx
    .updateTable('signing_keys')
    .set({
      sign_from: sql<Date>`least(coalesce(sign_from, ${now()}), ${now()})`,
      sign_until: sql<Date>`least(coalesce(sign_until, ${now()}), ${now()})`,
      drop_after: now(),
    })
    .where((eb) => eb.or([eb('drop_after', 'is', null), eb('drop_after', '>', now())]))
    .$if(keyIds !== undefined, (query) =>
      query.where(sql<boolean>`key_id = ANY (${[...(keyIds ?? [])]}::text[])`),
    )
    .returning(['key_id as keyId', 'algorithm'])
    .execute()
  return rows
}

/** Whoever is to sign next does so now, and nobody else. @returns its id; undefined: it did. */
export const promoteFirstInLine = async (
  trx: Tx,
  now: Now,
  algorithm: SigningAlgorithm,
): Promise<string | undefined> => {
  const promoted = await trx
    .updateTable('signing_keys')
    .set({ sign_from: now() })
    .where('key_id', '=', ({ selectFrom }) =>
      selectFrom('signing_keys')
        .select('key_id')
        .where('algorithm', '=', algorithm)
        .where('sign_until', 'is', null)
        .orderBy(sql`sign_from NULLS LAST`)
        .limit(1),
    )
    // A changeover that is under way goes on, unless the key that still signs is gone.
    .where((eb) =>
      eb.or([
        eb('sign_from', 'is', null),
        eb.and([
          eb('sign_from', '>', now()),
          eb.not(
            eb.exists(
              eb
                .selectFrom('signing_keys as signer')
                .select('signer.key_id')
                .where('signer.algorithm', '=', algorithm)
                .where('signer.sign_until', '>', now()),
            ),
          ),
        ]),
      ]),
    )
    .returning('key_id')
    .executeTakeFirst()
  if (promoted === undefined) return undefined
  await trx
    .updateTable('signing_keys')
    .set({ sign_until: now() })
    .where('algorithm', '=', algorithm)
    .where('sign_until', '>', now())
    .execute()
  return promoted.key_id
}
