import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import t, { type Test } from 'tap'
import type { ClientRegistration } from '../../src/clients/client-registration.ts'
import { byOperator } from '../endpoints/oauth/requests.ts'
import { createCertificate } from '../support/client-certificates.ts'
import { freePort } from '../support/free-port.ts'
import { startService } from '../support/service.ts'
import { createSigner, type Signer } from '../support/signer.ts'

// Every way of client authentication that is more than a secret, driven from outside by two
// independent clients, over HTTP.
const loopback = { [oauth.allowInsecureRequests]: true }

const listen = async (t: Test) => {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const service = await startService(t, {
    ...{ ISSUER: issuer, PORT: `${port}`, HOST: 'localhost' },
    ...{ CLIENT_SECRET_JWT: 'true', OUTBOUND_PRIVATE_HOSTS: '127.0.0.1' },
    ...{ CLIENT_CERTIFICATE_HEADER: 'Client-Cert', TRUSTED_PROXIES: '127.0.0.0/8,::1' },
  })
  await service.app.listen({ port, host: 'localhost' })
  const server = await oauth.processDiscoveryResponse(
    new URL(issuer),
    await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...loopback }),
  )
  return { ...service, issuer, server }
}

const { deps, issuer, server } = await listen(t)

/** A client's own server, which publishes its keys. @returns the address of the keys */
const publish = async (t: Test, { jwk }: Signer): Promise<string> => {
  const publisher = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys: [jwk] }))
  })
  publisher.listen(0, '127.0.0.1')
  await once(publisher, 'listening')
  t.teardown(() => publisher.close())
  return `http://127.0.0.1:${(publisher.address() as AddressInfo).port}/jwks.json`
}

const create = async (registration: Partial<ClientRegistration>) =>
  deps.clientAdministration.create({ name: 'Client', scope: ['read'], ...registration }, byOperator)

type Options = Parameters<typeof oauth.clientCredentialsGrantRequest>[4]

/** Gets, inspects and revokes a token by oauth4webapi. */
const useByOauth4webapi = async (
  t: Test,
  clientId: string,
  authentication: oauth.ClientAuth,
  special: Options = {},
) => {
  const client = { client_id: clientId }
  const options = { ...loopback, ...special }
  const tokens = await oauth.processClientCredentialsResponse(
    server,
    client,
    await oauth.clientCredentialsGrantRequest(server, client, authentication, {}, options),
  )
  t.match(tokens, { token_type: 'bearer', scope: 'read' })
  const introspected = await oauth.processIntrospectionResponse(
    server,
    client,
    await oauth.introspectionRequest(server, client, authentication, tokens.access_token, options),
  )
  t.match(introspected, { active: true, client_id: clientId })
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, tokens.access_token, options),
  )
}

/** The same by openid-client, which finds everything by discovery. */
const useByOpenidClient = async (
  t: Test,
  clientId: string,
  authentication: openid.ClientAuth,
  customFetch?: openid.CustomFetch,
) => {
  const configuration = await openid.discovery(
    new URL(issuer),
    clientId,
    undefined,
    authentication,
    {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
      ...(customFetch === undefined ? {} : { [openid.customFetch]: customFetch }),
    },
  )
  const tokens = await openid.clientCredentialsGrant(configuration)
  t.match(tokens, { token_type: 'bearer', scope: 'read' })
  t.match(await openid.tokenIntrospection(configuration, tokens.access_token), { active: true })
  await openid.tokenRevocation(configuration, tokens.access_token)
}

for (const algorithm of ['RS256', 'PS256', 'ES256', 'Ed25519']) {
  t.test(`private_key_jwt by ${algorithm}: registered keys`, async (t) => {
    const signer = await createSigner(algorithm)
    const { client } = await create({
      authenticationMethod: 'private_key_jwt',
      settings: { jwks: { keys: [signer.jwk] } },
    })
    const key = { key: signer.privateKey, kid: signer.keyId }
    await useByOauth4webapi(t, client.id, oauth.PrivateKeyJwt(key))
    await useByOpenidClient(t, client.id, openid.PrivateKeyJwt(key))
  })
}

t.test('private_key_jwt: published keys', async (t) => {
  const signer = await createSigner()
  const { client } = await create({
    authenticationMethod: 'private_key_jwt',
    settings: { jwksUri: await publish(t, signer) },
  })
  const key = { key: signer.privateKey, kid: signer.keyId }
  await useByOauth4webapi(t, client.id, oauth.PrivateKeyJwt(key))
  await useByOpenidClient(t, client.id, openid.PrivateKeyJwt(key))
})

t.test('client_secret_jwt', async (t) => {
  const { client, secret = '' } = await create({ authenticationMethod: 'client_secret_jwt' })
  await useByOauth4webapi(t, client.id, oauth.ClientSecretJwt(secret))
  await useByOpenidClient(t, client.id, openid.ClientSecretJwt(secret))
})

t.test('self_signed_tls_client_auth, through a proxy', async (t) => {
  const certificate = createCertificate()
  const jwk = certificate.publicKey.export({ format: 'jwk' }) as { kty: string }
  const { client } = await create({
    authenticationMethod: 'self_signed_tls_client_auth',
    settings: { jwks: { keys: [jwk] } },
  })
  const throughProxy = (
    url: string,
    options: { headers?: ConstructorParameters<typeof Headers>[0] },
  ) => {
    const headers = new Headers(options.headers)
    headers.set('client-cert', certificate.header)
    return fetch(url, { ...options, headers } as RequestInit)
  }
  await useByOauth4webapi(t, client.id, oauth.TlsClientAuth(), {
    [oauth.customFetch]: throughProxy,
  })
  await useByOpenidClient(t, client.id, openid.TlsClientAuth(), throughProxy)
})
