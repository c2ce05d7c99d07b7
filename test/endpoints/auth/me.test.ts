import { test } from 'tap'
import { byCli, isProblem, malformedBodies, refusedTokens, startApi } from './api.ts'

test('GET /auth/me', async (t) => {
  const api = await startApi(t)

  await t.test('shows the own account, never the password', async (t) => {
    const { token, user } = await api.join({ name: 'Jo' })
    const { status, headers, json, body } = await api.get('/auth/me', token)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(json, user)
    t.notMatch(body, /argon2|password|hash/)
  })

  for (const [reason, token, code] of await refusedTokens(api)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.get('/auth/me', token), code)
    })
  }

  await t.test('refuses a header that is no bearer token', async (t) => {
    const answer = await api.request({
      method: 'GET',
      url: '/auth/me',
      headers: { authorization: 'Basic Og==' },
    })
    isProblem(t, answer, 'malformed_authorization')
  })

  await t.test('takes no token from the query (OAuth 2.1 §5.2)', async (t) => {
    const { token } = await api.join()
    isProblem(t, await api.get(`/auth/me?access_token=${token}`), 'missing_credentials')
  })
})

test('PATCH /auth/me', async (t) => {
  const api = await startApi(t)

  await t.test('changes what is given, clears what is null, leaves the rest', async (t) => {
    const { token, user, id } = await api.join({ name: 'Jo', given_name: 'Jo', family_name: 'Doe' })
    const { status, headers, json } = await api.patch(
      '/auth/me',
      { name: ' Johanna Doe ', given_name: null },
      token,
    )
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(json, {
      ...user,
      name: 'Johanna Doe',
      given_name: null,
      updated_at: json.updated_at,
    })
    t.ok(json.updated_at > user.updated_at)
    t.strictSame((await api.get('/auth/me', token)).json, json)
    const { actor, details } = await api.eventOf(id, 'user.updated')
    t.strictSame({ actor, details }, { actor: id, details: { changed: ['name', 'given_name'] } })
  })

  await t.test('changes nothing when nothing is given', async (t) => {
    const { token, user, id } = await api.join()
    t.strictSame((await api.patch('/auth/me', {}, token)).json, user)
    t.strictSame(await api.eventsOf(id, 'user.updated'), [])
  })

  await t.test('changes email and username with the current password', async (t) => {
    const { token, password, email } = await api.join({ username: 'before' })
    const change = { email: 'After@example.com', username: 'After', current_password: password }
    const { status, json } = await api.patch('/auth/me', change, token)
    t.equal(status, 200)
    t.strictSame([json.email, json.username], ['After@example.com', 'After'])
    t.equal((await api.post('/auth/login', { email, password })).status, 401)
    for (const name of [{ email: 'after@example.com' }, { username: 'after' }]) {
      t.equal((await api.post('/auth/login', { ...name, password })).status, 200)
    }
    t.equal((await api.get('/auth/me', token)).status, 200, 'the session goes on')
    const cleared = await api.patch(
      '/auth/me',
      { username: null, current_password: password },
      token,
    )
    t.equal(cleared.json.username, null)
    t.equal((await api.join({ username: 'AFTER' })).user.username, 'AFTER', 'it is free again')
  })

  await t.test('needs the current password for them (ASVS 5.0 7.5.1)', async (t) => {
    const { token, user } = await api.join()
    const message = 'is needed to change the email or the username'
    for (const change of [{ email: 'thief@example.com' }, { username: 'thief' }]) {
      isProblem(t, await api.patch('/auth/me', change, token), 'validation', {
        fields: [{ field: 'current_password', message }],
      })
    }
    t.strictSame((await api.get('/auth/me', token)).json, user)
  })

  await t.test('refuses a wrong current password, and notes it', async (t) => {
    const { token, user, id } = await api.join()
    const change = { email: 'thief@example.com', name: 'Thief', current_password: 'guessed it?' }
    isProblem(t, await api.patch('/auth/me', change, token), 'wrong_password')
    t.strictSame((await api.get('/auth/me', token)).json, user)
    const { outcome, severity, details } = await api.eventOf(id, 'user.update_failed')
    t.strictSame(
      { outcome, severity, details },
      { outcome: 'failure', severity: 'warning', details: { reason: 'wrong_password' } },
    )
  })

  await t.test('refuses names that are taken', async (t) => {
    const { email } = await api.join({ username: 'mine' })
    const { token, password } = await api.join()
    const change = (names: object) =>
      api.patch('/auth/me', { ...names, current_password: password }, token)
    isProblem(t, await change({ email: email.toUpperCase() }), 'email_taken')
    isProblem(t, await change({ username: 'MINE' }), 'username_taken')
  })

  await t.test('names every field that is wrong', async (t) => {
    const { token } = await api.join()
    const change = { email: 'no address', name: '', family_name: 'x'.repeat(201) }
    isProblem(t, await api.patch('/auth/me', change, token), 'validation', {
      fields: [
        { field: 'email', message: 'must be an email address of at most 254 characters' },
        { field: 'name', message: 'must be 1 to 200 characters' },
        { field: 'family_name', message: 'must be 1 to 200 characters' },
        {
          field: 'current_password',
          message: 'is needed to change the email or the username',
        },
      ],
    })
  })

  await t.test('refuses members that are not for the user to change', async (t) => {
    const { token, user } = await api.join()
    for (const [member, value] of Object.entries({ id: 'x', roles: ['admin'], status: 'active' })) {
      isProblem(t, await api.patch('/auth/me', { [member]: value }, token), 'validation', {
        fields: [{ field: member, message: 'is not a member of this request' }],
      })
    }
    t.strictSame((await api.get('/auth/me', token)).json, user)
  })

  const { token: someToken } = await api.join()
  for (const [reason, body, code, options] of malformedBodies({ email: 'jo@example.com' })) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.patch('/auth/me', body as object, someToken), code, options)
    })
  }

  for (const [reason, token, code] of await refusedTokens(api)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.patch('/auth/me', { name: 'Jo' }, token), code)
    })
  }
})

test('a disabled account is refused at once', async (t) => {
  const api = await startApi(t)
  const { token, id } = await api.join()
  await api.deps.userAdministration.disableUser(id, byCli)
  isProblem(t, await api.get('/auth/me', token), 'revoked_token')
  isProblem(t, await api.patch('/auth/me', { name: 'Jo' }, token), 'revoked_token')
  await api.deps.userAdministration.enableUser(id, byCli)
  isProblem(t, await api.get('/auth/me', token), 'revoked_token')
})
