import { test } from 'tap'
import { byCli, isProblem, startApi } from '../endpoints/auth/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { startServer } from '../support/server-process.ts'
import { startService, testEnvironment } from '../support/service.ts'

const act = { actor: 'start', origin: {} }

test('the first administrator is made once, however many nodes start at once', async (t) => {
  const api = await startApi(t)
  const second = await startService(t, { DATABASE_URL: api.databaseUrl })
  const email = 'root@example.com'
  const nodes = [api, second, api, second, api, second]
  const made = await Promise.all(
    nodes.map(({ deps }) => deps.firstAdminAdministration.ensureFirstAdmin(email, act)),
  )
  const [created, ...more] = made.filter(({ outcome }) => outcome === 'created')
  t.equal(more.length, 0)
  t.strictSame(
    made.filter(({ outcome }) => outcome !== 'created'),
    Array.from({ length: 5 }, () => ({ outcome: 'has_admin' })),
  )
  if (created?.outcome !== 'created') throw new Error('no administrator was made')
  const { json } = await api.post('/auth/login', { email, password: created.password })
  t.match(json, { scope: 'password', user: { roles: ['admin', 'user'] } })
  const event = await api.eventOf(json.user.id, 'user.created')
  t.match(event, { actor: 'start', details: { roles: ['admin', 'user'], password: true } })
  const granted = await api.eventOf(json.user.id, 'user.role_granted')
  t.match(granted, { actor: 'start', details: { role: 'admin' } })
})

test('no administrator is made', async (t) => {
  const api = await startApi(t)
  const { ensureFirstAdmin } = api.deps.firstAdminAdministration
  const stranger = await api.join()

  await t.test('of an account that exists: whoever registered it proved nothing', async (t) => {
    t.strictSame(await ensureFirstAdmin(stranger.email, act), { outcome: 'email_taken' })
    t.strictSame((await api.get('/auth/me', stranger.token)).json.roles, ['user'])
  })

  await t.test('while an account has the role, a disabled one too', async (t) => {
    await api.deps.userAdministration.grantRole(stranger.id, 'admin', byCli)
    await api.deps.userAdministration.disableUser(stranger.id, byCli)
    t.strictSame(await ensureFirstAdmin('new@example.com', act), { outcome: 'has_admin' })
    t.equal(await api.deps.userAdministration.findUser('new@example.com'), undefined)
  })
})

test('its password expires unused after a day', async (t) => {
  const api = await startApi(t)
  const email = 'root@example.com'
  const made = await api.deps.firstAdminAdministration.ensureFirstAdmin(email, act)
  if (made.outcome !== 'created') throw new Error(made.outcome)
  api.moveTime(86_401)
  const { password } = made
  isProblem(t, await api.post('/auth/login', { email, password }), 'invalid_credentials')
})

test('ADMIN_EMAIL shows the password once, beside the log, and not at the next start', async (t) => {
  const { ISSUER: _, ...environment } = testEnvironment
  const { url: DATABASE_URL } = await createTestDatabase(t)
  const env = { ...environment, DATABASE_URL, ADMIN_EMAIL: 'root@example.com' }
  const first = await startServer(t, env)
  const shown = /^Password for the first sign-in: (\S+)$/m
  const password = shown.exec(first.output())?.[1] ?? ''
  t.match(first.output(), 'The first administrator is root@example.com.')
  t.notOk(JSON.stringify(first.log()).includes(password))
  const answer = await fetch(`${first.url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'root@example.com', password }),
  })
  t.match(await answer.json(), { scope: 'password', password_change_required: true })
  await first.stop()
  const second = await startServer(t, env)
  t.notMatch(second.output(), shown)
})
