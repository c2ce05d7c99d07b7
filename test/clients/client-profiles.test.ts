import { generateKeyPairSync } from 'node:crypto'
import { test } from 'tap'
import { applyChange } from '../../src/clients/client-change.ts'
import { requirementsOf } from '../../src/clients/client-profiles.ts'
import { type ClientRegistration, register } from '../../src/clients/client-registration.ts'
import { type ClientSettings, defaultClientSettings } from '../../src/clients/client-settings.ts'
import { makeClient } from '../support/new-client.ts'

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwks = { keys: [publicKey.export({ format: 'jwk' }) as { kty: string }] }
const bank = { profile: 'fapi2', jwks } as const

const registered = (registration: Partial<ClientRegistration>) => {
  const result = register({ name: 'App', ...registration })
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.client
}
const faultsOf = (registration: Partial<ClientRegistration>) => {
  const result = register({ name: 'App', ...registration })
  return 'faults' in result ? result.faults.map(({ field, message }) => `${field} ${message}`) : []
}

test('fapi2: one word sets all that the profile demands (FAPI 2.0 §5.3)', async (t) => {
  const client = registered({ settings: bank })
  t.match(client, { authenticationMethod: 'private_key_jwt', refreshTokenRotation: 'static' })
  t.strictSame(client.settings, {
    ...defaultClientSettings,
    ...bank,
    requirePushedAuthorizationRequests: true,
    dpopBoundAccessTokens: true,
    idTokenSignedResponseAlg: 'PS256',
    authorizationSignedResponseAlg: 'PS256',
  })
  t.strictSame(requirementsOf(client), {
    pkce: true,
    pushedRequest: true,
    signedRequestObject: false,
    senderConstraint: 'dpop',
    algorithms: ['PS256', 'ES256', 'EdDSA'],
    legacyAssertionAudience: false,
  })
})

test('fapi2: binding to a certificate takes the place of binding to a key', async (t) => {
  const { settings } = registered({
    authenticationMethod: 'tls_client_auth',
    settings: {
      profile: 'fapi2',
      tlsClientAuth: { member: 'san_dns', value: 'bank.example' },
      tlsClientCertificateBoundAccessTokens: true,
    },
  })
  t.equal(requirementsOf({ settings }).senderConstraint, 'mtls')
})

test('fapi2: refresh tokens may rotate where a retry is answered for a minute', async (t) => {
  const rotating = { refreshTokenRotation: 'rotate', settings: bank } as const
  t.equal(registered({ ...rotating, refreshGraceSeconds: 60 }).refreshGraceSeconds, 60)
  t.equal(registered(rotating).refreshGraceSeconds, null, 'which is then a minute at least')
  t.strictSame(faultsOf({ ...rotating, refreshGraceSeconds: 59 }), [
    'refresh_grace_seconds must be at least 60 for a confidential client whose tokens are bound to a key',
  ])
})

const weaker: Record<string, [Partial<ClientSettings>, said: string]> = {
  'requests that are not pushed': [
    { requirePushedAuthorizationRequests: false },
    'require_pushed_authorization_requests must be true for the profile fapi2',
  ],
  'no challenge': [{ requirePkce: false }, 'require_pkce must be true for the profile fapi2'],
  'an audience that others have too': [
    { assertionAudience: 'legacy' },
    'assertion_audience must be issuer for the profile fapi2',
  ],
  ...Object.fromEntries(
    [
      ['idTokenSignedResponseAlg', 'id_token_signed_response_alg'],
      ['userinfoSignedResponseAlg', 'userinfo_signed_response_alg'],
      ['authorizationSignedResponseAlg', 'authorization_signed_response_alg'],
      ['introspectionSignedResponseAlg', 'introspection_signed_response_alg'],
      ['requestObjectSigningAlg', 'request_object_signing_alg'],
      ['tokenEndpointAuthSigningAlg', 'token_endpoint_auth_signing_alg'],
    ].map(([member = '', name]) => [
      `RS256 as ${name}`,
      [{ [member]: 'RS256' }, `${name} must be PS256, ES256 or EdDSA for the profile fapi2`],
    ]),
  ),
}

for (const [weakness, [settings, said]] of Object.entries(weaker)) {
  test(`fapi2: a client may not have ${weakness}`, async (t) => {
    t.strictSame(faultsOf({ settings: { ...bank, ...settings } }), [said])
  })
}

test('fapi2: tokens are bound, and no secret is enough', async (t) => {
  const unbound = {
    refreshTokenRotation: 'rotate',
    refreshGraceSeconds: 60,
    settings: { ...bank, dpopBoundAccessTokens: false },
  } as const
  t.strictSame(faultsOf(unbound), [
    'dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens must be true for the profile fapi2',
  ])
  for (const method of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt']) {
    const registration = { authenticationMethod: method, settings: bank }
    const said =
      'token_endpoint_auth_method must be one of private_key_jwt, tls_client_auth, self_signed_tls_client_auth for the profile fapi2'
    t.ok(faultsOf(registration).includes(said), method)
  }
})

test('oidc-basic: PKCE is left to confidential clients, and only to them', async (t) => {
  const settings = { profile: 'oidc-basic' } as const
  const confidential = registered({ settings })
  t.equal(requirementsOf(confidential).pkce, false)
  t.strictSame(confidential.settings.responseModes, ['query', 'form_post'])
  const app = registered({ authenticationMethod: 'none', settings })
  t.equal(requirementsOf(app).pkce, true)
})

test('default: PKCE for everybody, any algorithm, assertions for the issuer', async (t) => {
  t.strictSame(requirementsOf(registered({})), {
    pkce: true,
    pushedRequest: false,
    signedRequestObject: false,
    senderConstraint: undefined,
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'],
    legacyAssertionAudience: false,
  })
  const { settings } = registered({ settings: { assertionAudience: 'legacy' } })
  t.equal(requirementsOf({ settings }).legacyAssertionAudience, true)
})

const changed = (...[client, change]: Parameters<typeof applyChange>) => {
  const result = applyChange(client, change)
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.client
}

test('another profile takes the settings of the one before with it, and nothing else', async (t) => {
  const stated = { consent: 'always', contacts: ['ops@app.example'] } as const
  const before = makeClient({ settings: { ...defaultClientSettings, ...stated } })
  const basic = changed(before, { settings: { profile: 'oidc-basic' } })
  t.strictSame(basic.settings, {
    ...defaultClientSettings,
    ...stated,
    profile: 'oidc-basic',
    requirePkce: false,
    responseModes: ['query', 'form_post'],
  })
  const plain = changed(basic, { settings: { profile: 'default' } })
  t.strictSame(plain.settings, before.settings)
})

test('a change of something else leaves what a profile set', async (t) => {
  const { settings } = registered({ settings: bank })
  const client = { ...makeClient({ settings, refreshTokenRotation: 'static' }) }
  const bound = { ...client, authenticationMethod: 'private_key_jwt' } as unknown as typeof client
  const { settings: kept } = changed(bound, { name: 'Bank', settings: { consent: 'always' } })
  t.strictSame(kept, { ...settings, consent: 'always' })
})
