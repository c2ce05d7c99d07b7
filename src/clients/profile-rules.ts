import { requirementsOf } from './client-profiles.ts'
import { clientProfiles } from './client-settings.ts'
import { type Candidate, isNotAny, isSenderConstrained, type Rule } from './registration-rule.ts'

const isFapi2 = ({ settings }: Candidate): boolean => settings.profile === 'fapi2'

const provesByKey = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']

const algorithmMembers = {
  id_token_signed_response_alg: 'idTokenSignedResponseAlg',
  userinfo_signed_response_alg: 'userinfoSignedResponseAlg',
  authorization_signed_response_alg: 'authorizationSignedResponseAlg',
  introspection_signed_response_alg: 'introspectionSignedResponseAlg',
  request_object_signing_alg: 'requestObjectSigningAlg',
  token_endpoint_auth_signing_alg: 'tokenEndpointAuthSigningAlg',
} as const

const isForeign = (client: Candidate, member: keyof Candidate['settings']): boolean => {
  const value = client.settings[member]
  return typeof value === 'string' && isNotAny(requirementsOf(client).algorithms)(value)
}

const algorithmRules: readonly Rule[] = Object.entries(algorithmMembers).map(
  ([field, member]): Rule => [
    field,
    'must be PS256, ES256 or EdDSA for the profile fapi2',
    (client) => isFapi2(client) && isForeign(client, member),
  ],
)

/** What the profiles demand (FAPI 2.0 Security Profile §5.3). */
export const profileRules: readonly Rule[] = [
  [
    'profile',
    `must be one of ${clientProfiles.join(', ')}`,
    ({ settings }) => isNotAny(clientProfiles)(settings.profile),
  ],
  [
    'token_endpoint_auth_method',
    `must be one of ${provesByKey.join(', ')} for the profile fapi2`,
    (client) => isFapi2(client) && isNotAny(provesByKey)(client.authenticationMethod),
  ],
  [
    'require_pushed_authorization_requests',
    'must be true for the profile fapi2',
    (client) => isFapi2(client) && !client.settings.requirePushedAuthorizationRequests,
  ],
  [
    'require_pkce',
    'must be true for the profile fapi2',
    (client) => isFapi2(client) && !client.settings.requirePkce,
  ],
  [
    'dpop_bound_access_tokens',
    'or tls_client_certificate_bound_access_tokens must be true for the profile fapi2',
    (client) => isFapi2(client) && !isSenderConstrained(client),
  ],
  [
    'assertion_audience',
    'must be issuer for the profile fapi2',
    (client) => isFapi2(client) && client.settings.assertionAudience !== 'issuer',
  ],
  ...algorithmRules,
]
