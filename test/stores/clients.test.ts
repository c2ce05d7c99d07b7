import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import type { AuditEventType } from '../../src/audit/catalogue.ts'
import { defaultClientSettings } from '../../src/clients/client-settings.ts'
import { firstPartyClient } from '../../src/clients/first-party.ts'
import { createClientSecret } from '../../src/secrets/client-secret.ts'
import { createClientStore } from '../../src/stores/postgres/clients.ts'
import { makeNewClient } from '../support/new-client.ts'
import { onEverySqlBackend, openPostgres, type SqlBackend } from '../support/sql-backends.ts'

const entryLifetimeSeconds = 1000
const storeOf = (backend: SqlBackend) => createClientStore(backend, () => entryLifetimeSeconds)
const event = (type: AuditEventType, clientId: string) =>
  ({ type, outcome: 'success', actor: 'cli', clientId, origin: {} }) as const
const created = (id: string) => event('client.created', id)

const auditedTypes = async ({ db }: SqlBackend, clientId: string) => {
  const rows = await db
    .selectFrom('audit_events')
    .select('type')
    .where('client_id', '=', clientId)
    .orderBy('type')
    .execute()
  return rows.map(({ type }) => type)
}

const presentMoment = async ({ db, now }: SqlBackend): Promise<Date> => {
  const { rows } = await sql<{ at: Date }>`SELECT ${now()} AS at`.execute(db)
  return rows[0]?.at as Date
}

const secondsUntil = async (backend: SqlBackend, date: Date | null | undefined) =>
  date ? Math.round((date.getTime() - (await presentMoment(backend)).getTime()) / 1000) : undefined

const clientEntry = async ({ db }: SqlBackend, id: string) =>
  db
    .selectFrom('revocations')
    .select(['kind', 'value', 'lifted', 'expires_at'])
    .where('value', '=', id)
    .executeTakeFirst()

