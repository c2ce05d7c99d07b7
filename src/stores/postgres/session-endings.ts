import { type RawBuilder, sql } from 'kysely'
import type { Act } from '../../audit/act.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import type { Executor } from './database.ts'
import { revokeFamilies, revokeFamiliesOfSessions } from './family-endings.ts'
import { insertLogoutNotices } from './logout-notices.ts'
import { insertRevocations, type NewRevocation } from './revocation-rows.ts'
import { userEvent } from './user-rows.ts'

// The verbs by which stores end sessions inside their own transactions. Who ends more than one
// session of a user holds the lock of the user's row, so that such acts cannot deadlock.

type Now = () => RawBuilder<Date>

/** Ends the live sessions that `condition` (on alias `s`) names. @returns their ids. */
const endSessions = async (
  trx: Executor,
  now: Now,
  condition: RawBuilder<unknown>,
  reason: string,
): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    UPDATE sessions s SET ended_at = ${now()}, ended_reason = ${reason}
    WHERE ${condition} AND s.ended_at IS NULL AND s.expires_at > ${now()}
    RETURNING s.id`.execute(trx)
  const ids = rows.map(({ id }) => id)
  if (ids.length > 0) await insertLogoutNotices(trx, now, ids)
  return ids
}

/** Entries that refuse the access tokens of ended sessions. */
const sessionEntries = (ids: readonly string[]): NewRevocation[] =>
  ids.map((value) => ({ kind: 'sid', value }))

/**
 * Ends the live sessions of a user that `condition` (on alias `s`) names, with their families and
 * the entries that refuse their access tokens. @returns the events that tell of it, to be written.
 */
export const endSessionsOfUser = async (
  trx: Executor,
  { now, entryLifetimeSeconds }: { now: Now; entryLifetimeSeconds: () => number },
  [userId, act]: readonly [userId: string, act: Act],
  condition: RawBuilder<unknown>,
  reason: string,
): Promise<RecordedEvent[]> => {
  const ids = await endSessions(trx, now, sql`s.user_id = ${userId}::uuid AND ${condition}`, reason)
  if (ids.length === 0) return []
  await revokeFamiliesOfSessions(trx, now, ids, reason)
  await insertRevocations(trx, now, entryLifetimeSeconds(), sessionEntries(ids))
  return ids.map((sessionId) =>
    userEvent('session.ended', userId, act, { sessionId, details: { reason } }),
  )
}

type EndedOfUser = {
  readonly sessions: readonly string[]
  readonly families: number
  /** One per session, and one per family that outlived its session: its tokens carry no `sid`. */
  readonly entries: readonly NewRevocation[]
}

/**
 * Ends all sessions of a user but `keptSessionId`, and all families, offline ones too, but for
 * those that end with that session.
 */
export const endAllOfUser = async (
  trx: Executor,
  now: Now,
  userId: string,
  reason: string,
  keptSessionId?: string,
): Promise<EndedOfUser> => {
  const kept = sql`${keptSessionId ?? null}::uuid`
  const sessions = await endSessions(
    trx,
    now,
    sql`s.user_id = ${userId}::uuid AND s.id IS DISTINCT FROM ${kept}`,
    reason,
  )
  const families = await revokeFamilies(
    trx,
    now,
    sql`f.user_id = ${userId}::uuid
      AND (f.offline OR ${kept} IS NULL OR f.session_id IS DISTINCT FROM ${kept})`,
    reason,
  )
  const offline = families.filter((family) => family.offline)
  const entries: NewRevocation[] = offline.map(({ id }) => ({ kind: 'fam', value: id }))
  return { sessions, families: families.length, entries: [...sessionEntries(sessions), ...entries] }
}
