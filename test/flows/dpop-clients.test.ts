import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import t, { type Test } from 'tap'
import { createMachine } from '../endpoints/oauth/requests.ts'
import { freePort } from '../support/free-port.ts'
import { createRelyingParty, seedCode, seedSession } from '../support/openid.ts'
import { connect, register, startService } from '../support/service.ts'

// DPoP driven from outside by two independent clients, over HTTP, with every key that they can make.
const loopback = { [oauth.allowInsecureRequests]: true }

const listen = async (t: Test) => {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const service = await startService(t, { ISSUER: issuer, PORT: `${port}`, HOST: 'localhost' })
  await service.app.listen({ port, host: 'localhost' })
  const server = await oauth.processDiscoveryResponse(
    new URL(issuer),
    await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...loopback }),
  )
  return { service, issuer, server }
}

const { service, issuer, server } = await listen(t)
const { deps } = service

/** As the library's documentation says: whoever is told of a nonce tries again. */
const withNonce = async <T>(act: () => Promise<T>): Promise<T> => {
  try {
    return await act()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return await act()
  }
}

for (const algorithm of ['ES256', 'RS256', 'PS256', 'Ed25519'] as const) {
  t.test(`oauth4webapi: client credentials with a key for ${algorithm}`, async (t) => {
    t.ok(server.dpop_signing_alg_values_supported?.includes(algorithm))
    const machine = await createMachine(deps, { settings: { dpopBoundAccessTokens: true } })
    const client = { client_id: machine.id }
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair(algorithm))
    const tokens = await withNonce(async () =>
      oauth.processClientCredentialsResponse(
        server,
        client,
        await oauth.clientCredentialsGrantRequest(
          server,
          client,
          oauth.ClientSecretBasic(machine.secret),
          {},
          { DPoP, ...loopback },
        ),
      ),
    )
    t.equal(tokens.token_type, 'dpop')
    const introspection = await oauth.processIntrospectionResponse(
      server,
      client,
      await oauth.introspectionRequest(
        server,
        client,
        oauth.ClientSecretBasic(machine.secret),
        tokens.access_token,
        loopback,
      ),
    )
    t.match(introspection, {
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: await DPoP.calculateThumbprint() },
    })
  })
}

t.test('openid-client: a code, our API, a refresh; nonces are its own affair', async (t) => {
  const scope = ['openid', 'account', 'offline_access']
  const party = await createRelyingParty(service, {}, { authenticationMethod: 'none', scope })
  const db = await connect(t, service)
  const person = await register(service.app)
  const sessionId = await seedSession(db, person.user.id)
  const code = await seedCode(db, party, { userId: person.user.id, sessionId, scope })

  const configuration = await openid.discovery(
    new URL(issuer),
    party.id,
    undefined,
    openid.None(),
    { execute: [openid.allowInsecureRequests] },
  )
  const DPoP = openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair('ES256'))
  const tokens = await openid.genericGrantRequest(
    configuration,
    'authorization_code',
    { code, redirect_uri: 'https://app.example/cb' },
    { DPoP },
  )
  t.equal(tokens.token_type, 'dpop')

  const askApi = (accessToken: string) =>
    openid.fetchProtectedResource(
      configuration,
      accessToken,
      new URL(`${issuer}/auth/me`),
      'GET',
      undefined,
      undefined,
      { DPoP },
    )
  t.equal((await askApi(tokens.access_token)).status, 200)
  const next = await openid.refreshTokenGrant(
    configuration,
    tokens.refresh_token ?? '',
    undefined,
    { DPoP },
  )
  t.equal(next.token_type, 'dpop')
  t.equal((await askApi(next.access_token)).status, 200)
  const claims = await openid.fetchUserInfo(configuration, next.access_token, person.user.id, {
    DPoP,
  })
  t.equal(claims.sub, person.user.id)

  const thief = openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair('ES256'))
  const refused = await openid
    .refreshTokenGrant(configuration, next.refresh_token ?? '', undefined, { DPoP: thief })
    .catch((error: unknown) => error)
  t.ok(refused instanceof openid.ResponseBodyError)
  t.match(refused, { status: 400, error: 'invalid_grant' })
})
