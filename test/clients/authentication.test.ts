import fc from 'fast-check'
import { test } from 'tap'
import type { RecordedEvent } from '../../src/audit/event.ts'
import type { ClientRequest } from '../../src/clients/authentication/credentials.ts'
import { createClientAuthenticator } from '../../src/clients/authentication.ts'
import type { Client } from '../../src/clients/client.ts'
import { OAuthError } from '../../src/oauth/error.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createClientSecret, digestClientSecret } from '../../src/secrets/client-secret.ts'
import { basic, basicChallenge } from '../endpoints/oauth/requests.ts'
import { makeClient } from '../support/new-client.ts'

const now = new Date('2026-11-20T12:00:00Z')
const after = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const origin = { requestId: 'r1', address: '192.0.2.1' }

const { secret, digest } = createClientSecret()
const secretDigests = [{ digest, expiresAt: null }]
const byHeader = makeClient({ id: 'by-header', secretDigests })
const byForm = makeClient({
  id: 'by-form',
  authenticationMethod: 'client_secret_post',
  secretDigests,
})
const open = makeClient({ id: 'open', authenticationMethod: 'none' })
const disabled = makeClient({ id: 'disabled', disabledAt: now, secretDigests })
const withoutSecret = makeClient({ id: 'without-secret' })

/** Registered clients, what memory holds of them, and the events that were recorded. */
const makeAuthenticator = (stored: readonly Client[], remembered: readonly Client[] = stored) => {
  const events: RecordedEvent[] = []
  const keys: string[] = []
  const revoked = new Set<string>()
  const { authenticate } = createClientAuthenticator({
    clients: {
      find: async (id, maxAgeMs) =>
        (maxAgeMs === undefined ? remembered : stored).find((client) => client.id === id),
    },
    isRevoked: (id) => revoked.has(id),
    clock: () => now,
    audit: {
      recordOncePerMinute: (key, event) => {
        keys.push(key)
        events.push(event)
      },
    },
  })
  return {
    authenticate: (request: ClientRequest) => authenticate(request, origin),
    events,
    keys,
    revoked,
  }
}

const all = [byHeader, byForm, open, disabled, withoutSecret]
const header = (id: string, password = secret): ClientRequest => ({
  authorization: basic(id, password).authorization,
  parameters: {},
})
const form = (parameters: ClientRequest['parameters']): ClientRequest => ({
  authorization: undefined,
  parameters,
})
const raw = (authorization: string): ClientRequest => ({ authorization, parameters: {} })
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')

const accepted: Record<string, [request: ClientRequest, client: Client]> = {
  client_secret_basic: [header('by-header'), byHeader],
  'client_secret_basic with the same client_id in the form': [
    { ...header('by-header'), parameters: { client_id: 'by-header' } },
    byHeader,
  ],
  'a scheme in other letters': [raw(`bASIC  ${base64(`by-header:${secret}`)}`), byHeader],
  client_secret_post: [form({ client_id: 'by-form', client_secret: secret }), byForm],
  none: [form({ client_id: 'open' }), open],
}

for (const [method, [request, client]] of Object.entries(accepted)) {
  test(`a client authenticates by ${method}`, async (t) => {
    const { authenticate, events } = makeAuthenticator(all)
    t.equal(await authenticate(request), client)
    t.strictSame(events, [])
  })
}

test('an id with any visible characters survives its encoding (RFC 6749 §2.3.1)', async (t) => {
  const visible = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 200,
  })
  await fc.assert(
    fc.asyncProperty(visible, fc.string({ minLength: 1 }), async (id, chosen) => {
      const client = makeClient({
        id,
        secretDigests: [{ digest: digestClientSecret(chosen.toWellFormed()), expiresAt: null }],
      })
      const { authenticate } = makeAuthenticator([client])
      t.equal(await authenticate(header(id, chosen.toWellFormed())), client)
    }),
  )
})

type Failing = [
  request: ClientRequest,
  reason: string | undefined,
  clientId?: string,
  method?: string,
]

const basically = 'client_secret_basic'
const failing: Record<string, Failing> = {
  'a wrong secret': [header('by-header', 'tcs_wrong'), 'wrong_secret', 'by-header', basically],
  'an empty secret': [header('by-header', ''), 'wrong_secret', 'by-header', basically],
  'the digest in place of the secret': [
    header('by-header', digest.toString('hex')),
    'wrong_secret',
    'by-header',
    basically,
  ],
  'an empty secret of a client that has none left': [
    header('without-secret', ''),
    'wrong_secret',
    'without-secret',
    basically,
  ],
  'an unknown client': [header('nobody'), 'unknown_client', 'nobody', basically],
  'a disabled client': [header('disabled'), 'disabled', 'disabled', basically],
  'a public client with a secret': [header('open', ''), 'wrong_method', 'open', basically],
  'an id that none can have': [header('a b\0'), 'unknown_client', undefined, basically],
  'basic for a client of post': [header('by-form'), 'wrong_method', 'by-form', basically],
  'post for a client of basic': [
    form({ client_id: 'by-header', client_secret: secret }),
    'wrong_method',
    'by-header',
    'client_secret_post',
  ],
  'no secret for a confidential client': [
    form({ client_id: 'by-header' }),
    'wrong_method',
    'by-header',
    'none',
  ],
  'an unknown public client': [form({ client_id: 'nobody' }), 'unknown_client', 'nobody', 'none'],
  'nothing at all': [form({}), undefined],
  'a client assertion that is no JWT': [
    form({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'y',
    }),
    undefined,
  ],
  'the bearer scheme': [raw('Bearer abc'), undefined],
  'a header without credentials': [raw('Basic'), undefined],
  'an empty header': [raw(''), undefined],
  'credentials that are not base64': [raw('Basic %%%%'), undefined],
  'credentials in base64url': [raw('Basic _-_-'), undefined],
  'credentials without a colon': [raw(`Basic ${base64('by-header')}`), undefined],
  'credentials that are not UTF-8': [
    raw(`Basic ${base64(Buffer.of(0xff, 0x3a, 0xff))}`),
    undefined,
  ],
  'a broken escape': [raw(`Basic ${base64('by-header:%zz')}`), undefined],
  'an escape that is not UTF-8': [raw(`Basic ${base64('by-header:%ff')}`), undefined],
  'something behind the credentials': [raw(`${header('by-header').authorization} x`), undefined],
}

