import { type RawBuilder, sql } from 'kysely'
import type { RevocationKind } from '../../revocation/entry.ts'
import type { Executor } from './database.ts'

export type NewRevocation = { readonly kind: RevocationKind; readonly value: string }

/** Seconds: more than the caches of verifiers, clocks and a request take together. */
const marginSeconds = 600

/**
 * Writes revocation entries in the transaction of the act. Idempotent: a second entry of the same
 * kind and value prolongs the first, and makes a lifted one stand again.
 * @param lifetimeSeconds how long an entry must outlive the act (see revocation/lifetime.ts)
 */
export const insertRevocations = async (
  executor: Executor,
  now: () => RawBuilder<Date>,
  lifetimeSeconds: number,
  entries: readonly NewRevocation[],
): Promise<void> => {
  if (entries.length === 0) return
  // In one order everywhere, so that two acts that name the same entries cannot deadlock.
  const distinct = new Map(entries.map((entry) => [`${entry.kind}:${entry.value}`, entry]))
  const ordered = [...distinct.keys()].sort().map((key) => distinct.get(key) as NewRevocation)
  // Another node may have raised the lifetime of an audience's tokens, and this one not know it yet.
  const lifetime = sql`greatest(${lifetimeSeconds}::float8,
    (SELECT max(longest_ttl_seconds) + ${marginSeconds}::float8 FROM audiences))`
  await executor
    .insertInto('revocations')
    .values(
      ordered.map(({ kind, value }) => ({
        kind,
        value,
        created_at: now(),
        changed_at: now(),
        expires_at: sql<Date>`${now()} + make_interval(secs => ${lifetime})`,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['kind', 'value']).doUpdateSet({
        changed_at: (eb) => eb.ref('excluded.changed_at'),
        expires_at: (eb) =>
          sql<Date>`greatest(${eb.ref('revocations.expires_at')}, ${eb.ref('excluded.expires_at')})`,
        lifted: false,
      }),
    )
    .execute()
}

/**
 * Takes an entry back, as when a user is enabled again. Nodes learn it like any change, so the
 * lifted entry stays for a while.
 */
export const liftRevocation = async (
  executor: Executor,
  now: () => RawBuilder<Date>,
  lifetimeSeconds: number,
  { kind, value }: NewRevocation,
): Promise<void> => {
  await executor
    .updateTable('revocations')
    .set({
      lifted: true,
      changed_at: now(),
      expires_at: sql<Date>`${now()} + make_interval(secs => ${lifetimeSeconds}::float8)`,
    })
    .where('kind', '=', kind)
    .where('value', '=', value)
    .execute()
}