onEverySqlBackend('the store of clients', async (t, backend) => {
  const store = storeOf(backend)

  await t.test('a client is found as it was created, with its event', async (t) => {
    const { digest } = createClientSecret()
    const { secretDigest, ...client } = makeNewClient({
      id: 'a:b%c+d',
      scope: ['b', 'a'],
      resourceServer: ['https://serves.example'],
      redirectUris: ['https://app.example/back'],
      corsOrigins: ['https://app.example'],
      refreshGraceSeconds: 0,
      refreshRetryElsewhere: 'refuse',
      secretDigest: digest,
    })

    t.equal(await store.create({ ...client, secretDigest }, created(client.id)), 'created')

    const found = await store.find(client.id)
    t.strictSame(found, {
      ...client,
      disabledAt: null,
      createdAt: found?.createdAt,
      secretDigests: [{ digest, expiresAt: null }],
    })
    t.equal(await secondsUntil(backend, found?.createdAt), 0)
    t.strictSame(await store.list(), [found])
    t.equal(await store.find('svc_other'), undefined)
    t.strictSame(await auditedTypes(backend, client.id), ['client.created'])
  })

  await t.test('an id is given once', async (t) => {
    const client = makeNewClient()
    await store.create(client, created(client.id))

    const second = makeNewClient({ id: client.id, name: 'Impostor' })
    t.equal(await store.create(second, created(client.id)), 'taken')

    t.equal((await store.find(client.id))?.name, client.name)
    t.strictSame(await auditedTypes(backend, client.id), ['client.created'])
  })

  await t.test('the origins of clients are listed as long as those are not disabled', async (t) => {
    const client = makeNewClient({ corsOrigins: ['https://one.example', 'https://two.example'] })
    const other = makeNewClient({ corsOrigins: ['https://two.example'] })
    for (const each of [client, other]) await store.create(each, created(each.id))
    const listed = async () =>
      (await store.listOrigins()).filter((origin) => /one|two/.test(origin)).sort()
    t.strictSame(await listed(), ['https://one.example', 'https://two.example'])
    await store.disable(client.id, event('client.disabled', client.id))
    t.strictSame(await listed(), ['https://two.example'])
    await store.disable(other.id, event('client.disabled', other.id))
    t.strictSame(await listed(), [])
  })

  await t.test('the built-in client follows the configuration', async (t) => {
    await store.ensureBuiltIn(firstPartyClient(['https://a.example'], ['https://a.example/page']))
    const first = await store.find('first-party')
    await store.ensureBuiltIn(
      firstPartyClient(['https://a.example', 'https://b.example'], ['https://b.example/page']),
    )

    t.strictSame(first?.audience, ['https://a.example'])
    const { createdAt, ...rest } = (await store.find('first-party')) ?? {}
    t.strictSame(rest, {
      id: 'first-party',
      name: 'First-party API',
      authenticationMethod: 'none',
      grantTypes: ['authorization_code', 'refresh_token'],
      scope: ['account', 'admin'],
      audience: ['https://a.example', 'https://b.example'],
      resourceServer: [],
      redirectUris: ['https://b.example/page'],
      corsOrigins: [],
      refreshGraceSeconds: null,
      refreshRetryElsewhere: 'allow',
      refreshTokenRotation: 'rotate',
      settings: { ...defaultClientSettings, consent: 'skip' },
      registeredBy: 'operator',
      builtIn: true,
      disabledAt: null,
      secretDigests: [],
    })
    t.strictSame(createdAt, first?.createdAt)
  })

  await t.test('settings come back as they were, those unstated with their defaults', async (t) => {
    const jwks = { keys: [{ kty: 'RSA', n: 'x', e: 'AQAB', use: 'sig', key_ops: ['verify'] }] }
    const settings = {
      ...defaultClientSettings,
      jwks,
      defaultMaxAge: 0,
      requirePkce: false,
      idTokenSignedResponseAlg: 'ES256',
      tlsClientAuth: { member: 'san_dns', value: 'a.example' },
    } as const
    const client = makeNewClient({ settings })
    await store.create(client, created(client.id))
    t.strictSame((await store.find(client.id))?.settings, settings)
    const { rows } = await sql<{ settings: object }>`
      SELECT settings FROM clients WHERE id = ${client.id}`.execute(backend.db)
    t.strictSame(rows[0]?.settings, {
      jwks,
      default_max_age: 0,
      require_pkce: false,
      id_token_signed_response_alg: 'ES256',
      tls_client_auth: { member: 'san_dns', value: 'a.example' },
    })
  })

  await t.test('the built-in client takes no change', async (t) => {
    await store.ensureBuiltIn(firstPartyClient(['https://a.example'], []))
    const before = await store.find('first-party')
    const { digest } = createClientSecret()

    t.strictSame(
      [
        await store.disable('first-party', event('client.disabled', 'first-party')),
        await store.enable('first-party', event('client.enabled', 'first-party')),
        await store.rotateSecret('first-party', digest, 0, event('client.created', 'first-party')),
      ],
      ['built_in', 'built_in', 'built_in'],
    )

    t.strictSame(await store.find('first-party'), before)
    t.strictSame(await auditedTypes(backend, 'first-party'), [])
    t.equal(await clientEntry(backend, 'first-party'), undefined)
  })

  await t.test('disabling ends families and stands until it is lifted', async (t) => {
    const [client, other] = [makeNewClient(), makeNewClient()]
    for (const each of [client, other]) await store.create(each, created(each.id))
    const family = await insertFamily(backend, client.id)
    const foreign = await insertFamily(backend, other.id)
    const disabled = event('client.disabled', client.id)
    const enabled = event('client.enabled', client.id)

    t.equal(await store.disable(client.id, disabled), 'changed')
    t.equal(await store.disable(client.id, disabled), 'unchanged')

    t.equal(await secondsUntil(backend, (await store.find(client.id))?.disabledAt), 0)
    t.equal((await store.find(other.id))?.disabledAt, null)
    t.strictSame(await revocationReasons(backend), { [family]: 'client_disabled', [foreign]: null })
    const standing = await clientEntry(backend, client.id)
    t.match(standing, { kind: 'client', lifted: false })
    t.ok(((await secondsUntil(backend, standing?.expires_at)) ?? 0) > 50 * 365 * 86_400)

    t.equal(await store.enable(client.id, enabled), 'changed')
    t.equal(await store.enable(client.id, enabled), 'unchanged')

    t.equal((await store.find(client.id))?.disabledAt, null)
    t.strictSame(await revocationReasons(backend), { [family]: 'client_disabled', [foreign]: null })
    const lifted = await clientEntry(backend, client.id)
    t.match(lifted, { kind: 'client', lifted: true })
    t.equal(await secondsUntil(backend, lifted?.expires_at), entryLifetimeSeconds)

    t.equal(await store.disable(client.id, disabled), 'changed')
    t.match(await clientEntry(backend, client.id), { kind: 'client', lifted: false })
    t.strictSame(await auditedTypes(backend, client.id), [
      'client.created',
      'client.disabled',
      'client.disabled',
      'client.enabled',
    ])
  })

  await t.test('earlier secrets end with the overlap, never later', async (t) => {
    const [first, second, third] = [
      createClientSecret(),
      createClientSecret(),
      createClientSecret(),
    ]
    const client = makeNewClient({ secretDigest: first.digest })
    await store.create(client, created(client.id))
    const rotated = event('client.secret_rotated', client.id)
    const secrets = async () =>
      Promise.all(
        ((await store.find(client.id))?.secretDigests ?? []).map(async ({ digest, expiresAt }) => [
          digest.toString('hex'),
          await secondsUntil(backend, expiresAt),
        ]),
      )
    const [firstDigest, secondDigest, thirdDigest] = [first, second, third].map(({ digest }) =>
      digest.toString('hex'),
    )

    t.equal(await store.rotateSecret(client.id, second.digest, 100, rotated), 'rotated')
    t.strictSame(await secrets(), [
      [firstDigest, 100],
      [secondDigest, undefined],
    ])
    backend.moveTime(60)
    t.equal(await store.rotateSecret(client.id, third.digest, 100, rotated), 'rotated')
    t.strictSame(await secrets(), [
      [firstDigest, 40],
      [secondDigest, 100],
      [thirdDigest, undefined],
    ])
    backend.moveTime(40)
    t.strictSame(await secrets(), [
      [secondDigest, 60],
      [thirdDigest, undefined],
    ])
    t.equal(await store.rotateSecret(client.id, first.digest, 0, rotated), 'rotated')
    t.strictSame(await secrets(), [[firstDigest, undefined]])
  })

  await t.test('only a confidential client has a secret to rotate', async (t) => {
    const open = makeNewClient({ authenticationMethod: 'none', grantTypes: [] })
    await store.create(open, created(open.id))
    const { digest } = createClientSecret()

    t.strictSame(
      [
        await store.rotateSecret(open.id, digest, 0, event('client.secret_rotated', open.id)),
        await store.rotateSecret(
          'svc_other',
          digest,
          0,
          event('client.secret_rotated', 'svc_other'),
        ),
        await store.disable('svc_other', event('client.disabled', 'svc_other')),
        await store.enable('svc_other', event('client.enabled', 'svc_other')),
      ],
      ['public', 'unknown', 'unknown', 'unknown'],
    )
    t.strictSame(await auditedTypes(backend, open.id), ['client.created'])
  })
})

