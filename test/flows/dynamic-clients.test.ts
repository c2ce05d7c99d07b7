import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import t from 'tap'
import { createInitialToken } from '../endpoints/oauth/registrations.ts'
import { freePort } from '../support/free-port.ts'
import { startService } from '../support/service.ts'

// Driven from outside by independent clients, over HTTP.
const port = await freePort()
const issuer = `http://localhost:${port}`
const service = await startService(t, { ISSUER: issuer, PORT: `${port}`, HOST: 'localhost' })
await service.app.listen({ port, host: 'localhost' })

t.test('openid-client registers by discovery alone, and uses what it got', async (t) => {
  const { token } = await createInitialToken(service)
  const config = await openid.dynamicClientRegistration(
    new URL(issuer),
    {
      grant_types: ['client_credentials'],
      response_types: [],
      client_name: 'Machine',
      token_endpoint_auth_method: 'client_secret_post',
    },
    undefined,
    { initialAccessToken: token, execute: [openid.allowInsecureRequests] },
  )
  t.match(config.clientMetadata(), {
    client_id: /^app_/,
    client_secret: /^tcs_/,
    client_secret_expires_at: 0,
    client_name: 'Machine',
    registration_access_token: /^tra_/,
  })
  const tokens = await openid.clientCredentialsGrant(config)
  t.match(tokens, { token_type: 'bearer', expires_in: 900 })
})

t.test('oauth4webapi accepts the answer, and the challenge of a refusal', async (t) => {
  const loopback = { [oauth.allowInsecureRequests]: true }
  const server = await oauth.processDiscoveryResponse(
    new URL(issuer),
    await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...loopback }),
  )
  t.equal(server.registration_endpoint, `${issuer}/connect/register`)
  const { token } = await createInitialToken(service)
  const ask = (initialAccessToken: string) =>
    oauth.dynamicClientRegistrationRequest(
      server,
      { redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'none' },
      { initialAccessToken, ...loopback },
    )
  const client = await oauth.processDynamicClientRegistrationResponse(await ask(token))
  t.match(client, { redirect_uris: ['https://app.example/cb'], response_types: ['code'] })
  t.notOk('client_secret' in client)
  const error = await oauth
    .processDynamicClientRegistrationResponse(await ask(token))
    .catch((thrown: unknown) => thrown)
  t.ok(error instanceof oauth.WWWAuthenticateChallengeError)
  t.match(error, {
    status: 401,
    cause: [{ scheme: 'bearer', parameters: { error: 'invalid_token' } }],
  })
})
