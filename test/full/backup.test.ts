import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { postForm } from '../endpoints/oauth/requests.ts'
import { bodyOf, credentials, get, post, type SignedIn } from '../faults/over-http.ts'
import { createTestDatabase } from '../support/database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { startServer } from '../support/server-process.ts'
import { connect, register, startService, testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { dump, restore, startWithTools } from './dump-and-restore.ts'

const byForm = (refreshToken: string) => ({
  grant_type: 'refresh_token',
  refresh_token: refreshToken,
  client_id: 'first-party',
})

test('a dump restored beside nodes that run on: tokens that it knows work, endings since then stand, the rest is as of the dump', async (t) => {
  const tools = await startWithTools(t)
  const { url: databaseUrl } = await createTestDatabase(t, tools.server.url)
  const service = await startService(t, { DATABASE_URL: databaseUrl })
  const { app, deps } = service
  const join = () => register(app)
  const [untouched, ahead, out, disabled] = [await join(), await join(), await join(), await join()]
  const lost = tokenOf(await refresh(service, untouched.refresh_token))

  const file = await dump(tools, databaseUrl)

  const once = tokenOf(await refresh(service, ahead.refresh_token))
  const newest = tokenOf(await refresh(service, once))
  const newcomer = await join()
  const headers = { authorization: `Bearer ${out.access_token}` }
  const signOut = await app.inject({ method: 'POST', url: '/auth/logout', headers })
  t.equal(signOut.statusCode, 204)
  await deps.userAdministration.disableUser(disabled.user.id, { actor: 'cli', origin: {} })

  await restore(tools, databaseUrl, file)
  const db = await connect(t, service)
  await waitUntil('the node to put back what the dump does not know', async () => {
    const rows = await db.selectFrom('revocations').selectAll().execute()
    return rows.some(({ kind }) => kind === 'sub') && rows.some(({ kind }) => kind === 'sid')
  })
  // A node that was started after it, which knows only what stands in the database.
  const later = await startService(t, { DATABASE_URL: databaseUrl })

  t.equal(tokenOf(await refresh(later, untouched.refresh_token)), lost, 'a retry still')
  t.equal((await refresh(later, lost)).status, 200)
  t.equal(await isAccepted(later, untouched.access_token), true)

  t.match((await postForm(later.app, '/token', byForm(newest))).json(), {
    error: 'invalid_grant',
    code: 'diverged',
  })
  const signIn = await later.app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { email: ahead.email, password: ahead.password },
  })
  t.equal(signIn.statusCode, 200, 'a clean sign-in')
  t.equal((await refresh(later, signIn.json<SignedIn>().refresh_token)).status, 200)

  for (const { access_token, refresh_token } of [out, disabled]) {
    t.equal(await isAccepted(later, access_token), false, 'an entry refuses the access token')
    t.equal((await refresh(later, refresh_token)).status, 401)
  }
  const endings = await db
    .selectFrom('refresh_families')
    .select(['user_id', 'revoked_reason'])
    .where('user_id', 'in', [out.user.id, disabled.user.id])
    .execute()
  t.strictSame(
    endings.map(({ revoked_reason: reason }) => reason),
    ['restored', 'restored'],
    'and the refresh token does not come back when the entry is over',
  )
  t.equal((await deps.userAdministration.findUser(disabled.user.id))?.status, 'disabled')

  t.match(await refresh(later, newcomer.refresh_token), { status: 401 })
  t.equal(await deps.userAdministration.findUser(newcomer.user.id), undefined, 'is unknown')
  t.ok(await register(later.app, newcomer.email), 'and may register again')
})

// Without a key-encryption key: the one that the service has made for itself belongs to the backup.
const { KEY_ENCRYPTION_KEY: _given, ...environment } = testEnvironment

test('a cold copy of the embedded data and keys: tokens that it knows work, later ones have diverged', async (t) => {
  const folder = temporaryFolder('embedded')
  const start = (from: string) => startServer(t, environment, { folder: from })
  const first = await start(folder)
  const [account, other] = [credentials(), credentials()]
  const known = await bodyOf<SignedIn>(post(first, '/auth/register', account))
  const ahead = await bodyOf<SignedIn>(post(first, '/auth/register', other))
  t.strictSame(await first.stop(), { code: 0, signal: null })

  const copy = temporaryFolder('copy')
  for (const part of ['data', 'keys']) {
    cpSync(join(folder, part), join(copy, part), { recursive: true })
  }
  const second = await start(folder)
  const renewed = await bodyOf<SignedIn>(
    post(second, '/refresh', { refresh_token: ahead.refresh_token }),
  )
  await second.stop()

  const restored = await start(copy)
  const bearer = { authorization: `Bearer ${known.access_token}` }
  t.equal((await get(restored, '/auth/me', bearer)).status, 200, 'the same keys')
  const refreshed = await post(restored, '/refresh', { refresh_token: known.refresh_token })
  t.equal(refreshed.status, 200)
  const form = new URLSearchParams(byForm(renewed.refresh_token))
  t.match(await (await post(restored, '/token', form)).json(), {
    error: 'invalid_grant',
    code: 'diverged',
  })
  const signIn = await bodyOf<SignedIn>(post(restored, '/auth/login', other))
  const next = await post(restored, '/refresh', { refresh_token: signIn.refresh_token })
  t.equal(next.status, 200, 'a clean sign-in')
})
