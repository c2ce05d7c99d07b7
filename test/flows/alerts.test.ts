import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type Test, test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { createLogger } from '../../src/plugins/logger.ts'
import { alertKey, type Delivery, startAlertReceiver } from '../support/alert-receiver.ts'
import { register, startService, testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const byCli = { actor: 'cli', origin: {} }

/** A node that looks for alerts often. */
const startNode = async (t: Test, databaseUrl: string, environment: Record<string, string>) => {
  const config = loadConfig(
    { ...testEnvironment, DATABASE_URL: databaseUrl, ...environment },
    () => '',
  )
  let offset = 0
  const deps = await createDeps(config, createLogger('silent'), {
    timeOffset: () => offset,
    alertIntervalMs: 30,
  })
  t.teardown(() => deps.close())
  await deps.beginService()
  return {
    deps,
    moveTime(seconds: number) {
      offset += seconds
    },
  }
}

const isGenuine = ({ headers, body }: Delivery): boolean => {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const expected = `v1,${createHmac('sha256', alertKey).update(signed).digest('base64')}`
  return headers['webhook-signature'] === expected
}

const dataOf = ({ body }: Delivery) => JSON.parse(body).data

test('alerts: an act of an administrator reaches the receiver once, signed, though three nodes watch', async (t) => {
  const { messages, settings } = await startAlertReceiver(t)
  const { app, databaseUrl } = await startService(t)
  const { user } = await register(app)
  const nodes = await Promise.all([1, 2, 3].map(() => startNode(t, databaseUrl, settings)))
  await nodes[0]?.deps.userAdministration.grantRole(user.id, 'admin', byCli)
  const [message] = await waitUntil('the alert', () => messages.length > 0 && messages)
  t.ok(message && isGenuine(message))
  t.match(message && dataOf(message), {
    issuer: 'http://localhost:4000',
    rule: 'admin_change',
    severity: 'critical',
    count: 1,
    type: 'user.role_granted',
    actor: 'cli',
    subject: user.id,
  })
  await nodes[1]?.deps.userAdministration.disableUser(user.id, byCli)
  await waitUntil('the next alert', () => messages.length > 1)
  t.strictSame(
    messages.map((one) => dataOf(one).type),
    ['user.role_granted', 'user.disabled'],
  )
  const page = await nodes[2]?.deps.auditLog.find({ type: 'alert.raised' }, { limit: 10 })
  t.equal(page?.events.length, 2)
})

test('alerts: a receiver that fails, hangs or leads elsewhere gets the same message again, from any node, until it takes it', async (t) => {
  const { messages, state, url, settings } = await startAlertReceiver(t)
  const { app, databaseUrl } = await startService(t)
  const { user } = await register(app)
  const first = await startNode(t, databaseUrl, settings)
  const behaviours: ((response: ServerResponse) => unknown)[] = [
    (response) => response.writeHead(500).end(),
    (response) => response.writeHead(307, { location: url }).end(),
  ]
  state.answer = (response) => behaviours[messages.length - 1]?.(response)
  await first.deps.userAdministration.grantRole(user.id, 'admin', byCli)
  await waitUntil('the first attempt', () => messages.length === 1)
  first.moveTime(16)
  await waitUntil('the second attempt', () => messages.length === 2)
  first.moveTime(61)
  // Now it hangs, and the node that sent it stops.
  await waitUntil('the third attempt', () => messages.length === 3)
  await first.deps.close()
  state.answer = (response) => response.writeHead(200).end()
  const second = await startNode(t, databaseUrl, settings)
  second.moveTime(16 + 61 + 301)
  await waitUntil('the fourth attempt', () => messages.length === 4)
  second.moveTime(100_000)
  await second.deps.userAdministration.disableUser(user.id, byCli)
  await waitUntil('another alert', () => messages.length === 5)
  const [one, ...others] = messages.map(({ headers }) => headers['webhook-id'])
  t.strictSame(
    others.map((id) => id === one),
    [true, true, true, false],
    'no attempt follows the one that was taken',
  )
  t.ok(messages.every(isGenuine))
  t.equal(new Set(messages.slice(0, 4).map(({ body }) => body)).size, 1)
})
