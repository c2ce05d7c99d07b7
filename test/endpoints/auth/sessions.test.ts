import { test } from 'tap'
import { alive, dead, isDone, isProblem, refusedTokens, startApi } from './api.ts'

test('GET /auth/sessions', async (t) => {
  const api = await startApi(t)

  await t.test('lists live sessions with their devices, newest first', async (t) => {
    const { email, password, token: firstToken, refreshToken } = await api.join()
    const login = await api.request({
      method: 'POST',
      url: '/auth/login',
      headers: { 'user-agent': 'Phone/1' },
      remoteAddress: '192.0.2.9',
      payload: { email, password },
    })
    api.moveTime(60)
    await api.post('/auth/refresh', { refresh_token: refreshToken })
    const { status, headers, json } = await api.get('/auth/sessions', login.json.access_token)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    const [phone, first] = json.sessions
    t.strictSame(json, {
      sessions: [
        {
          id: phone.id,
          current: true,
          user_agent: 'Phone/1',
          address: '192.0.2.9',
          created_at: login.json.user.last_login_at,
          last_seen_at: phone.created_at,
          expires_at: after(phone.created_at, api.config.refreshTokenTtlSeconds),
          amr: ['pwd'],
        },
        {
          id: first.id,
          current: false,
          user_agent: 'lightMyRequest',
          address: '127.0.0.1',
          created_at: login.json.user.created_at,
          last_seen_at: first.last_seen_at,
          expires_at: after(first.created_at, api.config.refreshTokenTtlSeconds),
          amr: ['pwd'],
        },
      ],
    })
    t.ok(first.last_seen_at >= after(first.created_at, 60), 'a refresh is a sign of life')
    const seenByFirst = await api.get('/auth/sessions', firstToken)
    t.strictSame(
      seenByFirst.json.sessions.map(({ id, current }: Listed) => ({ id, current })),
      [
        { id: phone.id, current: false },
        { id: first.id, current: true },
      ],
    )
  })

  await t.test('leaves out what has ended, and what is not the own', async (t) => {
    await api.join()
    const present = await api.join()
    const ended = await api.signIn(present)
    await api.post('/auth/logout', undefined, ended.token)
    const { json } = await api.get('/auth/sessions', present.token)
    t.equal(json.sessions.length, 1)
    t.equal(json.sessions[0].current, true)
  })

  for (const [reason, token, code] of await refusedTokens(api)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.get('/auth/sessions', token), code)
    })
  }
})

test('DELETE /auth/sessions/:id', async (t) => {
  const api = await startApi(t)
  const currentId = async (token: string): Promise<string> => {
    const { json } = await api.get('/auth/sessions', token)
    return json.sessions.find(({ current }: Listed) => current).id
  }

  await t.test('ends one of the own sessions', async (t) => {
    const present = await api.join()
    const lost = await api.signIn(present)
    const id = await currentId(lost.token)
    isDone(t, await api.delete(`/auth/sessions/${id}`, present.token))
    t.strictSame(await api.isAlive(lost), dead)
    t.strictSame(await api.isAlive(present), alive)
    const again = await api.delete(`/auth/sessions/${id}`, present.token)
    isProblem(t, again, 'not_found')
  })

  await t.test('may end the present session too', async (t) => {
    const present = await api.join()
    const id = await currentId(present.token)
    isDone(t, await api.delete(`/auth/sessions/${id.toUpperCase()}`, present.token))
    t.strictSame(await api.isAlive(present), dead)
  })

  await t.test("finds neither another's session, nor an unknown one, nor nonsense", async (t) => {
    const owner = await api.join()
    const { token } = await api.join()
    for (const id of [
      await currentId(owner.token),
      crypto.randomUUID(),
      'nonsense',
      'x'.repeat(90),
      '%00',
      "1'%20OR%201=1",
      '00000000-0000-0000-0000-00000000000g',
    ]) {
      isProblem(t, await api.delete(`/auth/sessions/${id}`, token), 'not_found')
    }
    t.strictSame(await api.isAlive(owner), alive)
  })

  for (const [reason, token, code] of await refusedTokens(api)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.delete(`/auth/sessions/${crypto.randomUUID()}`, token), code)
    })
  }
})

type Listed = { readonly id: string; readonly current: boolean }

const after = (time: string, seconds: number): string =>
  new Date(Date.parse(time) + seconds * 1000).toISOString()
