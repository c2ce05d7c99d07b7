import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { grantTypes } from '../../src/oauth/grant-type.ts'
import { digestClientSecret } from '../../src/secrets/client-secret.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { serve } from './served.ts'

const { db, deps, run, json, sleep } = await serve(t)

type WireClient = { client_id: string; client_secret?: string; created_at: string }

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Whether a secret is one that the client may authenticate with now. */
const isGood = async ({ client_id, client_secret = '' }: WireClient): Promise<boolean> => {
  const client = await deps.clientAdministration.show(client_id)
  const digest = digestClientSecret(client_secret)
  return client.secretDigests.some((known) => known.digest.equals(digest))
}

const machine = {
  client_name: 'billing',
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['client_credentials'],
  scope: 'invoices:read invoices:write',
  audience: ['https://api.example', 'https://other.example'],
  resource_server: [],
  redirect_uris: [],
  cors_origins: [],
  refresh_grace_seconds: null,
  refresh_retry_elsewhere: 'allow',
  refresh_token_rotation: 'rotate',
  registered_by: 'operator',
  built_in: false,
  disabled_at: null,
}

/** A client to be worked on, made past the command line. @returns what the command line shows. */
const makeMachine = async (): Promise<WireClient & { client_secret: string }> => {
  const { client, secret = '' } = await deps.clientAdministration.create(
    { name: 'billing' },
    { actor: 'test', origin: {} },
  )
  const shown = (await json(['clients', 'show', client.id])) as WireClient
  return { ...shown, client_secret: secret }
}

t.test('create makes a machine client and prints its secret, which is good', async (t) => {
  const created = (await json([
    ...['clients', 'create', '--name', 'billing', '--grant', 'client_credentials'],
    ...['--scope', 'invoices:read invoices:write'],
    ...['--audience', 'https://api.example', '--audience', 'https://other.example'],
  ])) as WireClient
  const { client_id, client_secret, created_at, ...rest } = created
  t.match(client_id, /^svc_[2-9a-z]{16}$/)
  t.match(client_secret, /^tcs_[A-Za-z0-9_-]{43}$/)
  t.match(created_at, timestamp)
  t.strictSame(rest, machine)
  t.ok(await isGood(created))
})

t.test('update changes what is stated, keeps the rest, and is audited by member', async (t) => {
  const { client_secret: _secret, ...client } = await makeMachine()
  const update = ['clients', 'update', client.client_id]
  const changed = await json([
    ...[...update, '--name', 'Invoices', '--scope', 'invoices:read'],
    ...['--cors-origin', 'https://app.example', '--refresh-retry-elsewhere', 'refuse'],
  ])
  t.strictSame(changed, {
    ...client,
    client_name: 'Invoices',
    scope: 'invoices:read',
    cors_origins: ['https://app.example'],
    refresh_retry_elsewhere: 'refuse',
  })
  t.strictSame(await json(update), changed, 'nothing stated, nothing changed')
  const events = await db
    .selectFrom('audit_events')
    .select(['actor', 'details'])
    .where('client_id', '=', client.client_id)
    .where('type', '=', 'client.updated')
    .execute()
  const members = ['client_name', 'cors_origins', 'refresh_retry_elsewhere', 'scope']
  t.strictSame(events, [{ actor: 'cli', details: { changed: members } }])
})

t.test('create takes every option, repeated, in one word, or separated by commas', async (t) => {
  const { created_at, client_secret, ...rest } = (await json([
    ...['clients', 'create', '--id', 'orders-api', '--name', 'Orders, inc.'],
    ...['--grant', 'client_credentials,refresh_token', '--scope', 'a', '--scope', 'b,c d'],
    ...['--audience', 'https://a.example', '--resource-server', 'https://orders.example'],
    ...['--redirect-uri', 'https://app.example/cb?x=1,2'],
    ...['--redirect-uri', 'http://127.0.0.1/cb', '--auth-method', 'client_secret_post'],
    ...['--refresh-grace-seconds', '0'],
    ...['--cors-origin', 'https://app.example', '--cors-origin', 'http://localhost:3000'],
  ])) as WireClient
  t.match(created_at, timestamp)
  t.match(client_secret, /^tcs_/)
  t.strictSame(rest, {
    ...machine,
    client_id: 'orders-api',
    client_name: 'Orders, inc.',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['client_credentials', 'refresh_token'],
    scope: 'a b c d',
    audience: ['https://a.example'],
    resource_server: ['https://orders.example'],
    redirect_uris: ['https://app.example/cb?x=1,2', 'http://127.0.0.1/cb'],
    cors_origins: ['https://app.example', 'http://localhost:3000'],
    refresh_grace_seconds: 0,
  })
})

