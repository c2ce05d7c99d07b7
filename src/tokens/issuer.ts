import { randomUUID } from 'node:crypto'
import { addSeconds, toNumericDate } from '../clock.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import { OAuthError } from '../oauth/error.ts'
import { formatScope, type Scope } from '../oauth/scope.ts'
import { scopeFor } from './audience-scope.ts'
import type { Authorization } from './authorization.ts'
import type { Subjects } from './subjects.ts'

/** How access tokens for an audience are made; absent members take the service's default. */
export type AudienceSettings = {
  readonly signingAlgorithm?: SigningAlgorithm
  readonly accessTokenTtlSeconds?: number
  /** All that it knows; absent: any. */
  readonly scope?: Scope
}

/** Answers from memory. */
export type AudienceDirectory = {
  settingsOf(audience: string): AudienceSettings | undefined
  /** Whether any two audiences want different algorithms. */
  hasSeveralAlgorithms(): boolean
}

export type TokenIssuer = {
  /** Whether there are any audiences of which `requireOneAlgorithm` could speak. */
  canRefuse(): boolean
  /**
   * To be asked before anything is written. Tokens of our own API are never refused, or nobody
   * could sign in: they are signed as the issuer's own setting says.
   * @throws {OAuthError} invalid_target when the audiences demand different algorithms.
   */
  requireOneAlgorithm(authorization: Pick<Authorization, 'clientId' | 'audience'>): void
  /**
   * Signs an access token (RFC 9068). What has been written is answered: audiences that came to
   * demand different algorithms meanwhile get what the issuer's own setting says.
   */
  issueAccessToken(authorization: Authorization): Promise<{
    readonly accessToken: string
    readonly expiresIn: number
    /** Of the token: no more than its audiences know. */
    readonly scope: Scope
  }>
}

type Options = {
  readonly issuer: string
  /** Of the built-in client. */
  readonly ownClientId: string
  readonly accessTokenTtlSeconds: number
  readonly keyRing: Pick<KeyRing, 'sign'>
  readonly audiences: AudienceDirectory
  readonly subjects: Pick<Subjects, 'subjectOf'>
}

export const createTokenIssuer = (options: Options): TokenIssuer => ({
  canRefuse: () => options.audiences.hasSeveralAlgorithms(),
  requireOneAlgorithm({ clientId, audience }) {
    if (clientId === options.ownClientId) return
    if (commonAlgorithm(audience, options.audiences.settingsOf) === undefined) {
      throw new OAuthError('invalid_target', 'These audiences want different signing algorithms')
    }
  },
  async issueAccessToken(authorization) {
    const settings = authorization.audience.flatMap(
      (audience) => options.audiences.settingsOf(audience) ?? [],
    )
    const expiresIn = lifetimeOf(authorization, settings, options.accessTokenTtlSeconds)
    const algorithm = algorithmOf(authorization.audience, options)
    const subject = await subjectOf(authorization, options)
    const scope = scopeFor(
      authorization.scope,
      authorization.audience,
      (name) => options.audiences.settingsOf(name)?.scope,
    )
    const claims = claimsOf({ ...authorization, subject, scope }, options.issuer, expiresIn)
    const accessToken = await options.keyRing.sign(algorithm, 'at+jwt', claims)
    return { accessToken, expiresIn, scope }
  },
})

// A client with pairwise subjects could read the common one in its access tokens.
const subjectOf = async (
  { clientId, subject, user }: Authorization,
  { ownClientId, subjects }: Options,
): Promise<string> =>
  user === undefined || clientId === ownClientId ? subject : subjects.subjectOf(clientId, subject)

const byDefault: SigningAlgorithm = 'RS256'

/** What one token for all these audiences is signed with; undefined: they want different ones. */
export const commonAlgorithm = (
  audience: readonly string[],
  settingsOf: AudienceDirectory['settingsOf'],
): SigningAlgorithm | undefined => {
  const demanded = new Set(audience.flatMap((name) => settingsOf(name)?.signingAlgorithm ?? []))
  const [algorithm = byDefault] = demanded
  return demanded.size > 1 ? undefined : algorithm
}

const algorithmOf = (
  audience: readonly string[],
  { issuer, audiences: { settingsOf } }: Options,
): SigningAlgorithm =>
  commonAlgorithm(audience, settingsOf) ?? settingsOf(issuer)?.signingAlgorithm ?? byDefault

/** Seconds: the shortest that an audience wants, and never past what the token derives from. */
const lifetimeOf = (
  { issuedAt, notAfter }: Authorization,
  settings: readonly AudienceSettings[],
  ordinary: number,
): number => {
  const wanted = settings.flatMap((setting) => setting.accessTokenTtlSeconds ?? [])
  const lifetime = wanted.length === 0 ? ordinary : Math.min(...wanted)
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
    cnf: authorization.confirmation,
    authorization_details: authorization.authorizationDetails,
    act: authorization.actor,
  }
}
