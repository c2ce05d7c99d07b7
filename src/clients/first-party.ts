import type { Config } from '../config.ts'
import { isPasswordOnly, ownScopes } from '../oauth/own-scope.ts'
import type { Scope } from '../oauth/scope.ts'
import { firstPartyClientId } from './client.ts'
import { defaultClientSettings } from './client-settings.ts'
import type { NewClient } from './client-store.ts'

/** Audience of the tokens of our own API: ourselves, and whom tokens are meant for by default. */
export const firstPartyAudience = ({
  issuer,
  defaultAudience,
}: Pick<Config, 'issuer' | 'defaultAudience'>): readonly string[] => [
  ...new Set([issuer, defaultAudience]),
]

/** The same by what a family may do: where a password must be changed first, nowhere else. */
export const firstPartyAudienceOf =
  (config: Pick<Config, 'issuer' | 'defaultAudience'>) =>
  (scope: Scope): readonly string[] =>
    isPasswordOnly(scope) ? [config.issuer] : firstPartyAudience(config)

/** Where the Authorize button of the API page has people come back to. */
export const apiPageRedirectUri = ({ issuer }: Pick<Config, 'issuer'>): string =>
  `${issuer}/docs/static/oauth2-redirect.html`

/**
 * The built-in client.
 * @param audience see `firstPartyAudience`
 * @param redirectUris pages of our own; see `apiPageRedirectUri`
 */
export const firstPartyClient = (
  audience: readonly string[],
  redirectUris: readonly string[],
): NewClient => ({
  id: firstPartyClientId,
  name: 'First-party API',
  authenticationMethod: 'none',
  grantTypes: ['authorization_code', 'refresh_token'],
  scope: ownScopes,
  audience,
  resourceServer: [],
  redirectUris,
  corsOrigins: [],
  refreshGraceSeconds: null,
  refreshRetryElsewhere: 'allow',
  refreshTokenRotation: 'rotate',
  settings: { ...defaultClientSettings, consent: 'skip' },
  registeredBy: 'operator',
  builtIn: true,
  secretDigest: null,
})
