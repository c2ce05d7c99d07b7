import { test } from 'tap'
import { alive, dead, isDone, isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

test('sessions of a person as administrators see and end them', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()
  const sessionsOf = async (id: string) =>
    (await api.get(`/admin/users/${id}/sessions`, admin.token)).json.sessions

  await t.test('they are listed as the person sees them', async (t) => {
    const person = await api.join()
    await api.signIn(person)
    const own = (await api.get('/auth/sessions', person.token)).json.sessions
    t.strictSame(
      await sessionsOf(person.id),
      own.map(({ current: _, ...session }: { current: boolean }) => session),
    )
  })

  await t.test('one ends and the others go on', async (t) => {
    const present = await api.join()
    const lost = await api.signIn(present)
    const [{ id }] = await sessionsOf(present.id)
    const url = `/admin/users/${present.id}/sessions/${id}`
    isDone(t, await api.delete(url, admin.token))
    isProblem(t, await api.delete(url, admin.token), 'not_found')
    t.strictSame(await api.isAlive(lost), dead)
    t.strictSame(await api.isAlive(present), alive)
    t.match(await api.eventOf(present.id, 'session.ended'), { actor: admin.id, session_id: id })
  })

  await t.test("another's session, an unknown one and nonsense are not found", async (t) => {
    const owner = await api.join()
    const other = await api.join()
    const [{ id }] = await sessionsOf(owner.id)
    for (const session of [id, crypto.randomUUID(), 'nonsense', '%00']) {
      const url = `/admin/users/${other.id}/sessions/${session}`
      isProblem(t, await api.delete(url, admin.token), 'not_found')
    }
    for (const person of [crypto.randomUUID(), 'nonsense', '%00']) {
      const url = `/admin/users/${person}/sessions`
      isProblem(t, await api.get(url, admin.token), 'not_found')
      isProblem(t, await api.delete(`${url}/${id}`, admin.token), 'not_found')
    }
    t.strictSame(await api.isAlive(owner), alive)
  })
})
