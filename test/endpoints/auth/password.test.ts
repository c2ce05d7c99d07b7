import { test } from 'tap'
import {
  alive,
  dead,
  isDone,
  isProblem,
  malformedBodies,
  newPassword,
  refusedTokens,
  startApi,
} from './api.ts'

test('POST /auth/password', async (t) => {
  const api = await startApi(t)
  const change = (token: string | undefined, current: string, next: string) =>
    api.post('/auth/password', { current_password: current, new_password: next }, token)

  await t.test('replaces the password, keeps this session and ends the others', async (t) => {
    const present = await api.join()
    const other = await api.signIn(present)
    const { email, password, id } = present
    const next = newPassword()
    isDone(t, await change(present.token, password, next))
    t.strictSame(await api.isAlive(present), alive)
    t.strictSame(await api.isAlive(other), dead)
    isProblem(t, await api.post('/auth/login', { email, password }), 'invalid_credentials')
    t.strictSame(await api.isAlive(await api.signIn({ email, password: next })), alive)
    const { actor, details } = await api.eventOf(id, 'user.password_changed')
    t.strictSame({ actor, details }, { actor: id, details: { sessions: 1, families: 1 } })
  })

  await t.test('refuses a wrong current password, and notes it (ASVS 5.0 6.2.3)', async (t) => {
    const { token, email, password, id } = await api.join()
    isProblem(t, await change(token, 'guessed it?', newPassword()), 'wrong_password')
    t.equal((await api.post('/auth/login', { email, password })).status, 200)
    const { outcome, details } = await api.eventOf(id, 'user.password_change_failed')
    t.strictSame(
      { outcome, details },
      { outcome: 'failure', details: { reason: 'wrong_password' } },
    )
  })

  await t.test('holds the new password to the same rules as the first', async (t) => {
    const { token, password, email } = await api.join({ username: 'my-own-name' })
    isProblem(t, await change(token, password, '1234567'), 'validation', {
      fields: [{ field: 'new_password', message: 'must have at least 8 characters' }],
    })
    isProblem(t, await change(token, password, password), 'validation', {
      fields: [{ field: 'new_password', message: 'must differ from the current password' }],
    })
    const detail =
      'This password is among the first that others would try: choose a longer or less usual one, and not your name'
    for (const common of ['iloveyou1', 'MY-OWN-NAME', email]) {
      isProblem(t, await change(token, password, common), 'password_too_common', { detail })
    }
    t.equal((await api.post('/auth/login', { email, password })).status, 200)
  })

  const { token: someToken } = await api.join()
  const good = { current_password: newPassword(), new_password: newPassword() }
  for (const [reason, body, code, options] of malformedBodies(good)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.post('/auth/password', body as object, someToken), code, options)
    })
  }

  for (const [reason, token, code] of await refusedTokens(api)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await change(token, newPassword(), newPassword()), code)
    })
  }
})
