import type { Client } from './client.ts'
import {
  type ClientProfile,
  type ClientSettings,
  type ClientSigningAlgorithm,
  clientSigningAlgorithms,
  defaultClientSettings,
} from './client-settings.ts'

/** What a profile says of a new client that the registration does not state. */
type ProfileDefaults = {
  readonly authenticationMethod?: string
  readonly refreshTokenRotation?: Client['refreshTokenRotation']
  readonly settings: Partial<ClientSettings>
}

// FAPI 2.0 Security Profile §5.3: pushed requests, PKCE, keys instead of secrets, bound tokens,
// refresh tokens that stay as they are, and no PKCS#1 v1.5 signatures.
const fapi2: ProfileDefaults = {
  authenticationMethod: 'private_key_jwt',
  refreshTokenRotation: 'static',
  settings: {
    requirePushedAuthorizationRequests: true,
    dpopBoundAccessTokens: true,
    idTokenSignedResponseAlg: 'PS256',
    authorizationSignedResponseAlg: 'PS256',
  },
}

const profileDefaults: Readonly<Record<ClientProfile, ProfileDefaults>> = {
  default: { settings: {} },
  // OpenID Connect Core knows no PKCE, and its confidential clients may send none.
  'oidc-basic': { settings: { requirePkce: false, responseModes: ['query', 'form_post'] } },
  fapi2,
}

/** @returns the defaults of a profile; those of `default` for one that nobody knows. */
export const defaultsOf = (profile: string, isPublic: boolean): ProfileDefaults => {
  const known = Object.hasOwn(profileDefaults, profile)
  const defaults = profileDefaults[known ? (profile as ClientProfile) : 'default']
  if (!isPublic || defaults.settings.requirePkce !== false) return defaults
  return { ...defaults, settings: { ...defaults.settings, requirePkce: true } }
}

/**
 * The settings with what is stated of them. A profile brings its defaults with it, and those of the
 * profile before go: what it set becomes what it would be without it.
 */
export const withStated = (
  present: ClientSettings,
  stated: Partial<ClientSettings>,
  isPublic: boolean,
): ClientSettings => {
  const { profile = present.profile } = stated
  if (profile === present.profile) return { ...present, ...stated }
  // A binding that is stated takes the place of the profile's own.
  const own = stated.tlsClientCertificateBoundAccessTokens ? { dpopBoundAccessTokens: false } : {}
  const before = Object.keys(defaultsOf(present.profile, isPublic).settings)
  const reset = Object.fromEntries(
    before.map((member) => [member, defaultClientSettings[member as keyof ClientSettings]]),
  )
  return { ...present, ...reset, ...defaultsOf(profile, isPublic).settings, ...own, ...stated }
}

/** What holds for every request of a client, whatever the request says. */
export type Requirements = {
  /** S256 challenges (RFC 7636). */
  readonly pkce: boolean
  /** Authorization requests come by RFC 9126 only. */
  readonly pushedRequest: boolean
  readonly signedRequestObject: boolean
  /** How its tokens are bound; undefined: they need not be. */
  readonly senderConstraint: 'dpop' | 'mtls' | undefined
  /** That it may sign with, and that may sign for it. */
  readonly algorithms: readonly ClientSigningAlgorithm[]
  /** Whether the token endpoint's URL too may be the audience of its assertions. */
  readonly legacyAssertionAudience: boolean
}

const fapi2Algorithms = ['PS256', 'ES256', 'EdDSA'] as const

/** Reads the requirements from the settings; registration sees to it that these fit the profile. */
export const requirementsOf = ({ settings }: Pick<Client, 'settings'>): Requirements => ({
  pkce: settings.requirePkce,
  pushedRequest: settings.requirePushedAuthorizationRequests,
  signedRequestObject: settings.requireSignedRequestObject,
  senderConstraint: constraintOf(settings),
  algorithms: settings.profile === 'fapi2' ? fapi2Algorithms : clientSigningAlgorithms,
  legacyAssertionAudience: settings.assertionAudience === 'legacy',
})

/** Whether a client may sign with an algorithm, which has two names for one (RFC 9864 §2.2). */
export const maySignWith = (client: Pick<Client, 'settings'>, algorithm: string): boolean =>
  requirementsOf(client).algorithms.some(
    (permitted) => permitted === (algorithm === 'Ed25519' ? 'EdDSA' : algorithm),
  )

const constraintOf = (settings: ClientSettings): Requirements['senderConstraint'] => {
  if (settings.dpopBoundAccessTokens) return 'dpop'
  return settings.tlsClientCertificateBoundAccessTokens ? 'mtls' : undefined
}