t.test('nodes that start at once make one built-in client', async (t) => {
  const backend = await openPostgres(t)
  const store = storeOf(backend)

  await Promise.all(
    Array.from({ length: 20 }, () =>
      store.ensureBuiltIn(firstPartyClient(['https://a.example'], [])),
    ),
  )

  t.strictSame(
    (await store.list()).map(({ id }) => id),
    ['first-party'],
  )
})

t.test('of rotations at once, one secret stays', async (t) => {
  const store = storeOf(await openPostgres(t))
  const client = makeNewClient({ secretDigest: createClientSecret().digest })
  await store.create(client, created(client.id))

  const outcomes = await Promise.all(
    Array.from({ length: 10 }, () =>
      store.rotateSecret(
        client.id,
        createClientSecret().digest,
        0,
        event('client.secret_rotated', client.id),
      ),
    ),
  )

  t.strictSame(new Set(outcomes), new Set(['rotated']))
  t.equal((await store.find(client.id))?.secretDigests.length, 1)
})

t.test('of creations, disablings and enablings at once, each happens once', async (t) => {
  const backend = await openPostgres(t)
  const store = storeOf(backend)
  const client = makeNewClient()
  const times = Array.from({ length: 10 })
  const once = (outcomes: readonly string[], outcome: string) =>
    outcomes.filter((each) => each === outcome).length

  const creations = await Promise.all(times.map(() => store.create(client, created(client.id))))
  const disablings = await Promise.all(
    times.map(() => store.disable(client.id, event('client.disabled', client.id))),
  )
  const enablings = await Promise.all(
    times.map(() => store.enable(client.id, event('client.enabled', client.id))),
  )

  t.strictSame(
    [once(creations, 'created'), once(disablings, 'changed'), once(enablings, 'changed')],
    [1, 1, 1],
  )
  t.strictSame(await auditedTypes(backend, client.id), [
    'client.created',
    'client.disabled',
    'client.enabled',
  ])
})

const insertFamily = async ({ db }: SqlBackend, clientId: string): Promise<string> => {
  const [userId, id] = [randomUUID(), randomUUID()]
  await sql`INSERT INTO users (id, email, email_key, roles)
    VALUES (${userId}, ${userId}, ${userId}, '{}')`.execute(db)
  await sql`INSERT INTO refresh_families (id, user_id, user_version, client_id, scope, audience,
      auth_time, amr, expires_at, idle_timeout, generation, digest, last_used_at)
    VALUES (${id}, ${userId}, 1, ${clientId}, '{}', '{}', now(), '{}', now() + '1 day', '1 day', 1,
      '', now())`.execute(db)
  return id
}

const revocationReasons = async ({ db }: SqlBackend) => {
  const rows = await db.selectFrom('refresh_families').select(['id', 'revoked_reason']).execute()
  return Object.fromEntries(rows.map(({ id, revoked_reason: reason }) => [id, reason]))
}
