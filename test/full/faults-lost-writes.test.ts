import { Client } from 'pg'
import t, { test } from 'tap'
import { postForm } from '../endpoints/oauth/requests.ts'
import { type FaultyDatabase, familyRow, startBehindProxy } from '../faults/faulty-database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { keptThroughKill, startPostgresServer } from '../support/postgres-server.ts'
import { register, startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

// A failover to a server that had not received everything, and a restore of an older copy: the
// database comes back without what it had promised.
const postgres = await startPostgresServer(t, { settings: keptThroughKill })
const operator = { actor: 'cli', origin: {} }

const signOut = async ({ app }: TestService, accessToken: string): Promise<void> => {
  const headers = { authorization: `Bearer ${accessToken}` }
  const response = await app.inject({ method: 'POST', url: '/auth/logout', headers })
  if (response.statusCode !== 204) throw new Error(response.body)
}

const onServer = async (act: (client: Client) => Promise<unknown>): Promise<void> => {
  const client = new Client({ connectionString: postgres.url })
  client.on('error', () => {})
  await client.connect()
  await act(client).finally(() => client.end())
}

/** A database under its name that nobody is connected to while `act` works on it. */
const onUnusedDatabase = async (
  { databaseUrl, proxy }: FaultyDatabase,
  act: (client: Client, name: string) => Promise<unknown>,
): Promise<void> => {
  const name = new URL(databaseUrl).pathname.slice(1)
  proxy.cut()
  await onServer(async (client) => {
    await waitUntil('nobody to use the database', async () => {
      const { rowCount } = await client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
        [name],
      )
      return rowCount === 0
    })
    await act(client, name)
  })
}

/** As on a standby, until it is promoted. */
const setReadOnly = (databaseUrl: string, value: 'on' | 'off'): Promise<void> =>
  onServer(async (client) => {
    const name = new URL(databaseUrl).pathname.slice(1)
    await client.query(`ALTER DATABASE "${name}" SET default_transaction_read_only = ${value}`)
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
      [name],
    )
  })

const isBack = async (service: TestService): Promise<boolean> => {
  await service.deps.revocations.announce()
  return true
}

test('revocations that a failover lost are written again by a node that knows them; lifted ones are not', async (t) => {
  const faulty = await startBehindProxy(t, {}, postgres.url)
  const { service, db, databaseUrl } = faulty
  const [gone, back] = [await register(service.app), await register(service.app)]
  await signOut(service, gone.access_token)
  await service.deps.userAdministration.disableUser(back.user.id, operator)
  t.equal(await isAccepted(service, back.access_token), false)
  await service.deps.userAdministration.enableUser(back.user.id, operator)
  const written = await db.selectFrom('revocations').selectAll().execute()
  await db.deleteFrom('revocations').execute()
  await setReadOnly(databaseUrl, 'on')
  await postgres.stop()
  await postgres.start()
  await waitUntil('the standby', () => isBack(service))
  t.equal(await isAccepted(service, gone.access_token), false, 'a standby cannot be told yet')
  await setReadOnly(databaseUrl, 'off')
  const entries = await waitUntil('the entries to be back', async () => {
    const rows = await db.selectFrom('revocations').selectAll().execute()
    return rows.length > 0 && rows
  })
  const standing = written.filter(({ lifted }) => !lifted)
  t.ok(standing.length > 0 && standing.length < written.length, 'some were lifted')
  t.strictSame(
    entries.map(({ kind, value, expires_at }) => ({ kind, value, expires_at })),
    standing.map(({ kind, value, expires_at }) => ({ kind, value, expires_at })),
  )
  const newcomer = await startService(t, { DATABASE_URL: databaseUrl })
  for (const node of [service, newcomer]) {
    t.equal(await isAccepted(node, gone.access_token), false)
  }
})

test('an older copy of the database: rotated tokens have diverged, sign-outs still stand, a sign-in works', async (t) => {
  const faulty = await startBehindProxy(t, {}, postgres.url)
  const { service, proxy, db } = faulty
  const [first, second, gone] = [
    await register(service.app),
    await register(service.app),
    await register(service.app),
  ]
  await onUnusedDatabase(faulty, (client, name) =>
    client.query(`CREATE DATABASE "${name}_copy" TEMPLATE "${name}"`),
  )
  proxy.restore()
  await waitUntil('the service', () => isBack(service))
  const ahead = [first, second].map(async ({ refresh_token: token }) => {
    const once = tokenOf(await refresh(service, token))
    return tokenOf(await refresh(service, once))
  })
  const [newest = '', other = ''] = await Promise.all(ahead)
  await signOut(service, gone.access_token)

  await onUnusedDatabase(faulty, async (client, name) => {
    await client.query(`DROP DATABASE "${name}"`)
    await client.query(`ALTER DATABASE "${name}_copy" RENAME TO "${name}"`)
  })
  await postgres.stop()
  await postgres.start()
  proxy.restore()
  await waitUntil('the service', () => isBack(service))

  t.match(await refresh(service, newest), { status: 401, body: { code: 'reused_refresh_token' } })
  const answer = await postForm(service.app, '/token', {
    grant_type: 'refresh_token',
    refresh_token: other,
    client_id: 'first-party',
  })
  t.match(
    { status: answer.statusCode, body: answer.json() },
    { status: 400, body: { error: 'invalid_grant', code: 'diverged' } },
  )
  for (const { refresh_token: token } of [first, second]) {
    t.match(await refresh(service, token), { status: 401, body: { code: 'revoked_refresh_token' } })
  }
  const audited = await db
    .selectFrom('audit_events')
    .select(['subject', 'severity', 'outcome'])
    .where('type', '=', 'family.diverged')
    .orderBy('occurred_at')
    .execute()
  t.strictSame(
    audited,
    [first, second].map(({ user }) => ({
      subject: user.id,
      severity: 'warning',
      outcome: 'failure',
    })),
  )
  t.equal(
    await isAccepted(service, gone.access_token),
    false,
    'the database forgot, the node did not',
  )
  t.match(await refresh(service, gone.refresh_token), {
    status: 401,
    body: { code: 'revoked_refresh_token' },
  })
  t.match(await familyRow(db, gone.user.id), { revoked_reason: 'restored' }, 'for good')
  const { email, password } = first
  const signIn = await service.app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { email, password },
  })
  t.equal(signIn.statusCode, 200)
  t.equal((await refresh(service, signIn.json().refresh_token)).status, 200)
})
