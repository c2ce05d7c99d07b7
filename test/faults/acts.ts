import { type Kysely, sql } from 'kysely'
import type { Database } from '../../src/stores/postgres/schema.ts'
import type { register, TestService } from '../support/service.ts'

export type Person = Awaited<ReturnType<typeof register>>

/** A request as any way of sending takes it. */
export type ActRequest = {
  readonly url: string
  readonly contentType: 'application/json' | 'application/x-www-form-urlencoded'
  readonly body: string
}

/** Something that a request does in several tables at once. */
export type Act = {
  readonly request: (person: Person) => ActRequest
  /** How often each of its traces stands in the database: all equally often, or it is half done. */
  readonly traces: (db: Kysely<Database>, person: Person) => Promise<readonly number[]>
  /** How often they stand there before. */
  readonly before: number
}

const json = (url: string, body: object): ActRequest => ({
  url,
  contentType: 'application/json',
  body: JSON.stringify(body),
})

const form = (url: string, fields: Record<string, string>): ActRequest => ({
  url,
  contentType: 'application/x-www-form-urlencoded',
  body: new URLSearchParams(fields).toString(),
})

const count = async (
  db: Kysely<Database>,
  traces: ReturnType<typeof sql>,
): Promise<readonly number[]> => {
  const { rows } = await sql<{ traces: number[] }>`SELECT ${traces} AS traces`.execute(db)
  return rows[0]?.traces ?? []
}

const audited = (userId: string, type: string) =>
  sql`(SELECT count(*) FROM audit_events WHERE subject = ${userId} AND type = ${type})`

const signIn: Act = {
  request: ({ email, password }) => json('/auth/login', { email, password }),
  before: 1,
  traces: (db, { user: { id } }) =>
    count(
      db,
      sql`ARRAY[
        (SELECT count(*) FROM sessions WHERE user_id = ${id}::uuid),
        (SELECT count(*) FROM refresh_families WHERE user_id = ${id}::uuid),
        ${audited(id, 'session.created')}, ${audited(id, 'family.created')},
        ${audited(id, 'sign_in.succeeded')}]::int[]`,
    ),
}

const revocation: Act = {
  request: ({ refresh_token: token }) => form('/revoke', { token, client_id: 'first-party' }),
  before: 0,
  traces: (db, { user: { id } }) =>
    count(
      db,
      sql`ARRAY[
        (SELECT count(revoked_at) FROM refresh_families WHERE user_id = ${id}::uuid),
        (SELECT count(*) FROM revocations r JOIN refresh_families f
           ON r.kind = 'fam' AND r.value = f.id::text WHERE f.user_id = ${id}::uuid),
        ${audited(id, 'family.revoked')}]::int[]`,
    ),
}

const signOut: Act = {
  request: ({ refresh_token }) => json('/auth/logout', { refresh_token }),
  before: 0,
  traces: (db, { user: { id } }) =>
    count(
      db,
      sql`ARRAY[
        (SELECT count(ended_at) FROM sessions WHERE user_id = ${id}::uuid),
        (SELECT count(revoked_at) FROM refresh_families WHERE user_id = ${id}::uuid),
        (SELECT count(*) FROM revocations r JOIN sessions s
           ON r.kind = 'sid' AND r.value = s.id::text WHERE s.user_id = ${id}::uuid),
        ${audited(id, 'session.ended')}]::int[]`,
    ),
}

/** Acts whose answer is a promise that all of it is done. */
export const acts = {
  'sign-in': signIn,
  revocation,
  'sign-out': signOut,
} as const satisfies Record<string, Act>

/** Whether an act was answered as done. */
export const isDone = (status: number): boolean => status === 200 || status === 204

/** Asks a node in this process for an act. @returns the status of its answer */
export const ask = async ({ app }: TestService, act: Act, person: Person): Promise<number> => {
  const { url, contentType, body } = act.request(person)
  const headers = { 'content-type': contentType }
  const response = await app.inject({ method: 'POST', url, headers, payload: body })
  return response.statusCode
}
