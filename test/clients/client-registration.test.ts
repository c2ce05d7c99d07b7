import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { type ClientRegistration, register } from '../../src/clients/client-registration.ts'
import { defaultClientSettings } from '../../src/clients/client-settings.ts'

const registered = (registration: ClientRegistration) => {
  const result = register(registration)
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.client
}

test('a name is enough for a machine, which may do nothing until it is told', async (t) => {
  const { id, ...rest } = registered({ name: 'Reports' })
  t.match(id, /^svc_/)
  t.strictSame(rest, {
    name: 'Reports',
    authenticationMethod: 'client_secret_basic',
    grantTypes: ['client_credentials'],
    scope: [],
    audience: [],
    resourceServer: [],
    redirectUris: [],
    corsOrigins: [],
    refreshGraceSeconds: null,
    refreshRetryElsewhere: 'allow',
    refreshTokenRotation: 'rotate',
    settings: defaultClientSettings,
  })
})

test('what an operator says is kept, repetitions but once', async (t) => {
  const said = {
    id: 'reports',
    name: 'Reports',
    authenticationMethod: 'client_secret_post',
    grantTypes: ['refresh_token', 'client_credentials'],
    scope: ['b', 'a', 'account', 'admin'],
    audience: ['https://a.example', 'orders'],
    resourceServer: ['https://b.example'],
    redirectUris: ['https://app.example/back'],
    corsOrigins: ['https://app.example'],
    refreshGraceSeconds: 0,
    refreshRetryElsewhere: 'refuse',
    refreshTokenRotation: 'rotate',
    settings: { ...defaultClientSettings, consent: 'always' },
  } as const
  t.strictSame(registered({ ...said, scope: [...said.scope, 'b'] }), said)
})

test('a client that only serves an audience, and a public one, get no grant unasked', async (t) => {
  t.strictSame(registered({ name: 'API', resourceServer: ['https://b.example'] }).grantTypes, [])
  t.strictSame(registered({ name: 'App', authenticationMethod: 'none' }).grantTypes, [])
})

const faulty: Record<string, [registration: Partial<ClientRegistration>, field: string]> = {
  'an id in the form of a user id': [{ id: randomUUID() }, 'client_id'],
  'the id of the built-in client': [{ id: 'first-party' }, 'client_id'],
  'an id with a space': [{ id: 'a b' }, 'client_id'],
  'an empty name': [{ name: ' ' }, 'client_name'],
  'a long name': [{ name: 'x'.repeat(201) }, 'client_name'],
  'a name with NUL': [{ name: 'a\0' }, 'client_name'],
  'an unknown method': [{ authenticationMethod: 'magic' }, 'token_endpoint_auth_method'],
  'an unknown grant': [{ grantTypes: ['password'] }, 'grant_types'],
  'credentials of a public client': [
    { authenticationMethod: 'none', grantTypes: ['client_credentials'] },
    'grant_types',
  ],
  'a scope of two words': [{ scope: ['a b'] }, 'scope'],
  'an empty scope token': [{ scope: [''] }, 'scope'],
  'an audience with a fragment': [{ audience: ['https://a.example#b'] }, 'audience'],
  'an audience of two words to serve': [{ resourceServer: ['a b'] }, 'resource_server'],
  'a public client that serves an audience': [
    { authenticationMethod: 'none', resourceServer: ['https://a.example'] },
    'resource_server',
  ],
  'an origin with a path': [{ corsOrigins: ['https://app.example/'] }, 'cors_origins'],
  'every origin': [{ corsOrigins: ['*'] }, 'cors_origins'],
  'a script to redirect to': [{ redirectUris: ['javascript:x'] }, 'redirect_uris'],
  'a window that is too long': [{ refreshGraceSeconds: 601 }, 'refresh_grace_seconds'],
  'a window before its start': [{ refreshGraceSeconds: -1 }, 'refresh_grace_seconds'],
  'half a second': [{ refreshGraceSeconds: 0.5 }, 'refresh_grace_seconds'],
  'a refresh token that stays without a key': [
    { refreshTokenRotation: 'static' },
    'refresh_token_rotation',
  ],
  'a short window for tokens that are bound to a key': [
    { refreshGraceSeconds: 59, settings: { dpopBoundAccessTokens: true } },
    'refresh_grace_seconds',
  ],
}

for (const [fault, [registration, field]] of Object.entries(faulty)) {
  test(`a registration is refused for ${fault}`, async (t) => {
    const result = register({ name: 'Reports', ...registration })
    t.strictSame('faults' in result && result.faults.map((each) => each.field), [field])
  })
}

test('all faults are told at once', async (t) => {
  const result = register({ name: '', scope: ['"'], audience: ['a b'] })
  t.strictSame('faults' in result && result.faults, [
    { field: 'client_name', message: 'must be 1 to 200 characters of text' },
    {
      field: 'scope',
      message:
        'must be scope tokens: printable ASCII characters without spaces, quotes and backslashes',
    },
    { field: 'audience', message: 'must be URIs without a fragment, or plain names' },
  ])
})
