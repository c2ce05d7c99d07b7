import t from 'tap'
import {
  askRegistration,
  bearer,
  createInitialToken,
  registerApp,
  webApp,
} from '../endpoints/oauth/registrations.ts'
import { startNodes } from '../support/nodes.ts'
import { connect } from '../support/service.ts'

const [near, far] = await startNodes(t)
const db = await connect(t, near)
const apps = [near.app, far.app] as const

/** What fifty requests are answered that are sent at once, to the two nodes in turn. */
const race = (send: (app: typeof near.app, index: number) => Promise<{ status: number }>) =>
  Promise.all(
    Array.from({ length: 50 }, (_, index) => send(index % 2 === 0 ? near.app : far.app, index)),
  )
const count = (answers: readonly { status: number }[], status: number): number =>
  answers.filter((answer) => answer.status === status).length

for (const maxUses of [1, 3]) {
  t.test(`50 clients at once, by a token for ${maxUses}: so many get in`, async (t) => {
    const { token, registrationToken } = await createInitialToken(near, { maxUses })
    const name = `Race ${maxUses}`
    const body = { ...webApp, client_name: name }
    const answers = await race((app) => askRegistration(app, '', { headers: bearer(token), body }))
    t.equal(count(answers, 201), maxUses)
    t.equal(count(answers, 401), 50 - maxUses)
    const rows = await db.selectFrom('clients').select('id').where('name', '=', name).execute()
    t.equal(rows.length, maxUses, 'who was refused has left nothing')
    const [kept] = (await near.deps.registrationTokenAdministration.list()).filter(
      ({ id }) => id === registrationToken.id,
    )
    t.equal(kept?.uses, maxUses)
  })
}

t.test('a token that is revoked while clients register lets in none after that', async (t) => {
  const { token, registrationToken } = await createInitialToken(near, { maxUses: null })
  const register = (app: typeof near.app) =>
    askRegistration(app, '', { headers: bearer(token), body: webApp })
  const racing = race(register)
  await far.deps.registrationTokenAdministration.revoke(registrationToken.id, {
    actor: 'cli',
    origin: {},
  })
  for (const app of apps) t.equal((await register(app)).status, 401)
  const answers = await racing
  t.equal(count(answers, 201) + count(answers, 401), 50)
})

t.test('a registration ends once, whatever else is done with it at the same time', async (t) => {
  const client = await registerApp(near)
  const put = { ...webApp, client_id: client.id, client_name: 'Late' }
  const answers = await race((app, index) =>
    index % 5 === 0
      ? askRegistration(app, client.id, {
          method: 'PUT',
          headers: bearer(client.access),
          body: put,
        })
      : askRegistration(app, client.id, { method: 'DELETE', headers: bearer(client.access) }),
  )
  t.equal(count(answers, 204), 1)
  t.equal(count(answers, 204) + count(answers, 200) + count(answers, 401), 50)
  const rows = await db.selectFrom('clients').select('id').where('id', '=', client.id).execute()
  t.strictSame(rows, [])
  const events = await db
    .selectFrom('audit_events')
    .select('type')
    .where('client_id', '=', client.id)
    .where('type', '=', 'client.deleted')
    .execute()
  t.equal(events.length, 1)
})
