import type { AuditWriter } from '../audit/writer.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { GrantType } from '../oauth/grant-type.ts'
import type { DeviceCodeStore } from '../tokens/device-code.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import type { Refresher } from '../tokens/refresher.ts'
import type { AccessTokenVerifier } from '../tokens/verifier.ts'
import { createAuthorizationCodeGrant } from './authorization-code.ts'
import { createClientCredentialsGrant } from './client-credentials.ts'
import { createDeviceCodeGrant } from './device-code.ts'
import type { Grant } from './grant.ts'
import { createJwtBearerGrant } from './jwt-bearer.ts'
import { createRefreshTokenGrant } from './refresh-token.ts'
import { createTokenExchangeGrant } from './token-exchange.ts'

export type GrantTable = Readonly<Record<GrantType, Grant>>

type AuthorizationCodeParts = Parameters<typeof createAuthorizationCodeGrant>[0]
type JwtBearerParts = Pick<
  Parameters<typeof createJwtBearerGrant>[0],
  'assertions' | 'oneTimeIds' | 'findUser'
>

type Dependencies = Omit<AuthorizationCodeParts, 'config' | 'auditWriter'> & {
  readonly devices: DeviceCodeStore
} & JwtBearerParts & {
    readonly config: AuthorizationCodeParts['config'] &
      Pick<Config, 'issuer' | 'refreshGraceSeconds'>
    /** In step with the database. */
    readonly clock: Clock
    readonly issuer: TokenIssuer
    readonly refresher: Refresher
    readonly verifier: AccessTokenVerifier
    readonly auditWriter: AuditWriter
  }

/** Every grant that the token endpoint knows; a new one is a file and a line here. */
export const createGrantTable = ({
  config,
  clock,
  issuer,
  refresher,
  verifier,
  auditWriter,
  ...redemption
}: Dependencies): GrantTable => ({
  authorization_code: createAuthorizationCodeGrant({ config, issuer, auditWriter, ...redemption }),
  client_credentials: createClientCredentialsGrant({
    clock,
    defaultAudience: config.defaultAudience,
    issuer,
  }),
  refresh_token: createRefreshTokenGrant({
    refresher,
    refreshGraceSeconds: config.refreshGraceSeconds,
  }),
  'urn:ietf:params:oauth:grant-type:device_code': createDeviceCodeGrant({
    ...{ config, issuer, ...redemption },
  }),
  'urn:ietf:params:oauth:grant-type:jwt-bearer': createJwtBearerGrant({
    ...{ clock, issuer, auditWriter, ...redemption },
    defaultAudience: config.defaultAudience,
  }),
  'urn:ietf:params:oauth:grant-type:token-exchange': createTokenExchangeGrant({
    ...{ clock, issuer, verifier, auditWriter },
    issuerUrl: config.issuer,
    defaultAudience: config.defaultAudience,
  }),
})
