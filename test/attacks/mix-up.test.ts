import { createLocalJWKSet, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import t from 'tap'
import {
  authorize,
  type Changes,
  createPkce,
  createVisitor,
  requestOf,
} from '../support/code-flow.ts'
import {
  beginSignIn,
  discover,
  passPages,
  registerApp,
  startProvider,
} from '../support/relying-party.ts'
import type { WebPage } from '../support/web-agent.ts'

// An app that talks to two servers must be able to tell whose answer it holds, or it takes the code
// of the honest one to the dishonest one. So each answer names its issuer (RFC 9207).
const provider = await startProvider(t)
const visitor = await createVisitor(provider)
const app = await registerApp(provider)
const pkce = await createPkce()
const keys = createLocalJWKSet((await provider.app.inject('/.well-known/jwks.json')).json())

const outcomes: Readonly<Record<string, readonly [member: string, changes: Changes]>> = {
  'a code': ['code', {}],
  'an unknown scope': ['error', { scope: 'unknown' }],
  'a response type that there is not': ['error', { response_type: 'token' }],
  'no challenge': ['error', { code_challenge: undefined }],
  'a silent request for a fresh login': ['error', { prompt: 'none', max_age: '0' }],
}

type Read = (page: WebPage) => Promise<Readonly<Record<string, unknown>>>

const fieldsOf: Read = async ({ forms: [form] }) => Object.fromEntries(form?.fields ?? [])
const queryOf: Read = async ({ url }) => Object.fromEntries(url.searchParams)

const signed =
  (read: Read): Read =>
  async (page) => {
    const { response, ...beside } = await read(page)
    if (Object.keys(beside).length > 0) throw new Error('something stands beside the JWT')
    const { issuer } = provider
    return (await jwtVerify(String(response), keys, { issuer, audience: app.id })).payload
  }

const modes: Readonly<Record<string, Read>> = {
  query: queryOf,
  form_post: fieldsOf,
  'query.jwt': signed(queryOf),
  'form_post.jwt': signed(fieldsOf),
  jwt: signed(queryOf),
}

for (const [mode, read] of Object.entries(modes)) {
  for (const [outcome, [member, changes]] of Object.entries(outcomes)) {
    t.test(`${mode}: the answer names its issuer: ${outcome}`, async (t) => {
      const request = requestOf(app, pkce, { response_mode: mode, ...changes })
      const answer = await read(await authorize(provider, visitor, request))
      t.match(answer, { iss: provider.issuer, state: 'the-state', [member]: String })
    })
  }
}

t.test(
  'an app that reads it refuses the answer of another server, and one without a name',
  async (t) => {
    const authentication = openid.ClientSecretBasic(app.secret)
    const configuration = await discover(provider, app.id, authentication)
    for (const issuer of ['https://other.example', '']) {
      const { checks, asked } = await beginSignIn()
      const url = openid.buildAuthorizationUrl(configuration, asked)
      const page = await passPages(visitor.agent, await visitor.agent.open(url), visitor.person)
      page.url.searchParams.delete('iss')
      if (issuer !== '') page.url.searchParams.set('iss', issuer)
      await t.rejects(openid.authorizationCodeGrant(configuration, page.url, checks), {
        code: 'OAUTH_INVALID_RESPONSE',
      })
    }
  },
)

t.test('metadata says that it does', async (t) => {
  for (const path of ['oauth-authorization-server', 'openid-configuration']) {
    const metadata = await provider.app.inject(`/.well-known/${path}`)
    t.match(metadata.json(), {
      issuer: provider.issuer,
      authorization_response_iss_parameter_supported: true,
    })
  }
})
