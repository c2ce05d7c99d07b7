import { createServer } from 'node:net'
import t from 'tap'
import { defaultClientSettings } from '../../src/clients/client-settings.ts'
import { checkSector } from '../../src/clients/sector-identifier.ts'
import { askRegistration, webApp } from '../endpoints/oauth/registrations.ts'
import { startService } from '../support/service.ts'

// Whoever may register may be anybody: what they name must neither be asked from inside the
// network, nor run in a browser, nor fill the database.
const { app } = await startService(t, { CLIENT_REGISTRATION: 'open' })
const register = (metadata: object) =>
  askRegistration(app, '', { body: { ...webApp, ...metadata } })

/** Something on this machine that counts who comes. */
const listen = async () => {
  let visitors = 0
  const server = createServer((socket) => {
    visitors += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, visitors: () => visitors }
}

const { port, visitors } = await listen()

const inside = [
  `https://127.0.0.1:${port}/`,
  `https://localhost:${port}/`,
  `https://[::1]:${port}/`,
  `https://[::ffff:127.0.0.1]:${port}/`,
  `https://2130706433:${port}/`,
  `https://0x7f.1:${port}/`,
  `https://127.1:${port}/`,
  `https://0.0.0.0:${port}/`,
  'https://169.254.169.254/latest/meta-data/',
  'https://10.0.0.1/',
  'https://[fd00::1]/',
]

for (const url of inside) {
  t.test(`a sector identifier inside the network is not asked: ${url}`, async (t) => {
    const answer = await register({ subject_type: 'pairwise', sector_identifier_uri: url })
    t.strictSame(
      [answer.status, answer.json],
      [
        400,
        {
          error: 'invalid_client_metadata',
          error_description:
            'sector_identifier_uri must name a JSON array that holds all redirect_uris',
        },
      ],
      'the same, whatever is there',
    )
    t.equal(visitors(), 0)
  })
}

t.test('no other URL is asked at a registration', async (t) => {
  const url = `http://127.0.0.1:${port}/`
  const named = ['jwks_uri', 'logo_uri', 'client_uri', 'policy_uri', 'tos_uri']
  const answer = await register({
    ...Object.fromEntries(named.map((name) => [name, url])),
    backchannel_logout_uri: url,
    post_logout_redirect_uris: [url],
  })
  t.equal(answer.status, 201)
  t.equal(visitors(), 0)
})

for (const member of [
  ...['jwks_uri', 'logo_uri', 'client_uri', 'policy_uri', 'tos_uri'],
  ...['backchannel_logout_uri', 'sector_identifier_uri'],
]) {
  t.test(`no ${member} runs in a browser or reads a disk`, async (t) => {
    for (const url of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      ' javascript:alert(1)',
      'data:text/html,<script>alert(1)</script>',
      'vbscript:x',
      'file:///etc/passwd',
      'gopher://127.0.0.1:6379/_FLUSHALL',
      'https://user:secret@app.example/',
      'https://app.example/\nx',
      '',
    ]) {
      const { status, json } = await register({ [member]: url })
      t.strictSame([status, json.error], [400, 'invalid_client_metadata'], url)
    }
  })
}

const sizes: Record<string, object> = {
  'a long name': { client_name: 'x'.repeat(201) },
  'a thousand redirect URIs': {
    redirect_uris: Array.from({ length: 1000 }, (_, index) => `https://app.example/${index}`),
  },
  'a long redirect URI': { redirect_uris: [`https://app.example/${'x'.repeat(2000)}`] },
  'a hundred keys': { jwks: { keys: Array.from({ length: 100 }, () => ({ kty: 'EC' })) } },
  'a thousand contacts': {
    contacts: Array.from({ length: 1000 }, (_, index) => `${index}@a.example`),
  },
  'a long scope': { scope: `openid ${'x'.repeat(2000)}` },
}

for (const [size, metadata] of Object.entries(sizes)) {
  t.test(`metadata are bounded: ${size}`, async (t) => {
    const { status, json } = await register(metadata)
    t.equal(status, 400)
    t.match(json.error, /^invalid_(?:client_metadata|redirect_uri)$/)
    t.ok(json.error_description.length < 1000)
  })
}

t.test('names of members that programs stumble over are no settings', async (t) => {
  const { status } = await askRegistration(app, '', {
    body: `{"redirect_uris":["https://app.example/cb"],"__proto__":{"consent":"skip"}}`,
  })
  t.equal(status, 400)
  const answer = await register({ toString: 'x', hasOwnProperty: 'x' })
  t.equal(answer.status, 201)
})

t.test('a name that is markup is kept as text, and nothing of it runs here', async (t) => {
  const name = '<img src=x onerror=alert(1)>'
  const { status, headers, json } = await register({ client_name: name })
  t.equal(status, 201)
  t.equal(json.client_name, name)
  t.match(headers, { 'content-type': /^application\/json/, 'x-content-type-options': 'nosniff' })
})

/** A sector's document, as it would be fetched. */
const sector = (body: string, redirectUris: readonly string[]) =>
  checkSector(
    { send: async () => ({ ok: true, status: 200, body: Buffer.from(body) }) },
    {
      settings: { ...defaultClientSettings, sectorIdentifierUri: 'https://sector.example' },
      redirectUris,
    },
  )

t.test('nobody joins the sector of others (OpenID Connect Registration §5)', async (t) => {
  const uris = ['https://a.example/cb', 'https://b.example/cb']
  await sector(JSON.stringify([...uris, 'https://c.example/cb']), uris)
  for (const body of [
    ...['[]', '{}', 'null', '', '"https://a.example/cb"', '["https://a.example/cb"]'],
    JSON.stringify(uris.map((uri) => `${uri}/`)),
  ]) {
    await t.rejects(sector(body, uris), { code: 'invalid_client_metadata' }, body)
  }
})
