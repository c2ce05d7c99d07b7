import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { GrantType } from '../oauth/grant-type.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import type { Refresher } from '../tokens/refresher.ts'
import { createClientCredentialsGrant } from './client-credentials.ts'
import type { Grant } from './grant.ts'
import { createRefreshTokenGrant } from './refresh-token.ts'

export type GrantTable = Readonly<Record<GrantType, Grant>>

type Dependencies = {
  readonly config: Pick<Config, 'defaultAudience' | 'refreshGraceSeconds'>
  /** In step with the database. */
  readonly clock: Clock
  readonly issuer: TokenIssuer
  readonly refresher: Refresher
}

/** Every grant that the token endpoint knows; a new one is a file and a line here. */
export const createGrantTable = ({
  config,
  clock,
  issuer,
  refresher,
}: Dependencies): GrantTable => ({
  client_credentials: createClientCredentialsGrant({
    clock,
    defaultAudience: config.defaultAudience,
    issuer,
  }),
  refresh_token: createRefreshTokenGrant({
    refresher,
    refreshGraceSeconds: config.refreshGraceSeconds,
  }),
})
