import { generateKeyPairSync } from 'node:crypto'
import { test } from 'tap'
import { type ClientRegistration, register } from '../../src/clients/client-registration.ts'
import { type ClientSettings, defaultClientSettings } from '../../src/clients/client-settings.ts'

const jwkOf = (pair: { publicKey: { export(options: { format: 'jwk' }): unknown } }) =>
  pair.publicKey.export({ format: 'jwk' }) as { kty: string }
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKey = jwkOf(ec)
const jwks = { keys: [publicKey] }
const rsa = (modulusLength: number, publicExponent = 65_537) =>
  jwkOf(generateKeyPairSync('rsa', { modulusLength, publicExponent }))

const faultsOf = (registration: Partial<ClientRegistration>) => {
  const result = register({ name: 'Reports', ...registration })
  return 'faults' in result
    ? result.faults.map(({ field, message }) => `${field} ${message}`)
    : result.client
}

const web = 'https URL, or an http URL of the own machine, without credentials'
const fetched = `must be an ${web} and without a fragment`
const soundKeys =
  'jwks must hold RSA keys of 2048 to 8192 bits with an odd exponent of at least 65537, or keys on P-256 or Ed25519'
const algorithms = 'must be one of RS256, ES256, EdDSA, PS256'
const redirects =
  'must be https URIs, http URIs of the own machine, or URIs of a private scheme with a dot'

