import { test } from 'tap'
import { byCli, isProblem, malformedBodies, startApi } from './api.ts'

test('POST /auth/refresh, and the same at POST /refresh', async (t) => {
  const api = await startApi(t)
  const refresh = (refreshToken: string, url = '/auth/refresh') =>
    api.post(url, { refresh_token: refreshToken })

  for (const url of ['/auth/refresh', '/refresh']) {
    await t.test(`${url} exchanges a refresh token for new tokens`, async (t) => {
      const { refreshToken, token, id } = await api.join()
      const { status, headers, json } = await refresh(refreshToken, url)
      t.equal(status, 200)
      t.equal(headers['cache-control'], 'no-store')
      const { access_token: nextToken, refresh_token: nextRefreshToken, ...rest } = json
      t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'account' })
      t.not(nextToken, token)
      t.not(nextRefreshToken, refreshToken)
      t.equal((await api.get('/auth/me', nextToken)).json.id, id)
      t.equal((await refresh(nextRefreshToken, url)).status, 200)
    })
  }

  await t.test('shows what has changed about the user since (fresh roles)', async (t) => {
    const { email, password, id } = await api.join()
    await api.deps.userAdministration.grantRole(id, 'admin', byCli)
    const { refreshToken } = await api.signIn({ email, password })
    await api.deps.userAdministration.revokeRole(id, 'admin', byCli)
    const { status, json } = await refresh(refreshToken)
    t.equal(status, 200)
    t.equal(json.scope, 'account')
    const verified = await api.post('/auth/verify', { token: json.access_token })
    t.strictSame([verified.json.roles, verified.json.permissions], [['user'], []])
  })

  await t.test('answers a retry inside the grace window with the same successor', async (t) => {
    const { refreshToken } = await api.join()
    const [first, retry] = [await refresh(refreshToken), await refresh(refreshToken)]
    t.equal(retry.status, 200)
    t.equal(retry.json.refresh_token, first.json.refresh_token)
  })

  await t.test('ends the family when a token is used again after that', async (t) => {
    const { refreshToken, token } = await api.join()
    const next = await refresh(refreshToken)
    t.equal((await refresh(next.json.refresh_token)).status, 200)
    isProblem(t, await refresh(refreshToken), 'reused_refresh_token')
    isProblem(t, await refresh(next.json.refresh_token), 'revoked_refresh_token')
    isProblem(t, await api.get('/auth/me', token), 'revoked_token')
  })

  await t.test('tells a revoked token from an unknown one', async (t) => {
    const { refreshToken, token } = await api.join()
    t.equal((await api.post('/auth/logout', undefined, token)).status, 204)
    isProblem(t, await refresh(refreshToken), 'revoked_refresh_token')
    const changed = refreshToken.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    for (const unknown of [changed, 'trt_', 'x', token]) {
      isProblem(t, await refresh(unknown), 'invalid_refresh_token')
    }
  })

  await t.test('tells a disabled user that the token was revoked', async (t) => {
    const { refreshToken, id } = await api.join()
    await api.deps.userAdministration.disableUser(id, byCli)
    isProblem(t, await refresh(refreshToken), 'revoked_refresh_token')
  })

  await t.test("knows another client's token no more than one that nobody made", async (t) => {
    const { refreshToken, id } = await api.join()
    const { client } = await api.deps.clientAdministration.create(
      { name: 'App', authenticationMethod: 'none', grantTypes: ['refresh_token'] },
      byCli,
    )
    await api.db
      .updateTable('refresh_families')
      .set({ client_id: client.id })
      .where('user_id', '=', id)
      .execute()
    isProblem(t, await refresh(refreshToken), 'invalid_refresh_token')
  })

  for (const [reason, body, code, options] of malformedBodies({ refresh_token: 'trt_x' })) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.post('/auth/refresh', body as object), code, options)
    })
  }

  await t.test('refuses what has expired, by rest or by age', async (t) => {
    const idle = await api.join()
    api.moveTime(api.config.refreshIdleSeconds)
    isProblem(t, await refresh(idle.refreshToken), 'expired_refresh_token')
    let { refreshToken } = await api.join()
    const half = api.config.refreshIdleSeconds / 2
    for (let age = half; age < api.config.refreshTokenTtlSeconds; age += half) {
      api.moveTime(half)
      const { status, json } = await refresh(refreshToken)
      t.equal(status, 200)
      refreshToken = json.refresh_token
    }
    api.moveTime(half)
    isProblem(t, await refresh(refreshToken), 'expired_refresh_token')
  })
})