for (const [what, [request, reason, clientId, method]] of Object.entries(failing)) {
  test(`the same invalid_client answers ${what}`, async (t) => {
    const { authenticate, events } = makeAuthenticator(all)
    const error = await authenticate(request).catch((thrown: unknown) => thrown)

    if (!(error instanceof OAuthError)) throw error
    t.strictSame(
      [error.code, error.status, error.description, error.subCode, error.challenge],
      [
        'invalid_client',
        401,
        'Client authentication failed',
        undefined,
        request.authorization === undefined ? undefined : basicChallenge,
      ],
    )
    t.strictSame(
      events,
      reason === undefined
        ? []
        : [
            {
              type: 'client.authentication_failed',
              outcome: 'failure',
              ...(clientId === undefined ? {} : { clientId }),
              details: { reason, method },
              origin,
            },
          ],
    )
  })
}

const misused: Record<string, [request: ClientRequest, description: string]> = {
  'two methods at once': [
    { ...header('by-header'), parameters: { client_id: 'by-header', client_secret: secret } },
    'Only one way of client authentication is allowed',
  ],
  'a header and a secret without a client_id': [
    { ...header('by-header'), parameters: { client_secret: secret } },
    'Only one way of client authentication is allowed',
  ],
  'another client_id than the header names': [
    { ...header('by-header'), parameters: { client_id: 'open' } },
    'client_id is not the client of the Authorization header',
  ],
  'a secret of nobody': [
    form({ client_secret: secret }),
    'client_secret needs client_id beside it',
  ],
}

for (const [what, [request, description]] of Object.entries(misused)) {
  test(`invalid_request answers ${what} (RFC 6749 §2.3)`, async (t) => {
    const { authenticate, events } = makeAuthenticator(all)
    await t.rejects(authenticate(request), { code: 'invalid_request', status: 400, description })
    t.strictSame(events, [])
  })
}

test('each secret that has not expired is good', async (t) => {
  const [old, current, next] = [createClientSecret(), createClientSecret(), createClientSecret()]
  const client = makeClient({
    secretDigests: [
      { digest: old.digest, expiresAt: now },
      { digest: current.digest, expiresAt: after(0.001) },
      { digest: next.digest, expiresAt: null },
    ],
  })
  const { authenticate } = makeAuthenticator([client])

  t.equal(await authenticate(header(client.id, current.secret)), client)
  t.equal(await authenticate(header(client.id, next.secret)), client)
  await t.rejects(authenticate(header(client.id, old.secret)), { code: 'invalid_client' })
})

test('what fails by memory is looked up again: secrets rotate on other nodes', async (t) => {
  const rotated = makeClient({ id: 'by-header', secretDigests })
  const before = makeClient({ id: 'by-header', secretDigests: [] })
  const enabled = makeClient({ id: 'disabled', secretDigests })
  const { authenticate, events } = makeAuthenticator([rotated, enabled], [before, disabled])

  t.equal(await authenticate(header('by-header')), rotated)
  t.equal(await authenticate(header('disabled')), enabled)
  t.strictSame(events, [])
})

test('a client is refused as soon as its revocation is known, whatever memory says', async (t) => {
  const { authenticate, revoked } = makeAuthenticator(all)
  revoked.add('by-header')
  await t.rejects(authenticate(header('by-header')), { code: 'invalid_client' })
})

test('strangers share the event of a minute, whatever ids they make up', async (t) => {
  const { authenticate, keys } = makeAuthenticator(all)
  for (const request of [header('nobody'), header('no-one'), header('by-header', 'x')]) {
    await t.rejects(authenticate(request), { code: 'invalid_client' })
  }
  t.equal(keys[0], keys[1])
  t.not(keys[1], keys[2])
})

test('while clients cannot be looked up, nobody is called a liar', async (t) => {
  const { authenticate } = createClientAuthenticator({
    clients: {
      find: async () => {
        throw new Unavailable('down')
      },
    },
    isRevoked: () => false,
    clock: () => now,
    audit: { recordOncePerMinute: () => t.fail('nothing is known') },
  })
  await t.rejects(authenticate(header('by-header'), origin), Unavailable)
})
