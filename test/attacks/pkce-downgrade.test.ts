import t from 'tap'
import {
  authorize,
  type Changes,
  createPkce,
  createVisitor,
  postAs,
  redeem,
  requestOf,
  takeCode,
} from '../support/code-flow.ts'
import { redirectUri, registerApp, startProvider } from '../support/relying-party.ts'

// Who can change a request on its way takes the challenge out, or replaces it by one that they know
// how to answer (RFC 7636 §7.2, RFC 9700 §4.8).
const provider = await startProvider(t)
const visitor = await createVisitor(provider)
const pkce = await createPkce()
const apps = {
  'a public app': await registerApp(provider, { authenticationMethod: 'none' }),
  'a confidential app': await registerApp(provider),
}
const lenient = await registerApp(provider, { settings: { requirePkce: false } })

const downgrades: Readonly<Record<string, Changes>> = {
  'no challenge': { code_challenge: undefined, code_challenge_method: undefined },
  'an empty challenge': { code_challenge: '', code_challenge_method: '' },
  'a challenge without a method, which is plain': { code_challenge_method: undefined },
  'the method plain': { code_challenge_method: 'plain' },
  'the method in another spelling': { code_challenge_method: 's256' },
  'a challenge that is too short': { code_challenge: pkce.challenge.slice(1) },
  'a challenge that is too long': { code_challenge: `${pkce.challenge}A` },
  'a challenge with padding': { code_challenge: `${pkce.challenge.slice(0, 42)}=` },
  'a method without a challenge': { code_challenge: undefined },
}

for (const [kind, app] of Object.entries(apps)) {
  for (const [downgrade, changes] of Object.entries(downgrades)) {
    t.test(`${kind}, ${downgrade}: the app is told, and nobody is asked to sign in`, async (t) => {
      const page = await authorize(provider, visitor, requestOf(app, pkce, changes))
      t.equal(page.status, 0, page.text)
      t.equal(`${page.url.origin}${page.url.pathname}`, redirectUri)
      const { error_description: _, ...told } = Object.fromEntries(page.url.searchParams)
      t.strictSame(told, {
        error: 'invalid_request',
        state: 'the-state',
        iss: provider.issuer,
      })
    })

    t.test(`${kind}, ${downgrade}: a pushed request is refused`, async (t) => {
      const answer = await postAs(provider, '/par', app, requestOf(app, pkce, changes))
      t.match(answer, { status: 400, body: { error: 'invalid_request' } })
    })
  }
}

t.test('what stands in the address beside a pushed request changes nothing of it', async (t) => {
  const app = apps['a confidential app']
  const pushed = await postAs(provider, '/par', app, requestOf(app, pkce))
  t.equal(pushed.status, 201)
  const other = await createPkce()
  const page = await authorize(provider, visitor, {
    ...requestOf(app, other),
    state: 'another',
    request_uri: pushed.body.request_uri ?? '',
  })
  t.equal(page.url.searchParams.get('state'), 'the-state')
  const code = page.url.searchParams.get('code') ?? ''
  t.match(await redeem(provider, app, code, other), { body: { error: 'invalid_grant' } })
  t.equal((await redeem(provider, app, code, pkce)).status, 200)
})

t.test(
  'a code with a challenge is not redeemed without a verifier, whoever may do without',
  async (t) => {
    const code = await takeCode(provider, visitor, lenient, pkce)
    const answer = await redeem(provider, lenient, code, pkce, { code_verifier: undefined })
    t.match(answer, { status: 400, body: { error: 'invalid_grant' } })
  },
)

t.test(
  'a code without a challenge is not redeemed with a verifier (RFC 9700 §4.8.2)',
  async (t) => {
    const without = { code_challenge: undefined, code_challenge_method: undefined }
    const code = await takeCode(provider, visitor, lenient, pkce, without)
    t.match(await redeem(provider, lenient, code, pkce), {
      status: 400,
      body: { error: 'invalid_grant' },
    })
    const answer = await redeem(provider, lenient, code, pkce, { code_verifier: undefined })
    t.equal(answer.status, 200, 'and is not burnt by that')
  },
)

t.test('verifiers are 43 to 128 unreserved characters', async (t) => {
  const app = apps['a confidential app']
  const code = await takeCode(provider, visitor, app, pkce)
  for (const verifier of ['a'.repeat(42), 'a'.repeat(129), `${'a'.repeat(42)}é`, ' '.repeat(43)]) {
    const answer = await redeem(provider, app, code, { verifier })
    t.match(answer, { status: 400, body: { error: 'invalid_request' } }, verifier)
  }
  t.equal((await redeem(provider, app, code, pkce)).status, 200)
})

t.test('metadata names S256, and nothing else', async (t) => {
  const metadata = await provider.app.inject('/.well-known/openid-configuration')
  t.strictSame(metadata.json().code_challenge_methods_supported, ['S256'])
})
