import { test } from 'tap'
import { alive, dead, isDone, isProblem, newPassword, refusedTokens, startApi } from './api.ts'

test('POST /auth/logout', async (t) => {
  const api = await startApi(t)

  await t.test('by access token ends the session, and no other', async (t) => {
    const first = await api.join()
    const second = await api.signIn(first)
    isDone(t, await api.post('/auth/logout', undefined, first.token))
    t.strictSame(await api.isAlive(first), dead)
    t.strictSame(await api.isAlive(second), alive)
    const { actor, details } = await api.eventOf(first.id, 'session.ended')
    t.strictSame({ actor, details }, { actor: first.id, details: { reason: 'signed_out' } })
  })

  await t.test('by refresh token ends the session, whatever its generation', async (t) => {
    const person = await api.join()
    const refreshed = await api.post('/auth/refresh', { refresh_token: person.refreshToken })
    await api.post('/auth/refresh', { refresh_token: refreshed.json.refresh_token })
    isDone(t, await api.post('/auth/logout', { refresh_token: person.refreshToken }))
    t.strictSame(await api.isAlive(person), dead)
    isProblem(t, await api.get('/auth/me', refreshed.json.access_token), 'revoked_token')
  })

  await t.test('is idempotent', async (t) => {
    const { token, refreshToken } = await api.join()
    for (let round = 0; round < 2; round += 1) {
      isDone(t, await api.post('/auth/logout', undefined, token))
      isDone(t, await api.post('/auth/logout', { refresh_token: refreshToken }))
    }
  })

  await t.test('ends both sessions where the two tokens belong to two', async (t) => {
    const first = await api.join()
    const second = await api.signIn(first)
    isDone(t, await api.post('/auth/logout', { refresh_token: first.refreshToken }, second.token))
    t.strictSame(await api.isAlive(first), dead)
    t.strictSame(await api.isAlive(second), dead)
  })

  await t.test('needs no good access token beside a refresh token', async (t) => {
    const person = await api.join()
    isDone(t, await api.post('/auth/logout', { refresh_token: person.refreshToken }, 'nonsense'))
    t.strictSame(await api.isAlive(person), dead)
  })

  await t.test('tells a stranger nothing about a refresh token', async (t) => {
    for (const unknown of ['x', `trt_${'A'.repeat(92)}`]) {
      isDone(t, await api.post('/auth/logout', { refresh_token: unknown }))
    }
  })

  await t.test("leaves the session alone when the refresh token is another client's", async (t) => {
    const person = await api.join()
    const { client } = await api.deps.clientAdministration.create(
      { name: 'App', authenticationMethod: 'none', grantTypes: ['refresh_token'] },
      { actor: 'cli', origin: {} },
    )
    await api.db
      .updateTable('refresh_families')
      .set({ client_id: client.id })
      .where('user_id', '=', person.id)
      .execute()
    isDone(t, await api.post('/auth/logout', { refresh_token: person.refreshToken }))
    t.equal((await api.get('/auth/me', person.token)).status, 200)
  })

  await t.test('is no promise for a token that alone was revoked', async (t) => {
    const { token } = await api.join()
    const verification = await api.deps.verifier.verify(token)
    if (!verification.ok) throw new Error(verification.reason)
    await api.db
      .insertInto('revocations')
      .values({
        kind: 'jti',
        value: verification.claims.tokenId,
        expires_at: verification.claims.expiresAt,
      })
      .execute()
    await api.deps.revocations.announce()
    isProblem(t, await api.post('/auth/logout', undefined, token), 'revoked_token')
  })

  for (const [reason, token, code] of await refusedTokens(api)) {
    if (code === 'revoked_token') continue
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.post('/auth/logout', undefined, token), code)
    })
  }

  await t.test('refuses a body that it does not know', async (t) => {
    const { token } = await api.join()
    isProblem(t, await api.post('/auth/logout', { everywhere: true }, token), 'validation', {
      fields: [{ field: 'everywhere', message: 'is not a member of this request' }],
    })
    t.equal((await api.get('/auth/me', token)).status, 200)
  })
})

test('POST /auth/logout-all', async (t) => {
  const api = await startApi(t)

  await t.test('ends all sessions of the user, and of nobody else', async (t) => {
    const bystander = await api.join()
    const first = await api.join()
    const second = await api.signIn(first)
    isDone(t, await api.post('/auth/logout-all', undefined, second.token))
    t.strictSame(await api.isAlive(first), dead)
    t.strictSame(await api.isAlive(second), dead)
    t.strictSame(await api.isAlive(bystander), alive)
    const { actor, details } = await api.eventOf(first.id, 'session.all_ended')
    t.strictSame({ actor, details }, { actor: first.id, details: { sessions: 2, families: 2 } })
  })

  await t.test('lets the user sign in again in the same second', async (t) => {
    const person = await api.join()
    isDone(t, await api.post('/auth/logout-all', undefined, person.token))
    t.strictSame(await api.isAlive(await api.signIn(person)), alive)
  })

  for (const [reason, token, code] of await refusedTokens(api)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.post('/auth/logout-all', undefined, token), code)
    })
  }
})

test('a sign-out on one node holds on the other', async (t) => {
  const api = await startApi(t)
  const other = await startApi(t, { DATABASE_URL: api.databaseUrl })
  const person = await api.join({ password: newPassword() })
  t.equal((await other.get('/auth/me', person.token)).status, 200)
  isDone(t, await api.post('/auth/logout', undefined, person.token))
  isDone(t, await other.post('/auth/logout', { refresh_token: person.refreshToken }))
  t.strictSame(await other.isAlive(person), dead)
})
