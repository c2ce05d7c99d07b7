import t from 'tap'
import type { ClientRegistration } from '../../src/clients/client-registration.ts'
import { Problem } from '../../src/oauth/problem.ts'
import { digestClientSecret } from '../../src/secrets/client-secret.ts'
import { basic, byOperator, createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { connect, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const service = await startService(t)
const { clientAdministration: clients, audienceAdministration: audiences } = service.deps
const other = await startService(t, { DATABASE_URL: service.databaseUrl })
const db = await connect(t, service)

const problemOf = async (act: Promise<unknown>) => {
  const error = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Problem)) throw error
  const { detail, fields } = error.options
  return [error.code, detail ?? fields]
}
const eventsOf = (clientId: string) =>
  db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'details'])
    .where('client_id', '=', clientId)
    .orderBy('occurred_at')
    .execute()
const grantAt = async ({ app }: typeof service, headers: Readonly<Record<string, string>>) =>
  (await postForm(app, '/token', { grant_type: 'client_credentials' }, headers)).statusCode

t.test('a secret is shown once, and only its digest is kept', async (t) => {
  const { client, secret = '' } = await clients.create({ name: 'Reports' }, byOperator)
  t.match(secret, /^tcs_[\w-]{43}$/)
  t.strictSame(client.secretDigests, [{ digest: digestClientSecret(secret), expiresAt: null }])
  const shown = await clients.show(client.id)
  t.strictSame(shown, client)
  t.notMatch(JSON.stringify(shown), secret)
  const everything = await db.selectFrom('client_secrets').selectAll().execute()
  t.notMatch(JSON.stringify([everything, await eventsOf(client.id), service.log]), secret)
})

t.test('a public client has no secret', async (t) => {
  const created = await clients.create({ name: 'App', authenticationMethod: 'none' }, byOperator)
  t.equal(created.secret, undefined)
  t.strictSame(created.client.secretDigests, [])
  t.strictSame(await problemOf(clients.rotateSecret(created.client.id, byOperator)), [
    'conflict',
    `The client ${created.client.id} has no secret`,
  ])
})

t.test('every act is audited with who did it', async (t) => {
  const act = { actor: 'somebody', origin: { requestId: 'r1' } }
  const { client } = await clients.create(
    {
      ...{ id: 'audited', name: 'Audited', scope: ['read'], audience: ['https://a.example'] },
      ...{ corsOrigins: ['https://app.example'], refreshGraceSeconds: 5 },
    },
    act,
  )
  await clients.disable(client.id, act)
  await clients.enable(client.id, act)
  await clients.rotateSecret(client.id, act, 60)
  t.strictSame(await eventsOf('audited'), [
    {
      type: 'client.created',
      actor: 'somebody',
      details: {
        client_name: 'Audited',
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['client_credentials'],
        scope: ['read'],
        audience: ['https://a.example'],
        resource_server: [],
        redirect_uris: [],
        cors_origins: ['https://app.example'],
        refresh_grace_seconds: 5,
        refresh_retry_elsewhere: 'allow',
        refresh_token_rotation: 'rotate',
      },
    },
    { type: 'client.disabled', actor: 'somebody', details: {} },
    { type: 'client.enabled', actor: 'somebody', details: {} },
    { type: 'client.secret_rotated', actor: 'somebody', details: { overlap_seconds: 60 } },
  ])
})

t.test('disabling and enabling twice is as once', async (t) => {
  const { id } = await createMachine(service.deps)
  const first = await clients.disable(id, byOperator)
  t.ok(first.disabledAt)
  t.strictSame(await clients.disable(id, byOperator), first)
  t.equal((await clients.enable(id, byOperator)).disabledAt, null)
  t.equal((await clients.enable(id, byOperator)).disabledAt, null)
  t.equal((await eventsOf(id)).length, 3)
})

t.test('the built-in client is listed, and cannot be changed', async (t) => {
  const builtIn = (await clients.list()).filter((client) => client.builtIn)
  t.strictSame(
    builtIn.map(({ id }) => id),
    ['first-party'],
  )
  for (const act of [
    () => clients.disable('first-party', byOperator),
    () => clients.enable('first-party', byOperator),
    () => clients.rotateSecret('first-party', byOperator),
  ]) {
    t.strictSame(await problemOf(act()), ['conflict', 'The built-in client cannot be changed'])
  }
})

