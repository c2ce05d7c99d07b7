import { randomUUID } from 'node:crypto'
import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { AuthorizationRequest } from '../../authorize/authorization-request.ts'
import type {
  AuthorizationRequestStore,
  Pending,
  StoredRequest,
} from '../../authorize/request-store.ts'
import { insertAuditEvents } from './audit.ts'
import { insertCode } from './authorization-codes.ts'
import { type Connection, type Executor, inTransaction } from './database.ts'
import type { AuthorizationRequestRow } from './schema.ts'

export const createAuthorizationRequestStore = ({
  db,
  now,
}: Connection): AuthorizationRequestStore => {
  const seconds = (count: number) => sql<Date>`${now()} + make_interval(secs => ${count}::float8)`
  const open = () => sql`used_at IS NULL AND expires_at > ${now()}`
  const isOfBrowser = (digest: Buffer) =>
    sql`(browser_digest = ${digest} OR browser_digest IS NULL)`

  const insert = async (
    request: AuthorizationRequest,
    rest: Partial<Pick<AuthorizationRequestRow, 'pushed_digest' | 'browser_digest'>>,
    ttlSeconds: number,
  ): Promise<string> => {
    const id = randomUUID()
    await db
      .insertInto('authorization_requests')
      .values({
        id,
        client_id: request.clientId,
        request: JSON.stringify(request),
        ...rest,
        created_at: now(),
        expires_at: seconds(ttlSeconds),
      })
      .execute()
    return id
  }

  const select = async (condition: RawBuilder<unknown>): Promise<StoredRequest | undefined> => {
    const { rows } = await sql<Row>`
      SELECT id, request, session_id, expires_at, ${now()} AS at,
        CASE WHEN browser_digest IS NULL THEN ${now()} ELSE created_at END AS created_at
      FROM authorization_requests WHERE ${condition} AND ${open()}`.execute(db)
    return rows[0] && toStored(rows[0])
  }

  const update = async (
    executor: Executor,
    { id, browserDigest }: Pending,
    change: RawBuilder<unknown>,
  ): Promise<boolean> => {
    const { rows } = await sql`
      UPDATE authorization_requests SET ${change}
      WHERE id = ${id}::uuid AND ${isOfBrowser(browserDigest)} AND ${open()}
      RETURNING id`.execute(executor)
    return rows.length > 0
  }

  return {
    async now() {
      const { rows } = await sql<{ at: Date }>`SELECT ${now()} AS at`.execute(db)
      return (rows[0] as { at: Date }).at
    },
    push: async (request, referenceDigest, ttlSeconds) => {
      await insert(request, { pushed_digest: referenceDigest }, ttlSeconds)
    },
    findPushed: (clientId, referenceDigest, browserDigest) =>
      select(sql`pushed_digest = ${referenceDigest} AND client_id = ${clientId}
        AND ${isOfBrowser(browserDigest)}`),
    keep: (request, browserDigest, ttlSeconds) =>
      insert(request, { browser_digest: browserDigest }, ttlSeconds),
    // From when its browser came on a request waits as long as any other.
    claim: (pending, ttlSeconds) =>
      update(
        db,
        pending,
        sql`browser_digest = ${pending.browserDigest},
          created_at = CASE WHEN browser_digest IS NULL THEN ${now()} ELSE created_at END,
          expires_at = CASE WHEN browser_digest IS NULL THEN ${seconds(ttlSeconds)}
            ELSE expires_at END`,
      ),
    find: ({ id, browserDigest }) =>
      select(sql`id = ${id}::uuid AND browser_digest = ${browserDigest}`),
    choose: (pending, sessionId) => update(db, pending, sql`session_id = ${sessionId}::uuid`),
    close: (pending, events) =>
      inTransaction(db, async (trx) => {
        if (!(await update(trx, pending, sql`used_at = ${now()}`))) return false
        await insertAuditEvents(trx, now, events)
        return true
      }),
    complete: (pending, code, events) =>
      inTransaction(db, async (trx) => {
        if (pending && !(await update(trx, pending, sql`used_at = ${now()}`))) return 'used'
        if (!(await insertCode(trx, now, code))) throw new LoginEnded()
        await insertAuditEvents(trx, now, events)
        return 'completed'
      }).catch((error: unknown) => {
        if (error instanceof LoginEnded) return 'login_ended'
        throw error
      }),
  }
}

/** Takes the transaction back: the request still waits for somebody to sign in. */
class LoginEnded extends Error {}

type Row = Pick<
  Selectable<AuthorizationRequestRow>,
  'id' | 'request' | 'session_id' | 'created_at' | 'expires_at'
> & { at: Date }

const toStored = (row: Row): StoredRequest => ({
  id: row.id,
  request: row.request,
  sessionId: row.session_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  now: row.at,
})
