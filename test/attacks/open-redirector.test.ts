import t from 'tap'
import { authorizeUrl, type Changes, createPkce, requestOf } from '../support/code-flow.ts'
import { createBrowser, redirectUri, startProvider } from '../support/relying-party.ts'

// Anybody may register an app where registration is open. If an error that needs nobody went to its
// address at once, every link to the service could lead to a stranger's page (RFC 9700 §4.11.2).
const provider = await startProvider(t, { CLIENT_REGISTRATION: 'open' })
const pkce = await createPkce()
const agent = createBrowser(provider)

const registered = await provider.app.inject({
  method: 'POST',
  url: '/connect/register',
  payload: { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' },
})
const { client_id: id } = registered.json<{ client_id: string }>()

const silentErrors: Readonly<Record<string, Changes>> = {
  'nobody is signed in': { prompt: 'none' },
  'the scope is unknown': { scope: 'unknown' },
  'the response type is unknown': { response_type: 'token' },
  'there is no challenge': { code_challenge: undefined },
  'the prompt contradicts itself': { prompt: 'none login' },
  'the hint is forged': { id_token_hint: 'forged' },
  'a parameter is wrong': { max_age: '-1' },
}

for (const [reason, changes] of Object.entries(silentErrors)) {
  t.test(`an app that registered itself gets no error by redirect when ${reason}`, async (t) => {
    const request = requestOf({ id }, pkce, { scope: undefined, ...changes })
    const answer = await agent.ask(authorizeUrl(provider, request))
    t.equal(answer.status, 400)
    t.equal(answer.headers.get('location'), null)
    const html = await answer.text()
    t.notMatch(html, /<meta[^>]*refresh/i)
    t.notMatch(html, 'app.example')
  })
}

t.test('a request of it that is right waits on a page first', async (t) => {
  const page = await agent.open(
    authorizeUrl(provider, requestOf({ id }, pkce, { scope: undefined })),
  )
  t.strictSame([page.status, page.url.origin], [200, provider.issuer])
})