t.test('what is not there is not found', async (t) => {
  for (const act of [
    () => clients.show('nobody'),
    () => clients.disable('nobody', byOperator),
    () => clients.enable('nobody', byOperator),
    () => clients.rotateSecret('nobody', byOperator),
  ]) {
    t.strictSame(await problemOf(act()), ['not_found', 'There is no client with the id nobody'])
  }
})

t.test('an id is taken once, and all faults are told at once', async (t) => {
  const registration: ClientRegistration = { id: 'taken', name: 'First' }
  await clients.create(registration, byOperator)
  t.strictSame(await problemOf(clients.create(registration, byOperator)), [
    'conflict',
    'A client with the id taken exists',
  ])
  t.strictSame(await problemOf(clients.create({ name: '', scope: ['a b'] }, byOperator)), [
    'validation',
    [
      { field: 'client_name', message: 'must be 1 to 200 characters of text' },
      {
        field: 'scope',
        message:
          'must be scope tokens: printable ASCII characters without spaces, quotes and backslashes',
      },
    ],
  ])
})

for (const overlap of [-1, 0.5, 2_592_001, Number.NaN]) {
  t.test(`an overlap of ${overlap} seconds is refused`, async (t) => {
    const { id } = await createMachine(service.deps)
    t.strictSame(await problemOf(clients.rotateSecret(id, byOperator, overlap)), [
      'validation',
      [{ field: 'overlap_seconds', message: 'must be a whole number from 0 to 2592000' }],
    ])
  })
}

t.test('without Redis too, another node follows a change of a client', async (t) => {
  const machine = await createMachine(service.deps)
  t.equal(await grantAt(other, machine.headers), 200)

  const { secret = '' } = await clients.rotateSecret(machine.id, byOperator)
  await waitUntil(
    'the new secret',
    async () => (await grantAt(other, basic(machine.id, secret))) === 200,
    { timeoutMs: 2000 },
  )
  await clients.disable(machine.id, byOperator)
  await waitUntil('the refusal', async () => (await grantAt(other, machine.headers)) === 401, {
    timeoutMs: 1000,
  })
  await clients.enable(machine.id, byOperator)
  await waitUntil('the return', async () => (await grantAt(other, machine.headers)) === 200, {
    timeoutMs: 2000,
  })
})

t.test('disable against tokens: what was made meanwhile is not accepted after it', async (t) => {
  const machine = await createMachine(service.deps)
  const watcher = await createMachine(service.deps, { resourceServer: ['http://localhost:4000'] })
  const get = () =>
    postForm(service.app, '/token', { grant_type: 'client_credentials' }, machine.headers)
  const requests = Array.from({ length: 50 }, get)
  await clients.disable(machine.id, byOperator)
  const answers = await Promise.all(requests)

  for (const answer of answers) {
    if (answer.statusCode !== 200) {
      t.equal(answer.statusCode, 401)
      continue
    }
    const token: string = answer.json().access_token
    const told = await postForm(service.app, '/introspect', { token }, watcher.headers)
    t.strictSame(told.json(), { active: false })
  }
})

t.test('settings of audiences are replaced, listed and audited', async (t) => {
  await audiences.set(
    { name: 'https://a.example', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 60 },
    byOperator,
  )
  t.match(await audiences.list(), [
    { name: 'https://a.example', signingAlgorithm: 'ES256', accessTokenTtlSeconds: 60 },
  ])
  const [event] = await db
    .selectFrom('audit_events')
    .select(['actor', 'details'])
    .where('type', '=', 'audience.updated')
    .execute()
  t.strictSame(event, {
    actor: 'cli',
    details: {
      audience: 'https://a.example',
      signing_algorithm: 'ES256',
      access_token_ttl_seconds: 60,
    },
  })
})

t.test('faults of an audience are told at once', async (t) => {
  const input = { name: 'a b', signingAlgorithm: 'HS256', accessTokenTtlSeconds: 86_401 }
  t.strictSame(await problemOf(audiences.set(input, byOperator)), [
    'validation',
    [
      { field: 'audience', message: 'must be a URI or a plain name' },
      { field: 'signing_algorithm', message: 'must be one of RS256, ES256, EdDSA, PS256' },
      { field: 'access_token_ttl_seconds', message: 'must be a whole number from 1 to 86400' },
    ],
  ])
})
