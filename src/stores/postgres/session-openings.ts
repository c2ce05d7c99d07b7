import { type RawBuilder, sql } from 'kysely'
import type {
  NewBrowserSession,
  NewSession,
  OpenedSession,
  SessionStore,
  SignInProof,
} from '../../accounts/session-store.ts'
import type { User } from '../../accounts/user.ts'
import type { Act } from '../../audit/act.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { insertFamily } from './family-endings.ts'
import { endSessionsOfUser } from './session-endings.ts'
import { insertSession, renewSession } from './session-rows.ts'
import { insertUser, nameTaken, toUser, type UserRow, userColumns, userEvent } from './user-rows.ts'

type Opened = NewSession | NewBrowserSession

/** @param entryLifetimeSeconds how long a revocation entry must stand (revocation/lifetime.ts) */
export const createSessionOpenings = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): Pick<SessionStore, 'register' | 'signIn'> => {
  /** The user's row is locked by this transaction: no other session of the user opens meanwhile. */
  const open = async (
    trx: Tx,
    row: UserRow,
    session: Opened,
    [act, events]: [Act, readonly RecordedEvent[]],
  ): Promise<OpenedSession> => {
    const renewed = await renewSession(trx, now, row.id, session)
    const { id, at, expires_at } = renewed ?? (await insertSession(trx, now, row.id, session, act))
    const user = toUser(row)
    const opened = { sessionId: id, user, now: at, expiresAt: expires_at }
    if (renewed !== undefined) {
      await insertAuditEvents(trx, now, [...events, signInEvent(row.id, id, session, act)])
      return { ...opened, scope: [], audience: [], endedSessions: 0 }
    }
    const newDevice = await newDeviceEvents(trx, row.id, session, act)
    const ended = await makeRoom(trx, row.id, session, act)
    const grant = await openFamily(trx, row, user, session)
    const opening = openingEvents(row.id, session, act)
    await insertAuditEvents(trx, now, [...events, ...ended, ...opening, ...newDevice])
    return { ...opened, ...grant, endedSessions: ended.length }
  }

  // The new session is never the one to go: by the time that its transaction began, which may have
  // waited for others, it may be the oldest.
  const makeRoom = (
    trx: Tx,
    userId: string,
    { id, limit }: { id: string; limit: number },
    act: Act,
  ) =>
    endSessionsOfUser(
      trx,
      { now, entryLifetimeSeconds },
      [userId, act],
      sql`s.id IN (
        SELECT id FROM sessions
        WHERE user_id = ${userId}::uuid AND id <> ${id}::uuid
          AND ended_at IS NULL AND expires_at > ${now()}
        ORDER BY created_at DESC, id OFFSET ${limit - 1}::int)`,
      'too_many_sessions',
    )

  const openFamily = async (trx: Tx, { version }: UserRow, user: User, session: Opened) => {
    if (!('family' in session)) return { scope: [], audience: [] }
    const grant = session.grantOf(user)
    await insertFamily(trx, now, { ...session.family, ...grant }, { version })
    return grant
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

const signInEvent = (userId: string, sessionId: string, session: Opened, act: Act): RecordedEvent =>
  userEvent('sign_in.succeeded', userId, act, {
    sessionId,
    ...('family' in session ? { clientId: session.family.clientId } : {}),
    details: { amr: session.amr },
  })

const openingEvents = (userId: string, session: Opened, act: Act): RecordedEvent[] => {
  const { id: sessionId } = session
  const opened = [
    signInEvent(userId, sessionId, session, act),
    userEvent('session.created', userId, act, { sessionId }),
  ]
  if (!('family' in session)) return opened
  const { id: familyId, clientId } = session.family
  return [...opened, userEvent('family.created', userId, act, { sessionId, familyId, clientId })]
}

/**
 * Tells of a device that has none of the sessions that are still kept. The first device of all is
 * not new, and neither is one whose browser has only been updated: versions do not count.
 */
const newDeviceEvents = async (
  trx: Tx,
  userId: string,
  { id: sessionId }: Opened,
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
