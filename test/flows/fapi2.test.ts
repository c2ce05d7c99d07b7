import { exportJWK } from 'jose'
import * as openid from 'openid-client'
import t from 'tap'
import { goodRequest, openBrowser, sentTo, toQuery } from '../endpoints/oauth/authorization.ts'
import { byOperator, postForm } from '../endpoints/oauth/requests.ts'
import { freePort } from '../support/free-port.ts'
import { startService } from '../support/service.ts'
import { assertionClaims, assertionType, createSigner } from '../support/signer.ts'

// A client of which one word was said, driven by an independent client over HTTP: what FAPI 2.0
// demands works, and nothing weaker does.
const port = await freePort()
const issuer = `http://localhost:${port}`
const service = await startService(t, { ISSUER: issuer, PORT: `${port}`, HOST: 'localhost' })
const { app, deps } = service
await app.listen({ port, host: 'localhost' })

const redirectUri = 'https://bank.example/cb'
const keys = await openid.randomDPoPKeyPair('ES256', { extractable: true })
const rsa = await createSigner('RS256')
const jwks = { keys: [await exportJWK(keys.publicKey), rsa.jwk] }

const { client } = await deps.clientAdministration.create(
  {
    name: 'Bank',
    grantTypes: ['authorization_code', 'refresh_token'],
    scope: ['openid', 'offline_access', 'accounts'],
    redirectUris: [redirectUri],
    settings: { profile: 'fapi2', jwks, consent: 'skip' },
  },
  byOperator,
)

const discover = (clientAuth = openid.PrivateKeyJwt(keys.privateKey)) =>
  openid.discovery(
    new URL(issuer),
    client.id,
    { id_token_signed_response_alg: 'PS256', use_mtls_endpoint_aliases: false },
    clientAuth,
    { execute: [openid.allowInsecureRequests] },
  )

t.test(
  'pushed, proved by keys, bound: a code, tokens, and a refresh token that stays',
  async (t) => {
    const config = await discover()
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const pkceCodeVerifier = openid.randomPKCECodeVerifier()
    const expectedState = openid.randomState()
    const url = await openid.buildAuthorizationUrlWithPAR(
      config,
      {
        ...{ redirect_uri: redirectUri, scope: 'openid accounts', state: expectedState },
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      },
      { DPoP },
    )
    const { browser } = await openBrowser(service)
    const { headers } = await browser.get(url.pathname + url.search)
    const tokens = await openid.authorizationCodeGrant(
      config,
      new URL(String(headers.location)),
      { pkceCodeVerifier, expectedState, idTokenExpected: true },
      undefined,
      { DPoP },
    )
    t.equal(tokens.token_type, 'dpop')
    t.ok(tokens.claims()?.sub)
    const refreshToken = tokens.refresh_token ?? ''
    for (let time = 0; time < 2; time += 1) {
      const refreshed = await openid.refreshTokenGrant(config, refreshToken, undefined, { DPoP })
      t.equal(refreshed.token_type, 'dpop')
      // FAPI 2.0 §5.3.2.1: no rotation.
      t.equal(refreshed.refresh_token ?? refreshToken, refreshToken)
    }
  },
)

t.test('a request that was not pushed gets no code', async (t) => {
  const { browser } = await openBrowser(service)
  const asked = { client_id: client.id, ...goodRequest, redirect_uri: redirectUri }
  const answer = sentTo(await browser.get(`/authorize?${toQuery(asked)}`))
  t.match(answer, {
    address: redirectUri,
    parameters: { error: 'invalid_request', state: goodRequest.state, iss: issuer },
  })
  t.notOk('code' in answer.parameters)
})

const push = (assertion: string, rest: Record<string, string> = goodRequest) =>
  postForm(app, '/par', {
    ...{ ...rest, redirect_uri: redirectUri, client_id: client.id },
    ...{ client_assertion: assertion, client_assertion_type: assertionType },
  })

t.test('RS256 proves nothing, although the key is its own', async (t) => {
  const answer = await push(await rsa.sign(assertionClaims(client.id, issuer)))
  t.match([answer.statusCode, answer.json()], [401, { error: 'invalid_client' }])
})

t.test('a request without a challenge is not taken', async (t) => {
  const config = await discover()
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const asked = { redirect_uri: redirectUri, scope: 'openid', response_type: 'code' }
  const error = await openid
    .buildAuthorizationUrlWithPAR(config, asked, { DPoP })
    .catch((thrown: unknown) => thrown)
  t.match(error, { status: 400, error: 'invalid_request' })
})

t.test('tokens that are bound to nothing are not given', async (t) => {
  const config = await discover()
  await t.rejects(openid.refreshTokenGrant(config, 'any'), {
    cause: { error: 'invalid_dpop_proof' },
  })
})
