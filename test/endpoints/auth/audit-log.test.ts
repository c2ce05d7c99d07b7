import { test } from 'tap'
import { startAdminApi } from '../admin/admin-api.ts'
import { isProblem, refusedTokens } from './api.ts'

type Event = { type: string; actor: string | null; address: string | null; subject: string }

test('GET /auth/audit-log', async (t) => {
  const api = await startAdminApi(t)

  await t.test(
    'tells what happened on the own account, newest first, and nothing else',
    async (t) => {
      const person = await api.join()
      await api.join()
      await api.patch('/auth/me', { name: 'Anna' }, person.token)
      const { status, headers, json } = await api.get('/auth/audit-log', person.token)
      t.equal(status, 200)
      t.equal(headers['cache-control'], 'no-store')
      t.strictSame(json.next_cursor, null)
      t.strictSame(
        json.events.map(({ type }: Event) => type).sort(),
        [
          'user.created',
          'user.updated',
          'sign_in.succeeded',
          'session.created',
          'family.created',
        ].sort(),
      )
      t.ok(json.events.every(({ subject }: Event) => subject === person.id))
      const [{ id, time, request_id: requestId, ...latest }] = json.events
      t.match(id, /^[0-9a-f-]{36}$/)
      t.ok(Date.parse(time) > 0 && requestId.length > 0)
      t.strictSame(latest, {
        type: 'user.updated',
        severity: 'info',
        outcome: 'success',
        actor: person.id,
        subject: person.id,
        client_id: null,
        session_id: null,
        family_id: null,
        address: '127.0.0.1',
        user_agent: 'lightMyRequest',
        details: { changed: ['name'] },
      })
    },
  )

  await t.test('shows what another person did to it, but not from where', async (t) => {
    const admin = await api.joinPermitted('roles.write')
    const person = await api.join()
    const from = { requestId: 'r1', address: '192.0.2.1', userAgent: 'Admin/1' }
    const act = { actor: admin.id, origin: from }
    await api.deps.userAdministration.grantRole(person.id, 'admin', act)
    const granted = ({ type }: Event) => type === 'user.role_granted'
    const seen = (await api.get('/auth/audit-log', person.token)).json.events.find(granted)
    t.match(seen, { actor: admin.id, address: null, user_agent: null, request_id: null })
    const done = (await api.get('/auth/audit-log', admin.token)).json.events.find(
      ({ type, subject }: Event) => type === 'user.role_granted' && subject === person.id,
    )
    t.match(done, { address: '192.0.2.1', user_agent: 'Admin/1', request_id: 'r1' })
  })

  await t.test('comes in pages, each event once', async (t) => {
    const person = await api.join()
    const { json: whole } = await api.get('/auth/audit-log?limit=100', person.token)
    const paged: unknown[] = []
    let cursor: string | null = ''
    do {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`
      const { json } = await api.get(`/auth/audit-log?limit=2${query}`, person.token)
      t.ok(json.events.length <= 2)
      paged.push(...json.events)
      cursor = json.next_cursor
    } while (cursor !== null)
    t.strictSame(paged, whole.events)
  })

  await t.test('names what is wrong with the query', async (t) => {
    const { token } = await api.join()
    const bad = {
      'limit=0': ['limit', 'must be >= 1'],
      'limit=101': ['limit', 'must be <= 100'],
      'limit=ten': ['limit', 'must be of type integer'],
      'limit=1&limit=2': ['limit', 'must be of type integer'],
      'cursor=bm9uc2Vuc2U': ['cursor', 'must be the next_cursor of a page'],
      'subject=x': ['subject', 'is not a member of this request'],
    } as const
    for (const [query, [field, message]] of Object.entries(bad)) {
      const answer = await api.get(`/auth/audit-log?${query}`, token)
      isProblem(t, answer, 'validation', { fields: [{ field, message }] })
    }
  })

  await t.test('needs an access token of a person', async (t) => {
    for (const [, token, code] of await refusedTokens(api)) {
      isProblem(t, await api.get('/auth/audit-log', token), code)
    }
  })
})
