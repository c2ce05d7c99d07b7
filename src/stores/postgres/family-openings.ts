import { sql } from 'kysely'
import type { Act } from '../../audit/act.ts'
import type { Login, LoginStanding } from '../../tokens/login.ts'
import type { NewFamily } from '../../tokens/new-family.ts'
import { insertAuditEvents } from './audit.ts'
import type { Connection, Tx } from './database.ts'
import { insertFamily } from './family-endings.ts'
import { permissionsOfUser, userEvent } from './user-rows.ts'

// The verbs by which grants that a person gave begin, inside their own transactions.

/**
 * The gate of what a person authorized: no row unless the user is active, has the credentials of
 * that moment and need not change the password, and the session lives. Both rows stay locked, user
 * first, so that whoever ends them comes before or after, never amid.
 */
export const lockLogin = async (
  trx: Tx,
  now: Connection['now'],
  { userId, sessionId, credentialEpoch }: Login,
): Promise<LoginStanding | undefined> => {
  const { rows } = await sql<Omit<LoginStanding, 'now'> & { at: Date }>`
    SELECT u.version, u.roles, ${permissionsOfUser} AS permissions, ${now()} AS at
    FROM users u JOIN sessions s ON s.user_id = u.id
    WHERE u.id = ${userId}::uuid AND u.status = 'active'
      AND u.credential_epoch = ${credentialEpoch}
      AND u.must_change_epoch IS DISTINCT FROM u.credential_epoch
      AND s.id = ${sessionId}::uuid AND s.ended_at IS NULL AND s.expires_at > ${now()}
    FOR SHARE OF u, s`.execute(trx)
  const [row] = rows
  return (
    row && { version: row.version, roles: row.roles, permissions: row.permissions, now: row.at }
  )
}

/**
 * Begins a family of a login that still stands, with its event.
 * @returns undefined, and nothing is written, when the login stands no more.
 */
export const openFamily = async (
  trx: Tx,
  now: Connection['now'],
  family: NewFamily,
  login: Login,
  act: Act,
): Promise<LoginStanding | undefined> => {
  const standing = await lockLogin(trx, now, login)
  if (standing === undefined) return undefined
  await insertFamily(trx, now, family, standing)
  await noteSessionClient(trx, login.sessionId, family.clientId)
  const { id: familyId, clientId } = family
  const { userId, sessionId } = login
  await insertAuditEvents(trx, now, [
    userEvent('family.created', userId, act, { sessionId, familyId, clientId }),
  ])
  return standing
}

/** The client has been told of the session, and will be told of its end; at the login's lock. */
export const noteSessionClient = async (
  trx: Tx,
  sessionId: string,
  clientId: string,
): Promise<void> => {
  await trx
    .insertInto('session_clients')
    .values({ session_id: sessionId, client_id: clientId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
