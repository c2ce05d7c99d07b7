import t from 'tap'
import { askWithKey, presentWithKey } from '../support/bound-tokens.ts'
import { createProofKey } from '../support/dpop.ts'
import { createRelyingParty, seedCode, seedSession } from '../support/openid.ts'
import { connect, register, startService } from '../support/service.ts'

// Whoever has stolen an access token, but not the key that it is bound to, tries it everywhere.
const service = await startService(t)
const { app } = service
const db = await connect(t, service)
const person = await register(app)
const sessionId = await seedSession(db, person.user.id)
const scope = ['openid', 'account']
const key = createProofKey()
const party = await createRelyingParty(service, { dpopBoundAccessTokens: true }, { scope })
const code = await seedCode(db, party, { userId: person.user.id, sessionId, scope })
const form = { grant_type: 'authorization_code', redirect_uri: 'https://app.example/cb', code }
const token = (await askWithKey(service, form, key, party.headers)).json().access_token

type Operation = { readonly security?: readonly Readonly<Record<string, unknown>>[] }
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const { paths } = app.swagger() as { paths: Record<string, Record<string, Operation>> }

/** Every route that takes access tokens, by the description of the API; registrations have others. */
const ours = Object.entries(paths).filter(([path]) => !path.startsWith('/connect/'))
const guarded = ours.flatMap(([path, operations]) =>
  methods
    .filter((method) =>
      operations[method.toLowerCase()]?.security?.some((scheme) => 'bearer' in scheme),
    )
    .map((method) => ({ method, url: path.replace(/\{[^}]*\}/g, 'x') })),
)

t.test('with the key it is good', async (t) => {
  t.equal((await presentWithKey(service, key, token)).statusCode, 200)
  t.ok(guarded.length > 30)
})

for (const { method, url } of guarded) {
  t.test(`${method} ${url} does not take it without the key`, async (t) => {
    for (const authorization of [`Bearer ${token}`, `DPoP ${token}`, `dpop  ${token}`]) {
      const { statusCode, headers } = await app.inject({ method, url, headers: { authorization } })
      t.equal(statusCode, 401)
      t.ok(headers['www-authenticate'])
    }
  })
}

t.test('nothing was done in the name of the person', async (t) => {
  const answer = await presentWithKey(service, key, token)
  t.equal(answer.json().id, person.user.id)
})
