import { existsSync } from 'node:fs'
import { decodeProtectedHeader } from 'jose'
import t, { type Test } from 'tap'
import { claimsIn, createRelyingParty, obtainTokens, seedSession } from '../../support/openid.ts'
import { connect, register, startService } from '../../support/service.ts'
import { createMachine, postForm } from '../oauth/requests.ts'

// What the metadata say is compared with what the service does, member by member. A member that
// nothing here or in the named test looks at makes this test fail.
const service = await startService(t)
const { app, deps, config } = service
const db = await connect(t, service)
const { user } = await register(app)
await db
  .updateTable('users')
  .set({ name: 'Ada L', given_name: 'Ada', family_name: 'L', username: 'ada' })
  .where('id', '=', user.id)
  .execute()
const sessionId = await seedSession(db, user.id)
const granted = { userId: user.id, sessionId }
type Party = Parameters<typeof createRelyingParty>[1]
const algorithms = (await deps.keyRing.algorithms()).toSorted()

type Check = (t: Test, value: never) => Promise<unknown> | unknown
const names = (value: readonly string[]): string[] => value.toSorted()

const answersTo = (method: 'GET' | 'POST') => async (t: Test, url: string) => {
  t.ok(url.startsWith(`${config.issuer}/`))
  const { statusCode } = await app.inject({ method, url: new URL(url).pathname })
  t.notOk([404, 405].includes(statusCode), `${method} ${url}: ${statusCode}`)
}
const both = async (t: Test, url: string) => {
  await answersTo('GET')(t, url)
  await answersTo('POST')(t, url)
}
const headerOf = async (
  settings: Party,
  read: (party: {
    readonly headers: { readonly authorization: string }
    readonly tokens: Awaited<ReturnType<typeof obtainTokens>>
  }) => Promise<string>,
) => {
  const party = await createRelyingParty(service, settings)
  const tokens = await obtainTokens(service, db, party, granted)
  return decodeProtectedHeader(await read({ headers: party.headers, tokens })).alg
}
const signsWith =
  (settingsOf: (algorithm: never) => Party, read: Parameters<typeof headerOf>[1]) =>
  async (t: Test, value: readonly string[]) => {
    t.same(names(value), algorithms)
    for (const algorithm of value) {
      t.equal(await headerOf(settingsOf(algorithm as never), read), algorithm)
    }
  }

const here: Record<string, Check> = {
  issuer: (t, value) => t.equal(value, config.issuer),
  jwks_uri: answersTo('GET'),
  service_documentation: answersTo('GET'),
  authorization_endpoint: both,
  userinfo_endpoint: both,
  end_session_endpoint: both,
  token_endpoint: answersTo('POST'),
  revocation_endpoint: answersTo('POST'),
  introspection_endpoint: answersTo('POST'),
  registration_endpoint: answersTo('POST'),
  pushed_authorization_request_endpoint: answersTo('POST'),
  device_authorization_endpoint: answersTo('POST'),

  grant_types_supported: async (t, value: readonly string[]) => {
    const { headers } = await createMachine(deps)
    const ask = async (grantType: string) =>
      (await postForm(app, '/token', { grant_type: grantType }, headers)).json().error
    for (const grantType of value) t.not(await ask(grantType), 'unsupported_grant_type', grantType)
    for (const grantType of ['password', 'implicit']) {
      t.equal(await ask(grantType), 'unsupported_grant_type')
    }
  },
  scopes_supported: async (t, value: readonly string[]) => {
    const scope = value.filter((token) => !['account', 'admin'].includes(token))
    const party = await createRelyingParty(service, {}, { scope })
    const tokens = await obtainTokens(service, db, party, { ...granted, scope })
    t.equal(claimsIn(tokens.access_token).scope, scope.join(' '))
    t.equal(claimsIn((await register(app)).access_token).scope, 'account', 'of our own API')
  },
  subject_types_supported: async (t, value: readonly never[]) => {
    const subjects = new Set<unknown>()
    for (const subjectType of value) {
      const party = await createRelyingParty(service, { subjectType })
      subjects.add(claimsIn((await obtainTokens(service, db, party, granted)).id_token).sub)
    }
    t.equal(subjects.size, 2)
  },
  id_token_signing_alg_values_supported: signsWith(
    (idTokenSignedResponseAlg) => ({ idTokenSignedResponseAlg }),
    async ({ tokens }) => tokens.id_token,
  ),
  userinfo_signing_alg_values_supported: signsWith(
    (userinfoSignedResponseAlg) => ({ userinfoSignedResponseAlg }),
    async ({ tokens }) =>
      (await postForm(app, '/userinfo', { access_token: tokens.access_token })).body,
  ),
  introspection_signing_alg_values_supported: signsWith(
    (introspectionSignedResponseAlg) => ({ introspectionSignedResponseAlg }),
    async ({ headers, tokens }) =>
      (await postForm(app, '/introspect', { token: tokens.access_token }, headers)).body,
  ),
  claims_supported: async (t, value: readonly string[]) => {
    const party = await createRelyingParty(service)
    const all = Object.fromEntries(value.map((name) => [name, null]))
    const claims = { userinfo: all, id_token: all }
    const tokens = await obtainTokens(service, db, party, { ...granted, claims })
    const inIdToken = Object.keys(claimsIn(tokens.id_token))
    const own = ['iss', 'aud', 'iat', 'exp', 'at_hash']
    t.same(names(inIdToken.filter((name) => !own.includes(name))), names(value))
  },
  claims_parameter_supported: (t, value) => t.equal(value, true, 'see claims_supported'),
  claim_types_supported: (t, value) => t.same(value, ['normal']),
  ui_locales_supported: async (t, value: readonly string[]) => {
    for (const language of value) {
      const page = await app.inject(`/logout?ui_locales=${language}`)
      t.equal(page.headers['content-language'], language)
    }
  },
}

