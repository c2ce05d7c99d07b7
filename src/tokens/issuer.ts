import { randomUUID } from 'node:crypto'
import { addSeconds, toNumericDate } from '../clock.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import { OAuthError } from '../oauth/error.ts'
import { formatScope } from '../oauth/scope.ts'
import type { Authorization } from './authorization.ts'

/** How access tokens for an audience are made; absent members take the service's default. */
export type AudienceSettings = {
  readonly signingAlgorithm?: SigningAlgorithm
  readonly accessTokenTtlSeconds?: number
}

/** Answers from memory. */
export type AudienceDirectory = { settingsOf(audience: string): AudienceSettings | undefined }

export type TokenIssuer = {
  /**
   * Signs an access token (RFC 9068).
   * @throws {OAuthError} invalid_target when its audiences demand different algorithms.
   */
  issueAccessToken(
    authorization: Authorization,
  ): Promise<{ readonly accessToken: string; readonly expiresIn: number }>
}

type Options = {
  readonly issuer: string
  readonly accessTokenTtlSeconds: number
  readonly keyRing: Pick<KeyRing, 'sign'>
  readonly audiences: AudienceDirectory
}

export const createTokenIssuer = (options: Options): TokenIssuer => ({
  async issueAccessToken(authorization) {
    const settings = authorization.audience.flatMap(
      (audience) => options.audiences.settingsOf(audience) ?? [],
    )
    const expiresIn = lifetimeOf(authorization, settings, options.accessTokenTtlSeconds)
    const claims = claimsOf(authorization, options.issuer, expiresIn)
    const accessToken = await options.keyRing.sign(algorithmOf(settings), 'at+jwt', claims)
    return { accessToken, expiresIn }
  },
})

const algorithmOf = (settings: readonly AudienceSettings[]): SigningAlgorithm => {
  const demanded = new Set(settings.flatMap((setting) => setting.signingAlgorithm ?? []))
  if (demanded.size > 1) {
    throw new OAuthError('invalid_target', 'These audiences want different signing algorithms')
  }
  const [algorithm = 'RS256'] = demanded
  return algorithm
}

/** Seconds: the shortest that an audience wants, and never past what the token derives from. */
const lifetimeOf = (
  { issuedAt, notAfter }: Authorization,
  settings: readonly AudienceSettings[],
  byDefault: number,
): number => {
  const wanted = settings.flatMap((setting) => setting.accessTokenTtlSeconds ?? [])
  const lifetime = wanted.length === 0 ? byDefault : Math.min(...wanted)
  const remaining =
    notAfter === undefined ? lifetime : toNumericDate(notAfter) - toNumericDate(issuedAt)
  return Math.max(1, Math.min(lifetime, remaining))
}

const claimsOf = (
  { user, ...authorization }: Authorization,
  issuer: string,
  expiresIn: number,
): object => {
  const [onlyAudience, ...more] = authorization.audience
  return {
    iss: issuer,
    sub: authorization.subject,
    aud: more.length === 0 ? onlyAudience : authorization.audience,
    client_id: authorization.clientId,
    // Nothing is not a scope (RFC 6749 §3.3).
    scope: authorization.scope.length === 0 ? undefined : formatScope(authorization.scope),
    jti: randomUUID(),
    iat: toNumericDate(authorization.issuedAt),
    exp: toNumericDate(addSeconds(authorization.issuedAt, expiresIn)),
    sid: authorization.sessionId,
    fam: authorization.familyId,
    roles: user?.roles,
    permissions: user?.permissions,
    auth_time: user && toNumericDate(user.authTime),
    amr: user?.amr,
    acr: user?.acr,
  }
}
