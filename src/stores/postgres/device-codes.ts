import { type Selectable, sql } from 'kysely'
import type { CodeGrant } from '../../tokens/authorization-code.ts'
import {
  type DeviceCodeStore,
  type PresentedDeviceCode,
  slowDownSeconds,
} from '../../tokens/device-code.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { lockLogin, noteSessionClient, openFamily } from './family-openings.ts'
import type { DeviceCodeRow } from './schema.ts'
import { userEvent } from './user-rows.ts'

type Now = Connection['now']
type Row = Selectable<DeviceCodeRow>

// A second between the clocks and networks of two polls is nobody's haste.
const toleranceSeconds = 1

const waits = (now: Now) => sql`approved_at IS NULL AND denied_at IS NULL AND expires_at > ${now()}`

export const createDeviceCodeStore = ({ db, now }: Connection): DeviceCodeStore => ({
  async create(code) {
    const list = (items: readonly string[]) => sql`${[...items]}::text[]`
    const details = code.authorizationDetails
    const { rows } = await sql`
      INSERT INTO device_codes (digest, user_code_digest, client_id, scope, audience,
        authorization_details, interval_seconds, created_at, expires_at)
      VALUES (${code.digest}, ${code.userCodeDigest}, ${code.clientId}, ${list(code.scope)},
        ${code.audience === undefined ? null : list(code.audience)},
        ${details === undefined ? null : JSON.stringify(details)}::jsonb, ${code.intervalSeconds},
        ${now()}, ${now()} + make_interval(secs => ${code.ttlSeconds}::float8))
      ON CONFLICT (user_code_digest) DO NOTHING RETURNING digest`.execute(db)
    return rows.length > 0
  },

  async findWaiting(userCodeDigest) {
    const { rows } = await sql<Row>`
      SELECT * FROM device_codes
      WHERE user_code_digest = ${userCodeDigest} AND ${waits(now)}`.execute(db)
    const [row] = rows
    return (
      row && {
        id: Buffer.from(row.digest).toString('base64url'),
        clientId: row.client_id,
        scope: row.scope,
        audience: row.audience ?? undefined,
        authorizationDetails: row.authorization_details ?? undefined,
      }
    )
  },

  approve: (id, login, act) =>
    inTransaction(db, async (trx) => {
      const clientId = await approveDevice(trx, now, { id, ...login })
      if (clientId === undefined) return false
      const { userId, sessionId } = login
      const event = userEvent('device.approved', userId, act, { sessionId, clientId })
      await insertAuditEvents(trx, now, [event])
      return true
    }),

  deny: (id, act) => inTransaction(db, async (trx) => denyDevice(trx, now, id, act)),

  redeem: (presented, open, act) =>
    inTransaction(db, async (trx) => {
      const grant = await takeCode(trx, now, presented)
      if (grant === undefined) return undefined
      const { familyId, family } = open(grant)
      await sql`UPDATE device_codes SET family_id = ${familyId}::uuid
        WHERE digest = ${presented.digest}`.execute(trx)
      const standing = family
        ? await openFamily(trx, now, family, grant, act)
        : await lockLogin(trx, now, grant)
      if (standing === undefined) return 'login_ended'
      const { userId, sessionId } = grant
      await noteSessionClient(trx, sessionId, presented.clientId)
      const details = { clientId: presented.clientId, sessionId, familyId }
      await insertAuditEvents(trx, now, [userEvent('device.redeemed', userId, act, details)])
      return { grant, standing, familyId }
    }),

  async notePoll({ digest, clientId }) {
    const { rows } = await sql<{ early: boolean }>`
      WITH seen AS (
        SELECT digest, coalesce(polled_at > ${now()}
          - make_interval(secs => interval_seconds - ${toleranceSeconds}::float8), false) AS early
        FROM device_codes
        WHERE digest = ${digest} AND client_id = ${clientId} AND ${waits(now)}
        FOR UPDATE
      )
      UPDATE device_codes d SET polled_at = ${now()}, interval_seconds = d.interval_seconds
        + CASE WHEN seen.early THEN ${slowDownSeconds}::integer ELSE 0 END
      FROM seen WHERE d.digest = seen.digest RETURNING seen.early`.execute(db)
    return rows[0]
  },

  async inspect({ digest, clientId }) {
    const { rows } = await sql<Row & { expired: boolean }>`
      SELECT *, expires_at <= ${now()} AS expired FROM device_codes
      WHERE digest = ${digest} AND client_id = ${clientId}`.execute(db)
    const [row] = rows
    return (
      row && {
        denied: row.denied_at !== null,
        used: row.used_at !== null,
        expired: row.expired,
        approved: row.approved_at !== null,
      }
    )
  },
})

