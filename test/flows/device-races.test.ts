import { test } from 'tap'
import { approve, beginDevice, createDeviceClient, pollDevice } from '../endpoints/oauth/device.ts'
import { byOperator } from '../endpoints/oauth/requests.ts'
import { startNodes } from '../support/nodes.ts'
import { connect, register } from '../support/service.ts'

test('devices on two nodes', async (t) => {
  const nodes = await startNodes(t)
  const [first] = nodes
  const db = await connect(t, first)
  const client = await createDeviceClient(first, ['refresh_token'])
  const inParallel = <T>(act: (node: (typeof nodes)[number]) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: 50 }, (_, index) => act(nodes[index % 2] ?? first)))

  await t.test('an approved code gives tokens once in fifty requests at once', async (t) => {
    const { device_code, user_code } = await beginDevice(first, client)
    await approve(first, db, user_code)
    const answers = await inParallel((node) => pollDevice(node, client, device_code))
    const outcomes = answers.map((answer) => answer.json().error ?? answer.statusCode)
    t.equal(outcomes.filter((outcome) => outcome === 200).length, 1)
    t.equal(outcomes.filter((outcome) => outcome === 'invalid_grant').length, 49)
    const families = await db
      .selectFrom('refresh_families')
      .select('id')
      .where('client_id', '=', client.id)
      .execute()
    t.equal(families.length, 1)
  })

  await t.test('of fifty refusals at once one counts, and none after an approval', async (t) => {
    const refused = await beginDevice(first, client)
    const { id = '' } = (await first.deps.deviceRequests.find(refused.user_code)) ?? {}
    const denials = await inParallel(({ deps }) => deps.deviceCodes.deny(id, byOperator))
    t.equal(denials.filter((done) => done).length, 1)
    const events = await db
      .selectFrom('audit_events')
      .select('id')
      .where('type', '=', 'device.denied')
      .execute()
    t.equal(events.length, 1)
    await t.rejects(approve(first, db, refused.user_code), { message: /does not wait/ })
  })

  await t.test('of fifty approvals at once, by two people, one counts', async (t) => {
    const { user_code } = await beginDevice(first, client)
    const { id = '' } = (await first.deps.deviceRequests.find(user_code)) ?? {}
    const people = [await register(first.app), await register(first.app)]
    const logins = await Promise.all(
      people.map(async ({ user }) => {
        const { id: sessionId } = await db
          .selectFrom('sessions')
          .select('id')
          .where('user_id', '=', user.id)
          .executeTakeFirstOrThrow()
        return { userId: user.id, sessionId }
      }),
    )
    let turn = 0
    const approvals = await inParallel(({ deps }) => {
      turn += 1
      const login = logins[turn % 2] ?? { userId: '', sessionId: '' }
      return deps.deviceCodes.approve(id, login, { actor: login.userId, origin: {} })
    })
    t.equal(approvals.filter((done) => done).length, 1)
    const events = await db
      .selectFrom('audit_events')
      .select('id')
      .where('type', '=', 'device.approved')
      .where('actor', 'in', [...people.map(({ user }) => user.id)])
      .execute()
    t.equal(events.length, 1)
  })

  await t.test('of fifty polls at once all but one are too early', async (t) => {
    const { device_code } = await beginDevice(first, client)
    const answers = await inParallel((node) => pollDevice(node, client, device_code))
    const errors = answers.map((answer) => answer.json().error)
    t.equal(errors.filter((error) => error === 'authorization_pending').length, 1)
    t.equal(errors.filter((error) => error === 'slow_down').length, 49)
  })
})
