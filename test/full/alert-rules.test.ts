import { test } from 'tap'
import { alertRules } from '../../src/audit/alert-rules.ts'
import { startAlertReceiver } from '../support/alert-receiver.ts'
import { register, startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const password = 'wrong horse'
const post = (
  { app }: TestService,
  url: string,
  payload: object,
  remoteAddress = '192.0.2.1',
  agent = 'Browser/1.0',
) =>
  app.inject({
    ...{ method: 'POST', url, payload, remoteAddress },
    headers: { 'user-agent': agent },
  })

const guess = async (
  service: TestService,
  count: number,
  nameOf: (index: number) => string,
  addressOf: (index: number) => string,
): Promise<undefined> => {
  for (let index = 0; index < count; index += 1) {
    await post(service, '/auth/login', { email: nameOf(index), password }, addressOf(index))
  }
}

const authenticate = async (
  { app }: TestService,
  count: number,
  nameOf: (index: number) => string,
): Promise<undefined> => {
  for (let index = 0; index < count; index += 1) {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${btoa(`${nameOf(index)}:wrong`)}`,
    }
    const payload = 'grant_type=client_credentials'
    const remoteAddress = `203.0.${index}.3`
    await app.inject({ method: 'POST', url: '/token', headers, payload, remoteAddress })
  }
}

/** What somebody does to meet each rule, and no other. Tells whom it is about, if anybody. */
const acts: Readonly<Record<string, (service: TestService) => Promise<string | undefined>>> = {
  async sign_in_failures_of_account(service) {
    const { email, user } = await register(service.app)
    await guess(
      service,
      10,
      () => email,
      (index) => `198.51.100.${index}`,
    )
    return user.id
  },
  sign_in_failures_from_address: (service) =>
    guess(
      service,
      20,
      (index) => `one-${index}@example.com`,
      () => '203.0.113.1',
    ),
  sign_in_failures_everywhere: (service) =>
    guess(
      service,
      200,
      (index) => `all-${index}@example.com`,
      (index) => `203.0.${index}.2`,
    ),
  client_authentication_failures_of_client: (service) => authenticate(service, 5, () => 'shop'),
  client_authentication_failures_everywhere: (service) =>
    authenticate(service, 50, (index) => `shop-${index}`),
  async lockout(service) {
    const { email, user } = await register(service.app)
    await guess(
      service,
      6,
      () => email,
      (index) => `198.51.101.${index}`,
    )
    return user.id
  },
  async new_device(service) {
    const { email, password: right, user } = await register(service.app)
    await post(service, '/auth/login', { email, password: right }, '192.0.2.1', 'Phone/1.0')
    return user.id
  },
  async refresh_reuse(service) {
    const { refresh_token, user } = await register(service.app)
    await post(service, '/auth/refresh', { refresh_token })
    service.moveTime(31)
    await post(service, '/auth/refresh', { refresh_token })
    return user.id
  },
  async retry_from_elsewhere(service) {
    const { refresh_token, user } = await register(service.app)
    await post(service, '/auth/refresh', { refresh_token }, '192.0.2.1')
    await post(service, '/auth/refresh', { refresh_token }, '198.51.100.200')
    return user.id
  },
  async admin_change({ app, deps }) {
    const { user } = await register(app)
    await deps.userAdministration.grantRole(user.id, 'admin', { actor: 'cli', origin: {} })
    return user.id
  },
}

/** An account that locks before the rule is met never meets it. */
const settingsFor: Readonly<Record<string, Record<string, string>>> = {
  sign_in_failures_of_account: { MAX_LOGIN_ATTEMPTS: '12' },
}

test('alerts: there is an act here for every rule', async (t) => {
  t.strictSame(Object.keys(acts).sort(), alertRules.map(({ name }) => name).sort())
})

for (const rule of alertRules) {
  test(`alerts: what meets the rule ${rule.name} is a critical event, a count, and a delivery`, async (t) => {
    const { messages, settings } = await startAlertReceiver(t)
    const service = await startService(
      t,
      { ...settings, ...settingsFor[rule.name] },
      { alertIntervalMs: 30 },
    )
    const { deps } = service
    const subject = await acts[rule.name]?.(service)
    const [message] = await waitUntil('the delivery', () => messages.length > 0 && messages)
    const { data } = JSON.parse(message?.body ?? '')
    t.match(data, { rule: rule.name, severity: 'critical', issuer: 'http://localhost:4000' })
    t.ok(data.count >= rule.threshold, 'it counts what met the rule')
    t.ok(rule.types.includes(data.type))
    if (subject !== undefined) t.equal(data.subject, subject)

    const metric = async (name: string): Promise<string[]> => {
      const text = await deps.metrics.registry.getSingleMetricAsString(name)
      return text.split('\n').filter((line) => line.startsWith(name))
    }
    const delivered = 'tessera_alert_deliveries_total{outcome="delivered"} 1'
    await waitUntil('the count of deliveries', async () =>
      (await metric('tessera_alert_deliveries_total')).includes(delivered),
    )
    t.strictSame(await metric('tessera_alerts_total'), [
      `tessera_alerts_total{rule="${rule.name}"} 1`,
    ])
    t.equal(messages.length, 1, 'and no other rule is met')
    const { events } = await deps.auditLog.find({ type: 'alert.raised' }, { limit: 10 })
    t.strictSame(
      events.map((event) => [event.severity, event.subject ?? undefined, event.details]),
      [
        [
          ...['critical', subject],
          {
            ...{ alert: message?.headers['webhook-id'], rule: rule.name },
            ...{ count: data.count, since: data.first_at, event: data.type },
          },
        ],
      ],
    )
  })
}

test('alerts: whatever gives power or a way in is told of, a new administrator too', async (t) => {
  const { deps } = await startService(t, {}, { alertIntervalMs: 30 })
  const { userAdministration: users, clientAdministration: clients } = deps
  const by = { actor: 'cli', origin: {} }
  const { id: userId } = await users.createUser({ email: 'new@example.com', roles: ['admin'] }, by)
  const { client } = await clients.create({ name: 'Shop' }, by)
  const other = await clients.create({ name: 'Forum' }, by)
  await clients.update(client.id, { name: 'Store' }, by)
  await clients.rotateSecret(client.id, by)
  await clients.disable(client.id, by)
  await clients.enable(client.id, by)
  const { id } = await users.createUser({ email: 'other@example.com' }, by)
  await users.forcePasswordChange(id, by)
  await users.disableUser(id, by)
  await users.enableUser(id, by)
  await users.deleteUser(id, by)
  await users.restoreUser(id, by)
  await deps.audienceAdministration.set({ name: 'https://api.example' }, by)
  const expected = [
    ...['audience.updated null', `client.created ${client.id}`],
    ...[
      `client.created ${other.client.id}`,
      `client.disabled ${client.id}`,
      `client.enabled ${client.id}`,
    ],
    ...[`client.secret_rotated ${client.id}`, `client.updated ${client.id}`],
    ...[`user.deleted ${id}`, `user.disabled ${id}`, `user.enabled ${id}`],
    ...[`user.password_change_forced ${id}`, `user.restored ${id}`],
    `user.role_granted ${userId}`,
  ]
  const told = await waitUntil('all alerts', async () => {
    const { events } = await deps.auditLog.find({ type: 'alert.raised' }, { limit: 50 })
    return events.length >= expected.length && events
  })
  t.strictSame(
    told.map(({ details, subject, clientId }) => `${details.event} ${subject ?? clientId}`).sort(),
    expected.sort(),
  )
})

test('alerts: a receiver that refuses is counted, and the alert stands all the same', async (t) => {
  const { messages, state, settings } = await startAlertReceiver(t)
  state.answer = (response) => response.writeHead(500).end()
  const service = await startService(t, settings, { alertIntervalMs: 30 })
  await acts.admin_change?.(service)
  await waitUntil('the attempt', () => messages.length === 1)
  const name = 'tessera_alert_deliveries_total'
  await waitUntil('its count', async () =>
    (await service.deps.metrics.registry.getSingleMetricAsString(name)).includes(
      `${name}{outcome="failed"} 1`,
    ),
  )
  const { events } = await service.deps.auditLog.find({ type: 'alert.raised' }, { limit: 10 })
  t.equal(events.length, 1)
})
