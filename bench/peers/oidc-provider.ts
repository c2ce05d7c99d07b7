/**
 * node-oidc-provider with its memory adapter, for the client-credentials grant with JWTs.
 *
 *   oidc-provider.ts <URL of its main module> <algorithm> <bits of RSA keys> <client id> <secret>
 */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { algorithms } from '../../src/keys/algorithms.ts'
import type { SigningAlgorithm } from '../../src/oauth/algorithm.ts'

type Provider = { callback(): RequestListener }
type ProviderModule = { Provider: new (issuer: string, settings: object) => Provider }

const [module = '', algorithm = '', rsaModulusBits, clientId, clientSecret] = process.argv.slice(2)
const { Provider } = (await import(module)) as ProviderModule
const { privateKey } = await algorithms[algorithm as SigningAlgorithm].generate(
  Number(rsaModulusBits),
)
const resource = 'https://api.bench.example'

const provider = new Provider('http://127.0.0.1', {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'orders:read',
      id_token_signed_response_alg: algorithm,
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: algorithm }] },
  scopes: ['orders:read'],
  enabledJWA: { idTokenSigningAlgValues: [algorithm] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({
        scope: 'orders:read',
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: algorithm } },
      }),
    },
  },
})

const server = createServer(provider.callback()).listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
process.once('disconnect', () => process.exit(0))