/** A setting that cannot be, and what is said of it. */
const faulty: Record<string, [Partial<Record<keyof ClientSettings, unknown>>, string]> = {
  'a profile that nobody knows': [
    { profile: 'bank' },
    'profile must be one of default, oidc-basic, fapi2',
  ],
  'a fragment to answer in': [
    { responseModes: ['fragment'] },
    'response_modes must be one of query, form_post, jwt, query.jwt, form_post.jwt',
  ],
  'no way to answer': [{ responseModes: [] }, 'response_modes must not be empty'],
  'a negative age': [
    { defaultMaxAge: -1 },
    'default_max_age must be a whole number of seconds from 0 to 31622400',
  ],
  'half a second': [
    { defaultMaxAge: 0.5 },
    'default_max_age must be a whole number of seconds from 0 to 31622400',
  ],
  'a class of authentication in two words': [
    { defaultAcrValues: ['a b'] },
    'default_acr_values must be words of printable ASCII',
  ],
  'a type of details without a name': [
    { authorizationDetailsTypes: [''] },
    'authorization_details_types must be words of printable ASCII',
  ],
  'consent at times': [{ consent: 'sometimes' }, 'consent must be one of remember, always, skip'],
  'an audience of its own for assertions': [
    { assertionAudience: 'any' },
    'assertion_audience must be one of issuer, legacy',
  ],
  'ID tokens that nobody signs': [
    { idTokenSignedResponseAlg: 'none' },
    `id_token_signed_response_alg ${algorithms}`,
  ],
  'ID tokens with a shared secret': [
    { idTokenSignedResponseAlg: 'HS256' },
    `id_token_signed_response_alg ${algorithms}`,
  ],
  'userinfo that nobody signs': [
    { userinfoSignedResponseAlg: 'none' },
    `userinfo_signed_response_alg ${algorithms}`,
  ],
  'answers that nobody signs': [
    { authorizationSignedResponseAlg: 'none' },
    `authorization_signed_response_alg ${algorithms}`,
  ],
  'introspection that nobody signs': [
    { introspectionSignedResponseAlg: 'none' },
    `introspection_signed_response_alg ${algorithms}`,
  ],
  'request objects that nobody signs': [
    { requestObjectSigningAlg: 'none', jwks },
    'request_object_signing_alg must be one of RS256, PS256, ES256, EdDSA',
  ],
  'request objects without keys': [
    { requestObjectSigningAlg: 'ES256' },
    'request_object_signing_alg needs jwks or jwks_uri',
  ],
  'signed requests without keys': [
    { requireSignedRequestObject: true },
    'require_signed_request_object needs jwks or jwks_uri',
  ],
  'subjects of another kind': [
    { subjectType: 'secret' },
    'subject_type must be one of public, pairwise',
  ],
  'a script in the place of keys': [{ jwksUri: 'javascript:alert(1)' }, `jwks_uri ${fetched}`],
  'keys in the clear': [{ jwksUri: 'http://keys.example/jwks' }, `jwks_uri ${fetched}`],
  'keys at a fragment': [{ jwksUri: 'https://keys.example/#a' }, `jwks_uri ${fetched}`],
  'keys behind a password': [{ jwksUri: 'https://a:b@keys.example/' }, `jwks_uri ${fetched}`],
  'keys in two places': [
    { jwks, jwksUri: 'https://keys.example' },
    'jwks and jwks_uri exclude each other',
  ],
  'no keys in a set': [{ jwks: { keys: [] } }, 'jwks must be an object with 1 to 20 keys'],
  'a set that is none': [{ jwks: {} }, 'jwks must be an object with 1 to 20 keys'],
  'a private key': [
    { jwks: { keys: [ec.privateKey.export({ format: 'jwk' })] } },
    'jwks must hold public keys only',
  ],
  'a shared key': [
    { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } },
    'jwks must hold public keys only',
  ],
  'an RSA key of 1024 bits': [{ jwks: { keys: [rsa(1024)] } }, soundKeys],
  'an RSA key with the exponent 3': [{ jwks: { keys: [rsa(2048, 3)] } }, soundKeys],
  'a key that is no object': [{ jwks: { keys: ['key'] } }, soundKeys],
  'a key that is not on its curve': [{ jwks: { keys: [{ ...publicKey, x: 'AAAA' }] } }, soundKeys],
  'a sector in the clear': [
    { sectorIdentifierUri: 'http://localhost/sector' },
    'sector_identifier_uri must be an https URL without credentials',
  ],
  'a sign-out that is told to a script': [
    { backchannelLogoutUri: 'data:text/html,x' },
    `backchannel_logout_uri ${fetched}`,
  ],
  'a session that nobody is told of': [
    { backchannelLogoutSessionRequired: true },
    'backchannel_logout_session_required needs backchannel_logout_uri',
  ],
  'a return from sign-outs to anywhere': [
    { postLogoutRedirectUris: ['https://*.example.com/'] },
    `post_logout_redirect_uris ${redirects}`,
  ],
  'a home that is a script': [{ clientUri: 'javascript:alert(1)' }, `client_uri must be an ${web}`],
  'a logo that is a script': [{ logoUri: 'javascript:alert(1)' }, `logo_uri must be an ${web}`],
  'a logo that is its own text': [{ logoUri: 'data:image/png,x' }, `logo_uri must be an ${web}`],
  'a policy on the disk': [{ policyUri: 'file:///etc/passwd' }, `policy_uri must be an ${web}`],
  'terms without a scheme': [{ tosUri: '//tos.example' }, `tos_uri must be an ${web}`],
  'a contact with NUL': [
    { contacts: ['a\0'] },
    'contacts must be 1 to 200 characters of text each',
  ],
  'both bindings': [
    { dpopBoundAccessTokens: true, tlsClientCertificateBoundAccessTokens: true },
    'tls_client_certificate_bound_access_tokens and dpop_bound_access_tokens exclude each other',
  ],
  'an algorithm for assertions that it does not make': [
    { tokenEndpointAuthSigningAlg: 'RS256' },
    'token_endpoint_auth_signing_alg is of use only with private_key_jwt and client_secret_jwt',
  ],
  'a name of a certificate that it does not show': [
    { tlsClientAuth: { member: 'san_dns', value: 'a.example' } },
    'tls_client_auth is of use only with the method tls_client_auth',
  ],
}

for (const [fault, [settings, said]] of Object.entries(faulty)) {
  test(`settings are refused for ${fault}`, async (t) => {
    t.strictSame(faultsOf({ settings: settings as Partial<ClientSettings> }), [said])
  })
}

