import { type RawBuilder, sql } from 'kysely'
import type { Act } from '../../accounts/act.ts'
import type {
  NewSession,
  OpenedSession,
  Session,
  SessionStore,
  SignInProof,
} from '../../accounts/session-store.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { insertFamily, revokeFamiliesOfSessions } from './family-endings.ts'
import { insertRevocations } from './revocation-rows.ts'
import { endAllOfUser, endSessions, sessionEntries } from './session-endings.ts'
import { insertUser, nameTaken, toUser, type UserRow, userColumns, userEvent } from './user-rows.ts'

/** @param entryLifetimeSeconds how long a revocation entry must stand (revocation/lifetime.ts) */
export const createSessionStore = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): SessionStore => {
  /** Ends sessions with their families and entries. @returns the events that tell of it. */
  const end = async (
    trx: Tx,
    [userId, act]: [string, Act],
    condition: RawBuilder<unknown>,
    reason: string,
  ): Promise<RecordedEvent[]> => {
    const ids = await endSessions(trx, now, condition, reason)
    if (ids.length === 0) return []
    await revokeFamiliesOfSessions(trx, now, ids, reason)
    await insertRevocations(trx, now, entryLifetimeSeconds(), sessionEntries(ids))
    return ids.map((sessionId) =>
      userEvent('session.ended', userId, act, { sessionId, details: { reason } }),
    )
  }

  /** The user's row is locked by this transaction: no other session of the user opens meanwhile. */
  const open = async (
    trx: Tx,
    row: UserRow,
    session: NewSession,
    [act, events]: [Act, readonly RecordedEvent[]],
  ): Promise<OpenedSession> => {
    const { at, expires_at: expiresAt } = await insertSession(trx, now, row.id, session, act)
    const scope = session.scopeOf(row.permissions)
    // The new session is never the one to go: by the time that its transaction began, which may
    // have waited for others, it may be the oldest.
    const beyond = sql`s.id IN (
      SELECT id FROM sessions
      WHERE user_id = ${row.id}::uuid AND id <> ${session.id}::uuid
        AND ended_at IS NULL AND expires_at > ${now()}
      ORDER BY created_at DESC, id OFFSET ${session.limit - 1}::int)`
    const ended = await end(trx, [row.id, act], beyond, 'too_many_sessions')
    await insertFamily(trx, now, { ...session.family, scope }, { version: row.version })
    await insertAuditEvents(trx, now, [...events, ...ended, ...openingEvents(row.id, session, act)])
    return { user: toUser(row), scope, now: at, expiresAt, endedSessions: ended.length }
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

    async list(userId, currentId) {
      const { rows } = await sql<SessionRow>`
        SELECT s.id, s.user_agent, s.address, s.amr, s.created_at, s.expires_at,
          coalesce(max(f.last_used_at), s.created_at) AS last_seen_at
        FROM sessions s LEFT JOIN refresh_families f ON f.session_id = s.id
        WHERE s.user_id = ${userId}::uuid AND s.ended_at IS NULL AND s.expires_at > ${now()}
        GROUP BY s.id
        HAVING s.id = ${currentId ?? null}::uuid OR bool_or(
          f.revoked_at IS NULL AND f.expires_at > ${now()}
          AND f.last_used_at + f.idle_timeout > ${now()})
        ORDER BY s.created_at DESC, s.id`.execute(db)
      return rows.map(toSession)
    },

    async findOwner(familyId) {
      const row = await db
        .selectFrom('refresh_families')
        .select(['session_id', 'user_id', 'client_id'])
        .where('id', '=', familyId)
        .executeTakeFirst()
      return row && { sessionId: row.session_id, userId: row.user_id, clientId: row.client_id }
    },

    end: (userId, sessionId, act) =>
      inTransaction(db, async (trx) => {
        const condition = sql`s.id = ${sessionId}::uuid AND s.user_id = ${userId}::uuid`
        const ended = await end(trx, [userId, act], condition, 'signed_out')
        await insertAuditEvents(trx, now, ended)
        return ended.length > 0
      }),

    endAll: (userId, act) =>
      inTransaction(db, async (trx) => {
        await trx
          .updateTable('users')
          .set((row) => ({ version: row('version', '+', 1) }))
          .where('id', '=', userId)
          .execute()
        const ended = await endAllOfUser(trx, now, userId, 'signed_out_everywhere')
        await insertRevocations(trx, now, entryLifetimeSeconds(), ended.entries)
        const details = { sessions: ended.sessions.length, families: ended.families }
        await insertAuditEvents(trx, now, [
          userEvent('session.all_ended', userId, act, { details }),
        ])
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

type SessionRow = {
  id: string
  user_agent: string | null
  address: string | null
  amr: string[]
  created_at: Date
  expires_at: Date
  last_seen_at: Date
}

const toSession = (row: SessionRow): Session => ({
  id: row.id,
  userAgent: row.user_agent,
  address: row.address,
  amr: row.amr,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
  expiresAt: row.expires_at,
})
