import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { type Static, Type } from 'typebox'
import { assertionAlgorithms, supportedMethods } from '../../clients/supported-methods.ts'
import type { Deps } from '../../deps.ts'
import { jwksCacheControl } from '../../keys/jwks.ts'
import { signingAlgorithms } from '../../oauth/algorithm.ts'
import { ownScopes } from '../../oauth/own-scope.ts'
import { openidScopes } from '../../oauth/standard-claims.ts'
import { basePathOf } from '../../plugins/base-path.ts'
import { problemResponses } from '../problem-schema.ts'
import { authorizationMembers, describeAuthorization } from './authorization-metadata.ts'
import { bindingMembers, describeBindings } from './binding-metadata.ts'
import { describeOpenid, openidMembers } from './openid-metadata.ts'

type MetadataDeps = Pick<Deps, 'config' | 'detailsTypes' | 'grants'>

const url = Type.Optional(Type.String({ format: 'uri' }))
const words = Type.Optional(Type.Array(Type.String()))

const metadataSchema = Type.Object(
  {
    issuer: Type.String({ format: 'uri' }),
    token_endpoint: url,
    device_authorization_endpoint: url,
    revocation_endpoint: url,
    introspection_endpoint: url,
    jwks_uri: url,
    registration_endpoint: url,
    service_documentation: url,
    scopes_supported: words,
    grant_types_supported: words,
    token_endpoint_auth_methods_supported: words,
    token_endpoint_auth_signing_alg_values_supported: words,
    revocation_endpoint_auth_methods_supported: words,
    revocation_endpoint_auth_signing_alg_values_supported: words,
    introspection_endpoint_auth_methods_supported: words,
    introspection_endpoint_auth_signing_alg_values_supported: words,
    introspection_signing_alg_values_supported: words,
    ...authorizationMembers,
    ...openidMembers,
    ...bindingMembers,
    authorization_details_types_supported: words,
  },
  { description: 'What this authorization server offers (RFC 8414 §2)' },
)

type Metadata = Static<typeof metadataSchema>

const schema = {
  summary: 'What this authorization server offers',
  tags: ['Service'],
  response: { 200: metadataSchema, ...problemResponses() },
}

/**
 * `GET /.well-known/oauth-authorization-server`, with the issuer's path behind it (RFC 8414 §3.1),
 * and `GET /.well-known/openid-configuration` below that path (Discovery §4): one document. It says
 * only what is registered, and what would be empty is left out (RFC 8414 §3.2).
 */
export const metadata: FastifyPluginAsyncTypebox<MetadataDeps> = async (app, deps) => {
  const path = basePathOf(deps.config.issuer)
  const options = { schema, config: { publicData: true, rateLimit: false } } as const
  for (const address of [
    `/.well-known/oauth-authorization-server${path}`,
    `${path}/.well-known/openid-configuration`,
  ]) {
    app.get(address, options, async (_request, reply) => {
      reply.header('cache-control', jwksCacheControl)
      return describe(app, deps)
    })
  }
}

const isConfidential = (method: string): boolean => method !== 'none'

const describe = (
  app: FastifyInstance,
  { config, detailsTypes, grants }: MetadataDeps,
): Metadata => {
  const types = detailsTypes.all().map(({ type }) => type)
  const base = basePathOf(config.issuer)
  const ifRegistered = (method: 'GET' | 'POST', path: string, members: Partial<Metadata>) =>
    app.hasRoute({ method, url: base + path }) ? members : {}
  const at = (path: string): string => config.issuer + path
  const methods = [...supportedMethods(config)]
  const algorithms = [...assertionAlgorithms(config)]
  const has = (method: 'GET' | 'POST', path: string): boolean =>
    app.hasRoute({ method, url: base + path })
  const described: Metadata = {
    issuer: config.issuer,
    ...describeAuthorization(at, has, config.requirePushedAuthorizationRequests),
    ...ifRegistered('POST', '/token', {
      token_endpoint: at('/token'),
      grant_types_supported: Object.keys(grants),
      token_endpoint_auth_methods_supported: methods,
      token_endpoint_auth_signing_alg_values_supported: algorithms,
    }),
    ...ifRegistered('POST', '/device_authorization', {
      device_authorization_endpoint: at('/device_authorization'),
    }),
    // RFC 9396 §10; RFC 8414 §3.2: what would be empty is left out.
    ...(types.length === 0 ? {} : { authorization_details_types_supported: types }),
    ...ifRegistered('POST', '/revoke', {
      revocation_endpoint: at('/revoke'),
      revocation_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    }),
    ...ifRegistered('POST', '/introspect', {
      introspection_endpoint: at('/introspect'),
      introspection_signing_alg_values_supported: [...signingAlgorithms],
      introspection_endpoint_auth_methods_supported: methods.filter(isConfidential),
      introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    }),
    ...ifRegistered('GET', '/.well-known/jwks.json', { jwks_uri: at('/.well-known/jwks.json') }),
    ...ifRegistered('POST', '/connect/register', {
      registration_endpoint: at('/connect/register'),
    }),
    ...ifRegistered('GET', '/docs', { service_documentation: at('/docs') }),
    ...describeOpenid(at, (method, path) => app.hasRoute({ method, url: base + path })),
    scopes_supported: [...openidScopes, ...ownScopes],
  }
  return { ...described, ...describeBindings(config, described) }
}
