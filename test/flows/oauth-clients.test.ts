import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import t, { type Test } from 'tap'
import { createMachine } from '../endpoints/oauth/requests.ts'
import { freePort } from '../support/free-port.ts'
import { register, startService } from '../support/service.ts'

// Driven from outside by an independent client, over HTTP.
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
  return { ...service, issuer, server }
}

const { app, deps, issuer, server } = await listen(t)
const keys = createRemoteJWKSet(new URL(server.jwks_uri ?? ''))

const methods = {
  client_secret_basic: oauth.ClientSecretBasic,
  client_secret_post: oauth.ClientSecretPost,
}

for (const [method, authenticateBy] of Object.entries(methods)) {
  t.test(`client credentials by ${method}: token, introspection, revocation`, async (t) => {
    const machine = await createMachine(deps, {
      // Every one of these is changed by the encoding of the header (RFC 6749 §2.3.1).
      id: `a:b%c+d/${method}`,
      authenticationMethod: method,
      scope: ['read', 'write'],
      audience: ['https://api.example'],
    })
    const client = { client_id: machine.id }
    const authentication = authenticateBy(machine.secret)

    const tokens = await oauth.processClientCredentialsResponse(
      server,
      client,
      await oauth.clientCredentialsGrantRequest(
        server,
        client,
        authentication,
        { scope: 'read', resource: 'https://api.example' },
        loopback,
      ),
    )

    t.match(tokens, { token_type: 'bearer', expires_in: 900, scope: 'read' })
    const { payload } = await jwtVerify(tokens.access_token, keys, {
      issuer,
      audience: 'https://api.example',
      typ: 'at+jwt',
      algorithms: ['RS256'],
      subject: machine.id,
      requiredClaims: ['jti', 'iat', 'exp', 'client_id'],
    })
    t.equal(payload.scope, 'read')

    const introspect = async () =>
      oauth.processIntrospectionResponse(
        server,
        client,
        await oauth.introspectionRequest(
          server,
          client,
          authentication,
          tokens.access_token,
          loopback,
        ),
      )
    t.match(await introspect(), { active: true, client_id: machine.id, scope: 'read' })
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, authentication, tokens.access_token, loopback),
    )
    t.strictSame(await introspect(), { active: false })
  })
}

t.test('refresh of a public client: rotation, reuse ends the family', async (t) => {
  const client = { client_id: 'first-party' }
  const person = await register(app)
  const refresh = async (token: string) =>
    oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, oauth.None(), token, loopback),
    )

  const second = (await refresh(person.refresh_token)).refresh_token ?? ''
  const third = (await refresh(second)).refresh_token ?? ''

  t.equal(new Set([person.refresh_token, second, third]).size, 3)
  const refused = async (token: string, code: string) => {
    const error = await refresh(token).catch((thrown: unknown) => thrown)
    t.ok(error instanceof oauth.ResponseBodyError)
    t.match(error, { status: 400, error: 'invalid_grant', cause: { code } })
  }
  await refused(person.refresh_token, 'reused')
  await refused(third, 'revoked')
})

t.test('revocation of a refresh token by a public client', async (t) => {
  const client = { client_id: 'first-party' }
  const person = await register(app)
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, oauth.None(), person.refresh_token, loopback),
  )
  const answer = await oauth.refreshTokenGrantRequest(
    server,
    client,
    oauth.None(),
    person.refresh_token,
    loopback,
  )
  t.equal(answer.status, 400)
})

t.test('a client that fails to authenticate gets the challenge of its scheme', async (t) => {
  const answer = await oauth.clientCredentialsGrantRequest(
    server,
    { client_id: 'nobody' },
    oauth.ClientSecretBasic('wrong'),
    {},
    loopback,
  )
  const error = await oauth
    .processClientCredentialsResponse(server, { client_id: 'nobody' }, answer)
    .catch((thrown: unknown) => thrown)
  t.ok(error instanceof oauth.WWWAuthenticateChallengeError)
  t.match(error, { status: 401, cause: [{ scheme: 'basic' }] })
})
