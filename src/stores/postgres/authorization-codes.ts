import { type Selectable, sql } from 'kysely'
import type { NewCode } from '../../authorize/request-store.ts'
import type {
  AuthorizationCodeStore,
  CodeGrant,
  PresentedCode,
} from '../../tokens/authorization-code.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { revokeFamilies } from './family-endings.ts'
import { lockLogin, noteSessionClient, openFamily } from './family-openings.ts'
import { insertRevocations } from './revocation-rows.ts'
import type { AuthorizationCodeRow } from './schema.ts'
import { userEvent } from './user-rows.ts'

type Now = Connection['now']

/** @param entryLifetimeSeconds how long a revocation entry must stand (revocation/lifetime.ts) */
export const createAuthorizationCodeStore = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): AuthorizationCodeStore => ({
  redeem: (presented, open, act) =>
    inTransaction(db, async (trx) => {
      const grant = await takeCode(trx, now, presented)
      if (grant === undefined) return undefined
      const { familyId, family } = open(grant)
      await trx
        .updateTable('authorization_codes')
        .set({ family_id: familyId })
        .where('digest', '=', presented.digest)
        .execute()
      const standing = family
        ? await openFamily(trx, now, family, grant, act)
        : await lockLogin(trx, now, grant)
      if (standing === undefined) return 'login_ended'
      const { userId, sessionId } = grant
      await noteSessionClient(trx, sessionId, presented.clientId)
      const details = { clientId: presented.clientId, sessionId, familyId }
      await insertAuditEvents(trx, now, [userEvent('code.redeemed', userId, act, details)])
      return { grant, standing, familyId }
    }),

  async inspect(digest) {
    const { rows } = await sql<Selectable<AuthorizationCodeRow> & { expired: boolean }>`
      SELECT *, expires_at <= ${now()} AS expired
      FROM authorization_codes WHERE digest = ${digest}`.execute(db)
    const [row] = rows
    return (
      row && {
        clientId: row.client_id,
        userId: row.user_id,
        sessionId: row.session_id,
        redirectUri: row.redirect_uri,
        redirectUriStated: row.redirect_uri_stated,
        codeChallenge: row.code_challenge,
        dpopJkt: row.dpop_jkt,
        used: row.used_at !== null,
        expired: row.expired,
        familyId: row.family_id,
      }
    )
  },

  endReused: (digest, familyId, event) =>
    inTransaction(db, async (trx) => {
      const { rows } = await sql`
        UPDATE authorization_codes SET reused_at = ${now()}
        WHERE digest = ${digest} AND reused_at IS NULL RETURNING digest`.execute(trx)
      if (rows.length === 0) return false
      await revokeFamilies(trx, now, sql`f.id = ${familyId}::uuid`, 'code_reused')
      await insertAuditEvents(trx, now, [event])
      const entry = { kind: 'fam', value: familyId } as const
      await insertRevocations(trx, now, entryLifetimeSeconds(), [entry])
      return true
    }),
})

/** One statement, in which everything must be right: who lacks a proof does not use the code up. */
const takeCode = async (
  trx: Tx,
  now: Now,
  { digest, clientId, redirectUri, codeChallenge, dpopJkt }: PresentedCode,
): Promise<CodeGrant | undefined> => {
  const uri = sql`${redirectUri ?? null}::text`
  const { rows } = await sql<Selectable<AuthorizationCodeRow>>`
    UPDATE authorization_codes SET used_at = ${now()}
    WHERE digest = ${digest} AND client_id = ${clientId}
      AND used_at IS NULL AND expires_at > ${now()}
      AND (redirect_uri = ${uri}
        OR ${uri} IS NULL AND (NOT redirect_uri_stated OR code_challenge IS NOT NULL))
      AND code_challenge IS NOT DISTINCT FROM ${codeChallenge ?? null}::text
      AND (dpop_jkt IS NULL OR dpop_jkt = ${dpopJkt ?? null}::text)
    RETURNING *`.execute(trx)
  return rows[0] && toGrant(rows[0])
}

const toGrant = (row: Selectable<AuthorizationCodeRow>): CodeGrant => ({
  userId: row.user_id,
  sessionId: row.session_id,
  credentialEpoch: row.credential_epoch,
  authTime: row.auth_time,
  amr: row.amr,
  acr: row.acr,
  scope: row.scope,
  audience: row.audience,
  authorizationDetails: row.authorization_details,
  claimsRequest: row.claims_request,
  nonce: row.nonce,
})

/**
 * Keeps a code of a session that lives, of a user who may act; what it says of the sign-in is read
 * from the session's row. @returns false when the session or the user has ended.
 */
export const insertCode = async (
  trx: Tx,
  now: Now,
  { digest, request, userId, sessionId, ttlSeconds }: NewCode,
): Promise<boolean> => {
  const json = (value: unknown) => sql`${value === undefined ? null : JSON.stringify(value)}::jsonb`
  const list = (items: readonly string[]) => sql`${[...items]}::text[]`
  const { rows } = await sql`
    WITH login AS (
      SELECT u.credential_epoch, s.auth_time, s.amr, s.acr
      FROM users u JOIN sessions s ON s.user_id = u.id
      WHERE u.id = ${userId}::uuid AND u.status = 'active'
        AND u.must_change_epoch IS DISTINCT FROM u.credential_epoch
        AND s.id = ${sessionId}::uuid AND s.ended_at IS NULL AND s.expires_at > ${now()}
      FOR SHARE OF u, s
    )
    INSERT INTO authorization_codes (digest, client_id, redirect_uri, redirect_uri_stated,
      code_challenge, dpop_jkt, user_id, session_id, credential_epoch, auth_time, amr, acr, scope,
      audience, authorization_details, claims_request, nonce, created_at, expires_at)
    SELECT ${digest}, ${request.clientId}, ${request.redirectUri}, ${request.redirectUriStated},
      ${request.codeChallenge ?? null}, ${request.dpopJkt ?? null}, ${userId}::uuid,
      ${sessionId}::uuid, credential_epoch, auth_time, amr, acr, ${list(request.scope)},
      ${request.audience === undefined ? null : list(request.audience)},
      ${json(request.authorizationDetails)}, ${json(request.claims)}, ${request.nonce ?? null},
      ${now()}, ${now()} + make_interval(secs => ${ttlSeconds}::float8)
    FROM login RETURNING digest`.execute(trx)
  return rows.length > 0
}
