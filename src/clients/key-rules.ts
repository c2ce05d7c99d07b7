import type { JWK } from 'jose'
import { findJwkFault } from '../keys/public-jwk.ts'
import { certificateNames, clientSigningAlgorithms } from './client-settings.ts'
import { type Candidate, isNotAny, type Rule } from './registration-rule.ts'

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const largestKeySet = 20

const keysOf = ({ settings }: Candidate): readonly unknown[] | undefined => {
  if (settings.jwks === null) return []
  const { keys } = settings.jwks as { readonly keys?: unknown }
  return Array.isArray(keys) ? keys : undefined
}

const isObject = (key: unknown): key is JWK => typeof key === 'object' && key !== null

const isPrivate = (key: unknown): boolean =>
  isObject(key) && privateMembers.some((member) => Object.hasOwn(key, member))

/** Keys to encrypt with are nothing to us. */
const isSound = (key: unknown): boolean =>
  isObject(key) &&
  typeof key.kty === 'string' &&
  (key.use === 'enc' ||
    clientSigningAlgorithms.some((algorithm) => findJwkFault(key, algorithm) === undefined))

const hasKeys = ({ settings }: Candidate): boolean =>
  settings.jwks !== null || settings.jwksUri !== null

const uses =
  (...methods: readonly string[]) =>
  (client: Candidate): boolean =>
    methods.includes(client.authenticationMethod)

const needsKeys = uses('private_key_jwt', 'self_signed_tls_client_auth')
const signsAssertions = uses('private_key_jwt', 'client_secret_jwt')

/** The keys and certificates by which a client proves itself, and what it signs with them. */
export const keyRules: readonly Rule[] = [
  [
    'jwks',
    'and jwks_uri exclude each other',
    ({ settings }) => settings.jwks !== null && settings.jwksUri !== null,
  ],
  [
    'jwks',
    `must be an object with 1 to ${largestKeySet} keys`,
    (client) => {
      const count = keysOf(client)?.length ?? 0
      return client.settings.jwks !== null && (count < 1 || count > largestKeySet)
    },
  ],
  ['jwks', 'must hold public keys only', (client) => keysOf(client)?.some(isPrivate) === true],
  [
    'jwks',
    'must hold RSA keys of 2048 to 8192 bits with an odd exponent of at least 65537, or keys on P-256 or Ed25519',
    (client) => keysOf(client)?.some((key) => !isPrivate(key) && !isSound(key)) === true,
  ],
  [
    'token_endpoint_auth_method',
    'needs jwks or jwks_uri',
    (client) => needsKeys(client) && !hasKeys(client),
  ],
  [
    'token_endpoint_auth_signing_alg',
    'is of use only with private_key_jwt and client_secret_jwt',
    (client) => client.settings.tokenEndpointAuthSigningAlg !== null && !signsAssertions(client),
  ],
  // RFC 8725 §3.1: never the same key for a signature and a MAC.
  [
    'token_endpoint_auth_signing_alg',
    'must be HS256 for client_secret_jwt, and must not for private_key_jwt',
    (client) => {
      const { tokenEndpointAuthSigningAlg: algorithm } = client.settings
      if (algorithm === null || !signsAssertions(client)) return false
      return (algorithm === 'HS256') !== (client.authenticationMethod === 'client_secret_jwt')
    },
  ],
  [
    'request_object_signing_alg',
    'needs jwks or jwks_uri',
    (client) => client.settings.requestObjectSigningAlg !== null && !hasKeys(client),
  ],
  [
    'require_signed_request_object',
    'needs jwks or jwks_uri',
    (client) => client.settings.requireSignedRequestObject && !hasKeys(client),
  ],
  [
    'tls_client_auth',
    `needs exactly one of ${certificateNames.map((name) => `tls_client_auth_${name}`).join(', ')}`,
    (client) => {
      const { tlsClientAuth: name } = client.settings
      if (name === null) return uses('tls_client_auth')(client)
      return isNotAny(certificateNames)(name.member)
    },
  ],
  [
    'tls_client_auth',
    'must be 1 to 1000 printable ASCII characters',
    ({ settings }) => !/^[\x20-\x7e]{1,1000}$/.test(settings.tlsClientAuth?.value ?? ' '),
  ],
  [
    'tls_client_auth',
    'is of use only with the method tls_client_auth',
    (client) => client.settings.tlsClientAuth !== null && !uses('tls_client_auth')(client),
  ],
  [
    'tls_client_certificate_bound_access_tokens',
    'and dpop_bound_access_tokens exclude each other',
    ({ settings }) =>
      settings.tlsClientCertificateBoundAccessTokens && settings.dpopBoundAccessTokens,
  ],
]