t.test('a public client has no secret', async (t) => {
  const { client_id, created_at, ...rest } = (await json([
    ...['clients', 'create', '--name', 'app', '--auth-method', 'none'],
    ...['--grant', 'refresh_token', '--redirect-uri', 'com.example.app:/cb'],
  ])) as WireClient
  t.match(client_id, /^app_[2-9a-z]{16}$/)
  t.match(created_at, timestamp)
  t.strictSame(rest, {
    ...machine,
    client_name: 'app',
    token_endpoint_auth_method: 'none',
    grant_types: ['refresh_token'],
    scope: '',
    audience: [],
    redirect_uris: ['com.example.app:/cb'],
  })
  t.strictSame(await run(['clients', 'rotate-secret', client_id]), {
    code: 1,
    stdout: '',
    stderr: `The client ${client_id} has no secret\n`,
  })
})

t.test('show and list tell of a client what create told, without the secret', async (t) => {
  const { client_secret, ...created } = (await json([
    ...['clients', 'create', '--name', 'shown'],
  ])) as WireClient
  t.match(client_secret, /^tcs_/)
  t.strictSame(await json(['clients', 'show', created.client_id]), created)
  const listed = (await json(['clients', 'list'])) as WireClient[]
  t.strictSame(listed.at(-1), created, 'the newest is the last')
  t.strictSame(
    listed.find(({ client_id }) => client_id === 'first-party'),
    {
      ...machine,
      client_id: 'first-party',
      client_name: 'First-party API',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'account admin',
      audience: ['http://localhost:4000'],
      redirect_uris: ['http://localhost:4000/docs/static/oauth2-redirect.html'],
      consent: 'skip',
      built_in: true,
      created_at: listed.find(({ client_id }) => client_id === 'first-party')?.created_at,
    },
    'the built-in client is listed too',
  )
})

t.test('disable and enable change only that, and may be repeated', async (t) => {
  const { client_secret, ...created } = await makeMachine()
  for (const attempt of ['once', 'again']) {
    const { disabled_at, ...rest } = (await json([
      ...['clients', 'disable', created.client_id],
    ])) as typeof created & { disabled_at: string }
    t.match(disabled_at, timestamp, attempt)
    t.strictSame({ ...rest, disabled_at: null }, created)
  }
  t.ok(deps.revocations.revokedBy({ clientId: created.client_id }), 'its tokens are refused')
  for (const _attempt of ['once', 'again']) {
    t.strictSame(await json(['clients', 'enable', created.client_id]), created)
  }
  t.notOk(deps.revocations.revokedBy({ clientId: created.client_id }))
})

t.test('rotate-secret gives a new secret; the old one is good for the overlap', async (t) => {
  const created = await makeMachine()
  const rotated = (await json([
    ...['clients', 'rotate-secret', created.client_id, '--overlap-seconds', '60'],
  ])) as WireClient
  t.strictSame({ ...rotated, client_secret: '' }, { ...created, client_secret: '' })
  t.not(rotated.client_secret, created.client_secret)
  t.strictSame([await isGood(rotated), await isGood(created)], [true, true])
  sleep(61)
  t.strictSame([await isGood(rotated), await isGood(created)], [true, false])

  const again = (await json([
    ...['clients', 'rotate-secret', created.client_id, '--overlap-seconds', '0'],
  ])) as WireClient
  t.strictSame([await isGood(again), await isGood(rotated)], [true, false])
})

t.test('for people the answer is a table, and the secret comes with a warning', async (t) => {
  const { code, stdout, stderr } = await run(['clients', 'create', '--id', 'people', '--name', 'P'])
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  const secret = /^client_secret +(tcs_\S+)$/m.exec(stdout)?.[1] ?? ''
  t.ok(await isGood({ client_id: 'people', client_secret: secret, created_at: '' }))
  t.match(stdout, /^client_id {19}people\n/)
  t.match(stdout, /\n\nKeep the secret: it will not be shown again\.\n$/)

  const list = await run(['clients', 'list'])
  t.match(list.stdout, /^CLIENT ID +NAME +GRANTS +SCOPE +AUDIENCE +SERVES +STATUS\n/)
  t.match(list.stdout, /^people +P +client_credentials +- +- +- +active$/m)
  t.notMatch(list.stdout, secret)
})

/** A file for `--settings`. */
const settingsFile = (document: unknown): string => {
  const path = join(temporaryFolder('settings'), 'settings.json')
  writeFileSync(path, JSON.stringify(document))
  return path
}

