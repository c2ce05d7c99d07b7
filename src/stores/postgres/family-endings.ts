import { type RawBuilder, sql } from 'kysely'
import { passwordScope } from '../../oauth/own-scope.ts'
import type { NewFamily } from '../../tokens/new-family.ts'
import type { Executor } from './database.ts'

// The verbs by which other stores begin, end and mark families inside their own transactions.
// Whoever changes a user or a session also updates its families: a refresh that waits for the
// family's lock re-reads only that row, not the joined ones, and would else see the old state.

type Now = () => RawBuilder<Date>
type Ended = { readonly id: string; readonly offline: boolean }

/** @param user the version of the users row that this transaction has locked. */
export const insertFamily = async (
  trx: Executor,
  now: Now,
  family: NewFamily,
  user: { readonly version: number },
): Promise<void> => {
  await trx
    .insertInto('refresh_families')
    .values({
      id: family.id,
      session_id: family.sessionId,
      user_id: family.userId,
      user_version: user.version,
      client_id: family.clientId,
      scope: [...family.scope],
      audience: [...family.audience],
      auth_time: family.authTime ?? now(),
      amr: [...family.amr],
      acr: family.acr,
      confirmation: family.confirmation,
      authorization_details: toJson(family.authorizationDetails),
      claims_request: toJson(family.claimsRequest),
      offline: family.offline,
      created_at: now(),
      expires_at: sql<Date>`${now()} + make_interval(secs => ${family.ttlSeconds}::float8)`,
      idle_timeout: sql<string>`make_interval(secs => ${family.idleSeconds}::float8)`,
      generation: 1,
      digest: family.digest,
      last_used_at: now(),
    })
    .execute()
}

const toJson = (value: unknown): string | null =>
  value === undefined ? null : JSON.stringify(value)

/** Ends the live families that `condition` (on alias `f`) names, in the order of their ids. */
export const revokeFamilies = async (
  trx: Executor,
  now: Now,
  condition: RawBuilder<unknown>,
  reason: string,
): Promise<Ended[]> => {
  const { rows } = await sql<Ended>`
    UPDATE refresh_families SET revoked_at = ${now()}, revoked_reason = ${reason}
    WHERE id IN (
      SELECT f.id FROM refresh_families f
      WHERE ${condition} AND f.revoked_at IS NULL ORDER BY f.id FOR UPDATE)
    RETURNING id, offline`.execute(trx)
  return rows
}

/** Families of the sessions, but for those that outlive them. */
export const revokeFamiliesOfSessions = async (
  trx: Executor,
  now: Now,
  sessionIds: readonly string[],
  reason: string,
): Promise<void> => {
  await revokeFamilies(
    trx,
    now,
    sql`f.session_id = ANY (${[...sessionIds]}::uuid[]) AND NOT f.offline`,
    reason,
  )
}

/** Live families of the user follow its new version, as after a change of roles. */
export const setUserVersion = async (
  trx: Executor,
  userId: string,
  version: number,
): Promise<void> => {
  await sql`
    UPDATE refresh_families SET user_version = ${version}
    WHERE id IN (
      SELECT f.id FROM refresh_families f
      WHERE f.user_id = ${userId}::uuid AND f.revoked_at IS NULL ORDER BY f.id FOR UPDATE)`.execute(
    trx,
  )
}

/** The families of a session may do, from their next refresh on, what they could not so far. */
export const widenFamilies = async (
  trx: Executor,
  sessionId: string,
  { scope, audience }: Pick<NewFamily, 'scope' | 'audience'>,
): Promise<void> => {
  await sql`
    UPDATE refresh_families
    SET scope = ${[...scope]}::text[], audience = ${[...audience]}::text[]
    WHERE session_id = ${sessionId}::uuid AND revoked_at IS NULL
      AND scope = ${[...passwordScope]}::text[]`.execute(trx)
}
