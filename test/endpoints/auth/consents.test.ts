import { test } from 'tap'
import { isAccepted } from '../../support/nodes.ts'
import { byOperator } from '../oauth/requests.ts'
import { isDone, isProblem, refusedTokens, startApi } from './api.ts'

const startWithClient = async (t: Parameters<typeof startApi>[0]) => {
  const api = await startApi(t)
  const { client } = await api.deps.clientAdministration.create({ name: 'Notes' }, byOperator)
  const consent = (userId: string) =>
    api.deps.accounts.ownConsents.grant(
      {
        userId,
        clientId: client.id,
        scope: ['notes:read'],
        audience: ['https://notes.example'],
        authorizationDetails: [{ type: 'folder', id: '7' }],
      },
      {},
    )
  return { api, client, consent }
}

test('GET /auth/consents', async (t) => {
  const { api, client, consent } = await startWithClient(t)
  const { token, id } = await api.join()

  await t.test('lists what the own account has allowed', async (t) => {
    t.strictSame((await api.get('/auth/consents', token)).json, { consents: [] })
    await consent(id)
    const { status, headers, json } = await api.get('/auth/consents', token)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(json, {
      consents: [
        {
          client_id: client.id,
          client_name: 'Notes',
          scope: ['notes:read'],
          audience: ['https://notes.example'],
          authorization_details: [{ type: 'folder', id: '7' }],
          granted_at: json.consents[0].granted_at,
        },
      ],
    })
    const { token: other } = await api.join()
    t.strictSame((await api.get('/auth/consents', other)).json, { consents: [] })
  })

  for (const [reason, given, code] of await refusedTokens(api)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.get('/auth/consents', given), code)
      isProblem(t, await api.delete(`/auth/consents/${client.id}`, given), code)
    })
  }
})

test('DELETE /auth/consents/:client_id', async (t) => {
  const { api, client, consent } = await startWithClient(t)

  await t.test('takes back, with the tokens that the app has', async (t) => {
    const { token, id, refreshToken } = await api.join()
    await consent(id)
    const families = () =>
      api.db.updateTable('refresh_families').where('user_id', '=', id).set({ client_id: client.id })
    isDone(t, await api.delete(`/auth/consents/${client.id}`, token))
    isProblem(t, await api.delete(`/auth/consents/${client.id}`, token), 'not_found')
    t.strictSame((await api.get('/auth/consents', token)).json, { consents: [] })
    t.ok(await isAccepted(api, token), 'the session of the person goes on')
    await consent(id)
    await families().execute()
    isDone(t, await api.delete(`/auth/consents/${client.id}`, token))
    t.notOk(await isAccepted(api, token), "the access token of the app's family is refused")
    const refreshed = await api.post('/auth/refresh', { refresh_token: refreshToken })
    t.equal(refreshed.status, 401)
  })

  await t.test('does not know what was never allowed, and takes any text', async (t) => {
    const { token } = await api.join()
    for (const text of [client.id, 'nobody', '%00', '%F0%9F%98%80', 'a'.repeat(500)]) {
      isProblem(t, await api.delete(`/auth/consents/${text}`, token), 'not_found')
    }
  })
})
