import type { JSONWebKeySet } from 'jose'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import type { ResponseMode } from '../oauth/response-mode.ts'

/** Algorithms that a client may sign with: ours, and with the shared secret where it is enabled. */
export const clientSigningAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] as const
export type ClientSigningAlgorithm = (typeof clientSigningAlgorithms)[number]

/** Members of a certificate that can name a client (RFC 8705 §2.1.2); exactly one does. */
export const certificateNames = ['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email'] as const
export type CertificateName = {
  readonly member: (typeof certificateNames)[number]
  readonly value: string
}

/** Sets of settings that belong together, by the name of what demands them. */
export const clientProfiles = ['default', 'oidc-basic', 'fapi2'] as const
export type ClientProfile = (typeof clientProfiles)[number]

/**
 * What is decided for each client by itself, because the standards pull apart there. Named as in
 * RFC 7591 §2 and the specifications that extend it; null: not set.
 */
export type ClientSettings = {
  readonly profile: ClientProfile

  // Authorization requests
  readonly responseModes: readonly ResponseMode[]
  /** RFC 7636; false for confidential clients of OpenID Connect only. */
  readonly requirePkce: boolean
  readonly requirePushedAuthorizationRequests: boolean
  readonly requireSignedRequestObject: boolean
  readonly requestObjectSigningAlg: ClientSigningAlgorithm | null
  /** Seconds; as `max_age` where a request names none. */
  readonly defaultMaxAge: number | null
  readonly requireAuthTime: boolean
  readonly defaultAcrValues: readonly string[]
  /** Of RFC 9396 §2, that it may ask for. */
  readonly authorizationDetailsTypes: readonly string[]
  /** It may ask for them only where no browser can change them: by PAR or a request object. */
  readonly requirePushedAuthorizationDetails: boolean
  /** `remember`: asked once; `always`: with each request; `skip`: an app of the operator's own. */
  readonly consent: 'remember' | 'always' | 'skip'

  // Its own keys, by which it authenticates and signs; one of the first two at most
  readonly jwks: JSONWebKeySet | null
  readonly jwksUri: string | null
  readonly tokenEndpointAuthSigningAlg: ClientSigningAlgorithm | null
  readonly tlsClientAuth: CertificateName | null
  /** `legacy`: the token endpoint's URL too may be the audience of its assertions. */
  readonly assertionAudience: 'issuer' | 'legacy'

  // Tokens
  readonly dpopBoundAccessTokens: boolean
  readonly tlsClientCertificateBoundAccessTokens: boolean

  // Token exchange (RFC 8693)
  /** `delegate`: tokens always say that it acts; `impersonate`: not without an actor token. */
  readonly tokenExchange: 'delegate' | 'impersonate'
  /** Clients whose tokens it may exchange; empty: any whose token is meant for it. */
  readonly tokenExchangeClients: readonly string[]

  // OpenID Connect
  readonly idTokenSignedResponseAlg: SigningAlgorithm
  /** null: userinfo is plain JSON. */
  readonly userinfoSignedResponseAlg: SigningAlgorithm | null
  readonly authorizationSignedResponseAlg: SigningAlgorithm
  /** null: introspection is plain JSON unless a JWT is asked for. */
  readonly introspectionSignedResponseAlg: SigningAlgorithm | null
  readonly subjectType: 'public' | 'pairwise'
  readonly sectorIdentifierUri: string | null
  readonly postLogoutRedirectUris: readonly string[]
  readonly backchannelLogoutUri: string | null
  readonly backchannelLogoutSessionRequired: boolean

  // Who it is, for the page that asks for consent
  readonly clientUri: string | null
  readonly logoUri: string | null
  readonly policyUri: string | null
  readonly tosUri: string | null
  readonly contacts: readonly string[]
}

export const defaultClientSettings: ClientSettings = {
  profile: 'default',
  responseModes: ['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt'],
  requirePkce: true,
  requirePushedAuthorizationRequests: false,
  requireSignedRequestObject: false,
  requestObjectSigningAlg: null,
  defaultMaxAge: null,
  requireAuthTime: false,
  defaultAcrValues: [],
  authorizationDetailsTypes: [],
  requirePushedAuthorizationDetails: false,
  consent: 'remember',
  jwks: null,
  jwksUri: null,
  tokenEndpointAuthSigningAlg: null,
  tlsClientAuth: null,
  assertionAudience: 'issuer',
  dpopBoundAccessTokens: false,
  tlsClientCertificateBoundAccessTokens: false,
  tokenExchange: 'delegate',
  tokenExchangeClients: [],
  idTokenSignedResponseAlg: 'RS256',
  userinfoSignedResponseAlg: null,
  authorizationSignedResponseAlg: 'RS256',
  introspectionSignedResponseAlg: null,
  subjectType: 'public',
  sectorIdentifierUri: null,
  postLogoutRedirectUris: [],
  backchannelLogoutUri: null,
  backchannelLogoutSessionRequired: false,
  clientUri: null,
  logoUri: null,
  policyUri: null,
  tosUri: null,
  contacts: [],
}

/** Those that differ from their defaults; what has its default follows it when that changes. */
export const statedSettings = (settings: ClientSettings): Partial<ClientSettings> =>
  Object.fromEntries(
    Object.entries(settings).filter(
      ([name, value]) =>
        JSON.stringify(value) !==
        JSON.stringify(defaultClientSettings[name as keyof ClientSettings]),
    ),
  )