const flows = '../../flows'
const oauth = '../oauth'
const elsewhere: Record<string, string> = {
  backchannel_logout_supported: `${flows}/back-channel-logout.test.ts`,
  backchannel_logout_session_supported: `${flows}/back-channel-logout.test.ts`,
  token_endpoint_auth_methods_supported: `${flows}/code-flow.test.ts`,
  revocation_endpoint_auth_methods_supported: `${oauth}/revoke.test.ts`,
  introspection_endpoint_auth_methods_supported: `${oauth}/introspect.test.ts`,
  token_endpoint_auth_signing_alg_values_supported: `${oauth}/client-assertions.test.ts`,
  revocation_endpoint_auth_signing_alg_values_supported: `${oauth}/client-assertions.test.ts`,
  introspection_endpoint_auth_signing_alg_values_supported: `${oauth}/client-assertions.test.ts`,
  dpop_signing_alg_values_supported: `${oauth}/dpop-proofs.test.ts`,
  acr_values_supported: `${oauth}/step-up.test.ts`,
  require_pushed_authorization_requests: `${oauth}/par.test.ts`,
  response_types_supported: `${oauth}/authorize-refusals.test.ts`,
  response_modes_supported: `${oauth}/authorization-answers.test.ts`,
  authorization_signing_alg_values_supported: `${oauth}/authorization-answers.test.ts`,
  authorization_response_iss_parameter_supported: `${oauth}/authorization-answers.test.ts`,
  code_challenge_methods_supported: `${oauth}/authorize-refusals.test.ts`,
  prompt_values_supported: `${oauth}/prompts.test.ts`,
  request_parameter_supported: `${oauth}/request-objects.test.ts`,
  request_object_signing_alg_values_supported: `${oauth}/request-objects.test.ts`,
  request_uri_parameter_supported: `${oauth}/authorize-refusals.test.ts`,
}

const metadata: Record<string, unknown> = (
  await app.inject('/.well-known/openid-configuration')
).json()

t.test('every member is looked at', async (t) => {
  const known = [...Object.keys(here), ...Object.keys(elsewhere)]
  t.same(
    Object.keys(metadata).filter((name) => !known.includes(name)),
    [],
  )
  t.same(
    known.filter((name) => !(name in metadata)),
    [],
  )
  for (const file of Object.values(elsewhere)) {
    t.ok(existsSync(new URL(file, import.meta.url)), file)
  }
})

for (const [name, check] of Object.entries(here)) {
  t.test(`${name} is true`, async (t) => check(t, metadata[name] as never))
}
