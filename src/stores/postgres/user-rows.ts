import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { Profile } from '../../accounts/fields.ts'
import { emailKey, usernameKey } from '../../accounts/name-key.ts'
import type { User, UserReference } from '../../accounts/user.ts'
import type { NameTaken, NewUser } from '../../accounts/user-store.ts'
import type { Act } from '../../audit/act.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import type { Executor, Tx } from './database.ts'
import { violatedUnique } from './failure.ts'
import type { UserRow as UserTable } from './schema.ts'

/** A user as `userColumns` reads it. */
export type UserRow = Omit<
  Selectable<UserTable>,
  | 'email_key'
  | 'username_key'
  | 'password_hash'
  | 'credential_epoch'
  | 'must_change_epoch'
  | 'password_expires_at'
> & { readonly permissions: string[]; readonly must_change_password: boolean }

/** What the roles of `users u` allow, read in the same statement. */
export const permissionsOfUser = sql<string[]>`ARRAY(
  SELECT DISTINCT unnest(r.permissions) FROM roles r WHERE r.name = ANY (u.roles) ORDER BY 1)`

/** Whether the password of `users u` must be changed before anything else. */
export const mustChangePassword = sql<boolean>`
  coalesce(u.must_change_epoch = u.credential_epoch, false)`

/** Of `users u`. The password's hash is not among them. */
export const userColumns = sql<UserRow>`
  u.id, u.email, u.username, u.name, u.given_name, u.family_name, u.roles, u.status, u.version,
  u.created_at, u.updated_at, u.last_login_at, u.deleted_at,
  ${mustChangePassword} AS must_change_password, ${permissionsOfUser} AS permissions`

/** Condition on `users u`. */
export const isReferredTo = (reference: UserReference): RawBuilder<boolean> => {
  if ('id' in reference) return sql`u.id = ${reference.id}::uuid`
  return 'email' in reference
    ? sql`u.email_key = ${emailKey(reference.email)}`
    : sql`u.username_key = ${usernameKey(reference.username)}`
}

export const toUser = (row: UserRow): User => ({
  id: row.id,
  email: row.email,
  username: row.username,
  name: row.name,
  givenName: row.given_name,
  familyName: row.family_name,
  roles: row.roles,
  permissions: row.permissions,
  status: row.status,
  mustChangePassword: row.must_change_password,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  lastLoginAt: row.last_login_at,
  deletedAt: row.deleted_at,
})

export const findUser = async (
  executor: Executor,
  reference: UserReference,
): Promise<User | undefined> => {
  const { rows } = await sql<UserRow>`
    SELECT ${userColumns} FROM users u WHERE ${isReferredTo(reference)}`.execute(executor)
  return rows[0] && toUser(rows[0])
}

/** Columns that a profile sets: those of its members that are stated. */
export const toColumns = ({ email, username, name, givenName, familyName }: Profile) => ({
  ...(email === undefined ? {} : { email, email_key: emailKey(email) }),
  ...(username === undefined ? {} : { username, username_key: username && usernameKey(username) }),
  ...(name === undefined ? {} : { name }),
  ...(givenName === undefined ? {} : { given_name: givenName }),
  ...(familyName === undefined ? {} : { family_name: familyName }),
})

/** Names of those columns, without the keys that follow from others. */
export const statedColumns = (profile: Profile): string[] =>
  Object.keys(toColumns(profile)).filter((name) => !name.endsWith('_key'))

/** @throws the driver's error when a name is taken; see `nameTaken`. */
export const insertUser = async (
  trx: Tx,
  now: () => RawBuilder<Date>,
  user: NewUser,
  signsIn: boolean,
): Promise<UserRow> => {
  const { id, passwordHash, roles, initialPasswordSeconds: seconds } = user
  const { rows } = await sql<UserRow>`
    WITH u AS (${trx
      .insertInto('users')
      .values({
        ...toColumns(user),
        id,
        email: user.email,
        email_key: emailKey(user.email),
        password_hash: passwordHash,
        roles: [...new Set(roles)].sort(),
        created_at: now(),
        updated_at: now(),
        last_login_at: signsIn ? now() : null,
        ...(seconds === undefined ? {} : initialPassword(now, seconds)),
      })
      .returningAll()})
    SELECT ${userColumns} FROM u`.execute(trx)
  return rows[0] as UserRow
}

/** Of a new account, whose credential epoch is 1. */
const initialPassword = (now: () => RawBuilder<Date>, seconds: number) => ({
  must_change_epoch: 1,
  password_expires_at: sql<Date>`${now()} + make_interval(secs => ${seconds}::float8)`,
})

/** Which name a unique rule refused, as a value; every other error is thrown on. */
export const nameTaken = (error: unknown): NameTaken => {
  const constraint = violatedUnique(error)
  if (constraint === 'users_email_key_key') return 'email_taken'
  if (constraint === 'users_username_key_key') return 'username_taken'
  throw error
}

/** What the log says of an account that somebody made: each role beyond `user` was given to it. */
export const creationEvents = (
  { id, roles }: Pick<UserRow, 'id' | 'roles'>,
  act: Act,
  password: boolean,
): RecordedEvent[] => [
  userEvent('user.created', id, act, { details: { roles, password } }),
  ...roles
    .filter((role) => role !== 'user')
    .map((role) => userEvent('user.role_granted', id, act, { details: { role } })),
]

/** An audit event about a user. */
export const userEvent = (
  type: RecordedEvent['type'],
  userId: string,
  { actor, origin }: Act,
  rest: Pick<RecordedEvent, 'details' | 'sessionId' | 'familyId' | 'clientId'> = {},
): RecordedEvent => ({ type, outcome: 'success', actor, subject: userId, origin, ...rest })