t.test(
  'settings come from a file or by their options, and show if they are no defaults',
  async (t) => {
    const path = settingsFile({ consent: 'skip', default_max_age: 60, require_pkce: true })
    const { created_at, client_secret, client_id, ...rest } = (await json([
      ...['clients', 'create', '--name', 'shop', '--settings', path, '--consent', 'always'],
      ...[
        '--dpop',
        '--refresh-token-rotation',
        'static',
        '--jwks-uri',
        'https://shop.example/jwks',
      ],
      ...['--post-logout-redirect-uri', 'https://shop.example/bye'],
    ])) as WireClient
    const shop = {
      ...machine,
      ...{ client_name: 'shop', scope: '', audience: [], refresh_token_rotation: 'static' },
      consent: 'always',
      default_max_age: 60,
      dpop_bound_access_tokens: true,
      jwks_uri: 'https://shop.example/jwks',
      post_logout_redirect_uris: ['https://shop.example/bye'],
    }
    t.strictSame(rest, shop)

    const back = settingsFile({ consent: null, post_logout_redirect_uris: [] })
    const changed = await json([
      ...['clients', 'update', client_id, '--settings', back],
      ...['--no-dpop', '--refresh-token-rotation', 'rotate'],
    ])
    const {
      consent: _consent,
      dpop_bound_access_tokens: _bound,
      post_logout_redirect_uris: _uris,
      ...kept
    } = shop
    t.strictSame(changed, { client_id, created_at, ...kept, refresh_token_rotation: 'rotate' })
    const { details } = await db
      .selectFrom('audit_events')
      .select('details')
      .where('client_id', '=', client_id)
      .where('type', '=', 'client.updated')
      .executeTakeFirstOrThrow()
    t.strictSame(details, {
      changed: [
        ...['consent', 'dpop_bound_access_tokens', 'post_logout_redirect_uris'],
        'refresh_token_rotation',
      ],
    })
  },
)

const refused = [
  [
    'a setting that there is not',
    ['clients', 'create', '--name', 'x', '--settings', settingsFile({ colour: 'red' })],
    'Colour is not a setting',
  ],
  [
    'a setting of another type',
    ['clients', 'create', '--name', 'x', '--settings', settingsFile({ contacts: 'me' })],
    'Contacts must be of type array',
  ],
  [
    'a setting that cannot be',
    ['clients', 'create', '--name', 'x', '--jwks-uri', 'http://shop.example'],
    '--jwks-uri must be an https URL, or an http URL of the own machine, without credentials and without a fragment',
  ],
  [
    'all faults of a registration at once, by the names of the options',
    ['clients', 'create', '--name', ' ', '--scope', '"', '--redirect-uri', 'javascript:alert(1)'],
    '--name must be 1 to 200 characters of text; --scope must be scope tokens: printable ASCII characters without spaces, quotes and backslashes; --redirect-uri must be https URIs, http URIs of the own machine, or URIs of a private scheme with a dot',
  ],
  [
    'a grant type that does not exist',
    ['clients', 'create', '--name', 'x', '--grant', 'password'],
    `--grant must be one of ${grantTypes.join(', ')}`,
  ],
  [
    'an id that is taken',
    ['clients', 'create', '--id', 'first-party', '--name', 'x'],
    '--id belongs to the built-in client',
  ],
  ['an unknown client', ['clients', 'show', 'nobody'], 'There is no client with the id nobody'],
  [
    'a change of the built-in client',
    ['clients', 'disable', 'first-party'],
    'The built-in client cannot be changed',
  ],
] as const
for (const [what, words, sentence] of refused) {
  t.test(`refused in one sentence, with exit code 1: ${what}`, async (t) => {
    t.strictSame(await run(words), { code: 1, stdout: '', stderr: `${sentence}\n` })
  })
}

for (const document of ['[]', '{', 'null']) {
  t.test(`settings are refused that are no object: ${document}`, async (t) => {
    const path = join(temporaryFolder('settings'), 'settings.json')
    writeFileSync(path, document)
    const words = ['clients', 'create', '--name', 'x', '--settings', path]
    t.match(await run(words), { code: 2, stderr: /It must be a file that holds a JSON object\./ })
  })
}

t.test('every act is audited as done at the command line', async (t) => {
  const { client_id } = (await json(['clients', 'create', '--name', 'audited'])) as WireClient
  for (const act of ['disable', 'enable', 'rotate-secret']) await json(['clients', act, client_id])
  const events = await db
    .selectFrom('audit_events')
    .select(['type', 'outcome', 'actor'])
    .where('client_id', '=', client_id)
    .orderBy('occurred_at')
    .execute()
  t.strictSame(
    events,
    ['created', 'disabled', 'enabled', 'secret_rotated'].map((act) => ({
      type: `client.${act}`,
      outcome: 'success',
      actor: 'cli',
    })),
  )
})