/** One statement: only the client's own, approved, unexpired code, once. */
const takeCode = async (
  trx: Tx,
  now: Now,
  { digest, clientId }: PresentedDeviceCode,
): Promise<CodeGrant | undefined> => {
  const { rows } = await sql<Row & Approval>`
    UPDATE device_codes SET used_at = ${now()}
    WHERE digest = ${digest} AND client_id = ${clientId} AND approved_at IS NOT NULL
      AND denied_at IS NULL AND used_at IS NULL AND expires_at > ${now()}
    RETURNING *`.execute(trx)
  const [row] = rows
  return (
    row && {
      userId: row.user_id,
      sessionId: row.session_id,
      credentialEpoch: row.credential_epoch,
      authTime: row.auth_time,
      amr: row.amr,
      acr: row.acr,
      scope: row.scope,
      audience: row.audience,
      authorizationDetails: row.authorization_details,
      claimsRequest: null,
      nonce: null,
    }
  )
}

/** What an approved row has. */
type Approval = {
  readonly [K in 'user_id' | 'session_id' | 'credential_epoch' | 'auth_time' | 'amr']: NonNullable<
    Row[K]
  >
}

/** By whom, from which session. The code waits no longer. @returns the client that it is of. */
const approveDevice = async (
  trx: Tx,
  now: Now,
  { id, userId, sessionId }: { readonly id: string } & Record<'userId' | 'sessionId', string>,
): Promise<string | undefined> => {
  const { rows } = await sql<{ client_id: string }>`
    WITH login AS (
      SELECT u.credential_epoch, s.auth_time, s.amr, s.acr
      FROM users u JOIN sessions s ON s.user_id = u.id
      WHERE u.id = ${userId}::uuid AND u.status = 'active'
        AND u.must_change_epoch IS DISTINCT FROM u.credential_epoch
        AND s.id = ${sessionId}::uuid AND s.ended_at IS NULL AND s.expires_at > ${now()}
      FOR SHARE OF u, s
    )
    UPDATE device_codes d SET approved_at = ${now()}, user_id = ${userId}::uuid,
      session_id = ${sessionId}::uuid, credential_epoch = login.credential_epoch,
      auth_time = login.auth_time, amr = login.amr, acr = login.acr
    FROM login WHERE digest = ${Buffer.from(id, 'base64url')} AND ${waits(now)}
    RETURNING d.client_id`.execute(trx)
  return rows[0]?.client_id
}

/** @returns false when it waits no more. */
const denyDevice = async (
  trx: Tx,
  now: Now,
  id: string,
  { actor, origin }: Parameters<DeviceCodeStore['deny']>[1],
): Promise<boolean> => {
  const { rows } = await sql<{ client_id: string }>`
    UPDATE device_codes SET denied_at = ${now()}
    WHERE digest = ${Buffer.from(id, 'base64url')} AND ${waits(now)}
    RETURNING client_id`.execute(trx)
  const [row] = rows
  if (row === undefined) return false
  await insertAuditEvents(trx, now, [
    { type: 'device.denied', outcome: 'success', actor, clientId: row.client_id, origin },
  ])
  return true
}
