import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { NewSession } from '../../src/accounts/session-store.ts'
import type { GrantOf } from '../../src/accounts/sign-in-grant.ts'
import type { User } from '../../src/accounts/user.ts'
import type { NewUser } from '../../src/accounts/user-store.ts'
import type { Act } from '../../src/audit/act.ts'
import { createUserStore } from '../../src/stores/postgres/accounts.ts'
import { insertFamily } from '../../src/stores/postgres/family-endings.ts'
import { createSessionStore } from '../../src/stores/postgres/sessions.ts'
import type { SqlBackend } from '../support/sql-backends.ts'

/** How long the entries of these tests stand, in seconds. */
export const entryLifetime = 1000

/** Who acts in these tests, and from where. */
export const act: Act = {
  actor: 'tester',
  origin: { requestId: 'request-1', address: '192.0.2.1', userAgent: 'Test/1' },
}

/** A user as it is stored for the first time; a test names only what matters to it. */
export const newUser = (rest: Partial<NewUser> = {}): NewUser => {
  const id = rest.id ?? randomUUID()
  return { id, email: `${id}@example.com`, passwordHash: 'hash-1', roles: ['user'], ...rest }
}

/** What the sessions of these tests may do. */
export const grantOf: GrantOf = ({ permissions }) => ({
  scope: ['account', ...permissions],
  audience: ['https://issuer.example'],
})

/** A session with its first-party family, ready to be stored. */
export const newSession = (userId: string, rest: Partial<NewSession> = {}): NewSession => {
  const id = rest.id ?? randomUUID()
  return {
    id,
    amr: ['pwd'],
    ttlSeconds: 3600,
    grantOf,
    limit: 100,
    family: {
      id: randomUUID(),
      sessionId: id,
      userId,
      clientId: 'first-party',
      scope: [],
      audience: ['https://issuer.example'],
      amr: ['pwd'],
      acr: null,
      confirmation: null,
      offline: false,
      ttlSeconds: 3600,
      idleSeconds: 600,
      digest: randomBytes(32),
    },
    ...rest,
  }
}

/** Takes the audit table away meanwhile: an act that cannot be told of must not happen. */
export const withoutAudit = async <T>({ db }: SqlBackend, act: () => Promise<T>): Promise<T> => {
  await sql`ALTER TABLE audit_events RENAME TO audit_events_away`.execute(db)
  try {
    return await act()
  } finally {
    await sql`ALTER TABLE audit_events_away RENAME TO audit_events`.execute(db)
  }
}

/** The stores of accounts on a database, emptied, and what tests read and write beside them. */
export const openAccountStores = async (backend: SqlBackend) => {
  const { db, now } = backend
  await sql`TRUNCATE users, clients, revocations, audit_events CASCADE`.execute(db)
  const users = createUserStore(backend, () => entryLifetime)
  const sessions = createSessionStore(backend, () => entryLifetime)
  await db
    .insertInto('clients')
    .values({
      id: 'first-party',
      name: 'First-party API',
      authentication_method: 'none',
      grant_types: ['refresh_token'],
      scope: ['account', 'admin'],
      audience: [],
      resource_server: [],
      redirect_uris: [],
    })
    .execute()

  const createUser = async (rest: Partial<NewUser> = {}): Promise<User> => {
    const created = await users.create(newUser(rest), act)
    if (typeof created === 'string') throw new Error(created)
    return created
  }

  const signIn = async (userId: string, rest: Partial<NewSession> = {}) => {
    const session = newSession(userId, rest)
    const opened = await sessions.signIn({ userId, credentialEpoch: 1 }, session, act)
    if (opened === undefined) throw new Error('the sign-in was refused')
    return { session, opened }
  }

  /** An app's family that outlives its session. */
  const addOfflineFamily = async (userId: string, sessionId: string): Promise<string> => {
    const { family } = newSession(userId, { id: sessionId })
    const { version } = await userRow(userId)
    await insertFamily(db, now, { ...family, offline: true }, { version })
    return family.id
  }

  const userRow = (id: string) =>
    db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

  const sessionRow = (id: string) =>
    db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

  const familyRow = (id: string) =>
    db.selectFrom('refresh_families').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

  /** `kind:value` of every entry that stands, sorted. */
  const entries = async (): Promise<string[]> => {
    const rows = await db
      .selectFrom('revocations')
      .select(['kind', 'value'])
      .where('lifted', '=', false)
      .execute()
    return rows.map(({ kind, value }) => `${kind}:${value}`).sort()
  }

  /** Events about a subject, in the order of their types; what an act writes has one time. */
  const events = (subject: string) =>
    db
      .selectFrom('audit_events')
      .select(['type', 'severity', 'outcome', 'actor', 'session_id', 'family_id', 'details'])
      .where('subject', '=', subject)
      .orderBy('type')
      .execute()

  return {
    ...{ users, sessions, createUser, signIn, addOfflineFamily },
    ...{ userRow, sessionRow, familyRow, entries, events },
  }
}
