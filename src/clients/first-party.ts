import { firstPartyClientId } from './client.ts'
import type { NewClient } from './client-store.ts'

/** Scopes of the service's own API; no other client gets them unless it is told to. */
export const reservedScopes = ['account', 'admin'] as const

/** @param audience the issuer and the default audience. */
export const firstPartyClient = (audience: readonly string[]): NewClient => ({
  id: firstPartyClientId,
  name: 'First-party API',
  authenticationMethod: 'none',
  grantTypes: ['refresh_token'],
  scope: reservedScopes,
  audience: [...new Set(audience)],
  resourceServer: [],
  redirectUris: [],
  refreshGraceSeconds: null,
  refreshRetryElsewhere: 'allow',
  refreshTokenRotation: 'rotate',
  builtIn: true,
  secretDigest: null,
})
