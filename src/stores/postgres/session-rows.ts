import { type RawBuilder, sql } from 'kysely'
import type { NewBrowserSession, NewSession } from '../../accounts/session-store.ts'
import type { Act } from '../../audit/act.ts'
import { acrOf } from '../../oauth/acr.ts'
import type { Tx } from './database.ts'

type Now = () => RawBuilder<Date>

/** A session as it stands after a sign-in. */
export type SessionAt = { readonly id: string; readonly at: Date; readonly expires_at: Date }

const expiry = (now: Now, ttlSeconds: number) =>
  sql<Date>`${now()} + make_interval(secs => ${ttlSeconds}::float8)`

export const insertSession = async (
  trx: Tx,
  now: Now,
  userId: string,
  session: NewSession | NewBrowserSession,
  { origin }: Act,
): Promise<SessionAt> =>
  trx
    .insertInto('sessions')
    .values({
      id: session.id,
      user_id: userId,
      user_agent: origin.userAgent ?? null,
      address: origin.address ?? null,
      amr: [...session.amr],
      acr: acrOf(session.amr),
      auth_time: now(),
      created_at: now(),
      expires_at: expiry(now, session.ttlSeconds),
      ...('family' in session ? {} : { cookie_digest: session.cookieDigest, last_seen_at: now() }),
    })
    .returning(['id', 'auth_time as at', 'expires_at'])
    .executeTakeFirstOrThrow()

/**
 * A person authenticates again in a browser that has a live session of theirs: that one goes on,
 * under the new secret only. undefined when there is none.
 */
export const renewSession = async (
  trx: Tx,
  now: Now,
  userId: string,
  session: NewSession | NewBrowserSession,
): Promise<SessionAt | undefined> => {
  if ('family' in session || session.keptDigests.length === 0) return undefined
  const { rows } = await sql<SessionAt>`
    UPDATE sessions SET cookie_digest = ${session.cookieDigest}, amr = ${[...session.amr]}::text[],
      acr = ${acrOf(session.amr)}, auth_time = ${now()}, last_seen_at = ${now()}, expires_at = ${expiry(now, session.ttlSeconds)}
    WHERE id = (
      SELECT s.id FROM sessions s
      WHERE s.user_id = ${userId}::uuid AND s.cookie_digest = ANY (${[...session.keptDigests]}::bytea[])
        AND s.ended_at IS NULL AND s.expires_at > ${now()}
      ORDER BY s.auth_time DESC LIMIT 1 FOR UPDATE)
    RETURNING id, auth_time AS at, expires_at`.execute(trx)
  return rows[0]
}
