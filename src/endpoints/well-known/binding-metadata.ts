import { Type } from 'typebox'
import type { Config } from '../../config.ts'
import { proofAlgorithms } from '../../dpop/proof.ts'

/** Members that speak of tokens bound to keys (RFC 9449 §5.1, RFC 8705 §3.3 and §5). */
export const bindingMembers = {
  dpop_signing_alg_values_supported: Type.Optional(Type.Array(Type.String())),
  tls_client_certificate_bound_access_tokens: Type.Optional(Type.Boolean()),
  mtls_endpoint_aliases: Type.Optional(
    Type.Record(Type.String(), Type.String({ format: 'uri' }), {
      description: 'Where clients are asked for their certificates',
    }),
  ),
}

/** Endpoints that clients authenticate at, or present tokens to. */
const aliased = [
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'device_authorization_endpoint',
  'pushed_authorization_request_endpoint',
  'userinfo_endpoint',
] as const

type Endpoints = Readonly<Partial<Record<(typeof aliased)[number], string>>>
type BindingConfig = Pick<Config, 'clientCertificateHeader' | 'mtlsOrigin'>

/** @param endpoints as they are named beside it */
export const describeBindings = (
  { clientCertificateHeader, mtlsOrigin }: BindingConfig,
  endpoints: Endpoints,
) => ({
  dpop_signing_alg_values_supported: [...proofAlgorithms],
  ...(clientCertificateHeader === undefined
    ? {}
    : { tls_client_certificate_bound_access_tokens: true }),
  ...(mtlsOrigin === undefined ? {} : { mtls_endpoint_aliases: aliasesOf(endpoints, mtlsOrigin) }),
})

const aliasesOf = (endpoints: Endpoints, origin: string): Record<string, string> =>
  Object.fromEntries(
    aliased.flatMap((name) => {
      const url = endpoints[name]
      return url === undefined ? [] : [[name, origin + new URL(url).pathname]]
    }),
  )
