import { type RawBuilder, sql } from 'kysely'
import { emailKey, foldName } from '../../accounts/name-key.ts'
import type { FoundUsers, UserSearch } from '../../accounts/user-store.ts'
import type { Executor } from './database.ts'
import { toUser, type UserRow, userColumns } from './user-rows.ts'

/** One page, in the order of folded email addresses; one row more tells whether there is another. */
export const searchUsers = async (
  executor: Executor,
  { text, status, role, after, limit }: UserSearch,
): Promise<FoundUsers> => {
  const conditions = [
    ...(text === undefined ? [] : [beginsWith(text)]),
    ...(status === undefined ? [] : [sql`u.status = ${status}`]),
    ...(role === undefined ? [] : [sql`u.roles @> ARRAY[${role}::text]`]),
    ...(after === undefined ? [] : [sql`u.email_key > ${after}`]),
    sql`true`,
  ]
  const { rows } = await sql<UserRow>`
    SELECT ${userColumns} FROM users u WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY u.email_key LIMIT ${limit + 1}::int`.execute(executor)
  const users = rows.slice(0, limit).map(toUser)
  const last = users.at(-1)
  const next = rows.length > limit && last !== undefined ? emailKey(last.email) : undefined
  return { users, next }
}

// Folded as the keys of the names are; the full name has no key, and is folded by the database.
const beginsWith = (text: string): RawBuilder<unknown> => {
  const folded = toPrefix(foldName(text.trim()))
  return sql`(u.email_key LIKE ${folded} OR u.username_key LIKE ${folded}
    OR lower(u.name) LIKE ${toPrefix(text.trim().toLowerCase())})`
}

const toPrefix = (text: string): string => `${text.replace(/[\\%_]/g, '\\$&')}%`
