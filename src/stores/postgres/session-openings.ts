import { type RawBuilder, sql } from 'kysely'
import type {
  NewSession,
  OpenedSession,
  SessionStore,
  SignInProof,
} from '../../accounts/session-store.ts'
import type { Act } from '../../audit/act.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { insertFamily } from './family-endings.ts'
import { endSessionsOfUser } from './session-endings.ts'
import { insertUser, nameTaken, toUser, type UserRow, userColumns, userEvent } from './user-rows.ts'

/** @param entryLifetimeSeconds how long a revocation entry must stand (revocation/lifetime.ts) */
export const createSessionOpenings = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): Pick<SessionStore, 'register' | 'signIn'> => {
  /** The user's row is locked by this transaction: no other session of the user opens meanwhile. */
  const open = async (
    trx: Tx,
    row: UserRow,
    session: NewSession,
    [act, events]: [Act, readonly RecordedEvent[]],
  ): Promise<OpenedSession> => {
    const { at, expires_at: expiresAt } = await insertSession(trx, now, row.id, session, act)
    const newDevice = await newDeviceEvents(trx, row.id, session, act)
    const user = toUser(row)
    const grant = session.grantOf(user)
    // The new session is never the one to go: by the time that its transaction began, which may
    // have waited for others, it may be the oldest.
    const beyond = sql`s.id IN (
      SELECT id FROM sessions
      WHERE user_id = ${row.id}::uuid AND id <> ${session.id}::uuid
        AND ended_at IS NULL AND expires_at > ${now()}
      ORDER BY created_at DESC, id OFFSET ${session.limit - 1}::int)`
    const ended = await endSessionsOfUser(
      trx,
      { now, entryLifetimeSeconds },
      [row.id, act],
      beyond,
      'too_many_sessions',
    )
    await insertFamily(trx, now, { ...session.family, ...grant }, { version: row.version })
    const opening = openingEvents(row.id, session, act)
    await insertAuditEvents(trx, now, [...events, ...ended, ...opening, ...newDevice])
    return { user, ...grant, now: at, expiresAt, endedSessions: ended.length }
  }

  return {
    register: (user, session, act) =>
      inTransaction(db, async (trx) => {
        const row = await insertUser(trx, now, user, true)
        const created = userEvent('user.created', user.id, act, { details: { roles: row.roles } })
        return open(trx, row, session, [act, [created]])
      }).catch(nameTaken),

    signIn: (proof, session, act) =>
      inTransaction(db, async (trx) => {
        const row = await markSignIn(trx, now, proof)
        if (row === undefined) return undefined
        const { userId, rehash } = proof
        const events = rehash ? [userEvent('user.password_rehashed', userId, act)] : []
        return open(trx, row, session, [act, events])
      }),
  }
}

/**
 * The gate of a sign-in: no row unless the user is active and still has the password that was
 * verified. Locks the row, so that disabling and password changes come before or after, never amid.
 */
const markSignIn = async (
  trx: Tx,
  now: () => RawBuilder<Date>,
  { userId, credentialEpoch, rehash }: SignInProof,
): Promise<UserRow | undefined> => {
  const renewed = rehash
    ? sql`, password_hash = CASE u.password_hash WHEN ${rehash.from} THEN ${rehash.to}
        ELSE u.password_hash END`
    : sql``
  const { rows } = await sql<UserRow>`
    UPDATE users u SET last_login_at = ${now()}${renewed}
    WHERE u.id = ${userId}::uuid AND u.status = 'active'
      AND u.credential_epoch = ${credentialEpoch}
    RETURNING ${userColumns}`.execute(trx)
  return rows[0]
}

const insertSession = async (
  trx: Tx,
  now: () => RawBuilder<Date>,
  userId: string,
  { id, amr, ttlSeconds }: NewSession,
  { origin }: Act,
): Promise<{ at: Date; expires_at: Date }> =>
  trx
    .insertInto('sessions')
    .values({
      id,
      user_id: userId,
      user_agent: origin.userAgent ?? null,
      address: origin.address ?? null,
      amr: [...amr],
      auth_time: now(),
      created_at: now(),
      expires_at: sql<Date>`${now()} + make_interval(secs => ${ttlSeconds}::float8)`,
    })
    .returning(['auth_time as at', 'expires_at'])
    .executeTakeFirstOrThrow()

const openingEvents = (userId: string, session: NewSession, act: Act): RecordedEvent[] => {
  const { id: sessionId, family, amr } = session
  const { id: familyId, clientId } = family
  return [
    userEvent('sign_in.succeeded', userId, act, { sessionId, clientId, details: { amr } }),
    userEvent('session.created', userId, act, { sessionId }),
    userEvent('family.created', userId, act, { sessionId, familyId, clientId }),
  ]
}

/**
 * Tells of a device that has none of the sessions that are still kept. The first device of all is
 * not new, and neither is one whose browser has only been updated: versions do not count.
 */
const newDeviceEvents = async (
  trx: Tx,
  userId: string,
  { id: sessionId }: NewSession,
  act: Act,
): Promise<RecordedEvent[]> => {
  const device = (userAgent: RawBuilder<unknown>) =>
    sql`regexp_replace(coalesce(${userAgent}, ''), '[0-9._]+', '', 'g')`
  const { rows } = await sql<{ fresh: boolean | null }>`
    SELECT NOT bool_or(${device(sql`s.user_agent`)}
      = ${device(sql`${act.origin.userAgent ?? null}::text`)}) AS fresh
    FROM sessions s WHERE s.user_id = ${userId}::uuid AND s.id <> ${sessionId}::uuid`.execute(trx)
  return rows[0]?.fresh ? [userEvent('sign_in.new_device', userId, act, { sessionId })] : []
}
