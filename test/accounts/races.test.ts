import { sql } from 'kysely'
import { type Test, test } from 'tap'
import { connectPostgres } from '../../src/stores/postgres/database.ts'
import { alive, byCli, dead, isProblem, newPassword, startApi } from '../endpoints/auth/api.ts'
import { openPostgres, poolOptions, type SqlBackend } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'
import { act, grantOf, newSession, openAccountStores } from './account-rows.ts'

/**
 * Lets acts on one user queue for its row and then go in exactly this order: each is started once
 * the one before waits for the lock that is held meanwhile.
 */
const inOrder = async <T extends readonly unknown[]>(
  { db }: Pick<SqlBackend, 'db'>,
  userId: string,
  acts: { readonly [Index in keyof T]: () => Promise<T[Index]> },
): Promise<T> => {
  const running: Promise<unknown>[] = []
  await db.transaction().execute(async (holder) => {
    await sql`SELECT FROM users WHERE id = ${userId}::uuid FOR UPDATE`.execute(holder)
    for (const start of acts) {
      running.push(start())
      await waitUntil(`${running.length} waiting for the user's row`, async () => {
        const { rows } = await sql<{ waiting: number }>`
          SELECT count(*) AS waiting FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db)
        return rows[0]?.waiting === running.length
      })
    }
  })
  return (await Promise.all(running)) as unknown as T
}

const openRace = async (t: Test) => {
  const backend = await openPostgres(t)
  const stores = await openAccountStores(backend)
  const { id } = await stores.createUser()
  const { session: present } = await stores.signIn(id)
  const signIn = (session = newSession(id)) =>
    stores.sessions.signIn({ userId: id, credentialEpoch: 1 }, session, act)
  const liveSessions = async () => (await stores.sessions.list(id, undefined)).map((s) => s.id)
  const changePassword = () =>
    stores.users.changePassword(
      {
        userId: id,
        passwordHash: 'hash-2',
        credentialEpoch: 1,
        keptSessionId: present.id,
        grantOf,
      },
      act,
    )
  return { ...stores, backend, id, present, signInAs: signIn, liveSessions, changePassword }
}

test('a sign-in verified against the old password comes after its change: refused', async (t) => {
  const race = await openRace(t)
  const [changed, opened] = await inOrder(race.backend, race.id, [
    race.changePassword,
    () => race.signInAs(),
  ])
  t.equal(changed, true)
  t.equal(opened, undefined)
  t.strictSame(await race.liveSessions(), [race.present.id])
})

test('a sign-in just before the change of the password is ended by it', async (t) => {
  const race = await openRace(t)
  const session = newSession(race.id)
  const [opened, changed] = await inOrder(race.backend, race.id, [
    () => race.signInAs(session),
    race.changePassword,
  ])
  t.ok(opened)
  t.equal(changed, true)
  t.strictSame(await race.liveSessions(), [race.present.id])
  t.ok((await race.entries()).includes(`sid:${session.id}`))
  t.ok((await race.familyRow(session.family.id)).revoked_at)
})

test('of two changes of one password at once, one is made', async (t) => {
  const race = await openRace(t)
  const changes = await inOrder(race.backend, race.id, [race.changePassword, race.changePassword])
  t.strictSame(changes, [true, false])
})

test('a sign-in that comes after the disabling is refused, one before is ended', async (t) => {
  const race = await openRace(t)
  const before = newSession(race.id)
  const [opened, , refused] = await inOrder(race.backend, race.id, [
    () => race.signInAs(before),
    () => race.users.disable(race.id, act),
    () => race.signInAs(),
  ])
  t.ok(opened)
  t.equal(refused, undefined)
  t.strictSame(await race.liveSessions(), [])
  t.strictSame(
    await race.entries(),
    [`sid:${before.id}`, `sid:${race.present.id}`, `sub:${race.id}`].sort(),
  )
})

test('a session opened just before a sign-out everywhere is ended by it', async (t) => {
  const race = await openRace(t)
  const session = newSession(race.id)
  await inOrder(race.backend, race.id, [
    () => race.signInAs(session),
    () => race.sessions.endAll(race.id, act),
  ])
  t.strictSame(await race.liveSessions(), [])
  t.ok((await race.familyRow(session.family.id)).revoked_at)
})

test('a family that is born just before a change of roles follows it', async (t) => {
  const race = await openRace(t)
  const session = newSession(race.id)
  await inOrder(race.backend, race.id, [
    () => race.signInAs(session),
    () => race.users.grantRole(race.id, 'admin', act),
  ])
  t.equal((await race.familyRow(session.family.id)).user_version, 2)
  t.equal((await race.userRow(race.id)).version, 2)
})

test('sign-ins that wait for one another keep the limit, and none ends itself', async (t) => {
  const race = await openRace(t)
  const sessions = [1, 2, 3, 4].map(() => newSession(race.id, { limit: 2 }))
  await inOrder(
    race.backend,
    race.id,
    sessions.map((session) => () => race.signInAs(session)),
  )
  const live = await race.liveSessions()
  t.equal(live.length, 2)
  t.ok(live.includes(sessions.at(-1)?.id ?? ''), 'the last to come through is alive')
})

test('the first-party API under races', async (t) => {
  const api = await startApi(t)

  await t.test('of registrations of one email address at once, one is made', async (t) => {
    for (let round = 0; round < 5; round += 1) {
      const email = `${crypto.randomUUID()}@example.com`
      const spellings = [email, email.toUpperCase(), ` ${email}`]
      const answers = await Promise.all(
        spellings.map((spelling) =>
          api.post('/auth/register', { email: spelling, password: newPassword() }),
        ),
      )
      const [made, ...others] = answers.sort((a, b) => a.status - b.status)
      t.equal(made?.status, 201)
      for (const other of others) isProblem(t, other, 'email_taken')
    }
    const rows = await api.db.selectFrom('sessions').select('id').execute()
    t.equal(rows.length, 5, 'whoever lost left nothing behind')
  })

  await t.test(
    'a change of the password leaves nothing of the old one, whoever races it',
    async (t) => {
      for (let round = 0; round < 5; round += 1) {
        const person = await api.join()
        const { email, password } = person
        const next = newPassword()
        const [changed, ...logins] = await Promise.all([
          api.post(
            '/auth/password',
            { current_password: password, new_password: next },
            person.token,
          ),
          ...[1, 2, 3, 4].map(() => api.post('/auth/login', { email, password })),
        ])
        t.equal(changed.status, 204)
        for (const { status, json } of logins) {
          t.ok(status === 200 || status === 401, `status ${status}`)
          if (status === 401) continue
          const old = { token: json.access_token, refreshToken: json.refresh_token }
          t.strictSame(await api.isAlive(old), dead)
        }
        t.strictSame(await api.isAlive(person), alive)
      }
    },
  )

  await t.test('a disabling leaves nothing alive, whoever races it', async (t) => {
    for (let round = 0; round < 5; round += 1) {
      const person = await api.join()
      const { email, password, id, refreshToken } = person
      const [, refreshed, ...logins] = await Promise.all([
        api.deps.userAdministration.disableUser(id, byCli),
        api.post('/auth/refresh', { refresh_token: refreshToken }),
        ...[1, 2, 3, 4].map(() => api.post('/auth/login', { email, password })),
      ])
      for (const { status, json } of [refreshed, ...logins]) {
        t.ok(status === 200 || status === 401, `status ${status}`)
        if (status === 401) continue
        const born = { token: json.access_token, refreshToken: json.refresh_token }
        t.strictSame(await api.isAlive(born), dead)
      }
      t.strictSame(await api.isAlive(person), dead)
    }
  })

  await t.test('the 101st session ends the oldest, and twenty at once end twenty', async (t) => {
    const person = await api.join()
    const older = [person]
    for (let session = 2; session <= 100; session += 1) {
      older.push({ ...person, ...(await api.signIn(person)) })
    }
    const countLive = async (token: string) => {
      const { json } = await api.get('/auth/sessions', token)
      return json.sessions.length
    }
    t.equal(await countLive(person.token), 100)
    const newest = await api.signIn(person)
    t.equal(await countLive(newest.token), 100)
    isProblem(t, await api.get('/auth/me', person.token), 'revoked_token')

    const racing = await Promise.all(Array.from({ length: 20 }, () => api.signIn(person)))
    t.equal(await countLive(newest.token), 100)
    for (const session of racing) t.strictSame(await api.isAlive(session), alive)
    for (const [index, session] of older.entries()) {
      const { status } = await api.get('/auth/me', session.token)
      t.equal(status, index < 21 ? 401 : 200)
    }
  })

  await t.test('acts on one user at once neither deadlock nor fail', async (t) => {
    const other = await connectPostgres(api.databaseUrl, { ...poolOptions, size: 1 }, () => {})
    t.teardown(() => other.destroy())
    for (let round = 0; round < 5; round += 1) {
      const person = await api.join()
      const sessions = await Promise.all([1, 2, 3, 4].map(() => api.signIn(person)))
      const [first, second, third, fourth] = sessions
      const answers = await Promise.all([
        api.post('/auth/logout', undefined, first?.token),
        api.post('/auth/logout', { refresh_token: second?.refreshToken }),
        api.post('/auth/logout-all', undefined, third?.token),
        api.patch('/auth/me', { name: 'Jo' }, fourth?.token),
        api.post('/auth/login', { email: person.email, password: person.password }),
        ...sessions.map(({ refreshToken }) =>
          api.post('/auth/refresh', { refresh_token: refreshToken }),
        ),
      ])
      for (const { status } of answers) t.ok([200, 204, 401].includes(status), `status ${status}`)
    }
    const { rows } = await sql<{ deadlocks: number }>`
    SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`.execute(other)
    t.equal(rows[0]?.deadlocks, 0)
  })
})
