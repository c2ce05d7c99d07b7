import { Type } from 'typebox'
import type { AuditWriter } from '../audit/writer.ts'
import { type Client, isConfidential } from '../clients/client.ts'
import type { Clock } from '../clock.ts'
import {
  type AuthorizationDetail,
  narrowAuthorizationDetails,
} from '../oauth/authorization-details.ts'
import { invalidGrant, invalidRequest, OAuthError } from '../oauth/error.ts'
import { isOwnScope } from '../oauth/own-scope.ts'
import { isSubset, type Scope } from '../oauth/scope.ts'
import type { Actor, Authorization } from '../tokens/authorization.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import type { AccessTokenClaims, AccessTokenVerifier } from '../tokens/verifier.ts'
import { audienceOf } from './client-audience.ts'
import { actAfter, countActors, mayAct, mostActors, readActor } from './delegation.ts'
import type { Grant, GrantRequest } from './grant.ts'
import { accessTokenType, readPresentedToken } from './presented-token.ts'

type Dependencies = {
  /** In step with the database. */
  readonly clock: Clock
  readonly issuerUrl: string
  readonly defaultAudience: string
  readonly issuer: Pick<TokenIssuer, 'requireOneAlgorithm'>
  readonly verifier: Pick<AccessTokenVerifier, 'verify'>
  readonly auditWriter: Pick<AuditWriter, 'write'>
}

const text = (description: string) =>
  Type.String({ description: `For token exchange: ${description}` })

/**
 * A service that was given a token gets one for the next service, in the name of the same subject
 * (RFC 8693). Never with more scope than the presented token has or for longer than it lives, for no
 * audience but the client's own, and it ends with the same session. There is no refresh token, and
 * nothing of it opens the service's own API.
 */
export const createTokenExchangeGrant = (deps: Dependencies): Grant => ({
  grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
  takesAudience: true,
  parameters: Type.Object({
    subject_token: text('an access token of whom it is about'),
    subject_token_type: text('the kind of the subject_token'),
    actor_token: Type.Optional(text('an access token of who acts')),
    actor_token_type: Type.Optional(text('the kind of the actor_token')),
    requested_token_type: Type.Optional(text('an access token, which is the default')),
  }),
  async authorize(request, client) {
    if (!isConfidential(client)) {
      throw new OAuthError('unauthorized_client', 'A public client cannot exchange tokens')
    }
    refuseMalformed(request.parameters)
    const subject = await present(deps, request, client, 'subject_token')
    const actor = await findActor(deps, request, client, subject)
    const audience = request.audience ?? audienceOf(client, deps.defaultAudience)
    deps.issuer.requireOneAlgorithm({ clientId: client.id, audience })
    const scope = scopeOf(request.scope, subject.scope, client)
    const details = detailsOf(request, subject, client)
    const authorization = authorizationOf(
      subject,
      { clientId: client.id, audience, scope, issuedAt: deps.clock(), ...details },
      actor,
    )
    await deps.auditWriter.write(describe(request, authorization))
    return { authorization, issuedTokenType: accessTokenType }
  },
})

const refuseMalformed = (parameters: GrantRequest['parameters']): void => {
  const { actor_token: token, actor_token_type: type, requested_token_type: wanted } = parameters
  // RFC 8693 §2.1: the one is required with the other, and must not come without it.
  if ((token === undefined) !== (type === undefined)) {
    throw invalidRequest('actor_token and actor_token_type go together')
  }
  if (wanted !== undefined && wanted !== accessTokenType) {
    throw invalidRequest('The requested_token_type is not supported')
  }
}

const present = (
  { verifier }: Dependencies,
  { parameters, confirmation }: GrantRequest,
  client: Client,
  parameter: 'subject_token' | 'actor_token',
): Promise<AccessTokenClaims> => {
  const token = parameters[parameter] ?? ''
  const type = parameters[`${parameter}_type`] ?? ''
  return readPresentedToken(verifier, { token, type, parameter }, client, confirmation)
}