/** Methods of authentication that come with conditions. */
const combinations: Record<string, [Partial<ClientRegistration>, string[]]> = {
  'private_key_jwt without keys': [
    { authenticationMethod: 'private_key_jwt' },
    ['token_endpoint_auth_method needs jwks or jwks_uri'],
  ],
  'self_signed_tls_client_auth without keys': [
    { authenticationMethod: 'self_signed_tls_client_auth' },
    ['token_endpoint_auth_method needs jwks or jwks_uri'],
  ],
  'tls_client_auth without a name': [
    { authenticationMethod: 'tls_client_auth' },
    [
      'tls_client_auth needs exactly one of tls_client_auth_subject_dn, tls_client_auth_san_dns, tls_client_auth_san_uri, tls_client_auth_san_ip, tls_client_auth_san_email',
    ],
  ],
  'private_key_jwt by a MAC': [
    {
      authenticationMethod: 'private_key_jwt',
      settings: { jwks, tokenEndpointAuthSigningAlg: 'HS256' },
    },
    [
      'token_endpoint_auth_signing_alg must be HS256 for client_secret_jwt, and must not for private_key_jwt',
    ],
  ],
  'a public client without PKCE': [
    { authenticationMethod: 'none', settings: { requirePkce: false } },
    ['require_pkce must be true for a public client'],
  ],
  'a code with nowhere to go': [
    { grantTypes: ['authorization_code'] },
    ['redirect_uris must not be empty for authorization_code'],
  ],
  'a refresh token that stays, of a public client': [
    {
      authenticationMethod: 'none',
      refreshTokenRotation: 'static',
      settings: { dpopBoundAccessTokens: true },
    },
    [
      'refresh_token_rotation static needs a confidential client whose tokens are bound to a key or a certificate',
    ],
  ],
  'a refresh token that stays, bound to nothing': [
    { refreshTokenRotation: 'static' },
    [
      'refresh_token_rotation static needs a confidential client whose tokens are bound to a key or a certificate',
    ],
  ],
  'pairwise subjects of two hosts': [
    {
      redirectUris: ['https://a.example/cb', 'https://b.example/cb'],
      settings: { subjectType: 'pairwise' },
    },
    [
      'sector_identifier_uri is needed for pairwise subjects where redirect_uris have several hosts',
    ],
  ],
}

/** Those that other rules refuse as well, where a method is not offered, are not asked here. */
const saidOf = (registration: Partial<ClientRegistration>): string[] => {
  const faults = faultsOf(registration)
  return Array.isArray(faults)
    ? faults.filter(
        (fault) => !/^(token_endpoint_auth_method|grant_types) must be one of/.test(fault),
      )
    : []
}

for (const [fault, [registration, said]] of Object.entries(combinations)) {
  test(`a registration is refused for ${fault}`, async (t) => {
    t.strictSame(saidOf(registration), said)
  })
}

test('settings that are stated are kept, and the others have their defaults', async (t) => {
  const stated = {
    responseModes: ['query'],
    requirePushedAuthorizationRequests: true,
    defaultMaxAge: 0,
    requireAuthTime: true,
    defaultAcrValues: ['urn:example:high'],
    consent: 'always',
    jwks: { keys: [publicKey, rsa(2048), { kty: 'EC', crv: 'P-521', use: 'enc' }] },
    dpopBoundAccessTokens: true,
    idTokenSignedResponseAlg: 'EdDSA',
    userinfoSignedResponseAlg: 'PS256',
    subjectType: 'pairwise',
    sectorIdentifierUri: 'https://sector.example/uris.json',
    postLogoutRedirectUris: ['https://app.example/bye'],
    backchannelLogoutUri: 'https://app.example/logout',
    backchannelLogoutSessionRequired: true,
    clientUri: 'https://app.example',
    logoUri: 'https://app.example/logo.png',
    contacts: ['ops@app.example'],
  } as const satisfies Partial<ClientSettings>
  t.match(faultsOf({ refreshTokenRotation: 'static', settings: stated }), {
    refreshTokenRotation: 'static',
    settings: { ...defaultClientSettings, ...stated },
  })
})