/** Who acts: whom the actor token is about, else the client itself unless it may impersonate. */
const findActor = async (
  deps: Dependencies,
  request: GrantRequest,
  client: Client,
  subject: AccessTokenClaims,
): Promise<Actor | undefined> => {
  const before = readActor(subject.raw.act)
  const isNamed = request.parameters.actor_token !== undefined
  const named = isNamed ? await present(deps, request, client, 'actor_token') : undefined
  const actor = { sub: named?.subject ?? client.id }
  if (!mayAct(subject.raw.may_act, actor, deps.issuerUrl)) {
    throw invalidGrant('The subject_token names somebody else who may act', 'may_not_act')
  }
  if (!isNamed && client.settings.tokenExchange === 'impersonate') return before
  const next = actAfter(actor, before)
  if (countActors(next) > mostActors) throw invalidGrant('Too many act for each other', 'actors')
  return next
}

// What opens our own API, and what is about a sign-in at the client itself, is for who was given it.
const isWithheld = (token: string): boolean =>
  isOwnScope(token) || token === 'openid' || token === 'offline_access'

/** @throws {OAuthError} invalid_scope when it is beyond the presented token's. */
const scopeOf = (requested: Scope | undefined, presented: Scope, client: Client): Scope => {
  const most = presented.filter((token) => client.scope.includes(token) && !isWithheld(token))
  const scope = requested ?? most
  if (!isSubset(scope, most)) {
    throw new OAuthError('invalid_scope', 'The scope is beyond that of the subject_token')
  }
  return scope
}

/** What of the presented token's details the client may ask for, or less. */
const detailsOf = (
  { authorizationDetails: requested }: GrantRequest,
  { raw }: AccessTokenClaims,
  { settings }: Client,
): Pick<Authorization, 'authorizationDetails'> => {
  const presented = Array.isArray(raw.authorization_details) ? raw.authorization_details : []
  const most = (presented as AuthorizationDetail[]).filter(({ type }) =>
    settings.authorizationDetailsTypes.includes(type),
  )
  const authorizationDetails = narrowAuthorizationDetails(requested, most) ?? []
  return authorizationDetails.length === 0 ? {} : { authorizationDetails }
}

const authorizationOf = (
  { raw, ...subject }: AccessTokenClaims,
  wanted: Pick<
    Authorization,
    'clientId' | 'audience' | 'scope' | 'issuedAt' | 'authorizationDetails'
  >,
  actor: Actor | undefined,
): Authorization => ({
  ...wanted,
  subject: subject.subject,
  ...(typeof raw.auth_time === 'number'
    ? {
        user: {
          roles: subject.roles,
          permissions: subject.permissions,
          authTime: new Date(raw.auth_time * 1000),
          amr: Array.isArray(raw.amr) ? raw.amr : [],
          ...(typeof raw.acr === 'string' ? { acr: raw.acr } : {}),
        },
      }
    : {}),
  // Whatever ends the presented token's session or family ends this one as well.
  ...(subject.sessionId === undefined ? {} : { sessionId: subject.sessionId }),
  ...(subject.familyId === undefined ? {} : { familyId: subject.familyId }),
  ...(actor === undefined ? {} : { actor }),
  notAfter: subject.expiresAt,
})

const describe = ({ origin, parameters }: GrantRequest, authorization: Authorization) =>
  ({
    type: 'token.exchanged',
    outcome: 'success',
    actor: authorization.actor?.sub ?? authorization.clientId,
    subject: authorization.subject,
    clientId: authorization.clientId,
    ...(authorization.sessionId === undefined ? {} : { sessionId: authorization.sessionId }),
    ...(authorization.familyId === undefined ? {} : { familyId: authorization.familyId }),
    details: {
      audience: authorization.audience,
      scope: authorization.scope,
      impersonated: authorization.actor === undefined,
      actor_token: parameters.actor_token !== undefined,
    },
    origin,
  }) as const
